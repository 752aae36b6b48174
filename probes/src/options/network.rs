//! Addresses, ranges, names with ports, proxies and durations.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::ProxyOption;
use crate::azure::{BadValue, HostName, quoted};
use crate::endpoint::Expectation;

/// One more name to look at (`--endpoint`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraEndpoint {
    /// Its host.
    pub host: HostName,
    /// TCP port.
    pub port: u16,
    /// What is expected of it; `None` leaves it to the catalogue.
    pub expected: Option<Expectation>,
}

impl ExtraEndpoint {
    /// Both cannot hold: one name leads to the same addresses on every port.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (self.expected, other.expected) else { return false };
        let same_port = self.port == other.port || ![one, two].contains(&Expectation::Any);
        self.host == other.host && one != two && same_port
    }
}

impl FromStr for ExtraEndpoint {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |what: &str| {
            BadValue::new(format!(
                "endpoint {} {what}: give NAME[:PORT][=private|public|any], like `api.monitor.azure.com:443=private`",
                quoted(text)
            ))
        };
        // Only a URL may hold other signs of equality.
        let is_url = text.contains('/');
        let (place, expected) = match text.rsplit_once('=') {
            None => (text, None),
            Some((place, "private")) => (place, Some(Expectation::Private)),
            Some((place, "public")) => (place, Some(Expectation::Public)),
            Some((place, "any")) => (place, Some(Expectation::Any)),
            Some(_) if is_url => (text, None),
            Some(_) => return Err(bad("has an unknown expectation")),
        };
        if is_url {
            let (host, port) = of_url(place).map_err(bad)?;
            return Ok(Self { host, port, expected });
        }
        let (name, port) = match place.split_once(':') {
            None => (place, 443),
            Some((name, port)) => (name, self::port(port).ok_or_else(|| bad("has no port from 1 to 65535"))?),
        };
        if name.parse::<IpAddr>().is_ok() {
            return Err(bad("is an address, not a name"));
        }
        let host = HostName::of_name(name).ok_or_else(|| bad("is not a host name"))?;
        Ok(Self { host, port, expected })
    }
}

/// The host and port of a URL, with or without its scheme; its path does not matter.
fn of_url(text: &str) -> Result<(HostName, u16), &'static str> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = url::Url::parse(&whole).map_err(|_| "is not a URL with a host name")?;
    if url.scheme() != "https" {
        return Err("is a URL of another scheme than https");
    }
    let host = HostName::of_url(&whole).ok_or("is a URL without a host name")?;
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or("has no port from 1 to 65535")?;
    Ok((host, port))
}

/// A range that counts as private (`--private-range`): an address with a prefix length.
pub fn private_range(text: &str) -> Result<IpNet, BadValue> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let wrong =
        |what: &str| BadValue::new(format!("private range {} {what}: give one like `165.21.0.0/16`", quoted(text)));
    let range = range.map(|range| range.trunc()).ok_or_else(|| wrong("is not a CIDR range"))?;
    if range.prefix_len() == 0 { Err(wrong("holds every address")) } else { Ok(range) }
}

/// A DNS server (`--resolver`): an address, with a port if it is not 53; IPv6 with a port needs brackets.
pub fn resolver(text: &str) -> Result<SocketAddr, BadValue> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| inner.contains(':'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let parsed = address.or_else(|_| text.parse::<SocketAddr>()).ok().filter(|server| server.port() != 0);
    parsed.filter(|server| is_of_one_host(server.ip().to_canonical())).ok_or_else(|| {
        BadValue::new(format!(
            "resolver {} is not an address of a DNS server: give IP or IP:PORT, like `10.1.0.4` or `[fd00::4]:5353`",
            quoted(text)
        ))
    })
}

/// An address that one host can have.
fn is_of_one_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

/// The proxy for every name (`--proxy`): `none`, or an `http` URL, or host and port. Messages never repeat the value, which
/// may hold a password.
pub fn proxy(text: &str) -> Result<ProxyOption, BadValue> {
    const WANTED: &str = "give `none` or a URL like `http://proxy.example.net:3128`";
    if text.eq_ignore_ascii_case("none") {
        return Ok(ProxyOption::Direct);
    }
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = url::Url::parse(&with_scheme).map_err(|_| BadValue::new(format!("the proxy is not a URL: {WANTED}")))?;
    if url.scheme() == "https" {
        return Err(BadValue::new(format!("a proxy that is itself spoken to over TLS is not supported: {WANTED}")));
    }
    if url.scheme() != "http" {
        return Err(BadValue::new(format!("proxy scheme {} is not supported: {WANTED}", quoted(url.scheme()))));
    }
    // A URL may have other characters in its host; no name that resolves has.
    let is_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let has_host = match url.host() {
        Some(url::Host::Domain(name)) => !name.is_empty() && name.chars().all(is_label),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    };
    if !has_host || !matches!(url.path(), "" | "/") || url.query().is_some() || url.port() == Some(0) {
        return Err(BadValue::new(format!("the proxy is more or less than a host and a port: {WANTED}")));
    }
    Ok(ProxyOption::Url(url))
}

/// The limit of one step (`--timeout`): seconds, fractions allowed, at most 300.
pub fn step_timeout(text: &str) -> Result<Duration, BadValue> {
    seconds(text, 300, "timeout")
}

/// The limit of the whole run (`--deadline`): seconds, fractions allowed, at most 3600.
pub fn deadline(text: &str) -> Result<Duration, BadValue> {
    seconds(text, 3600, "deadline")
}

/// How long is waited for a verdict (`--for`): seconds, at most a day.
pub fn patience(text: &str) -> Result<Duration, BadValue> {
    seconds(text, 86_400, "time to wait")
}

/// The time from one run to the next (`--every`): seconds, at most a day.
pub fn interval(text: &str) -> Result<Duration, BadValue> {
    let every = seconds(text, 86_400, "interval")?;
    if every < Duration::from_secs(1) {
        return Err(BadValue::new(format!("interval {} is too short: give one second at least", quoted(text))));
    }
    Ok(every)
}

/// The longest wait before the first look (`--splay`): seconds, at most a day; 0 is no wait.
pub fn splay(text: &str) -> Result<Duration, BadValue> {
    if !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b == b'0') {
        return Ok(Duration::ZERO);
    }
    seconds(text, 86_400, "splay")
}

fn seconds(text: &str, most: u32, what: &str) -> Result<Duration, BadValue> {
    let bad =
        || BadValue::new(format!("{what} {} is not a number of seconds: give one from 0.01 to {most}", quoted(text)));
    let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let value: f64 = if plain { text.parse().map_err(|_| bad())? } else { return Err(bad()) };
    if !(0.01..=f64::from(most)).contains(&value) {
        return Err(bad());
    }
    Duration::try_from_secs_f64(value).map_err(|_| bad())
}

/// How often each DNS question is asked (`--repeat`).
pub fn repeat(text: &str) -> Result<u32, BadValue> {
    text.parse()
        .ok()
        .filter(|times| (1..=10).contains(times))
        .ok_or_else(|| BadValue::new(format!("repeat {} is not a number from 1 to 10", quoted(text))))
}

fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_has_a_name_a_port_and_an_expectation() {
        let parse =
            |text: &str| text.parse::<ExtraEndpoint>().map(|e| (String::from(e.host), e.port, e.expected)).expect(text);
        assert_eq!(parse("A.example.net."), ("a.example.net".into(), 443, None));
        assert_eq!(parse("a.example.net:8443=private"), ("a.example.net".into(), 8443, Some(Expectation::Private)));
        assert_eq!(parse("a.example.net=any"), ("a.example.net".into(), 443, Some(Expectation::Any)));
        assert_eq!(parse("https://A.example.net/path?x=1"), ("a.example.net".into(), 443, None));
        assert_eq!(parse("a.example.net:8443/path"), ("a.example.net".into(), 8443, None));
        let private = Some(Expectation::Private);
        assert_eq!(parse("https://a.example.net/path?x=1=private"), ("a.example.net".into(), 443, private));
        let bad = [
            "",
            "a",
            "10.0.0.5",
            "a.b:0",
            "a.b:65536",
            "a.b:+1",
            "a.b=maybe",
            "a..b",
            "-a.b",
            "a b.c",
            "http://a.b/",
            "https://10.0.0.5/",
            "https://a.b:0/",
            "https:///",
            "[::1]:1",
        ];
        for text in bad {
            assert!(text.parse::<ExtraEndpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn resolver_is_an_address_with_or_without_a_port() {
        let table = [
            ("10.1.0.4", "10.1.0.4:53"),
            ("10.1.0.4:5353", "10.1.0.4:5353"),
            ("fd00::4", "[fd00::4]:53"),
            ("[fd00::4]", "[fd00::4]:53"),
            ("[fd00::4]:5353", "[fd00::4]:5353"),
        ];
        for (text, expected) in table {
            assert_eq!(resolver(text).expect(text), expected.parse().expect("an address"), "{text}");
        }
        for text in
            ["", "dns.example.net", "10.1.0", "10.1.0.4:0", "10.1.0.4:x", "[10.1.0.4]", "0.0.0.0", "[fd00::4", "::"]
        {
            assert!(resolver(text).is_err(), "{text}");
        }
        for text in ["224.0.0.251", "255.255.255.255", "ff02::fb", "[ff02::fb]:53", "::ffff:0.0.0.0"] {
            assert!(resolver(text).is_err(), "{text}");
        }
    }

    #[test]
    fn private_range_is_truncated_to_its_network() {
        assert_eq!(private_range("10.1.2.3/16"), Ok("10.1.0.0/16".parse().expect("a range")));
        assert_eq!(private_range("10.1.2.3"), Ok("10.1.2.3/32".parse().expect("a range")));
        for text in ["10.0.0.0/33", "10.0.0.0/", "x/8", "", "0.0.0.0/0", "::/0"] {
            assert!(private_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn proxy_is_none_a_url_or_a_host_and_a_port() {
        for text in ["none", "NONE", "None"] {
            assert_eq!(proxy(text), Ok(ProxyOption::Direct), "{text}");
        }
        for text in
            ["proxy:3128", "http://proxy:3128", "http://user:word@proxy:3128/", "10.0.0.9:8080", "http://[fd00::1]:80"]
        {
            assert!(matches!(proxy(text), Ok(ProxyOption::Url(_))), "{text}");
        }
        let bad = [
            "",
            "https://proxy:3128",
            "socks5://proxy:1080",
            "http://proxy/path",
            "http://u:geheim@",
            "u:geheim@x y",
            ";=;=",
            "a,b:3128",
        ];
        for text in bad {
            let message = proxy(text).expect_err(text).to_string();
            assert!(!message.contains("geheim"), "{message}");
        }
    }

    #[test]
    fn seconds_may_have_fractions_and_have_a_maximum() {
        assert_eq!(step_timeout("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(deadline("3600"), Ok(Duration::from_hours(1)));
        for text in ["0", "-1", "", "x", "301", "1e3", "inf", "NaN", "0.001", "1.2.3", " 1"] {
            assert!(step_timeout(text).is_err(), "{text}");
        }
        assert_eq!((repeat("1"), repeat("10")), (Ok(1), Ok(10)));
        for text in ["0", "11", "-1", "x", ""] {
            assert!(repeat(text).is_err(), "{text}");
        }
    }
}
