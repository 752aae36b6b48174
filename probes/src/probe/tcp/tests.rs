//! Tests of connecting to real sockets on loopback.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::observation::IoFailure;
use crate::probe::loopback::*;
use crate::probe::proxy;
use crate::world::Route;

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(20, 0, 0, last).into()
}

fn at(last: u8) -> SocketAddr {
    (ip(last), 443).into()
}

async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn every_way_to_fail_has_its_own_name() {
    for (route, outcome) in [
        (Route::To(closed_port().await), Outcome::Failed(IoFailure::Refused)),
        (Route::Drop, Outcome::TimedOut),
        (Route::HostUnreachable, Outcome::Failed(IoFailure::HostUnreachable)),
        (Route::NetworkUnreachable, Outcome::Failed(IoFailure::NetworkUnreachable)),
        (Route::NotPermitted, Outcome::Failed(IoFailure::NotPermitted)),
    ] {
        let ctx = context(world(&[(SIMULATED, route)]), SHORT);
        let (connection, stream) = connect(&ctx, "ods", SIMULATED, Some("http://10.0.0.9:3128")).await;
        assert_eq!(connection.outcome, outcome, "{route:?}");
        assert_eq!((connection.address, connection.via.as_deref()), (Some(SIMULATED), Some("http://10.0.0.9:3128")));
        assert!(stream.is_none());
    }
}

#[tokio::test]
async fn first_address_of_the_system_wins() {
    for order in [[ip(1), ip(2)], [ip(2), ip(1)]] {
        let (one, two) = (answering_once("1").await, answering_once("2").await);
        let ctx = context(world(&[(at(1), Route::To(one.address)), (at(2), Route::To(two.address))]), LONG);

        let mut connecting = connect_all(&ctx, &endpoint(), &order);
        let mut stream = connecting.first().await.expect("both connect");
        assert!(connecting.first().await.is_none(), "there is one first");
        stream.write_all(b"hello").await.unwrap();
        let mut received = String::new();
        stream.read_to_string(&mut received).await.unwrap();

        assert_eq!(received, if order[0] == ip(1) { "1" } else { "2" });
        let asked = if order[0] == ip(1) {
            [one.received().await, two.received().await]
        } else {
            [two.received().await, one.received().await]
        };
        assert_eq!(asked, [b"hello".to_vec(), Vec::new()]);
        let connections = connecting.finish().await;
        let addresses: Vec<_> = connections.iter().filter_map(|connection| connection.address).collect();
        assert_eq!(addresses, order.map(|ip| SocketAddr::new(ip, 443)));
        assert!(connections.iter().all(|connection| connection.outcome.seen().is_some()), "{connections:?}");
    }
}

#[tokio::test]
async fn later_addresses_are_not_waited_for_but_recorded() {
    let (first, server) = (serve(async |_| ()).await, serve(async |_| ()).await);
    let routes = |to| [(at(1), Route::NotPermitted), (at(2), Route::To(to)), (at(3), Route::Drop)];
    let addresses = [ip(1), ip(2), ip(3)];
    // With an hour for each step a wait for the third address has no end.
    let patient = context(world(&routes(first.address)), Duration::from_hours(1));
    assert!(connect_all(&patient, &endpoint(), &addresses).first().await.is_some());
    first.received().await;
    let ctx = context(world(&routes(server.address)), Duration::from_secs(1));

    let mut connecting = connect_all(&ctx, &endpoint(), &addresses);
    assert!(connecting.first().await.is_some());
    let outcomes: Vec<_> = connecting.finish().await.into_iter().map(|connection| connection.outcome).collect();

    assert_eq!(outcomes[0], Outcome::Failed(IoFailure::NotPermitted));
    assert!(outcomes[1].seen().is_some());
    assert_eq!(outcomes[2], Outcome::TimedOut);
    server.received().await;
}

#[tokio::test]
async fn spare_connections_are_closed_at_once() {
    let first = answering("").await;
    let spare = serve(async |mut stream: TcpStream| stream.read(&mut [0; 8]).await.unwrap()).await;
    let ctx = context(world(&[(at(1), Route::To(first.address)), (at(2), Route::To(spare.address))]), LONG);

    let mut connecting = connect_all(&ctx, &endpoint(), &[ip(1), ip(2)]);
    let stream = connecting.first().await;

    assert!(stream.is_some());
    assert_eq!(spare.received().await, 0, "the spare connection should have ended without a byte");
    let connections = connecting.finish().await;
    assert_eq!(connections.len(), 2);
    assert_eq!(ctx.sockets.available_permits(), 63, "the chosen stream holds its place");
    drop(stream);
    assert_eq!(ctx.sockets.available_permits(), 64);
}

#[tokio::test]
async fn places_are_waited_for_and_not_counted_against_the_peer() {
    let server = serve(async |_| ()).await;
    let ctx = context(world(&[(at(1), Route::To(server.address))]), SHORT);
    let all = Arc::clone(&ctx.sockets).acquire_many_owned(64).await.unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(SHORT * 3).await;
        drop(all);
    });

    let (connection, stream) = connect(&ctx, "ods", at(1), None).await;

    assert!(stream.is_some(), "{connection:?}");
    server.received().await;
}

/// On a worker of its own, as in a run: there the task that was started last may begin first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_address_never_holds_the_place_that_an_earlier_one_needs() {
    for _ in 0..50 {
        let (one, two) = (answering("").await, serve(async |_| ()).await);
        let mut ctx = context(world(&[(at(1), Route::To(one.address)), (at(2), Route::To(two.address))]), LONG);
        ctx.sockets = Arc::new(tokio::sync::Semaphore::new(1));
        let first = tokio::spawn(async move {
            let mut connecting = connect_all(&ctx, &endpoint(), &[ip(1), ip(2)]);
            connecting.first().await.map(|stream| stream.address())
        });
        let first = tokio::time::timeout(HANGS, first).await.expect("the first address has a place").unwrap();
        assert_eq!(first, Some(at(1)));
    }
}

#[tokio::test]
async fn what_is_not_connected_to_says_why() {
    let v6: IpAddr = "2603:1030::1".parse().unwrap();
    let mut world = world(&[((v6, 443).into(), Route::NetworkUnreachable)]);
    world.machine.has_ipv6 = false;
    let ctx = context(world, SHORT);
    let mut addresses = vec![v6];
    addresses.extend((0..20).map(ip));

    let mut connecting = connect_all(&ctx, &endpoint(), &addresses);
    assert!(connecting.first().await.is_none());
    let connections = connecting.finish().await;

    let skips = |skip: Skip| connections.iter().filter(|one| one.outcome == Outcome::Skipped(skip.clone())).count();
    assert_eq!(connections[0].outcome, Outcome::Skipped(Skip::NoRouteForFamily));
    assert_eq!((skips(Skip::NoRouteForFamily), skips(Skip::TooManyAddresses)), (1, 5));
    assert_eq!(connections.iter().filter(|one| one.outcome == Outcome::TimedOut).count(), MAX_ADDRESSES - 1);

    let nothing = connect_all(&ctx, &endpoint(), &[]).finish().await;
    assert_eq!(nothing.len(), 1);
    assert_eq!((nothing[0].address, &nothing[0].outcome), (None, &Outcome::Skipped(Skip::NoAddress)));
}

#[tokio::test]
async fn end_of_the_run_cancels() {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut ctx = context(world(&[]), LONG);
    ctx.stop = stopped;
    let mut connecting = connect_all(&ctx, &endpoint(), &[ip(1)]);
    stop.send(true).unwrap();

    assert!(connecting.first().await.is_none());
    assert_eq!(connecting.finish().await[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn sinkhole_is_not_connected_to_but_a_proxy_on_loopback_is() {
    let server = serve(async |_| ()).await;
    let proxy_at: SocketAddr = "127.0.0.1:3128".parse().unwrap();
    let mut world =
        world(&[(proxy_at, Route::To(server.address)), ("0.0.0.0:443".parse().unwrap(), Route::NotPermitted)]);
    world.environment.insert("HTTPS_PROXY".to_owned(), "http://user:hunter2@127.0.0.1:3128".to_owned());
    let ctx = context(world, LONG);
    let sinkholes = ["0.0.0.0", "127.0.0.1", "169.254.1.1", "::1"].map(|address| address.parse().unwrap());

    let connections = connect_all(&ctx, &endpoint(), &sinkholes).finish().await;
    assert_eq!(connections.len(), 4);
    assert!(connections.iter().all(|one| one.outcome == Outcome::Skipped(Skip::Sinkholed)), "{connections:?}");

    let chosen = proxy::choose(&ctx.world, &ctx.options, NAME, 443).unwrap();
    let mut connecting = proxy::connect_proxy(&ctx, &endpoint(), &chosen, &[proxy_at.ip()]);
    assert!(connecting.first().await.is_some());
    let connections = connecting.finish().await;
    assert_eq!(connections[0].address, Some(proxy_at));
    assert_eq!(connections[0].via.as_deref(), Some("http://127.0.0.1:3128"));
    server.received().await;
}
