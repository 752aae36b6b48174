//! The trust stores: this machine's own and the public one.
//!
//! The environment says where the machine's store lies, so it may be anything: a folder of devices, a share whose server is
//! gone. It is read within bounds, by a thread that nothing depends on.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use tokio::sync::watch;

use crate::catalogue::roots::AzureRoots;
use crate::read::{self, Links};
use crate::registry::Keys;

mod judge;
#[cfg(not(windows))]
#[path = "roots/native.rs"]
mod own;
#[cfg(windows)]
#[path = "roots/windows.rs"]
mod own;

pub use judge::{Judge, of_platform};

/// Octets that are read of all files of a store, and of one: some fifty and ten times what a distribution ships.
const STORE_LIMIT: u64 = 16 * 1024 * 1024;
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// Entries of all its folders: some ten times what a distribution ships.
const ENTRIES_LIMIT: usize = 4096;

/// Trust stores. Cheap to clone.
#[derive(Clone)]
pub struct Roots {
    machine: watch::Receiver<Option<Arc<RootCertStore>>>,
    public: Arc<RootCertStore>,
    public_given: bool,
    judge: Option<Arc<dyn Judge>>,
    /// What loads the machine's store, until [`Self::begin`] takes it.
    loading: Arc<Mutex<Option<Loading>>>,
}

type Loading = Box<dyn FnOnce() + Send>;

impl Roots {
    /// Stores that are known already.
    pub fn new(machine: Arc<RootCertStore>, public: Arc<RootCertStore>) -> Self {
        Self::of(watch::channel(Some(machine)).1, public)
    }

    /// A machine's store that is not read while the sender lives.
    #[cfg(test)]
    pub(crate) fn unread(public: Arc<RootCertStore>) -> (watch::Sender<Option<Arc<RootCertStore>>>, Self) {
        let (sender, machine) = watch::channel(None);
        (sender, Self::of(machine, public))
    }

    fn of(machine: watch::Receiver<Option<Arc<RootCertStore>>>, public: Arc<RootCertStore>) -> Self {
        Self { machine, public, public_given: true, judge: None, loading: Arc::default() }
    }

    /// The machine's own store (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and the public roots, built in unless
    /// others are given. Nothing of the machine's store is read before it is needed, see [`Self::begin`].
    pub fn from_system(environment: &BTreeMap<String, String>, public: Option<&[CertificateDer<'static>]>) -> Self {
        let file = environment.get("SSL_CERT_FILE").map(PathBuf::from);
        let directories = environment.get("SSL_CERT_DIR").cloned();
        let (loaded, machine) = watch::channel(None);
        let load = move || {
            let _ = loaded.send(Some(Arc::new(load(file.as_deref(), directories.as_deref()))));
        };
        let loading: Loading = Box::new(load);
        Self {
            machine,
            public_given: public.is_some(),
            public: Arc::new(public.map_or_else(built_in, store)),
            judge: own::judge(),
            loading: Arc::new(Mutex::new(Some(loading))),
        }
    }

    /// Begins to load this machine's own store, once. Parsing a distribution's takes 5 to 20 ms of processor time, so a thread
    /// does it beside the first DNS questions.
    pub fn begin(&self) {
        if let Some(load) = self.loading.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Where there is no thread to be had no run begins either.
            let _ = std::thread::Builder::new().name("trust-store".to_owned()).spawn(load);
        }
    }

    /// This machine's own store; empty when it could not be read. Waits for it to be loaded, which may be for ever: the caller
    /// bounds it.
    pub async fn machine(&self) -> Arc<RootCertStore> {
        self.begin();
        let mut machine = self.machine.clone();
        let loaded = machine.wait_for(Option::is_some).await;
        loaded.ok().and_then(|store| store.clone()).unwrap_or_else(|| Arc::new(RootCertStore::empty()))
    }

    /// The public roots are not the built-in ones.
    pub fn public_given(&self) -> bool {
        self.public_given
    }

    /// The same, and the system itself can be asked.
    #[must_use]
    pub fn with_judge(self, judge: Arc<dyn Judge>) -> Self {
        Self { judge: Some(judge), ..self }
    }

    /// The operating system's own verification, where its stores alone do not say what it trusts.
    pub fn judge(&self) -> Option<Arc<dyn Judge>> {
        self.judge.clone()
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

/// Whether Windows fetches roots and intermediate certificates when it needs them, which it does unless a policy forbids it with
/// any number but 0. Where the policy cannot be read it counts as forbidden: nothing is trusted on a guess.
/// Source: <https://learn.microsoft.com/windows-server/identity/ad-cs/configure-trusted-roots-disallowed-certificates>
pub fn fetches_roots(keys: &mut Keys<'_>) -> bool {
    const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot";
    let forbidden = keys.number(POLICY, "DisableRootAutoUpdate").is_some_and(|number| number != 0);
    !forbidden && !keys.is_unread(POLICY)
}

/// The roots of browsers, and all of Azure's: stores shrink.
fn built_in() -> RootCertStore {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Ok(azure) = AzureRoots::builtin() {
        store.add_parsable_certificates(azure.certificates());
    }
    store
}

/// What cannot be parsed is skipped: a store with one odd certificate still serves.
fn store(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    store
}

fn load(file: Option<&Path>, directories: Option<&str>) -> RootCertStore {
    if file.is_none() && directories.is_none_or(str::is_empty) {
        return distinct(own::certificates());
    }
    let mut certificates = Vec::new();
    let mut left = STORE_LIMIT;
    for file in file.map(Path::to_path_buf).into_iter().chain(entries(directories.unwrap_or_default())) {
        let Ok(contents) = read::contents(&file, Links::Follow, left.min(FILE_LIMIT)) else { continue };
        left -= u64::try_from(contents.bytes.len()).unwrap_or(left).min(left);
        certificates.extend(CertificateDer::pem_slice_iter(&contents.bytes).flatten());
    }
    distinct(certificates)
}

/// What lies in the folders of a store.
fn entries(directories: &str) -> impl Iterator<Item = PathBuf> {
    let folders = std::env::split_paths(directories).filter(|path| !path.as_os_str().is_empty());
    let folders: Vec<PathBuf> = folders.collect();
    let read = folders.into_iter().filter_map(|folder| folder.read_dir().ok()).flatten();
    read.take(ENTRIES_LIMIT).filter_map(|entry| Some(entry.ok()?.path()))
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
    use crate::registry::Value;
    use crate::registry::memory::Memory;

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

    #[tokio::test]
    async fn store_of_the_environment_replaces_the_machines() {
        let path = std::env::temp_dir().join(format!("roots-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&path, authority().repeat(2)).unwrap();
        let environment = BTreeMap::from([("SSL_CERT_FILE".to_owned(), path.display().to_string())]);
        let roots = Roots::from_system(&environment, None);
        assert_eq!(roots.machine().await.len(), 1);
        assert!(roots.public().len() > 1);
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn folder_of_the_environment_is_read_and_what_is_no_certificate_in_it_is_passed_over() {
        let folder = std::env::temp_dir().join(format!("roots-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [("a.pem", authority()), ("b.pem", authority()), ("c", "nothing".to_owned())] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let environment = BTreeMap::from([("SSL_CERT_DIR".to_owned(), folder.display().to_string())]);
        assert_eq!(Roots::from_system(&environment, None).machine().await.len(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn store_is_loaded_when_it_is_needed_and_once() {
        let file = std::env::temp_dir().join(format!("roots-{}.pem", uuid::Uuid::new_v4()));
        let environment = BTreeMap::from([("SSL_CERT_FILE".to_owned(), file.display().to_string())]);
        let roots = Roots::from_system(&environment, None);
        assert!(roots.loading.lock().unwrap().is_some());
        std::fs::write(&file, authority()).unwrap();
        assert_eq!(roots.clone().machine().await.len(), 1);
        std::fs::remove_file(file).unwrap();
        assert!(roots.loading.lock().unwrap().is_none());
        roots.begin();
        assert_eq!(roots.machine().await.len(), 1);
    }

    /// `kmsg` waits for the kernel to say more, `kcore` is as long as the address space.
    #[cfg(target_os = "linux")]
    #[test]
    fn folder_of_devices_and_endless_files_is_read_to_its_end() {
        assert_eq!(load(None, Some("/proc")).len(), 0);
        assert_eq!(load(Some(Path::new("/proc/kmsg")), None).len(), 0);
        assert_eq!(load(Some(Path::new("/dev/zero")), Some("/dev")).len(), 0);
    }

    #[test]
    fn roots_are_fetched_unless_any_number_but_0_forbids_it() {
        let key = r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot";
        for (number, fetches) in [(0, true), (1, false), (2, false), (0xffff_ffff, false)] {
            let registry = Memory::of(&[(key, "DisableRootAutoUpdate", Value::Number(number))]);
            assert_eq!(fetches_roots(&mut Keys::new(registry.as_ref())), fetches, "{number}");
        }
        assert!(fetches_roots(&mut Keys::new(Memory::of(&[]).as_ref())));
    }

    #[tokio::test]
    async fn given_public_roots_replace_the_built_in() {
        let given = roots_from_pem(authority().as_bytes()).unwrap();
        let environment = BTreeMap::from([("SSL_CERT_FILE".to_owned(), "/nonexistent".to_owned())]);
        let roots = Roots::from_system(&environment, Some(&given));
        assert_eq!((roots.machine().await.len(), roots.public().len()), (0, 1));
    }
}
