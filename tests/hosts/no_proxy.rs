//! `NO_PROXY` against the real curl: for each list and host, whether curl goes to the proxy or around it.
//!
//! Both ways lead to loopback, whatever the host: curl is given the place where everything connects to.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use ampls_probes::no_proxy::exempts;

/// Ranges of IPv6 are left out: curl 7.88 compares such addresses as text, although its manual promises ranges.
const CASES: &[(&str, &str)] = &[
    ("*", "a.example"),
    ("*", "10.1.2.3"),
    (" *", "a.example"),
    ("*,x", "a.example"),
    ("x,*", "a.example"),
    ("example.com", "example.com"),
    ("example.com", "ods.example.com"),
    ("example.com", "a.b.example.com"),
    ("example.com", "notexample.com"),
    ("example.com", "example.com.evil.test"),
    (".example.com", "example.com"),
    (".example.com", "ods.example.com"),
    ("..example.com", "ods.example.com"),
    ("example.com.", "example.com"),
    ("example.com.", "ods.example.com"),
    ("example.com", "ods.example.com."),
    ("EXAMPLE.com", "ods.Example.COM"),
    ("*.example.com", "ods.example.com"),
    ("ods.*", "ods.example.com"),
    ("example.com:443", "example.com"),
    ("http://example.com", "example.com"),
    ("a.test,example.com", "example.com"),
    ("a.test, example.com", "example.com"),
    ("a.test example.com", "example.com"),
    ("a.test\texample.com", "example.com"),
    (",,example.com,,", "example.com"),
    (" ,example.com", "example.com"),
    ("com", "example.com"),
    ("le.com", "example.com"),
    (".", "example.com"),
    (",", "example.com"),
    ("a.test;example.com", "example.com"),
    ("169.254.169.254", "169.254.169.254"),
    ("169.254.169.25", "169.254.169.254"),
    ("69.254.169.254", "169.254.169.254"),
    ("169.254.0.0/16", "169.254.169.254"),
    ("169.254.169.254/32", "169.254.169.254"),
    ("168.63.129.16,169.254.169.254", "168.63.129.16"),
    ("10.0.0.0/8", "10.255.0.1"),
    ("10.0.0.0/8", "11.0.0.1"),
    ("10.1.2.3/8", "10.9.9.9"),
    ("10.0.0.0/0", "11.0.0.1"),
    ("10.0.0.0/33", "10.0.0.0"),
    ("10.0.0.0/x", "10.0.0.0"),
    ("10.0.0.0/", "10.0.0.0"),
    ("10.", "10.1.2.3"),
    (".2.3", "10.1.2.3"),
    ("10.*", "10.1.2.3"),
    ("10.0.0.0/8", "ten.example"),
    ("fd00::1", "[fd00::1]"),
    ("fd00::/8", "[fe12::1]"),
    ("[fd00::1]", "[fd00::1]"),
    ("::ffff:10.0.0.1", "10.0.0.1"),
];

/// Where something listens, and how often it was called.
type Counted = (SocketAddr, Arc<AtomicUsize>);

/// Says 204 to everything and counts.
fn listener() -> Counted {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let Ok(mut stream) = stream else { return };
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (address, count)
}

/// Whether curl goes around the proxy.
fn curl_exempts(list: &str, host: &str) -> bool {
    static LISTENERS: OnceLock<[Counted; 2]> = OnceLock::new();
    let [(proxy, through), (direct, around)] = LISTENERS.get_or_init(|| [listener(), listener()]);
    let before = (through.load(Ordering::SeqCst), around.load(Ordering::SeqCst));
    let status = Command::new("curl")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("http_proxy", format!("http://{proxy}"))
        .env("no_proxy", list)
        .args(["-s", "-g", "-m", "120", "-o", "/dev/null", "--connect-to", &format!("::{direct}"), "--"])
        .arg(format!("http://{host}/"))
        .status();
    status.expect("curl is installed");
    let hits = (through.load(Ordering::SeqCst) - before.0, around.load(Ordering::SeqCst) - before.1);
    match hits {
        (1.., 0) => false,
        (0, 1..) => true,
        other => panic!("`{list}` `{host}`: curl went to proxy and around it {other:?} times"),
    }
}

#[cfg(unix)]
#[test]
fn lists_are_read_as_curl_reads_them() {
    const { assert!(CASES.len() >= 40) };
    if !crate::needs::programs(&["curl"]) {
        return;
    }
    let differ: Vec<String> = CASES
        .iter()
        .filter_map(|(list, host)| {
            let (wanted, found) = (curl_exempts(list, host), exempts(list, host));
            (wanted != found).then(|| format!("`{list}` `{host}`: curl {wanted}, here {found}"))
        })
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
