//! What the operating system itself thinks of a chain.
//!
//! A store that is listed says less than the system knows that fetches roots when it needs them: only asking it tells.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

use crate::observation::SystemVerdict;

/// The operating system's own verification.
pub trait Judge: Send + Sync {
    /// What it thinks of a chain (leaf first) that a peer presents by this name. It may fetch certificates from the network: the
    /// caller bounds it, on a thread that nothing depends on.
    fn judge(&self, chain: &[CertificateDer<'static>], name: &str, at: Timestamp) -> SystemVerdict;
}

/// `CERT_E_CHAINING`: no chain could be built to a trusted root.
/// Source: <https://learn.microsoft.com/windows/win32/seccrypto/certificate-status-constants>
const CERT_E_CHAINING: i32 = 0x800B_010A_u32.cast_signed();

/// What the answer of rustls' platform verifier on Windows means for where the chain leads. All that is not about that,
/// revocation that could not be looked up included, leaves the question open.
pub fn of_platform(answer: &Result<(), Error>) -> SystemVerdict {
    match answer {
        Ok(()) => SystemVerdict::Trusted,
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => SystemVerdict::UnknownIssuer,
        // The verifier gives other codes of Windows within a text, at whose end the number stands.
        Err(Error::InvalidCertificate(CertificateError::Other(other)))
            if code(&other.to_string()) == Some(CERT_E_CHAINING) =>
        {
            SystemVerdict::UnknownIssuer
        }
        Err(_) => SystemVerdict::Unknown,
    }
}

/// The code at the end of what the standard library says of an error of the system, in whatever language the rest is.
fn code(text: &str) -> Option<i32> {
    text.rsplit_once("(os error ")?.1.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    fn other(code: i32) -> Result<(), Error> {
        let text = io::Error::from_raw_os_error(code).to_string();
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::from(Box::from(text))))))
    }

    #[test]
    fn only_where_the_chain_leads_is_taken_from_the_answer() {
        // Revocation that could not be looked up, and a certificate that was revoked.
        let (offline, revoked) = (other(-2_146_885_613), Err(Error::InvalidCertificate(CertificateError::Revoked)));
        for (answer, expected) in [
            (Ok(()), SystemVerdict::Trusted),
            (Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)), SystemVerdict::UnknownIssuer),
            (other(CERT_E_CHAINING), SystemVerdict::UnknownIssuer),
            (offline, SystemVerdict::Unknown),
            (revoked, SystemVerdict::Unknown),
            (Err(Error::General("(os error 5)".to_owned())), SystemVerdict::Unknown),
        ] {
            assert_eq!(of_platform(&answer), expected, "{answer:?}");
        }
    }
}
