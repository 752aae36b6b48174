//! What a presented chain proves, against one trust store and then against another.
//!
//! Chain, name and validity are distinguished, because each has its own cause and its own fix.

use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_parser::certificate::X509Certificate;

use super::PROVIDER;
use super::certificate::{parse, timestamp};
use super::failure::variant;
use crate::observation::{ChainVerdict, NameVerdict, Validity, Verification};

/// What a chain (leaf first) proves about a peer that is asked for by `name`.
pub(super) fn verification(
    chain: &[CertificateDer<'static>],
    name: &str,
    machine: &RootCertStore,
    public: &RootCertStore,
    now: Timestamp,
) -> Verification {
    let parsed: Vec<_> = chain.iter().filter_map(|der| parse(der)).collect();
    let bounds = chain.first().and_then(|leaf| bounds(&parse(leaf)?));
    let at = bounds.map_or(now, |(from, until)| now.min(until).max(from));
    Verification {
        machine: verdict(chain, &parsed, machine, at),
        public: verdict(chain, &parsed, public, at),
        name: chain.first().map_or(NameVerdict::Unreadable, |leaf| name_verdict(leaf, name)),
        validity: bounds.map_or(Validity::Unreadable, |bounds| validity(bounds, now)),
    }
}

fn bounds(leaf: &X509Certificate<'_>) -> Option<(Timestamp, Timestamp)> {
    let validity = leaf.validity();
    Some((timestamp(validity.not_before.timestamp())?, timestamp(validity.not_after.timestamp())?))
}

fn validity((from, until): (Timestamp, Timestamp), now: Timestamp) -> Validity {
    if now < from {
        return Validity::NotYetValid;
    }
    // RFC 5280, section 4.1.2.5: the period includes its ends, which are whole seconds.
    if now.as_second() > until.as_second() { Validity::Expired } else { Validity::Valid }
}

fn verdict(
    chain: &[CertificateDer<'static>],
    parsed: &[X509Certificate<'_>],
    roots: &RootCertStore,
    at: Timestamp,
) -> ChainVerdict {
    if roots.is_empty() {
        return ChainVerdict::NoRoots;
    }
    let error = match path(chain, roots, at) {
        Ok(()) => return ChainVerdict::Trusted,
        Err(error) => error,
    };
    match error {
        // A signature that does not fit means an issuer that only bears the name of one that is known.
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => ChainVerdict::UnknownIssuer,
        // What else webpki dislikes (a CA used as a leaf, version 1, an old signature) says nothing about where the chain
        // leads, and that comes first.
        _ if !leads_to(parsed, roots) => ChainVerdict::UnknownIssuer,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => ChainVerdict::Expired,
        other => ChainVerdict::Invalid(variant(&other)),
    }
}

fn path(chain: &[CertificateDer<'static>], roots: &RootCertStore, at: Timestamp) -> Result<(), Error> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(Error::UnknownIssuer);
    };
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let leaf = EndEntityCert::try_from(leaf)?;
    leaf.verify_for_usage(
        PROVIDER.signature_verification_algorithms.all,
        &roots.roots,
        intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    Ok(())
}

/// Whether any certificate of the chain names a root of the store as its issuer.
fn leads_to(parsed: &[X509Certificate<'_>], roots: &RootCertStore) -> bool {
    parsed.iter().any(|certificate| {
        // A trust anchor's name lacks the header of its SEQUENCE.
        let issuer = certificate.issuer().as_raw();
        roots.roots.iter().any(|root| !root.subject.is_empty() && ends_with_name(issuer, root.subject.as_ref()))
    })
}

fn ends_with_name(whole: &[u8], name: &[u8]) -> bool {
    let header = whole.len().saturating_sub(name.len());
    (2..=4).contains(&header) && whole.ends_with(name)
}

fn name_verdict(leaf: &CertificateDer<'_>, name: &str) -> NameVerdict {
    let (Ok(leaf), Ok(name)) = (EndEntityCert::try_from(leaf), ServerName::try_from(name)) else {
        return NameVerdict::Unreadable;
    };
    match leaf.verify_is_valid_for_subject_name(&name) {
        Ok(()) => NameVerdict::Matches,
        Err(_) => NameVerdict::Other,
    }
}
