//! DNS messages: our question as octets, and what octets from outside mean as an answer to it. No I/O.

use hickory_proto::op::{Edns, Header, Message, MessageType, Query, ResponseCode as WireCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{DNSClass, Name, RData, Record as WireRecord, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use crate::observation::dns::{MAX_EXTENDED, MAX_RECORDS, MAX_TEXT};
use crate::observation::{Authority, ExtendedError, Record, RecordData, RecordKind, Response, ResponseCode, Transport};

/// The UDP size that is announced with EDNS. Source: <https://www.dnsflagday.net/2020/>
const PAYLOAD: u16 = 1232;

/// A question that is ready to be sent.
pub(in crate::probe) struct Packet {
    id: u16,
    query: Query,
    bytes: Vec<u8>,
}

/// What a question asks for besides an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct Wants {
    /// It announces EDNS.
    pub(in crate::probe) edns: bool,
    /// It asks not to validate (CD).
    pub(in crate::probe) unchecked: bool,
}

/// What octets from a server are to us.
#[expect(clippy::large_enum_variant, reason = "one of them lives for the length of one question")]
pub(in crate::probe) enum Heard {
    /// The answer to our question.
    Answer(Response),
    /// Our answer, cut: ask over TCP.
    Truncated,
    /// It carries our id but is not a DNS answer.
    Malformed,
    /// An answer to another question: a late one, or a forged one.
    SomethingElse,
}

impl Packet {
    /// `None` for a name that no message can hold.
    pub(in crate::probe) fn new(name: &str, kind: RecordKind, wants: Wants) -> Option<Self> {
        let mut name = Name::from_ascii(name).ok()?;
        name.set_fqdn(true);
        let query = Query::query(name, record_type(kind));
        // Its id is random.
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = wants.unchecked;
        message.add_query(query.clone());
        if wants.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(PAYLOAD).set_version(0);
            message.set_edns(edns);
        }
        let bytes = message.to_vec().ok()?;
        Some(Self { id: message.metadata.id, query, bytes })
    }

    /// The message as it goes into a datagram.
    pub(in crate::probe) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message as it goes over TCP (RFC 1035 4.2.2).
    pub(in crate::probe) fn framed(&self) -> Vec<u8> {
        let length = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), self.bytes.as_slice()].concat()
    }

    /// Judges octets that came from the server.
    pub(in crate::probe) fn hear(&self, bytes: &[u8], transport: Transport) -> Heard {
        if !bytes.starts_with(&self.id.to_be_bytes()) {
            return Heard::SomethingElse;
        }
        let mut decoder = BinDecoder::new(bytes);
        let Ok(header) = Header::read(&mut decoder) else { return Heard::Malformed };
        if header.metadata.message_type != MessageType::Response || header.counts.queries > 1 {
            return Heard::Malformed;
        }
        let Ok(queries) = Message::read_queries(&mut decoder, usize::from(header.counts.queries)) else {
            return Heard::Malformed;
        };
        match queries.as_slice() {
            [query] if self.is_ours(query) => {}
            // A server that could not read the question cannot repeat it.
            [] if header.metadata.response_code != WireCode::NoError => {}
            [] => return Heard::Malformed,
            _ => return Heard::SomethingElse,
        }
        // Before the records: some servers cut an answer in the middle of one.
        if header.metadata.truncation && transport == Transport::Udp {
            return Heard::Truncated;
        }
        match Message::from_vec(bytes) {
            Ok(message) if self.is_answered(&message) => Heard::Answer(response(&message, transport)),
            _ => Heard::Malformed,
        }
    }

    /// Whether an answer without an error says anything of what was asked: records of other names alone do not, and neither
    /// does an answer that is cut over TCP too, before its first record.
    fn is_answered(&self, message: &Message) -> bool {
        if message.metadata.response_code != WireCode::NoError {
            return true;
        }
        let says = |record: &WireRecord| {
            let kinds = [RecordType::A, RecordType::AAAA, RecordType::CNAME, RecordType::SOA];
            record.name.eq_ignore_root(self.query.name()) && kinds.contains(&record.record_type())
        };
        if message.answers.is_empty() { !message.metadata.truncation } else { message.answers.iter().any(says) }
    }

    fn is_ours(&self, query: &Query) -> bool {
        query.query_type() == self.query.query_type()
            && query.query_class() == DNSClass::IN
            && query.name().eq_ignore_root(self.query.name())
    }
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Soa => RecordType::SOA,
    }
}

fn response(message: &Message, transport: Transport) -> Response {
    let authority = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(authority(&record.name, soa)),
        _ => None,
    });
    Response {
        code: code(message.metadata.response_code),
        transport,
        truncated: false,
        authoritative: message.metadata.authoritative,
        recursion_available: message.metadata.recursion_available,
        records: message.answers.iter().take(MAX_RECORDS).map(record).collect(),
        more: message.answers.len().saturating_sub(MAX_RECORDS),
        authority,
        sent: 0,
        policy: message.additionals.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(self::authority(&record.name, soa)),
            _ => None,
        }),
        extended: extended(message),
    }
}

/// The number of the option that holds an extended error.
/// Source: <https://www.rfc-editor.org/rfc/rfc8914>
const EXTENDED_ERROR: u16 = 15;

fn extended(message: &Message) -> Vec<ExtendedError> {
    let options = message.edns.iter().flat_map(|edns| edns.options().options.iter());
    let errors = options.filter_map(|(_, option)| match option {
        EdnsOption::Unknown(EXTENDED_ERROR, data) => {
            let (code, text) = data.split_first_chunk::<2>()?;
            let text = String::from_utf8_lossy(text);
            let text = text.trim_end_matches('\0').chars().take(MAX_TEXT).collect();
            Some(ExtendedError { code: u16::from_be_bytes(*code), text })
        }
        _ => None,
    });
    errors.take(MAX_EXTENDED).collect()
}

fn code(code: WireCode) -> ResponseCode {
    match u16::from(code) {
        0 => ResponseCode::NoError,
        1 => ResponseCode::FormErr,
        2 => ResponseCode::ServFail,
        3 => ResponseCode::NxDomain,
        4 => ResponseCode::NotImp,
        5 => ResponseCode::Refused,
        other => ResponseCode::Other(other),
    }
}

fn record(record: &WireRecord) -> Record {
    let data = match &record.data {
        RData::A(address) => RecordData::A(address.0),
        RData::AAAA(address) => RecordData::Aaaa(address.0),
        RData::CNAME(target) => RecordData::Cname(presentation(&target.0)),
        RData::SOA(soa) => RecordData::Soa(authority(&record.name, soa)),
        other => RecordData::Other(u16::from(other.record_type())),
    };
    Record { owner: presentation(&record.name), ttl: record.ttl, data }
}

fn authority(zone: &Name, soa: &SOA) -> Authority {
    Authority { zone: presentation(zone), mname: presentation(&soa.mname), rname: presentation(&soa.rname) }
}

/// A name in lower case, without trailing dot, by RFC 1035 5.1: printable ASCII only, `\DDD` in decimal for the rest. The
/// root is `.`.
fn presentation(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for label in name {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                    text.push('\\');
                    text.push(char::from(*octet));
                }
                0x21..=0x7e => text.push(char::from(octet.to_ascii_lowercase())),
                _ => {
                    text.push('\\');
                    text.extend([octet / 100, octet / 10 % 10, octet % 10].map(|digit| char::from(b'0' + digit)));
                }
            }
        }
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn question() -> Packet {
        Packet::new("api.monitor.azure.com", RecordKind::A, Wants { edns: true, unchecked: false }).unwrap()
    }

    /// An answer with a record of each section.
    fn answer(question: &Packet) -> Vec<u8> {
        let mut message = Message::response(question.id, OpCode::Query);
        message.add_query(question.query.clone());
        let owner = question.query.name().clone();
        let target = Name::from_ascii("api.privatelink.monitor.azure.com.").unwrap();
        message.add_answer(WireRecord::from_rdata(owner.clone(), 1, RData::CNAME(rdata::CNAME(target.clone()))));
        message.add_answer(WireRecord::from_rdata(target.clone(), 1, RData::A(rdata::A([10, 0, 0, 4].into()))));
        message.add_authority(WireRecord::from_rdata(
            owner,
            1,
            RData::SOA(SOA::new(target.clone(), target, 1, 1, 1, 1, 1)),
        ));
        message.set_edns(Edns::new());
        message.to_vec().unwrap()
    }

    fn names(response: &Response) -> Vec<&str> {
        let mut names: Vec<&str> = response.records.iter().map(|record| record.owner.as_str()).collect();
        names.extend(response.records.iter().filter_map(|record| match &record.data {
            RecordData::Cname(target) => Some(target.as_str()),
            _ => None,
        }));
        names.extend(response.authority.iter().flat_map(|soa| [soa.zone.as_str(), &soa.mname, &soa.rname]));
        names
    }

    #[test]
    fn name_that_no_message_can_hold_is_no_question() {
        for name in ["a..b", &"a".repeat(64), &"a.".repeat(200)] {
            assert!(Packet::new(name, RecordKind::A, Wants::default()).is_none(), "{name}");
        }
    }

    #[test]
    fn ids_differ() {
        let ids: std::collections::BTreeSet<u16> = (0..64).map(|_| question().id).collect();
        assert!(ids.len() > 32);
    }

    /// A reply whose answer section has these records.
    fn reply(question: &Packet, truncated: bool, records: &[(&str, RData)]) -> Vec<u8> {
        let mut message = Message::response(question.id, OpCode::Query);
        message.metadata.truncation = truncated;
        message.add_query(question.query.clone());
        for (owner, data) in records {
            message.add_answer(WireRecord::from_rdata(Name::from_ascii(owner).unwrap(), 1, data.clone()));
        }
        message.to_vec().unwrap()
    }

    #[test]
    fn answer_that_is_cut_over_tcp_too_is_none_unless_it_has_records() {
        let question = question();
        let address = RData::A(rdata::A([10, 0, 0, 4].into()));
        let cut = question.hear(&reply(&question, true, &[]), Transport::Tcp);
        assert!(matches!(cut, Heard::Malformed));
        let part = question.hear(&reply(&question, true, &[("api.monitor.azure.com.", address)]), Transport::Tcp);
        assert!(matches!(part, Heard::Answer(response) if response.records.len() == 1));
        let nothing = question.hear(&reply(&question, false, &[]), Transport::Tcp);
        assert!(matches!(nothing, Heard::Answer(_)), "a name without such records");
    }

    #[test]
    fn records_of_other_names_and_kinds_are_no_answer() {
        let question = question();
        let address = RData::A(rdata::A([10, 0, 0, 4].into()));
        let text = RData::TXT(rdata::TXT::new(vec!["junk".to_owned()]));
        for junk in [("other.example.com.", address.clone()), ("api.monitor.azure.com.", text.clone())] {
            let heard = question.hear(&reply(&question, false, std::slice::from_ref(&junk)), Transport::Udp);
            assert!(matches!(heard, Heard::Malformed), "{junk:?}");
            let among = [junk, ("API.monitor.azure.com.", address.clone())];
            let heard = question.hear(&reply(&question, false, &among), Transport::Udp);
            assert!(matches!(heard, Heard::Answer(_)), "{among:?}");
        }
    }

    #[test]
    fn records_beyond_those_that_are_kept_are_counted() {
        let question = question();
        let address = ("api.monitor.azure.com.", RData::A(rdata::A([10, 0, 0, 4].into())));
        let Heard::Answer(response) = question.hear(&reply(&question, false, &vec![address; 100]), Transport::Tcp)
        else {
            panic!("an answer");
        };
        assert_eq!((response.records.len(), response.more), (MAX_RECORDS, 36));
    }

    #[test]
    fn root_is_a_dot() {
        assert_eq!(presentation(&Name::root()), ".");
    }

    proptest! {
        #[test]
        fn any_octets_are_judged_and_names_are_printable(
            noise in vec(any::<u8>(), 0..600),
            changes in vec((2_usize..200, any::<u8>()), 0..6),
            raw in any::<bool>(),
        ) {
            let question = question();
            let mut bytes = if raw { [&question.id.to_be_bytes(), noise.as_slice()].concat() } else { answer(&question) };
            for (place, octet) in changes {
                if let Some(changed) = bytes.get_mut(place) {
                    *changed = octet;
                }
            }
            for transport in [Transport::Udp, Transport::Tcp] {
                if let Heard::Answer(response) = question.hear(&bytes, transport) {
                    for name in names(&response) {
                        prop_assert!(name.bytes().all(|octet| octet.is_ascii_graphic()), "{name:?}");
                    }
                }
            }
        }
    }
}
