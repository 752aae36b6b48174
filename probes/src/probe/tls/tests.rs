//! Tests of the handshake against real TLS servers on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use rcgen::{BasicConstraints, DnType, IsCa, date_time_ymd};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::observation::{ChainVerdict, IoFailure, NameVerdict, SystemVerdict, Validity, Verification};
use crate::probe::loopback::*;
use crate::probe::{http, proxy};
use crate::world::{Judge, Roots, Route};

/// Shows whatever it was given, whether the key fits or not.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn server_config(chain: Vec<CertificateDer<'static>>, identity: &Identity, tls12: bool) -> ServerConfig {
    let versions: &[_] = if tls12 { &[&rustls::version::TLS12] } else { rustls::ALL_VERSIONS };
    let key = PROVIDER.key_provider.load_private_key(identity.key()).unwrap();
    let shown = Shown(Arc::new(CertifiedKey::new(chain, key)));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(shown));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// What a TLS server received.
struct Received {
    name: Option<String>,
    /// Bytes of the application; what comes in a handshake is not among them.
    bytes: Vec<u8>,
}

async fn tls_server(config: ServerConfig) -> Server<Option<Received>> {
    serve(async move |stream: TcpStream| {
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Some(Received { name, bytes })
    })
    .await
}

/// Shakes hands with a server that shows `identity`, on a machine with these trust stores.
async fn shaken(identity: &Identity, roots: Roots) -> Handshake {
    shaken_at(identity, roots, SignedDuration::ZERO).await
}

async fn shaken_at(identity: &Identity, roots: Roots, shift: SignedDuration) -> Handshake {
    let server = tls_server(server_config(identity.chain.clone(), identity, false)).await;
    let mut world = world(&[(SIMULATED, Route::To(server.address))]);
    world.roots = roots;
    world.clock.shift = shift;
    let ctx = context(world, LONG);

    let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;
    assert_eq!(stream.is_some(), handshake.verified(), "a stream is given when the peer is verified, and only then");
    if let Some(mut stream) = stream {
        stream.write_all(b"only to whom it may concern").await.unwrap();
        stream.shutdown().await.unwrap();
    }

    let received = server.received().await.expect("the handshake itself should succeed");
    assert_eq!(received.name.as_deref(), Some(NAME));
    assert_eq!(!received.bytes.is_empty(), handshake.verified(), "a peer that is not verified is sent nothing");
    assert_eq!(handshake.chain.len(), identity.chain.len());
    handshake
}

async fn failed_with(server: &Server<impl Sized>, limit: Duration) -> Outcome<Session, TlsFailure> {
    let ctx = context_to(server.address, limit);
    let began = Instant::now();
    let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;
    assert!(stream.is_none());
    assert!(began.elapsed() < HANGS);
    assert_eq!((handshake.chain, handshake.verification), (Vec::new(), None));
    handshake.outcome
}

fn verification(handshake: &Handshake) -> Verification {
    handshake.verification.clone().expect("a chain was presented")
}

#[tokio::test]
async fn chain_to_a_trusted_root_is_verified() {
    let authority = Authority::new("Root");
    let below = authority.below("Issuing");

    let handshake = shaken(&below.leaf().and(&below), roots(&[&authority], &[&authority])).await;

    assert!(handshake.verified(), "{handshake:?}");
    assert_eq!(verification(&handshake).public, ChainVerdict::Trusted);
    let session = handshake.outcome.seen().unwrap();
    assert_eq!(session.version, "TLSv1.3");
    assert!(session.cipher.starts_with("TLS_"), "{session:?}");
    assert_eq!(session.alpn.as_deref(), Some("http/1.1"));
    let leaf = &handshake.chain[0];
    assert_eq!(leaf.subject, format!("CN={NAME},O=Contoso\\, Ltd"));
    assert_eq!(leaf.issuer, "CN=Issuing");
    assert_eq!(leaf.names, [NAME]);
    assert_eq!(leaf.signature, "ecdsa-with-SHA256");
    assert_eq!(leaf.sha256.len(), 64);
    assert!(!leaf.self_issued && !leaf.names_issuer_url && leaf.not_before < leaf.not_after);
}

#[tokio::test]
async fn answer_comes_through_a_proxy_and_a_verified_session() {
    let authority = Authority::new("Root");
    let identity = authority.leaf();
    let config = server_config(identity.chain.clone(), &identity, false);
    let server = serve(async move |mut stream: TcpStream| {
        let asked = some(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut inside = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let asked_inside = some(&mut inside).await;
        inside.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nHealthy").await.unwrap();
        inside.shutdown().await.unwrap();
        [asked, asked_inside].map(|bytes| String::from_utf8(bytes).unwrap())
    })
    .await;
    let mut world = world(&[(SIMULATED, Route::To(server.address))]);
    world.roots = roots(&[&authority], &[&authority]);
    world.environment.insert("HTTPS_PROXY".to_owned(), "http://20.0.0.1:443".to_owned());
    let ctx = context(world, LONG);

    // A run spawns its steps, so they must be able to move between threads.
    let steps = tokio::spawn(async move {
        let endpoint = endpoint();
        let proxy = proxy::choose(&ctx.world, &ctx.options, &endpoint.fqdn, endpoint.port).unwrap();
        let stream = proxy::connect_proxy(&ctx, &endpoint, &proxy, &[SIMULATED.ip()]).first().await.unwrap();
        let (tunnel, stream) = proxy::tunnel(&ctx, &endpoint, &proxy, Some(SIMULATED), stream).await;
        let (handshake, stream) = handshake(&ctx, &endpoint, Some(SIMULATED), stream.unwrap()).await;
        (tunnel, handshake, http::request(&ctx, &endpoint, stream.unwrap()).await)
    });
    let (tunnel, handshake, exchange) = steps.await.unwrap();
    let [asked, asked_inside] = server.received().await;

    assert!(tunnel.outcome.seen().is_some() && handshake.verified());
    let response = exchange.outcome.seen().unwrap();
    assert_eq!((response.status, response.body.as_str(), response.body_truncated), (200, "Healthy", false));
    assert!(asked.starts_with("CONNECT ") && asked_inside.starts_with("GET /ping "), "{asked}{asked_inside}");
}

#[tokio::test]
async fn tls_1_2_alone_is_new_enough() {
    let authority = Authority::new("Root");
    let identity = authority.leaf();
    let server = tls_server(server_config(identity.chain.clone(), &identity, true)).await;
    let mut world = world(&[(SIMULATED, Route::To(server.address))]);
    world.roots = roots(&[&authority], &[&authority]);
    let ctx = context(world, LONG);

    let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;

    assert!(handshake.verified() && stream.is_some(), "{handshake:?}");
    assert_eq!(handshake.outcome.seen().unwrap().version, "TLSv1.2");
    assert!(handshake.outcome.seen().unwrap().cipher.starts_with("TLS_ECDHE_"));
    drop(stream);
    assert!(server.received().await.is_some());
}

#[tokio::test]
async fn stores_of_the_machine_and_of_the_public_are_distinguished() {
    let (inspection, public) = (Authority::new("Inspection"), Authority::new("Public"));
    let stores = || roots(&[&inspection], &[&public]);

    let intercepted = shaken(&inspection.leaf(), stores()).await;
    assert!(intercepted.verified());
    assert_eq!(verification(&intercepted).public, ChainVerdict::UnknownIssuer);

    let old_store = shaken(&public.leaf(), stores()).await;
    assert!(!old_store.verified());
    assert_eq!(verification(&old_store).machine, ChainVerdict::UnknownIssuer);
    assert_eq!(verification(&old_store).public, ChainVerdict::Trusted);
}

#[tokio::test]
async fn issuer_that_only_bears_a_known_name_is_unknown() {
    let (real, impostor) = (Authority::new("Root"), Authority::new("Root"));

    let handshake = shaken(&impostor.leaf(), roots(&[&real], &[&real])).await;

    assert_eq!(verification(&handshake).machine, ChainVerdict::UnknownIssuer);
    assert_eq!(verification(&handshake).public, ChainVerdict::UnknownIssuer);
}

#[tokio::test]
async fn self_signed_certificate_leads_nowhere_even_as_an_authority() {
    let authority = Authority::new("Root");
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let identity = Identity::self_signed(|params| params.is_ca = is_ca);

        let handshake = shaken(&identity, roots(&[&authority], &[&authority])).await;

        assert_eq!(verification(&handshake).machine, ChainVerdict::UnknownIssuer);
        assert_eq!(verification(&handshake).name, NameVerdict::Matches);
        assert!(handshake.chain[0].self_issued);
    }
}

#[tokio::test]
async fn missing_intermediate_is_an_unknown_issuer() {
    let authority = Authority::new("Root");

    let handshake = shaken(&authority.below("Issuing").leaf(), roots(&[&authority], &[&authority])).await;

    assert_eq!(verification(&handshake).machine, ChainVerdict::UnknownIssuer);
}

#[tokio::test]
async fn empty_store_is_no_verdict_about_the_peer() {
    let authority = Authority::new("Root");

    let handshake = shaken(&authority.leaf(), roots(&[], &[&authority])).await;

    assert_eq!(verification(&handshake).machine, ChainVerdict::NoRoots);
    assert_eq!(verification(&handshake).public, ChainVerdict::Trusted);
}

#[tokio::test]
async fn expiry_does_not_hide_who_issued_a_certificate() {
    let authority = Authority::new("Root");
    let (past, future) = ((2020, 2021), (2090, 2095));
    for ((from, until), validity) in [(past, Validity::Expired), (future, Validity::NotYetValid)] {
        let identity = authority.leaf_with(|params| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(until, 1, 1);
        });

        let handshake = shaken(&identity, roots(&[&authority], &[])).await;

        assert!(!handshake.verified());
        let verification = verification(&handshake);
        assert_eq!((verification.machine, verification.validity), (ChainVerdict::Trusted, validity));
        assert_eq!(verification.name, NameVerdict::Matches);
    }
}

#[tokio::test]
async fn clock_of_the_world_decides_what_is_valid() {
    let authority = Authority::new("Root");
    let identity = authority.leaf_with(|params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2050, 1, 1);
    });

    let stores = || roots(&[&authority], &[]);
    assert!(shaken(&identity, stores()).await.verified());
    let late = shaken_at(&identity, stores(), SignedDuration::from_hours(40 * 366 * 24)).await;
    assert_eq!(verification(&late).validity, Validity::Expired);
}

#[tokio::test]
async fn expired_intermediate_is_not_an_unknown_issuer() {
    let authority = Authority::new("Root");
    let expired = authority.below_with("Issuing", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });

    let handshake = shaken(&expired.leaf().and(&expired), roots(&[&authority], &[&authority])).await;

    assert_eq!(verification(&handshake).machine, ChainVerdict::Expired);
    assert_eq!(verification(&handshake).validity, Validity::Valid);
}

#[tokio::test]
async fn certificate_for_another_name_is_not_mistaken_for_an_unknown_issuer() {
    let authority = Authority::new("Root");
    let identity = authority.leaf_with(|params| {
        params.subject_alt_names =
            rcgen::CertificateParams::new(vec!["*.example.com".to_owned(), "10.0.0.9".to_owned()])
                .unwrap()
                .subject_alt_names;
    });

    let handshake = shaken(&identity, roots(&[&authority], &[&authority])).await;

    assert!(!handshake.verified());
    assert_eq!(verification(&handshake).machine, ChainVerdict::Trusted);
    assert_eq!(verification(&handshake).name, NameVerdict::Other);
    assert_eq!(handshake.chain[0].names, ["*.example.com", "10.0.0.9"]);
}

#[tokio::test]
async fn text_of_a_certificate_is_bounded() {
    let authority = Authority::new("Root");
    let identity = authority.leaf_with(|params| {
        let names: Vec<_> = (0..100).map(|number| format!("n{number}.example.com")).collect();
        params.subject_alt_names = rcgen::CertificateParams::new(names).unwrap().subject_alt_names;
        params.distinguished_name.push(DnType::CommonName, "x\n\u{1b}[31m".repeat(500));
    });

    let handshake = shaken(&identity, roots(&[&authority], &[])).await;

    let leaf = &handshake.chain[0];
    assert_eq!(leaf.names.len(), crate::observation::tls::MAX_NAMES);
    assert_eq!(leaf.subject.chars().count(), 256);
    assert!(!leaf.subject.contains(char::is_control), "{}", leaf.subject);
}

#[tokio::test]
async fn chain_of_a_peer_without_the_key_is_recorded_and_nothing_is_believed() {
    let authority = Authority::new("Root");
    let (shown, held) = (authority.leaf(), authority.leaf());
    for tls12 in [false, true] {
        let server = tls_server(server_config(shown.chain.clone(), &held, tls12)).await;
        let mut world = world(&[(SIMULATED, Route::To(server.address))]);
        world.roots = roots(&[&authority], &[&authority]);
        let ctx = context(world, LONG);

        let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;

        assert!(stream.is_none() && !handshake.verified());
        assert_eq!(handshake.outcome, Outcome::Failed(TlsFailure::BadSignature));
        assert_eq!(handshake.chain.len(), 1);
        assert!(server.received().await.is_none());
    }
}

#[tokio::test]
async fn garbage_for_a_certificate_is_recorded_as_unreadable() {
    let identity = Authority::new("Root").leaf();
    for garbage in [vec![], vec![0x30], vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], vec![0xff; 5000]] {
        let server = tls_server(server_config(vec![garbage.into()], &identity, false)).await;
        let ctx = context_to(server.address, LONG);

        let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;

        assert!(stream.is_none());
        assert!(matches!(handshake.outcome, Outcome::Failed(TlsFailure::Protocol(_))), "{:?}", handshake.outcome);
        if let Some(verification) = &handshake.verification {
            assert_eq!(verification.name, NameVerdict::Unreadable);
            assert_eq!(verification.validity, Validity::Unreadable);
            assert_eq!(handshake.chain[0].subject, "");
        }
        assert!(server.received().await.is_none());
    }
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let server = answering(*b"").await;
    assert_eq!(failed_with(&server, SHORT).await, Outcome::TimedOut);
    assert_eq!(server.received().await.first(), Some(&22), "a ClientHello should have come");
}

#[tokio::test]
async fn server_that_dribbles_is_bounded_in_time() {
    // A record of 16 KiB is announced and its handshake message comes byte by byte.
    let server = repeating(&[22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc], &[0], Duration::from_millis(1)).await;
    assert_eq!(failed_with(&server, SHORT).await, Outcome::TimedOut);
    server.received().await;
}

#[tokio::test]
async fn close_and_reset_after_the_client_hello_are_distinguished() {
    let server = answering_once(*b"").await;
    let closed = TlsFailure::ClosedAfterClientHello(IoFailure::Closed);
    assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(closed));
    server.received().await;

    let server = resetting(*b"").await;
    let reset = TlsFailure::ClosedAfterClientHello(IoFailure::Reset);
    assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(reset));
    server.received().await;
}

#[tokio::test]
async fn end_in_the_middle_of_the_handshake_is_later() {
    let begun = [22, 3, 3, 0, 100, 2, 0, 0];
    let server = answering_once(begun).await;
    assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(TlsFailure::ClosedLater(IoFailure::Closed)));
    server.received().await;

    let server = resetting(begun).await;
    assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(TlsFailure::ClosedLater(IoFailure::Reset)));
    server.received().await;
}

#[tokio::test]
async fn alerts_bear_their_registered_names() {
    for (alert, failure) in [
        (40, TlsFailure::Alert("handshake_failure".to_owned())),
        (112, TlsFailure::Alert("unrecognized_name".to_owned())),
        (48, TlsFailure::Alert("unknown_ca".to_owned())),
        (200, TlsFailure::Alert("alert_200".to_owned())),
        (70, TlsFailure::ProtocolTooOld),
    ] {
        let server = answering_once([21, 3, 1, 0, 2, 2, alert]).await;
        assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(failure));
        server.received().await;
    }
}

#[tokio::test]
async fn server_hello_of_tls_1_0_or_1_1_is_too_old() {
    for minor in [1, 2] {
        // RFC 5246, section 7.4.1.3: version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        let mut hello = vec![22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor];
        hello.extend([7; 32]);
        hello.extend([0, 0, 0x2f, 0]);
        let server = answering(hello).await;
        assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(TlsFailure::ProtocolTooOld));
        server.received().await;
    }
}

#[tokio::test]
async fn other_protocols_are_not_tls() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".as_slice(),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example.com ESMTP\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x16\x09\x01\x00\x05abcde",
        b"<",
    ] {
        let server = answering_once(bytes).await;
        assert_eq!(failed_with(&server, LONG).await, Outcome::Failed(TlsFailure::NotTls), "{bytes:?}");
        server.received().await;
    }
}

#[tokio::test]
async fn other_protocol_that_waits_after_its_greeting_is_not_tls() {
    let server = answering(*b"+OK").await;
    assert_eq!(failed_with(&server, SHORT).await, Outcome::Failed(TlsFailure::NotTls));
    server.received().await;
}

#[tokio::test]
async fn tls_that_breaks_its_own_rules_is_named() {
    // A ServerHello that is none.
    let server = answering([22, 3, 3, 0, 5, 2, 0, 0, 1, 0]).await;
    let outcome = failed_with(&server, LONG).await;
    assert!(matches!(&outcome, Outcome::Failed(TlsFailure::Protocol(name)) if !name.is_empty()), "{outcome:?}");
    server.received().await;
}

#[tokio::test]
async fn damaged_certificates_are_read_and_judged_without_a_panic() {
    let authority = Authority::new("Root");
    let stores = roots(&[&authority], &[&authority]);
    let (machine, public) = (stores.machine().await, stores.public());
    let whole = authority.leaf().chain.remove(0).to_vec();
    let now = crate::world::Clock::default().now();
    for at in 0..whole.len() {
        for value in [0xff, whole[at].wrapping_add(1)] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let chain = vec![CertificateDer::from(damaged), authority.der()];
            let read = certificate::read(&chain[0]);
            let judged = verify::verification(&chain, NAME, verify::proof(&chain, &machine, &public, now), now);
            let untouched = value == whole[at];
            assert_eq!(read.sha256 == certificate::read(&whole).sha256, untouched);
            assert_eq!(judged.machine == ChainVerdict::Trusted, untouched, "byte {at} = {value}");
        }
        let cut = vec![CertificateDer::from(whole[..at].to_vec())];
        assert_eq!(certificate::read(&cut[0]).subject, "");
        let judged = verify::verification(&cut, NAME, verify::proof(&cut, &machine, &public, now), now);
        assert_eq!((judged.name, judged.validity), (NameVerdict::Unreadable, Validity::Unreadable));
    }
}

#[tokio::test]
async fn chain_that_two_names_present_is_verified_once() {
    let authority = Authority::new("Root");
    let identity = authority.leaf();
    let chains = Arc::new(Chains::default());
    for _ in 0..2 {
        let server = tls_server(server_config(identity.chain.clone(), &identity, false)).await;
        let mut world = world(&[(SIMULATED, Route::To(server.address))]);
        world.roots = roots(&[&authority], &[&authority]);
        let ctx = Context { chains: Arc::clone(&chains), ..context(world, LONG) };
        let (handshake, _) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;
        assert!(handshake.verified(), "{handshake:?}");
        assert_eq!(chains.verified(), 1);
    }
}

/// A system that fetches roots: it says this of every chain, or nothing for ever.
struct Asked {
    says: Option<SystemVerdict>,
    times: AtomicUsize,
}

impl Judge for Asked {
    fn judge(&self, _: &[CertificateDer<'static>], _: &str, _: jiff::Timestamp) -> SystemVerdict {
        self.times.fetch_add(1, Ordering::Relaxed);
        loop {
            match self.says {
                Some(says) => return says,
                None => std::thread::park(),
            }
        }
    }
}

#[tokio::test]
async fn system_that_fetches_roots_is_asked_once_for_a_chain_that_its_store_lacks_the_root_of() {
    let (known, other) = (Authority::new("Root"), Authority::new("Other"));
    let identity = known.leaf();
    for (says, machine, limit, verified, times) in [
        (Some(SystemVerdict::Trusted), &other, LONG, true, 1),
        (Some(SystemVerdict::UnknownIssuer), &other, LONG, false, 1),
        (None, &other, SHORT, true, 1),
        (Some(SystemVerdict::UnknownIssuer), &known, LONG, true, 0),
    ] {
        let chains = Arc::new(Chains::default());
        let judge = Arc::new(Asked { says, times: AtomicUsize::new(0) });
        for _ in 0..2 {
            let server = tls_server(server_config(identity.chain.clone(), &identity, false)).await;
            let mut world = world(&[(SIMULATED, Route::To(server.address))]);
            world.roots = roots(&[machine], &[&known]).with_judge(Arc::clone(&judge) as Arc<dyn Judge>);
            world.fetches_roots = true;
            let ctx = Context { chains: Arc::clone(&chains), ..context(world, limit) };
            let (handshake, _) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;
            assert_eq!(handshake.verified(), verified, "{handshake:?}");
        }
        assert_eq!(judge.times.load(Ordering::Relaxed), times, "{says:?}");
    }
}

/// On one thread: a handshake that waited for the store there would wait for ever.
#[tokio::test]
async fn store_that_is_never_read_is_waited_for_no_longer_than_a_step() {
    let authority = Authority::new("Root");
    let identity = authority.leaf();
    let server = tls_server(server_config(identity.chain.clone(), &identity, false)).await;
    let mut world = world(&[(SIMULATED, Route::To(server.address))]);
    let (_reading, roots) = Roots::unread(roots(&[], &[&authority]).public());
    world.roots = roots;
    let ctx = context(world, SHORT);

    let (handshake, stream) = handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;

    assert_eq!(verification(&handshake).machine, ChainVerdict::NoRoots);
    assert_eq!(verification(&handshake).public, ChainVerdict::Trusted);
    assert!(stream.is_none() && !handshake.verified());
}

/// RFC 5280, section 4.1.2.5: 99991231235959Z says that a certificate has no end.
#[tokio::test]
async fn certificate_without_an_end_is_valid() {
    let authority = Authority::new("Root");
    let identity =
        authority.leaf_with(|params| params.not_after = rcgen::date_time_ymd(9999, 12, 31) + DAY_LESS_A_SECOND);

    let handshake = shaken(&identity, roots(&[&authority], &[&authority])).await;

    assert_eq!(verification(&handshake).validity, Validity::Valid);
    assert!(handshake.verified(), "{handshake:?}");
    assert_eq!(
        handshake.chain[0].not_after,
        Some(jiff::Timestamp::from_second(jiff::Timestamp::MAX.as_second()).unwrap())
    );
}

const DAY_LESS_A_SECOND: Duration = Duration::from_secs(86_399);
