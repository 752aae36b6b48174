//! Peers that answer a request with heads and bodies that drip, lie or have no end: an endpoint, a proxy, the metadata service
//! and the wire server.

use super::serve::{Say, Script, Server};
use super::{Layer, Peer};

const KIB: u64 = 1024;
const EVER: usize = usize::MAX;
const INTERIM: &str = "interim answers without end";
const OK: &str = "HTTP/1.1 200 OK\r\n";

/// What an answer is, where the head is what counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Silent,
    Closed,
    Reset,
    /// A head that is larger than any is read.
    TooLarge,
    /// No HTTP.
    Wrong,
    /// A head whose length is wrong.
    WrongLength,
    /// A good head; the body is not.
    Headed,
}

/// What it does, what it says, whether only time ends it, and what it is.
fn table() -> Vec<(&'static str, Script, bool, Is)> {
    let text = |text: &str| Say::Bytes(text.as_bytes().to_vec());
    let ever = |text: &str, times| Say::Times(EVER, text.repeat(times).into_bytes());
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let gigabyte = format!("{OK}Content-Length: 1073741824\r\n\r\n");
    let eight_eib = format!("{OK}Content-Length: 9223372036854775807\r\n\r\n");
    vec![
        ("silence", vec![Say::Hold], true, Is::Silent),
        ("the end", Vec::new(), false, Is::Closed),
        ("a reset", vec![Say::Reset], false, Is::Reset),
        ("a head that drips", vec![text(OK), Say::Drip(b"X-A: b\r\n".to_vec())], true, Is::Silent),
        ("headers without end", vec![text(OK), ever("X-Again: and again\r\n", 200)], false, Is::TooLarge),
        ("one header without end", vec![text(OK), text("X-Long: "), ever("x", 4096)], false, Is::TooLarge),
        (
            "10,000 headers of one letter",
            vec![text(OK), Say::Bytes(b"a:\r\n".repeat(10_000)), Say::Hold],
            false,
            Is::TooLarge,
        ),
        ("a status line without end", vec![text("HTTP/1.1 200 "), ever("very ", 1000)], false, Is::TooLarge),
        (INTERIM, vec![ever("HTTP/1.1 103 Early Hints\r\n\r\n", 200)], false, Is::TooLarge),
        ("zeros without end", vec![Say::Times(EVER, vec![0; 4096])], false, Is::Wrong),
        (
            "two lengths",
            vec![text(OK), text("Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), Say::Hold],
            false,
            Is::WrongLength,
        ),
        (
            "a length that is not a number",
            vec![text(OK), text("Content-Length: -1\r\n\r\n"), Say::Hold],
            false,
            Is::WrongLength,
        ),
        ("a body that drips", vec![text(&gigabyte), Say::Drip(b"x".to_vec())], true, Is::Headed),
        ("a body of 1 GB", vec![text(&gigabyte), Say::Times(16_384, vec![b'x'; 65_536])], false, Is::Headed),
        ("a body of 8 EiB", vec![text(&eight_eib), ever("x", 65_536)], false, Is::Headed),
        ("a body without end", vec![text(OK), text("\r\n"), ever("x", 65_536)], false, Is::Headed),
        ("a chunk of 16 EiB", vec![text(&chunked), text("fffffffffffffff0\r\n"), ever("x", 65_536)], false, Is::Headed),
        ("a chunk's length without end", vec![text(&chunked), ever("f", 4096)], false, Is::Headed),
        ("a chunk's extension without end", vec![text(&chunked), text("1;a="), ever("b", 4096)], false, Is::Headed),
        (
            "trailers without end",
            vec![text(&chunked), text("1\r\nx\r\n0\r\n"), ever("X-Again: and again\r\n", 200)],
            false,
            Is::Headed,
        ),
        ("chunks of one letter without end", vec![text(&chunked), ever("1\r\nx\r\n", 500)], false, Is::Headed),
    ]
}

pub(super) fn peers() -> Vec<Peer> {
    let layers = [
        ("HTTP", Layer::Http),
        ("a proxy", Layer::Proxy),
        ("metadata", Layer::Metadata),
        ("the wire server", Layer::WireServer),
    ];
    let mut peers = Vec::new();
    for (who, layer) in layers {
        for (name, script, endless, is) in table() {
            // A proxy's answer has no body; what follows its head is the peer's TLS.
            if layer == Layer::Proxy && is == Is::Headed {
                continue;
            }
            // Of the platform's services nothing but their one second bounds how many interim answers are read.
            if matches!(layer, Layer::Metadata | Layer::WireServer) && name == INTERIM {
                continue;
            }
            let server = if layer == Layer::Http { Server::Https(script) } else { Server::Http(script) };
            let outcomes = outcomes(layer, is);
            peers.push(Peer {
                name: format!("{who}, {name}"),
                layer,
                server,
                endless,
                outcomes,
                bytes: bytes(layer, is),
            });
        }
    }
    peers
}

/// What it can send, with what the sockets hold. A proxy is asked for every name.
fn bytes(layer: Layer, is: Is) -> u64 {
    let once = match is {
        Is::Silent | Is::Closed | Is::Reset => KIB,
        Is::TooLarge | Is::Wrong | Is::WrongLength | Is::Headed => 2 * 1024 * KIB,
    };
    if layer == Layer::Proxy { 8 * once } else { once }
}

fn outcomes(layer: Layer, is: Is) -> Vec<&'static str> {
    match (layer, is) {
        (Layer::Proxy, Is::Closed) => vec!["failed {\"no-answer\":{\"closed\":\"closed\"}}"],
        (Layer::Proxy, Is::Reset) => vec!["failed {\"no-answer\":{\"closed\":\"reset\"}}"],
        (Layer::Proxy, Is::TooLarge) => vec!["failed {\"no-answer\":\"head-too-large\"}"],
        (Layer::Proxy, Is::Wrong) => vec!["failed {\"no-answer\":\"malformed\"}"],
        (Layer::Http, Is::Closed) => vec!["failed {\"closed\":\"closed\"}"],
        (Layer::Http, Is::Reset) => vec!["failed {\"closed\":\"reset\"}"],
        (Layer::Http, Is::TooLarge) => vec!["failed \"head-too-large\""],
        (Layer::Http, Is::Wrong | Is::WrongLength) => vec!["failed \"malformed\""],
        // RFC 9110, section 9.3.6: of an answer to CONNECT the length is ignored.
        (Layer::Http | Layer::WireServer, Is::Headed) | (Layer::Proxy, Is::WrongLength) => vec!["seen"],
        // The platform's services have one second whatever the options say, which a busy machine may use up.
        (Layer::Metadata | Layer::WireServer, Is::Closed | Is::Reset | Is::TooLarge | Is::Wrong | Is::WrongLength)
        | (Layer::Metadata, Is::Headed) => vec!["failed", "timed-out"],
        _ => vec!["timed-out"],
    }
}
