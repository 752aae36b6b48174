//! The trust stores: this machine's own and the public one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// A store that is loaded when it is first needed, or before in the background.
type Store = LazyLock<Arc<RootCertStore>, Box<dyn FnOnce() -> Arc<RootCertStore> + Send>>;

/// Trust stores. Cheap to clone.
#[derive(Clone)]
pub struct Roots {
    machine: Arc<Store>,
    public: Arc<RootCertStore>,
    public_given: bool,
}

impl Roots {
    /// Stores that are known already.
    pub fn new(machine: Arc<RootCertStore>, public: Arc<RootCertStore>) -> Self {
        let machine: Store = LazyLock::new(Box::new(move || machine));
        Self { machine: Arc::new(machine), public, public_given: true }
    }

    /// The machine's own store (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and the public roots, built in unless
    /// others are given.
    ///
    /// Parsing a distribution's store takes 5 to 20 ms of processor time, so a thread does it beside the first DNS
    /// questions.
    pub fn from_system(environment: &BTreeMap<String, String>, public: Option<&[CertificateDer<'static>]>) -> Self {
        let file = environment.get("SSL_CERT_FILE").map(PathBuf::from);
        let directories = environment.get("SSL_CERT_DIR").cloned();
        let machine: Store = LazyLock::new(Box::new(move || Arc::new(load(file.as_deref(), directories.as_deref()))));
        let roots = Self {
            machine: Arc::new(machine),
            public_given: public.is_some(),
            public: Arc::new(public.map_or_else(built_in, store)),
        };
        let early = Arc::clone(&roots.machine);
        // Without a thread the store is loaded by the first handshake.
        let _ = std::thread::Builder::new().name("trust-store".to_owned()).spawn(move || {
            LazyLock::force(&early);
        });
        roots
    }

    /// This machine's own store; empty when it could not be read. Waits for it to be loaded.
    pub fn machine(&self) -> Arc<RootCertStore> {
        Arc::clone(LazyLock::force(&self.machine))
    }

    /// The public roots are not the built-in ones.
    pub fn public_given(&self) -> bool {
        self.public_given
    }

    /// The public roots.
    pub fn public(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.public)
    }
}

/// Why a file is not a list of trusted certificates.
#[derive(Debug)]
pub enum PemFailure {
    /// It is not PEM.
    Pem(pem::Error),
    /// It holds no certificate.
    Empty,
    /// The certificate with this number, from 1, cannot be a root.
    NotARoot(usize),
}

impl fmt::Display for PemFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => write!(f, "not PEM: {error}"),
            Self::Empty => f.write_str("no certificate in it"),
            Self::NotARoot(number) => write!(f, "certificate {number} cannot be a root"),
        }
    }
}

impl std::error::Error for PemFailure {}

/// The certificates of a PEM file (`--public-roots`): at least one, and each usable as a root.
pub fn roots_from_pem(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemFailure> {
    let roots = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>().map_err(PemFailure::Pem)?;
    if roots.is_empty() {
        return Err(PemFailure::Empty);
    }
    for (index, root) in roots.iter().enumerate() {
        if webpki::anchor_from_trusted_cert(root).is_err() {
            return Err(PemFailure::NotARoot(index + 1));
        }
    }
    Ok(roots)
}

fn built_in() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// What cannot be parsed is skipped: a store with one odd certificate still serves.
fn store(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    store
}

fn load(file: Option<&Path>, directories: Option<&str>) -> RootCertStore {
    if file.is_none() && directories.is_none_or(str::is_empty) {
        return distinct(rustls_native_certs::load_native_certs().certs);
    }
    // A FIFO named by the variable would block the reader for ever.
    let file = file.filter(|file| file.is_file());
    let mut certificates = rustls_native_certs::load_certs_from_paths(file, None).certs;
    for directory in std::env::split_paths(directories.unwrap_or_default()).filter(|path| !path.as_os_str().is_empty())
    {
        certificates.extend(rustls_native_certs::load_certs_from_paths(None, Some(&directory)).certs);
    }
    distinct(certificates)
}

/// Distributions ship each root twice: in the bundle and in a file of its own.
fn distinct(mut certificates: Vec<CertificateDer<'static>>) -> RootCertStore {
    certificates.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    certificates.dedup();
    store(&certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn certificates_of_a_pem_file_are_roots() {
        let text = format!("a comment\n{}\n{}", authority(), authority());
        assert_eq!(roots_from_pem(text.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn file_without_certificates_is_refused() {
        for bytes in [&b""[..], b"\xff\0not a certificate"] {
            assert!(matches!(roots_from_pem(bytes), Err(PemFailure::Empty)), "{bytes:?}");
        }
        let cut = authority().replace("-----END CERTIFICATE-----", "");
        assert!(roots_from_pem(cut.as_bytes()).is_err());
    }

    #[test]
    fn certificate_that_is_none_is_named_by_its_number() {
        let text = format!("{}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", authority());
        assert!(matches!(roots_from_pem(text.as_bytes()), Err(PemFailure::NotARoot(2))));
    }

    #[test]
    fn store_of_the_environment_replaces_the_machines() {
        let path = std::env::temp_dir().join(format!("roots-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&path, authority().repeat(2)).unwrap();
        let environment = BTreeMap::from([("SSL_CERT_FILE".to_owned(), path.display().to_string())]);
        let roots = Roots::from_system(&environment, None);
        assert_eq!(roots.machine().len(), 1);
        assert!(roots.public().len() > 1);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn given_public_roots_replace_the_built_in() {
        let given = roots_from_pem(authority().as_bytes()).unwrap();
        let environment = BTreeMap::from([("SSL_CERT_FILE".to_owned(), "/nonexistent".to_owned())]);
        let roots = Roots::from_system(&environment, Some(&given));
        assert_eq!((roots.machine().len(), roots.public().len()), (0, 1));
    }
}
