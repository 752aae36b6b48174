//! Reads what a presented certificate says of itself. Nothing of it is believed here.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2abbrev, oid2sn};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::observation::Certificate;
use crate::observation::tls::MAX_NAMES;

/// Characters kept of one name.
const MAX_TEXT: usize = 256;

/// What a certificate says. One that cannot be parsed has its hash and nothing else.
pub(super) fn read(der: &[u8]) -> Certificate {
    let parsed = parse(der);
    let parsed = parsed.as_ref();
    Certificate {
        subject: parsed.map_or_else(String::new, |parsed| name(parsed.subject())),
        issuer: parsed.map_or_else(String::new, |parsed| name(parsed.issuer())),
        names: parsed.map_or_else(Vec::new, alternative_names),
        not_before: parsed.and_then(|parsed| timestamp(parsed.validity().not_before.timestamp())),
        not_after: parsed.and_then(|parsed| timestamp(parsed.validity().not_after.timestamp())),
        signature: parsed.map_or_else(String::new, |parsed| signature(&parsed.signature_algorithm.algorithm)),
        sha256: sha256(der),
        self_issued: parsed.is_some_and(|parsed| parsed.subject().as_raw() == parsed.issuer().as_raw()),
        names_issuer_url: parsed.is_some_and(names_issuer_url),
    }
}

/// Parses a certificate, or tells that it is none.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)
}

/// A time of a certificate, if it lies within the years that can be told.
pub(super) fn timestamp(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

/// A distinguished name as RFC 4514 text: the most specific part first.
fn name(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for (index, part) in parts.iter().rev().enumerate() {
        if text.chars().count() >= MAX_TEXT {
            break;
        }
        if index > 0 {
            text.push(',');
        }
        let attributes: Vec<_> = part.iter().map(attribute).collect();
        text.push_str(&attributes.join("+"));
    }
    text.chars().take(MAX_TEXT).collect()
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let kind = attribute.attr_type();
    let kind = oid2abbrev(kind, oid_registry()).map_or_else(|_| kind.to_id_string(), str::to_owned);
    let value = attribute.as_str().map_or_else(|_| hexadecimal(attribute.as_slice()), escaped);
    format!("{kind}={value}")
}

/// RFC 4514, section 2.4; control characters are escaped as well.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let length = text.chars().count();
    for (index, character) in text.chars().enumerate().take(MAX_TEXT) {
        let at_edge = index == 0 || index + 1 == length;
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            ' ' if at_edge => escaped.push_str("\\ "),
            '#' if index == 0 => escaped.push_str("\\#"),
            character if character.is_control() => {
                let mut utf8 = [0; 4];
                for byte in character.encode_utf8(&mut utf8).bytes() {
                    escaped.push_str(&format!("\\{byte:02x}"));
                }
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// RFC 4514, section 2.4: a value of another type than text.
fn hexadecimal(bytes: &[u8]) -> String {
    std::iter::once("#".to_owned()).chain(bytes.iter().take(MAX_TEXT).map(|byte| format!("{byte:02x}"))).collect()
}

fn alternative_names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let extensions = parsed.extensions().iter();
    let names = extensions.filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    let texts = names.flatten().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.chars().take(MAX_TEXT).collect()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    });
    texts.take(MAX_NAMES).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn names_issuer_url(parsed: &X509Certificate<'_>) -> bool {
    parsed.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().any(|place| place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS)
        }
        _ => false,
    })
}

fn signature(algorithm: &Oid<'_>) -> String {
    oid2sn(algorithm, oid_registry()).map_or_else(|_| algorithm.to_id_string(), str::to_owned)
}

/// The hash of the suite that every TLS 1.3 implementation has, so that no other library is needed for it.
fn sha256(der: &[u8]) -> String {
    let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else {
        return String::new();
    };
    suite.common.hash_provider.hash(der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
