//! DNS servers that lie in lengths and ids, flood, drip and send sections of junk.

use std::sync::Arc;

use super::serve::{Say, Script, Server};
use super::{Layer, Peer};

/// What a server does after a question.
type Answering = fn(&[u8]) -> Script;

const HEADER: usize = 12;
const RESPONSE: u8 = 0x80;
const TRUNCATED: u8 = 0x02;
/// A pointer to the name of the question (RFC 1035, section 4.1.4).
const TO_QUESTION: [u8; 2] = [0xc0, 12];
/// Type A, class IN.
const A: [u8; 4] = [0, 1, 0, 1];
const CNAME: [u8; 4] = [0, 5, 0, 1];
const KIB: u64 = 1024;

const MALFORMED: &str = "failed \"malformed\"";
const NO_WHOLE_ANSWER: &str = "failed {\"truncated\":null}";
const SEEN: &str = "seen";

type Make = fn(&[u8]) -> Vec<u8>;

pub(super) fn peers() -> Vec<Peer> {
    let mut peers = Vec::new();
    // What it does, its datagrams, how often it sends each, whether only time ends it, and the outcome.
    let udp: [(&str, Make, usize, bool, &'static str); 22] = [
        ("no octet", |_| Vec::new(), 1, true, "timed-out"),
        ("one octet", |_| vec![0], 1, true, "timed-out"),
        ("half an id and nothing else", |question| head(question, 1), 1, true, "timed-out"),
        ("a flood of wrong ids", |question| other_id(&answer(question, &[])), 300, false, MALFORMED),
        ("a flood of empty datagrams", |_| Vec::new(), 300, false, MALFORMED),
        ("a flood of answers to another question", other_question, 300, false, MALFORMED),
        ("the question itself", <[u8]>::to_vec, 1, false, MALFORMED),
        ("an id alone", |question| head(question, 2), 1, false, MALFORMED),
        ("a header alone", |question| answered(head(question, HEADER)), 1, false, MALFORMED),
        ("counts of 65,535 and no record", |question| counts(answer(question, &[]), [0xff; 6]), 1, false, MALFORMED),
        ("65,535 questions", |question| questions(answer(question, &[]), 0xffff), 1, false, MALFORMED),
        ("a name that points to itself", |question| named(question, &[0xc0, tail(question)]), 1, false, MALFORMED),
        ("two names that point to each other", in_circles, 1, false, MALFORMED),
        ("a name that points ahead", |question| named(question, &[0xc0, 0xff]), 1, false, MALFORMED),
        ("a name of 64 octets a label", |question| named(question, &[0x40; 200]), 1, false, MALFORMED),
        ("a name of 127 labels and more", |question| named(question, &[1, b'a'].repeat(200)), 1, false, MALFORMED),
        ("a record longer than the message", |question| record(question, 0xffff, &[10, 0, 0, 1]), 1, false, MALFORMED),
        ("an address of three octets", |question| record(question, 3, &[10, 0, 0]), 1, false, MALFORMED),
        ("noise", |question| [head(question, 2), vec![0xff; 4000]].concat(), 1, false, MALFORMED),
        ("a datagram of 60,000 octets", |question| addresses(question, 3_700), 1, false, MALFORMED),
        ("an answer cut in a record", |question| cut(addresses(question, 20)), 1, false, MALFORMED),
        ("an alias of itself", alias_of_itself, 1, false, SEEN),
    ];
    for (name, make, times, endless, outcome) in udp {
        let say = move |question: &[u8]| vec![make(question); times];
        peers.push(Peer {
            name: format!("DNS over UDP, {name}"),
            layer: Layer::Dns,
            server: Server::Udp(Arc::new(say)),
            endless,
            outcomes: vec![outcome],
            // What it sends is its own affair: a datagram that nobody reads costs nothing.
            bytes: u64::MAX,
        });
    }
    // What it does, what it says, whether only time ends it, the outcome, and what it can send to all questions together.
    let tcp: [(&str, Answering, bool, &'static str, u64); 16] = [
        ("silence", |_| vec![Say::Hold], true, NO_WHOLE_ANSWER, 16 * KIB),
        ("the end", |_| Vec::new(), false, "failed {\"truncated\":\"closed\"}", 16 * KIB),
        ("a reset", |_| vec![Say::Reset], false, "failed {\"truncated\":\"reset\"}", 16 * KIB),
        ("half a length", |_| vec![Say::Bytes(vec![1]), Say::Hold], true, NO_WHOLE_ANSWER, 16 * KIB),
        (
            "a length of 65,535 and no more",
            |_| vec![Say::Bytes(vec![0xff; 2]), Say::Hold],
            true,
            NO_WHOLE_ANSWER,
            16 * KIB,
        ),
        ("a drip", |_| vec![Say::Bytes(vec![0xff; 2]), Say::Drip(vec![0])], true, NO_WHOLE_ANSWER, 64 * KIB),
        ("a drip that begins well", |question| dripping(&answer(question, &[])), true, NO_WHOLE_ANSWER, 64 * KIB),
        ("messages of no length without end", |_| flood(Vec::new()), false, MALFORMED, 16 * 1024 * KIB),
        (
            "wrong ids without end",
            |question| flood(other_id(&addresses(question, 4_000))),
            false,
            MALFORMED,
            24 * 1024 * KIB,
        ),
        (
            "answers to another question without end",
            |question| flood(other_question(question)),
            false,
            MALFORMED,
            16 * 1024 * KIB,
        ),
        ("an answer that is truncated too", |question| framed(truncated(question)), false, MALFORMED, 16 * KIB),
        (
            "noise of 65,535 octets",
            |question| framed([head(question, 2), vec![0xff; 0xfffd]].concat()),
            false,
            MALFORMED,
            4 * 1024 * KIB,
        ),
        ("a length shorter than the message", too_short, false, MALFORMED, 16 * KIB),
        (
            "a name that points to itself",
            |question| framed(named(question, &[0xc0, tail(question)])),
            false,
            MALFORMED,
            16 * KIB,
        ),
        ("4,000 addresses", |question| framed(addresses(question, 4_000)), false, SEEN, 6 * 1024 * KIB),
        ("2,000 records of nobody", |question| framed(junk(question, 2_000)), false, SEEN, 6 * 1024 * KIB),
    ];
    for (name, make, endless, outcome, bytes) in tcp {
        peers.push(Peer {
            name: format!("DNS over TCP, {name}"),
            layer: Layer::Dns,
            server: Server::Tcp(Arc::new(make)),
            endless,
            outcomes: vec![outcome],
            bytes,
        });
    }
    peers
}

fn head(question: &[u8], length: usize) -> Vec<u8> {
    question.iter().copied().take(length).collect()
}

/// The offset behind the question, which is short enough for one octet.
fn tail(question: &[u8]) -> u8 {
    u8::try_from(end_of_question(question)).unwrap_or(u8::MAX)
}

fn end_of_question(question: &[u8]) -> usize {
    let mut at = HEADER;
    while let Some(length) = question.get(at).filter(|length| **length > 0) {
        at += 1 + usize::from(*length);
    }
    at + 1 + A.len()
}

fn answered(mut message: Vec<u8>) -> Vec<u8> {
    if let Some(flags) = message.get_mut(2) {
        *flags |= RESPONSE;
    }
    message
}

/// The question with these octets as the records behind it, and their counts in the header.
fn with_records(question: &[u8], answers: u16, authorities: u16, records: &[u8]) -> Vec<u8> {
    let message = [head(question, end_of_question(question)), records.to_vec()].concat();
    let counts_of = [answers.to_be_bytes(), authorities.to_be_bytes(), [0, 0]].concat();
    counts(answered(message), counts_of.try_into().unwrap_or_default())
}

fn answer(question: &[u8], records: &[u8]) -> Vec<u8> {
    with_records(question, u16::from(!records.is_empty()), 0, records)
}

fn counts(mut message: Vec<u8>, counts: [u8; 6]) -> Vec<u8> {
    for (octet, count) in message.iter_mut().skip(6).zip(counts) {
        *octet = count;
    }
    message
}

fn questions(mut message: Vec<u8>, count: u16) -> Vec<u8> {
    for (octet, count) in message.iter_mut().skip(4).zip(count.to_be_bytes()) {
        *octet = count;
    }
    message
}

pub(super) fn truncated(question: &[u8]) -> Vec<u8> {
    let mut message = answer(question, &[]);
    if let Some(flags) = message.get_mut(2) {
        *flags |= TRUNCATED;
    }
    message
}

fn other_id(message: &[u8]) -> Vec<u8> {
    message.iter().enumerate().map(|(at, octet)| if at < 2 { !octet } else { *octet }).collect()
}

fn other_question(question: &[u8]) -> Vec<u8> {
    let mut message = answer(question, &[]);
    if let Some(letter) = message.get_mut(HEADER + 1) {
        *letter = b'0';
    }
    message
}

fn of_a(name: &[u8], length: u16, data: &[u8]) -> Vec<u8> {
    [name, &A, &60_u32.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

fn record(question: &[u8], length: u16, data: &[u8]) -> Vec<u8> {
    answer(question, &of_a(&TO_QUESTION, length, data))
}

fn named(question: &[u8], name: &[u8]) -> Vec<u8> {
    answer(question, &of_a(name, 4, &[10, 0, 0, 1]))
}

fn in_circles(question: &[u8]) -> Vec<u8> {
    let at = tail(question);
    named(question, &[0xc0, at + 2, 0xc0, at])
}

fn alias_of_itself(question: &[u8]) -> Vec<u8> {
    let alias = [TO_QUESTION.as_slice(), &CNAME, &60_u32.to_be_bytes(), &2_u16.to_be_bytes(), &TO_QUESTION].concat();
    answer(question, &alias)
}

fn addresses(question: &[u8], count: u16) -> Vec<u8> {
    let records = (0..count).flat_map(|number| {
        let [high, low] = number.to_be_bytes();
        of_a(&TO_QUESTION, 4, &[10, 3, high, low])
    });
    with_records(question, count, 0, &records.collect::<Vec<u8>>())
}

/// An address, and records of names that nobody asked for.
fn junk(question: &[u8], count: u16) -> Vec<u8> {
    let mut records = of_a(&TO_QUESTION, 4, &[10, 3, 0, 1]);
    for number in 0..count {
        let [high, low] = number.to_be_bytes();
        records.extend(of_a(&[2, b'a' + high % 26, b'a' + low % 26, 0], 4, &[10, 3, high, low]));
    }
    with_records(question, 1, count, &records)
}

fn cut(mut message: Vec<u8>) -> Vec<u8> {
    message.truncate(message.len().saturating_sub(3));
    message
}

fn frame(message: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().to_vec(), message].concat()
}

fn framed(message: Vec<u8>) -> Script {
    vec![Say::Bytes(frame(message)), Say::Hold]
}

fn flood(message: Vec<u8>) -> Script {
    vec![Say::Times(usize::MAX, frame(message))]
}

fn dripping(message: &[u8]) -> Script {
    let length = u16::MAX.to_be_bytes();
    vec![Say::Bytes([&length, message].concat()), Say::Drip(vec![0])]
}

fn too_short(question: &[u8]) -> Script {
    let message = addresses(question, 1);
    vec![Say::Bytes([20_u16.to_be_bytes().as_slice(), &message].concat()), Say::Hold]
}
