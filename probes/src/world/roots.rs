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

/// Why a file is no list of trusted certificates.
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
        return store(&rustls_native_certs::load_native_certs().certs);
    }
    // A FIFO named by the variable would block the reader for ever.
    let file = file.filter(|file| file.is_file());
    let mut certificates = rustls_native_certs::load_certs_from_paths(file, None).certs;
    for directory in std::env::split_paths(directories.unwrap_or_default()).filter(|path| !path.as_os_str().is_empty())
    {
        certificates.extend(rustls_native_certs::load_certs_from_paths(None, Some(&directory)).certs);
    }
    store(&certificates)
}
