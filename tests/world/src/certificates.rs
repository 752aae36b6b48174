//! Certificate authorities of a simulated world, and leaf certificates made on the fly for whatever name is asked.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::scenario::{Scenario, TlsFault};

/// What an older server speaks.
const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
/// Name of an inspecting authority that a world does not name.
const INSPECTOR: &str = "Corp TLS Inspection CA";
/// What a wrong certificate is for.
const OTHER_NAME: &str = "portal.captive.example";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// The authorities of one world.
pub(crate) struct Authorities {
    root: Authority,
    intermediate: Authority,
    foreign: BTreeMap<String, Authority>,
    unrelated: Authority,
    /// One key for all leaf certificates: making one for each costs time and proves nothing.
    leaf_key: KeyPair,
    made: Mutex<BTreeMap<(String, TlsFault, String), Arc<ServerConfig>>>,
}

impl Authorities {
    pub(crate) fn new(scenario: &Scenario) -> io::Result<Self> {
        let root = Authority::self_signed(authority("Simulated Public Root G2", "Simulated Trust Services")?, key()?)
            .map_err(io::Error::other)?;
        let issuing = authority("Microsoft Azure RSA TLS Issuing CA 04", "Microsoft Corporation")?;
        let intermediate = Authority::signed_by(issuing, key()?, &root).map_err(io::Error::other)?;
        let mut foreign = BTreeMap::new();
        for front in scenario.fronts.iter().filter(|front| front.tls.is_some_and(intercepted)) {
            let name = front.issuer.as_deref().unwrap_or(INSPECTOR);
            let made = Authority::self_signed(authority(name, "Corp")?, key()?).map_err(io::Error::other)?;
            foreign.insert(name.to_owned(), made);
        }
        let unrelated =
            Authority::self_signed(authority("Another Root", "Another")?, key()?).map_err(io::Error::other)?;
        Ok(Self { root, intermediate, foreign, unrelated, leaf_key: key()?, made: Mutex::default() })
    }

    /// The public roots of this world.
    pub(crate) fn public_roots(&self) -> io::Result<RootCertStore> {
        store([self.root.der()])
    }

    /// The machine's own store.
    pub(crate) fn machine_roots(&self, scenario: &Scenario) -> io::Result<RootCertStore> {
        let mut roots = vec![self.unrelated.der()];
        roots.extend(scenario.machine.public_root.then(|| self.root.der()));
        for front in scenario.fronts.iter().filter(|front| front.trusted) {
            roots.extend(self.foreign.get(front.issuer.as_deref().unwrap_or(INSPECTOR)).map(Authority::der));
        }
        store(roots)
    }

    /// What a server presents for a name.
    pub(crate) fn server(&self, name: &str, fault: TlsFault, issuer: Option<&str>) -> io::Result<Arc<ServerConfig>> {
        let issuer = issuer.unwrap_or(INSPECTOR);
        let kept = (name.to_owned(), fault, issuer.to_owned());
        if let Some(made) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&kept) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(self.configure(name, fault, issuer)?);
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(kept, Arc::clone(&made));
        Ok(made)
    }

    /// A server that presents a leaf for a name that the world's own authority signed, changed before it signs, and then whatever
    /// certificates it is given.
    #[cfg(test)]
    pub(crate) fn server_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        more: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> io::Result<Arc<ServerConfig>> {
        let mut params = Self::leaf(name, TlsFault::Ok, true)?;
        change(&mut params);
        let leaf = params.signed_by(&self.leaf_key, &self.intermediate).map_err(io::Error::other)?;
        let chain = std::iter::once(leaf.into()).chain(more).collect();
        self.presenting(TlsFault::Ok, chain).map(Arc::new)
    }

    /// Certificates of the same names as the world's own issuing authority, each signed by all keys: a path that a verifier cannot
    /// end early.
    #[cfg(test)]
    pub(crate) fn mesh(keys: usize, certificates: usize) -> io::Result<(Authority, Vec<CertificateDer<'static>>)> {
        let made = || authority("Microsoft Azure RSA TLS Issuing CA 04", "Microsoft Corporation");
        let authorities: Vec<Authority> = (0..keys)
            .map(|_| Authority::self_signed(made()?, key()?).map_err(io::Error::other))
            .collect::<io::Result<_>>()?;
        let mut mesh = Vec::new();
        for subject in &authorities {
            for issuer in &authorities {
                let crossed = made()?.signed_by(subject.key(), issuer).map_err(io::Error::other)?;
                mesh.push(crossed.into());
            }
        }
        mesh.truncate(certificates);
        let first = authorities.into_iter().next().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((first, mesh))
    }

    /// A server whose leaf the given authority signed.
    #[cfg(test)]
    pub(crate) fn server_of(
        &self,
        name: &str,
        issuer: &Authority,
        more: Vec<CertificateDer<'static>>,
    ) -> io::Result<Arc<ServerConfig>> {
        let leaf = Self::leaf(name, TlsFault::Ok, true)?.signed_by(&self.leaf_key, issuer).map_err(io::Error::other)?;
        self.presenting(TlsFault::Ok, std::iter::once(leaf.into()).chain(more).collect()).map(Arc::new)
    }

    fn configure(&self, name: &str, fault: TlsFault, issuer: &str) -> io::Result<ServerConfig> {
        let foreign = self.foreign.get(issuer).filter(|_| intercepted(fault));
        let mut params = Self::leaf(name, fault, foreign.is_none())?;
        if fault == TlsFault::SelfSigned {
            params.custom_extensions.clear();
        }
        let leaf = match (fault, foreign) {
            (TlsFault::SelfSigned, _) => params.self_signed(&self.leaf_key),
            (_, Some(foreign)) => params.signed_by(&self.leaf_key, foreign),
            _ => params.signed_by(&self.leaf_key, &self.intermediate),
        }
        .map_err(io::Error::other)?;

        let mut chain: Vec<CertificateDer<'static>> = vec![leaf.into()];
        match (fault, foreign) {
            (TlsFault::SelfSigned | TlsFault::LeafOnly, _) => {}
            (_, Some(foreign)) => chain.push(foreign.der().clone()),
            _ => chain.push(self.intermediate.der().clone()),
        }
        self.presenting(fault, chain)
    }

    fn presenting(&self, fault: TlsFault, chain: Vec<CertificateDer<'static>>) -> io::Result<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(if fault == TlsFault::Tls12 { ONLY_TLS12 } else { ALL_VERSIONS })
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn leaf(name: &str, fault: TlsFault, public: bool) -> io::Result<CertificateParams> {
        let subject = if fault == TlsFault::WrongName { OTHER_NAME } else { name };
        let mut params = CertificateParams::new(vec![subject.to_owned()]).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, subject);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let (from, to) = match fault {
            TlsFault::Expired | TlsFault::InterceptedExpired => (-400, -10),
            TlsFault::NotYetValid => (10, 200),
            _ => (-30, 150),
        };
        lasts(&mut params, from, to);
        if public {
            params.custom_extensions.push(issuer_url());
        }
        Ok(params)
    }
}

fn intercepted(fault: TlsFault) -> bool {
    matches!(fault, TlsFault::Intercepted | TlsFault::InterceptedExpired)
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn authority(name: &str, organisation: &str) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    lasts(&mut params, -3650, 3650);
    Ok(params)
}

fn store<'a>(roots: impl IntoIterator<Item = &'a CertificateDer<'static>>) -> io::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(io::Error::other)?;
    }
    Ok(store)
}

/// Sets a validity in days from now. rcgen takes the types of `time`: the epoch plus seconds needs no second calendar here.
fn lasts(params: &mut CertificateParams, from_days: i64, to_days: i64) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(from_days);
    params.not_after = epoch + since_epoch(to_days);
}

fn since_epoch(days: i64) -> Duration {
    let seconds = Timestamp::now().as_second().saturating_add(days.saturating_mul(86_400));
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Authority information access with a `caIssuers` address (RFC 5280 4.2.2.1), as every certificate of the public web has.
fn issuer_url() -> CustomExtension {
    let url = b"http://www.microsoft.com/pkiops/certs/issuing-ca-04.crt";
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    let mut description = vec![0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, length(url)];
    description.extend(url);
    let mut sequence = vec![0x30, length(&description)];
    sequence.extend(description);
    let mut content = vec![0x30, length(&sequence)];
    content.extend(sequence);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}
