//! The machine's own trust store on Windows, and what Windows thinks of a chain. Variables of the shell do not replace the store:
//! no agent obeys them there.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;
use schannel::cert_context::ValidUses;
use schannel::cert_store::CertStore;

use super::judge::{Judge, of_platform};
use crate::observation::SystemVerdict;

/// For the authentication of servers (RFC 5280).
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";

pub(super) fn certificates() -> Vec<CertificateDer<'static>> {
    // That of the user who looks holds more: agents run as SYSTEM and do not trust what only a person trusts.
    let Ok(store) = CertStore::open_local_machine("ROOT") else { return Vec::new() };
    let trusted = store.certs().filter(|certificate| {
        certificate.is_time_valid().unwrap_or(false)
            && certificate.valid_uses().is_ok_and(|uses| match uses {
                ValidUses::All => true,
                ValidUses::Oids(uses) => uses.iter().any(|usage| usage == SERVER_AUTH),
            })
    });
    trusted.map(|certificate| CertificateDer::from(certificate.to_der().to_vec())).collect()
}

pub(super) fn judge() -> Option<Arc<dyn Judge>> {
    Some(Arc::new(Windows))
}

struct Windows;

impl Judge for Windows {
    fn judge(&self, chain: &[CertificateDer<'static>], name: &str, at: Timestamp) -> SystemVerdict {
        let verifier = Verifier::new(Arc::new(rustls::crypto::ring::default_provider()));
        let (Ok(verifier), Ok(name), Some((leaf, others))) =
            (verifier, ServerName::try_from(name), chain.split_first())
        else {
            return SystemVerdict::Unknown;
        };
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        of_platform(&verifier.verify_server_cert(leaf, others, &name, &[], at).map(drop))
    }
}
