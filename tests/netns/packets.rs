//! Packets that get lost for their size, and what only looks like it.

use std::fs;

use super::design::Design;
use super::doctor::examine;
use super::lab::{Lab, Result, possible};
use super::{DCE, ods};

/// Room for the search, on a busy machine too.
const PATIENT: [&str; 4] = ["--timeout", "10", "--deadline", "120"];

/// Accepts at once, and shakes hands after this many seconds.
const SLOW: &str = "
import socket, ssl, sys, threading, time
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
def serve(stream):
    time.sleep(float(sys.argv[3]))
    try:
        with context.wrap_socket(stream, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b'HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n')
    except OSError:
        pass
listener = socket.create_server(('0.0.0.0', 8460))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
";

#[test]
fn a_way_that_loses_large_packets_is_a_black_hole_and_its_size_is_measured() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { largest_packet: Some(1400), ..Design::default() })?;
    // The lab is what it claims: a packet of that size passes, and nothing comes of a larger one, no message either.
    for (data, passes) in [("1372", true), ("1400", false)] {
        let ping = lab.on_machine("ping").args(["-M", "do", "-c", "1", "-W", "2", "-s", data, "10.0.0.1"]).output()?;
        let said = String::from_utf8_lossy(&ping.stdout);
        assert_eq!((ping.status.success(), said.contains("Frag needed")), (passes, false), "{said}");
    }

    let seen = examine(&lab, &PATIENT)?;
    seen.judged(1, "error", &["NET006"], &[("TLS007", "NET006")]);
    let hole = seen.finding("NET006");
    assert_eq!(hole["certainty"], "proven", "{seen}");
    for (name, wanted) in [("largest_packet", "1400"), ("largest_segment", "1360"), ("path_mtu", "1500")] {
        assert_eq!(hole["args"][name], wanted, "{name}; {seen}");
    }
    let names = hole["endpoints"].to_string();
    assert!(names.contains(DCE) && names.contains(&ods()), "{names}");
    Ok(())
}

#[test]
fn a_router_that_passes_every_packet_is_no_black_hole() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { largest_packet: Some(1500), ..Design::default() })?;
    examine(&lab, &PATIENT)?.judged(0, "ok", &[], &[]);
    Ok(())
}

#[test]
fn a_slow_server_is_no_black_hole() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let mut lab = Lab::start(&Design::default())?;
    let (chain, key) = (lab.folder().join("front.pem"), lab.folder().join("front.key"));
    assert!(fs::metadata(&chain)?.is_file() && fs::metadata(&key)?.is_file());
    let mut server = lab.in_azure("python3");
    server.args(["-c", SLOW]).arg(chain).arg(key).arg("12");
    lab.serve("slow", server)?;
    lab.wait_until("the slow server", |lab| {
        let connected = lab
            .in_azure("perl")
            .args(["-MIO::Socket::INET", "-e", "exit !IO::Socket::INET->new('10.1.0.20:8460')"])
            .status();
        connected.is_ok_and(|status| status.success())
    })?;
    lab.nft("table ip slow {\nchain prerouting {\ntype nat hook prerouting priority -100\nip daddr 10.1.0.20 tcp dport 443 redirect to :8460\n}\n}\n")?;

    let seen = examine(&lab, &["--timeout", "5", "--deadline", "60"])?;
    seen.judged(1, "error", &["TLS007"], &[]);
    let excluded = seen.finding("TLS007")["excludes"].to_string();
    assert!(excluded.contains("MTU"), "small segments were tried: {excluded}");
    Ok(())
}
