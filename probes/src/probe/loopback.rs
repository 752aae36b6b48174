//! Servers on loopback for the tests of the probes: real protocols, and raw bytes where a peer misbehaves.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Context, tcp};
use crate::endpoint::{Endpoint, Expectation, Group, Need, Origin};
use crate::observation::{Found, LookupFailure, Machine, Transport};
use crate::options::Options;
use crate::world::{Boxed, Clock, Families, Network, Roots, Route, Routes, SystemResolver, World};

/// The address that the endpoint of these tests has.
pub(super) const SIMULATED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(20, 0, 0, 1)), 443);
/// Its name.
pub(super) const NAME: &str = "probe.ods.opinsights.azure.com";
/// The step's time limit of these tests where a peer says nothing.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// The step's time limit of these tests where something has to come, on a busy machine too.
pub(super) const LONG: Duration = Duration::from_mins(2);
/// The shortest header lines, for heads that never end.
pub(super) const HEADERS: &[u8] = LINES.as_flattened();
const LINES: &[[u8; 4]] = &[*b"a:\r\n"; 250];
/// A guard against what never ends, no measurement: longer than any of these tests takes on a busy machine.
pub(super) const HANGS: Duration = Duration::from_mins(15);

/// A server for one connection.
pub(super) struct Server<T> {
    /// Where it listens.
    pub(super) address: SocketAddr,
    task: JoinHandle<T>,
}

impl<T> Server<T> {
    /// What the server has to tell of the connection; fails the test when nobody ever came.
    pub(super) async fn received(self) -> T {
        tokio::time::timeout(HANGS, self.task).await.expect("somebody should have asked the server").unwrap()
    }
}

/// Serves one connection.
pub(super) async fn serve<T, F>(handler: impl FnOnce(TcpStream) -> F + Send + 'static) -> Server<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        handler(stream).await
    });
    Server { address, task }
}

/// Reads something, answers with bytes, and reads on to the end; gives everything that was read.
pub(super) async fn answering(bytes: impl Into<Vec<u8>>) -> Server<Vec<u8>> {
    let bytes = bytes.into();
    serve(async move |mut stream: TcpStream| {
        let mut read = some(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
        // A peer that has heard enough may reset the connection.
        let _ = stream.read_to_end(&mut read).await;
        read
    })
    .await
}

/// Reads something and answers with bytes, then closes.
pub(super) async fn answering_once(bytes: impl Into<Vec<u8>>) -> Server<Vec<u8>> {
    let bytes = bytes.into();
    serve(async move |mut stream: TcpStream| {
        let read = some(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        read
    })
    .await
}

/// Reads something, writes bytes and resets the connection.
pub(super) async fn resetting(bytes: impl Into<Vec<u8>>) -> Server<()> {
    let bytes = bytes.into();
    serve(async move |mut stream: TcpStream| {
        some(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
        // What was written should arrive before the reset overtakes it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await
}

/// Reads something, then repeats bytes until the peer goes away.
pub(super) async fn repeating(first: &'static [u8], then: &'static [u8], pause: Duration) -> Server<()> {
    serve(async move |mut stream: TcpStream| {
        some(&mut stream).await;
        stream.write_all(first).await.unwrap();
        while stream.write_all(then).await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    })
    .await
}

/// What comes first.
pub(super) async fn some(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let count = stream.read(&mut buffer).await.unwrap();
    buffer.truncate(count);
    buffer
}

/// A world in which simulated addresses lead to loopback, and that trusts nobody.
pub(super) fn world(routes: &[(SocketAddr, Route)]) -> World {
    let to = routes.iter().map(|(address, route)| ((Transport::Tcp, *address), *route)).collect();
    let machine = Machine { has_ipv4: true, has_ipv6: true, ..Machine::default() };
    World {
        root: PathBuf::from("/nonexistent"),
        environment: BTreeMap::new(),
        network: Network::Simulated(Arc::new(Routes { to })),
        resolver: Arc::new(Nobody),
        clock: Clock::default(),
        roots: roots(&[], &[]),
        fetches_roots: false,
        machine,
        registry: None,
        denied: BTreeSet::new(),
        hanging: BTreeSet::new(),
    }
}

/// Trust stores of a machine and of the public.
pub(super) fn roots(machine: &[&Authority], public: &[&Authority]) -> Roots {
    let store = |authorities: &[&Authority]| {
        let mut store = RootCertStore::empty();
        for authority in authorities {
            store.add(authority.der()).unwrap();
        }
        Arc::new(store)
    };
    Roots::new(store(machine), store(public))
}

/// A run in a world; each step has `limit`.
pub(super) fn context(world: World, limit: Duration) -> Context {
    let (stop, stopped) = watch::channel(false);
    // The run of a test is never stopped; a closed channel says so.
    drop(stop);
    let options = Options { step_timeout: limit, ..Options::default() };
    Context::new(Arc::new(world), Arc::new(options), stopped, 64)
}

/// A run in which [`SIMULATED`] leads to `address`.
pub(super) fn context_to(address: SocketAddr, limit: Duration) -> Context {
    context(world(&[(SIMULATED, Route::To(address))]), limit)
}

/// A connection to [`SIMULATED`].
pub(super) async fn connected(ctx: &Context) -> tcp::Stream {
    let (connection, stream) = tcp::connect(ctx, "ods", SIMULATED, None).await;
    stream.unwrap_or_else(|| panic!("{connection:?}"))
}

/// The endpoint of these tests.
pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        id: "ods".to_owned(),
        fqdn: NAME.to_owned(),
        port: 443,
        group: Group::Agent,
        zone: None,
        alias: None,
        expected: Expectation::Any,
        need: Need::Required,
        path: "/ping".to_owned(),
        purpose: "tests".to_owned(),
        service_tag: None,
        origin: Origin::Default,
    }
}

struct Nobody;

impl SystemResolver for Nobody {
    fn lookup<'a>(&'a self, name: &'a str, _families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
        panic!("no test of these asks the system for {name}")
    }
}

/// A certificate authority.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A root.
    pub(super) fn new(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap())
    }

    /// An intermediate below this one.
    pub(super) fn below(&self, name: &str) -> Self {
        self.below_with(name, |_| ())
    }

    /// An intermediate below this one, changed at will.
    pub(super) fn below_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority(name);
        change(&mut params);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// Its own certificate.
    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for [`NAME`].
    pub(super) fn leaf(&self) -> Identity {
        self.leaf_with(|_| ())
    }

    /// A certificate for [`NAME`], changed at will.
    pub(super) fn leaf_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = leaf_params();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        Identity { chain: vec![leaf.der().clone()], key: key.serialize_der() }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// What a certificate for [`NAME`] says.
pub(super) fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Contoso, Ltd");
    params.distinguished_name.push(DnType::CommonName, NAME);
    params
}

/// What a server shows, and the key for it.
#[derive(Clone)]
pub(super) struct Identity {
    /// Leaf first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    /// A certificate for [`NAME`] that vouches for itself.
    pub(super) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = leaf_params();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self { chain: vec![params.self_signed(&key).unwrap().der().clone()], key: key.serialize_der() }
    }

    /// Shows one more certificate.
    pub(super) fn and(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.der());
        self
    }

    /// The private key.
    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.clone()).unwrap()
    }
}
