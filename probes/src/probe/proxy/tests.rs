//! Tests of the choice of a proxy, and of tunnels through real proxies on loopback.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::observation::IoFailure;
use crate::probe::loopback::*;

fn chosen(environment: &[(&str, &str)], host: &str) -> Option<Proxy> {
    let mut world = world(&[]);
    world.environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    choose(&world, &Options::default(), host, 443)
}

fn with_credentials() -> Proxy {
    chosen(&[("HTTPS_PROXY", "http://us%40er:p%3Ass%20word@proxy.example.com:3128")], NAME).unwrap()
}

#[test]
fn variables_are_read_as_curl_reads_them() {
    for (environment, url, source) in [
        (&[("HTTPS_PROXY", "http://10.0.0.9:3128")][..], "http://10.0.0.9:3128", "HTTPS_PROXY"),
        (&[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:2")], "http://lower:2", "https_proxy"),
        (&[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "")], "http://upper:1", "HTTPS_PROXY"),
        (&[("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "http://https:2")], "http://https:2", "HTTPS_PROXY"),
        (&[("all_proxy", "proxy.example.com:8080")], "http://proxy.example.com:8080", "all_proxy"),
        (&[("https_proxy", "http://Proxy.Example.com:8080/path?x")], "http://proxy.example.com:8080", "https_proxy"),
        (&[("https_proxy", "http://[fd00::9]:3128")], "http://[fd00::9]:3128", "https_proxy"),
        (&[("https_proxy", "http://proxy.example.com")], "http://proxy.example.com:1080", "https_proxy"),
        (&[("https_proxy", "http://proxy.example.com:80")], "http://proxy.example.com:80", "https_proxy"),
        (&[("https_proxy", "socks5h://10.0.0.9")], "socks5h://10.0.0.9:1080", "https_proxy"),
        (&[("https_proxy", "https://10.0.0.9")], "https://10.0.0.9:443", "https_proxy"),
    ] {
        let proxy = chosen(environment, NAME).unwrap_or_else(|| panic!("{environment:?}"));
        assert_eq!((proxy.choice.url.as_str(), proxy.choice.source.as_str()), (url, source));
        assert!(!proxy.choice.has_credentials && proxy.authorization.is_none());
        assert!(!proxy.host.contains('['));
    }
    for environment in [
        &[][..],
        &[("HTTP_PROXY", "http://10.0.0.9:3128")],
        &[("http_proxy", "http://10.0.0.9:3128")],
        &[("HTTPS_PROXY", "")],
        &[("HTTPS_PROXY", "  ")],
        &[("HTTPS_PROXY", "gopher://10.0.0.9:70")],
        &[("HTTPS_PROXY", "http://")],
        &[("HTTPS_PROXY", "\u{1}\u{2}")],
    ] {
        assert!(chosen(environment, NAME).is_none(), "{environment:?}");
    }
}

#[test]
fn exemptions_are_read_as_curl_reads_them() {
    for (exempt, host, is_exempt) in [
        ("", "a.azure.com", false),
        ("azure.com", "azure.com", true),
        ("azure.com", "a.b.azure.com", true),
        (".azure.com", "a.azure.com", true),
        (".azure.com", "azure.com", true),
        ("azure.com", "notazure.com", false),
        (".azure.com", "notazure.com", false),
        ("AZURE.com", "a.azure.COM", true),
        ("a.azure.com", "azure.com", false),
        ("*", "anything.example", true),
        ("*", "a", true),
        ("other.example, azure.com ,x", "a.azure.com", true),
        (",, ,", "a.azure.com", false),
        ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false),
        ("10.0.0.4", "10.0.0.4", true),
        ("10.0.0.4", "10.0.0.40", false),
        ("fd00::/8", "fd00::1", true),
        ("168.63.129.16,169.254.169.254", "169.254.169.254", true),
        // Ports and wildcards inside a name are not part of curl's rules.
        ("azure.com:443", "a.azure.com", false),
        ("*.azure.com", "a.azure.com", false),
        ("azure.com.", "a.azure.com", true),
    ] {
        for name in ["NO_PROXY", "no_proxy"] {
            let proxy = chosen(&[("HTTPS_PROXY", "http://10.0.0.9:3128"), (name, exempt)], host);
            assert_eq!(proxy.is_none(), is_exempt, "{name}={exempt} for {host}");
        }
    }
}

#[test]
fn option_comes_before_the_environment() {
    let mut world = world(&[]);
    world.environment.insert("HTTPS_PROXY".to_owned(), "http://environment:1".to_owned());
    world.environment.insert("NO_PROXY".to_owned(), "*".to_owned());
    let url = ProxyOption::Url("http://user:hunter2@option:2".parse().unwrap());

    let proxy = choose(&world, &Options { proxy: url, ..Options::default() }, NAME, 443).unwrap();
    assert_eq!((proxy.choice.url.as_str(), proxy.choice.source.as_str()), ("http://option:2", "--proxy"));
    assert!(proxy.choice.has_credentials);

    for (url, port) in
        [("http://option", 80), ("http://option:80", 80), ("http://option:443", 443), ("socks5://option", 1080)]
    {
        let url = ProxyOption::Url(url.parse().unwrap());
        let proxy = choose(&world, &Options { proxy: url, ..Options::default() }, NAME, 443).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("option", port));
    }
    assert!(choose(&world, &Options { proxy: ProxyOption::Direct, ..Options::default() }, NAME, 443).is_none());
}

#[test]
fn password_with_an_at_sign_is_taken_as_curl_takes_it() {
    for (value, url) in [
        ("http://user:p@ss@proxy:3128", "http://proxy:3128"),
        ("user:p@ss@proxy:3128", "http://proxy:3128"),
        ("http://user:p%40ss@proxy:3128/a@b", "http://proxy:3128"),
    ] {
        let proxy = chosen(&[("HTTPS_PROXY", value)], NAME).unwrap();
        assert_eq!(proxy.choice.url, url);
        // `user:p@ss`
        assert_eq!(proxy.authorization.unwrap().expose(), "Basic dXNlcjpwQHNz");
    }
}

#[test]
fn credentials_are_never_shown() {
    let proxy = with_credentials();
    let shown = format!("{proxy:?} {}", serde_json::to_string(&proxy.choice).unwrap());
    for secret in ["us@er", "us%40er", "ss word", "ss%20word", "dXNAZXI6cDpzcyB3b3Jk"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(proxy.choice.has_credentials);
}

async fn tunnelled<T>(server: Server<T>, proxy: &Proxy, limit: Duration) -> (Tunnel, Option<Tunnelled>, T) {
    let ctx = context_to(server.address, limit);
    let stream = connected(&ctx).await;
    let began = Instant::now();
    let (tunnel, stream) = tunnel(&ctx, &endpoint(), proxy, Some(SIMULATED), stream).await;
    assert!(began.elapsed() < HANGS);
    assert_eq!(stream.is_some(), tunnel.outcome.seen().is_some());
    (tunnel, stream, server.received().await)
}

fn plain() -> Proxy {
    chosen(&[("HTTPS_PROXY", "http://10.0.0.9:3128")], NAME).unwrap()
}

#[tokio::test]
async fn bytes_flow_through_a_tunnel_and_the_secret_only_to_the_proxy() {
    let server = serve(async |mut stream: TcpStream| {
        let question = some(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\nfrom afar").await.unwrap();
        let inside = some(&mut stream).await;
        stream.shutdown().await.unwrap();
        (String::from_utf8(question).unwrap(), inside)
    })
    .await;
    let ctx = context_to(server.address, LONG);
    let stream = connected(&ctx).await;
    let proxy = with_credentials();

    let (tunnel, stream) = tunnel(&ctx, &endpoint(), &proxy, Some(SIMULATED), stream).await;
    let mut stream = stream.unwrap_or_else(|| panic!("{tunnel:?}"));
    stream.write_all(b"from here").await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    let (question, inside) = server.received().await;

    assert_eq!((heard.as_str(), inside.as_slice()), ("from afar", b"from here".as_slice()));
    assert_eq!(tunnel.outcome, Outcome::Seen(200));
    assert!(question.starts_with(&format!("CONNECT {NAME}:443 HTTP/1.1\r\n")), "{question}");
    assert!(question.contains(&format!("host: {NAME}:443\r\n")), "{question}");
    // `us@er:p:ss word`
    assert!(question.contains("proxy-authorization: Basic dXNAZXI6cDpzcyB3b3Jk\r\n"), "{question}");
    let recorded = serde_json::to_string(&tunnel).unwrap();
    assert!(!recorded.contains("dXNAZXI6cDpzcyB3b3Jk") && !recorded.contains("ss word"), "{recorded}");
}

#[tokio::test]
async fn proxy_that_wants_credentials_names_its_schemes() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
        Proxy-Authenticate: Basic realm=\"inner secret\"\r\nContent-Length: 0\r\n\r\n";
    let (tunnel, ..) = tunnelled(answering(answer).await, &plain(), LONG).await;
    let schemes = vec!["Negotiate".to_owned(), "Basic".to_owned()];
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::WantsCredentials(schemes)));
}

#[tokio::test]
async fn refusal_is_a_status() {
    for status in [302, 403, 502, 503] {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 5\r\n\r\nabcde");
        let (tunnel, ..) = tunnelled(answering(answer).await, &plain(), LONG).await;
        assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::Status(status)));
    }
}

#[tokio::test]
async fn proxy_that_says_nothing_or_nonsense_is_not_mistaken_for_one_that_refuses() {
    let (tunnel, ..) = tunnelled(answering("").await, &plain(), SHORT).await;
    assert_eq!(tunnel.outcome, Outcome::TimedOut);
    let (tunnel, ..) = tunnelled(answering("SSH-2.0-x\r\n\r\n").await, &plain(), LONG).await;
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::NoAnswer(HttpFailure::Malformed)));
    let (tunnel, ..) = tunnelled(answering_once("").await, &plain(), LONG).await;
    let closed = HttpFailure::Closed(IoFailure::Closed);
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::NoAnswer(closed)));
    let (tunnel, ..) = tunnelled(resetting("").await, &plain(), LONG).await;
    let reset = HttpFailure::Closed(IoFailure::Reset);
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::NoAnswer(reset)));
    let endless = repeating(b"HTTP/1.1 200 OK\r\n", HEADERS, Duration::ZERO).await;
    let (tunnel, ..) = tunnelled(endless, &plain(), LONG).await;
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::NoAnswer(HttpFailure::HeadTooLarge)));
}

#[tokio::test]
async fn proxy_of_another_protocol_is_sent_nothing() {
    let proxy = chosen(&[("ALL_PROXY", "socks5://user:hunter2@10.0.0.9")], NAME).unwrap();
    assert!(proxy.choice.has_credentials);
    let server = serve(async |mut stream: TcpStream| {
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        read
    });
    let (tunnel, _, read) = tunnelled(server.await, &proxy, LONG).await;
    assert_eq!(tunnel.outcome, Outcome::Failed(TunnelFailure::UnsupportedScheme("socks5".to_owned())));
    assert_eq!(read, b"");
}

fn read_settings(environment: &[(&str, &str)]) -> ProxySettings {
    let mut world = world(&[]);
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    world.environment = pairs.collect();
    settings(&world, &Options::default(), Instant::now()).unwrap()
}

fn caught(environment: &[(&str, &str)]) -> Vec<String> {
    let platform = read_settings(environment).platform.into_iter();
    platform.filter(|to| to.proxy.is_some()).map(|to| to.address.to_string()).collect()
}

#[test]
fn platform_addresses_are_caught_by_what_applies_to_http_and_freed_by_exemptions() {
    const BOTH: [&str; 2] = ["169.254.169.254", "168.63.129.16"];
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        assert_eq!(caught(&[(name, "http://10.0.0.9:3128")]), BOTH, "{name}");
    }
    assert_eq!(caught(&[("HTTPS_PROXY", "http://10.0.0.9:3128")]), Vec::<String>::new());
    let exempt = |names| caught(&[("http_proxy", "http://10.0.0.9:3128"), ("no_proxy", names)]);
    assert_eq!(exempt("localhost,169.254.169.254"), ["168.63.129.16"]);
    assert_eq!(exempt("169.254.0.0/16,168.63.129.16"), Vec::<String>::new());
    assert_eq!(exempt("*"), Vec::<String>::new());
}

#[test]
fn settings_name_variables_and_no_password() {
    let seen = read_settings(&[("HTTPS_PROXY", "http://user:hunter2@10.0.0.9:3128"), ("NO_PROXY", "localhost")]);
    assert_eq!(seen.variables.len(), 1);
    assert!(seen.variables[0].has_credentials && seen.variables[0].source == "HTTPS_PROXY");
    assert_eq!(seen.exempt.as_ref().map(|exempt| exempt.names.as_str()), Some("localhost"));
    assert!(!serde_json::to_string(&seen).unwrap().contains("hunter2"));
}

#[test]
fn an_argument_stands_in_place_of_the_environment() {
    let mut world = world(&[]);
    world.environment.insert("http_proxy".to_owned(), "http://10.0.0.9:3128".to_owned());
    let options = Options { proxy: ProxyOption::Direct, ..Options::default() };
    assert_eq!(settings(&world, &options, Instant::now()), None);
}
