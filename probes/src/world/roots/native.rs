//! The machine's own trust store where files hold it.

use rustls::pki_types::CertificateDer;

pub(super) fn certificates() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}
