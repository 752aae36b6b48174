//! Tests against TLS servers that answer only over segments that are small enough, as on a way that loses the larger ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::options::Options;
use crate::probe::loopback::*;
use crate::world::Route;

/// What becomes of the answers of one connection.
#[derive(Clone, Copy)]
enum Way {
    /// They are lost where a segment may be larger than this.
    Carries(u16),
    /// They are lost.
    Loses,
    /// They are lost but for those of the first connections.
    CarriesFirst(usize),
    /// They pass.
    Whole,
}

/// The octets of options in every segment: timestamps, which both ends send here.
const OPTIONS: u32 = 12;

struct Peer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    authority: Authority,
}

/// A server whose answers to `stalled` go this way; the step before it always passes.
async fn peer(way: Way, stalled: Stalled) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, authority) = (Arc::new(AtomicUsize::new(0)), Authority::new("Root"));
    let identity = authority.leaf();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor =
        TlsAcceptor::from(Arc::new(builder.with_single_cert(identity.chain.clone(), identity.key()).unwrap()));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let segment = SockRef::from(&stream).tcp_mss().unwrap() + OPTIONS;
            let passes = match way {
                Way::Carries(most) => segment <= u32::from(most),
                Way::Loses => false,
                Way::CarriesFirst(first) => number < first,
                Way::Whole => true,
            };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if !passes && stalled == Stalled::Handshake {
                    return hold(stream).await;
                }
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                some(&mut stream).await;
                if passes {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nHealthy").await;
                }
                hold(stream).await;
            });
        }
    });
    Peer { address, asked, authority }
}

async fn hold(mut stream: impl tokio::io::AsyncRead + Unpin) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A run in which everything may take its time but what gets no answer.
fn context_of(peer: &Peer, step: Duration, deadline: Duration) -> Context {
    let mut world = world(&[(SIMULATED, Route::To(peer.address))]);
    world.roots = roots(&[&peer.authority], &[&peer.authority]);
    let options = Options { step_timeout: step, deadline, ..Options::default() };
    Context { options: Arc::new(options), ..context(world, step) }
}

/// What was seen, and how many connections it took.
async fn looked(way: Way, stalled: Stalled) -> (SegmentsSeen, usize) {
    let peer = peer(way, stalled).await;
    let ctx = context_of(&peer, Duration::from_secs(20), HANGS);
    let segments = look(&ctx, &endpoint(), SIMULATED, stalled).await.expect("there is time");
    assert_eq!((segments.endpoint.as_str(), segments.address), ("ods", SIMULATED));
    let seen = segments.outcome.seen().unwrap_or_else(|| panic!("{:?}", segments.outcome)).clone();
    (seen, peer.asked.load(Ordering::SeqCst))
}

fn with(seen: &SegmentsSeen, answer: SegmentAnswer) -> impl Iterator<Item = u16> {
    seen.tries.iter().filter(move |it| it.answer == answer).filter_map(|it| it.most)
}

#[tokio::test]
async fn the_largest_segment_that_passes_is_found_to_the_octet() {
    for (most, stalled) in [(1360, Stalled::Handshake), (1199, Stalled::Request)] {
        let (seen, asked) = looked(Way::Carries(most), stalled).await;
        assert_eq!(with(&seen, SegmentAnswer::Answered).max(), Some(most), "{seen:?}");
        assert_eq!(with(&seen, SegmentAnswer::Silent).min(), Some(most + 1), "{seen:?}");
        assert!(seen.tries.iter().any(|it| it.most.is_none() && it.answer == SegmentAnswer::Silent), "{seen:?}");
        assert!(asked == seen.tries.len() && asked <= 36, "{asked} connections");
    }
}

#[tokio::test]
async fn a_silent_peer_is_asked_once() {
    let (seen, asked) = looked(Way::Loses, Stalled::Handshake).await;
    assert_eq!((seen.tries.len(), seen.tries[0].answer, asked), (1, SegmentAnswer::Silent, 1));
}

#[tokio::test]
async fn a_peer_that_answers_now_is_not_searched() {
    let (seen, asked) = looked(Way::Whole, Stalled::Handshake).await;
    assert_eq!(with(&seen, SegmentAnswer::Silent).next(), None);
    assert_eq!((seen.tries.last().map(|it| it.most), asked), (Some(None), 3));
}

#[tokio::test]
async fn a_peer_that_stalls_at_times_is_not_searched() {
    let (seen, asked) = looked(Way::CarriesFirst(1), Stalled::Handshake).await;
    let answers: Vec<SegmentAnswer> = seen.tries.iter().map(|it| it.answer).collect();
    assert_eq!((answers, asked), (vec![SegmentAnswer::Answered, SegmentAnswer::Silent, SegmentAnswer::Silent], 3));
}

#[tokio::test]
async fn nobody_is_asked_shortly_before_the_end() {
    let peer = peer(Way::Whole, Stalled::Handshake).await;
    let ctx = context_of(&peer, LONG, Duration::from_secs(5));
    assert_eq!(look(&ctx, &endpoint(), SIMULATED, Stalled::Handshake).await, None);
    assert_eq!(peer.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn our_client_hello_fits_into_one_small_segment() {
    let server = serve(async |mut stream: TcpStream| some(&mut stream).await).await;
    let ctx = context_to(server.address, LONG);
    let _ = tls::handshake(&ctx, &endpoint(), Some(SIMULATED), connected(&ctx).await).await;
    let hello = server.received().await;
    // The longest name that DNS has is 253 octets.
    let longest = hello.len() + 253 - NAME.len();
    assert!(hello[0] == 22 && longest <= usize::from(SMALL), "{} octets", hello.len());
}

#[test]
fn sizes_lie_evenly_between_what_passes_and_what_does_not() {
    let of = |sizes: Vec<Option<u16>>| sizes.into_iter().flatten().collect::<Vec<u16>>();
    assert_eq!(of(sizes_between(1360, 1400)), [1365, 1371, 1377, 1382, 1388, 1394]);
    assert_eq!(of(sizes_between(1360, 1364)), [1361, 1362, 1363]);
    assert_eq!(of(sizes_between(1360, 1361)), Vec::<u16>::new());
    assert_eq!(of(first_sizes(536, 1460)), [1200, 1300, 1360, 1400, 1430, 1452, 1460]);
    assert_eq!(of(first_sizes(536, 1240)), [1200, 1240]);
}
