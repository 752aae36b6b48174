//! Peers that are no honest TLS: records that lie, floods of what the protocol lets a peer repeat.

use super::serve::{Say, Server};
use super::{Layer, Peer};

const KIB: u64 = 1024;
const ALERT: u8 = 21;
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

pub(super) fn peers() -> Vec<Peer> {
    let ever = usize::MAX;
    let bad = "failed {\"protocol\"";
    let not_tls = "failed \"not-tls\"";
    // A ServerHello that would have 16 MiB, in records that hold nothing of it.
    let long = record(HANDSHAKE, &[2, 0xff, 0xff, 0xff]);
    let more = record(HANDSHAKE, &[0; 16_384]);
    // What it does, what it says, whether only time ends it, the outcome, and what it can send.
    let table: Vec<(&str, Vec<Say>, bool, &'static str, u64)> = vec![
        ("silence", vec![Say::Hold], true, "timed-out", 0),
        ("the end", Vec::new(), false, "failed {\"closed-after-client-hello\":\"closed\"}", 0),
        ("a reset", vec![Say::Reset], false, "failed {\"closed-after-client-hello\":\"reset\"}", 0),
        (
            "a drip of one record",
            vec![Say::Bytes(vec![HANDSHAKE, 3, 3, 0x40, 0]), Say::Drip(vec![2])],
            true,
            "timed-out",
            KIB,
        ),
        ("a drip of nothing but headers", vec![Say::Drip(record(HANDSHAKE, &[2]))], false, bad, KIB),
        ("zeros without end", vec![Say::Times(ever, vec![0; 4096])], false, not_tls, 512 * KIB),
        ("ones without end", vec![Say::Times(ever, vec![0xff; 4096])], false, not_tls, 512 * KIB),
        (
            "lines without end",
            vec![Say::Times(ever, b"220 mail.example ESMTP\r\n".repeat(64))],
            false,
            not_tls,
            512 * KIB,
        ),
        (
            "a greeting and silence",
            vec![Say::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), Say::Hold],
            false,
            not_tls,
            KIB,
        ),
        (
            "a record of 65,535 octets",
            vec![Say::Bytes(vec![HANDSHAKE, 3, 3, 0xff, 0xff]), Say::Times(ever, vec![0; 4096])],
            false,
            bad,
            512 * KIB,
        ),
        ("a message of 16 MiB", vec![Say::Bytes(long), Say::Times(ever, more)], false, bad, 512 * KIB),
        ("empty records without end", vec![Say::Times(ever, record(HANDSHAKE, &[]))], false, bad, 512 * KIB),
        ("warnings without end", vec![Say::Times(ever, record(ALERT, &[1, 90]))], false, bad, 512 * KIB),
        (
            "changes of the cipher without end",
            vec![Say::Times(ever, record(CHANGE_CIPHER_SPEC, &[1]))],
            false,
            bad,
            512 * KIB,
        ),
        (
            "application data without end",
            vec![Say::Times(ever, record(APPLICATION_DATA, &[0; 512]))],
            false,
            bad,
            512 * KIB,
        ),
        ("heartbeats without end", vec![Say::Times(ever, record(HEARTBEAT, &[1, 0x40, 0]))], false, bad, 512 * KIB),
        (
            "requests to begin again without end",
            vec![Say::Times(ever, record(HANDSHAKE, &[0, 0, 0, 0]))],
            false,
            bad,
            512 * KIB,
        ),
        (
            "a ServerHello of noise",
            vec![Say::Times(ever, record(HANDSHAKE, &[&[2, 0, 1, 0], [0xff; 256].as_slice()].concat()))],
            false,
            bad,
            512 * KIB,
        ),
    ];
    let peer = |(name, script, endless, outcome, bytes)| Peer {
        name: format!("TLS, {name}"),
        layer: Layer::Tls,
        server: Server::Raw(script),
        endless,
        outcomes: vec![outcome],
        bytes,
    };
    table.into_iter().map(peer).collect()
}

fn record(content_type: u8, data: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[content_type, 3, 3, high, low], data].concat()
}
