//! The machine's own trust store on Windows. Variables of the shell do not replace it: no agent obeys them there.

use rustls::pki_types::CertificateDer;
use schannel::cert_context::ValidUses;
use schannel::cert_store::CertStore;

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
