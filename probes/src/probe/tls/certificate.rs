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

/// A time of a certificate, at most the last one that can be expressed: the one that means "never" is a day later (RFC 5280, section
/// 4.1.2.5).
pub(super) fn timestamp(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds.min(Timestamp::MAX.as_second())).ok()
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
    let value = attribute.as_str().map_or_else(|_| encoded(attribute.as_slice()), escaped);
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
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    escaped.extend(['\\', digit(byte >> 4), digit(byte & 0xf)]);
                }
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// RFC 4514, section 2.4: a value of another type than text.
fn encoded(bytes: &[u8]) -> String {
    let kept = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    format!("#{}", hexadecimal(kept))
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
    hexadecimal(suite.common.hash_provider.hash(der).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use rcgen::{CustomExtension, DistinguishedName, DnType, DnValue};

    use super::*;
    use crate::probe::loopback::{Identity, NAME};

    fn leaf(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Certificate {
        read(&Identity::self_signed(change).chain[0])
    }

    #[test]
    fn hash_is_sha_256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn names_are_escaped_and_the_most_specific_part_comes_first() {
        let certificate = leaf(|params| {
            let mut name = DistinguishedName::new();
            name.push(DnType::CountryName, "US");
            name.push(DnType::OrganizationName, " Sue, Grabbit + \"Runn\" ");
            name.push(DnType::CommonName, "#1\n\u{1b}é");
            name.push(DnType::CustomDnType(vec![1, 2, 3, 4]), DnValue::Utf8String("x".to_owned()));
            params.distinguished_name = name;
        });
        assert_eq!(certificate.subject, "1.2.3.4=x,CN=\\#1\\0a\\1bé,O=\\ Sue\\, Grabbit \\+ \\\"Runn\\\"\\ ,C=US");
        assert_eq!((certificate.issuer == certificate.subject, certificate.self_issued), (true, true));
    }

    #[test]
    fn place_of_the_issuers_certificate_is_not_mistaken_for_that_of_its_revocations() {
        // RFC 5280, section 4.2.2.1: id-ad-ocsp ends with 1, id-ad-caIssuers with 2.
        for (method, names_issuer_url) in [(1, false), (2, true)] {
            let mut access = vec![0x30, 22, 0x30, 20, 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, method, 0x86, 8];
            access.extend(b"http://a");
            let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access);
            let certificate = leaf(|params| params.custom_extensions.push(extension));
            assert_eq!(certificate.names_issuer_url, names_issuer_url);
            assert_eq!(certificate.names, [NAME]);
        }
    }

    #[test]
    fn certificate_that_cannot_be_parsed_has_its_hash_alone() {
        let certificate = read(b"abc");
        assert!(certificate.sha256.starts_with("ba7816bf"));
        assert_eq!((certificate.subject.as_str(), certificate.not_after, certificate.self_issued), ("", None, false));
    }
}
