//! Tests of the metadata and wire server probes against real HTTP servers on loopback.

use std::net::Ipv4Addr;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::probe::loopback::*;
use crate::world::Route;

const DOCUMENT: &str = r#"{"compute": {"azEnvironment": "AzurePublicCloud", "location": "westeurope", "name": "vm-1",
    "resourceId": "/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/virtualMachines/vm-1", "vmId": "02aab8a4",
    "tags": "", "zone": ""},
    "network": {"interface": [{"ipv4": {"ipAddress": [{"privateIpAddress": "10.1.0.5", "publicIpAddress": ""}],
    "subnet": [{"address": "10.1.0.0", "prefix": "24"}, {"address": "?", "prefix": "24"}]},
    "ipv6": {"ipAddress": []}, "macAddress": "0011AAFFBB22"}]}}"#;

fn run(address: SocketAddr, route: Route) -> Context {
    let mut world = world(&[(address, route)]);
    // A proxy must never see these requests.
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        world.environment.insert(name.to_owned(), "http://127.0.0.1:1".to_owned());
    }
    context(world, LONG)
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn asked<T>(server: Server<T>) -> (Outcome<Instance, MetadataFailure>, T) {
    asked_within(server, LONG).await
}

async fn asked_within<T>(server: Server<T>, budget: Duration) -> (Outcome<Instance, MetadataFailure>, T) {
    let began = Instant::now();
    let metadata = metadata_within(&run(METADATA, Route::To(server.address)), budget).await;
    assert!(began.elapsed() < HANGS);
    (metadata.outcome, server.received().await)
}

#[tokio::test]
async fn document_of_a_machine_is_read() {
    let (outcome, question) = asked(answering_once(answer(200, DOCUMENT)).await).await;

    let question = String::from_utf8(question).unwrap();
    assert!(question.starts_with("GET /metadata/instance?api-version=2021-02-01 HTTP/1.1\r\n"), "{question}");
    assert!(question.to_ascii_lowercase().contains("\r\nmetadata: true\r\n"), "{question}");
    assert!(!question.to_ascii_lowercase().contains("forwarded"), "{question}");
    let instance = outcome.seen().unwrap();
    assert_eq!(instance.location.as_deref(), Some("westeurope"));
    assert_eq!(instance.environment.as_deref(), Some("AzurePublicCloud"));
    assert_eq!((instance.name.as_deref(), instance.vm_id.as_deref()), (Some("vm-1"), Some("02aab8a4")));
    assert!(instance.resource_id.as_deref().unwrap().ends_with("virtualMachines/vm-1"));
    assert_eq!(instance.subnets, [Subnet { cidr: IpNet::new(Ipv4Addr::new(10, 1, 0, 0).into(), 24).unwrap() }]);
}

#[tokio::test]
async fn empty_values_are_unknown() {
    let body = r#"{"compute": {"location": "", "name": null}}"#;
    let (outcome, _) = asked(answering_once(answer(200, body)).await).await;
    assert_eq!(outcome, Outcome::Seen(Instance::default()));
}

#[tokio::test]
async fn something_else_that_answers_is_malformed() {
    let long = format!("{{\"compute\": {{}}, \"x\": \"{}\"}}", "x".repeat(MAX_DOCUMENT));
    for body in ["<html>login</html>", "{}", "[]", "null", "{\"compute\": 1}", "", &long] {
        let (outcome, _) = asked(answering(answer(200, body)).await).await;
        assert_eq!(outcome, Outcome::Failed(MetadataFailure::Malformed), "{} bytes", body.len());
    }
    let (outcome, _) = asked(answering("SSH-2.0-x\r\n\r\n").await).await;
    assert_eq!(outcome, Outcome::Failed(MetadataFailure::Malformed));
}

#[tokio::test]
async fn other_statuses_are_recorded_and_redirects_not_followed() {
    for status in [302, 400, 404, 429, 500] {
        let body = format!("HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let (outcome, _) = asked(answering(body).await).await;
        assert_eq!(outcome, Outcome::Failed(MetadataFailure::Status(status)));
    }
}

#[tokio::test]
async fn silence_is_over_after_the_budget() {
    let (outcome, _) = asked_within(answering("").await, BUDGET).await;
    assert_eq!(outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn document_that_never_ends_is_over_after_the_budget() {
    let endless = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = repeating(endless, b"1\r\n \r\n", Duration::from_millis(50)).await;
    let (outcome, ()) = asked_within(server, BUDGET).await;
    assert_eq!(outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn dropped_packets_are_over_after_the_budget() {
    let began = Instant::now();
    let (metadata_dropped, wire_dropped) = (run(METADATA, Route::Drop), run(WIRE_SERVER, Route::Drop));
    let (metadata, wire_server) = tokio::join!(metadata(&metadata_dropped), wire_server(&wire_dropped));
    assert_eq!((metadata.outcome, wire_server.outcome), (Outcome::TimedOut, Outcome::TimedOut));
    assert!(began.elapsed() < HANGS);
}

#[tokio::test]
async fn failures_are_distinguished() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (route, failure) in [
        (Route::To(closed), IoFailure::Refused),
        (Route::NetworkUnreachable, IoFailure::NetworkUnreachable),
        (Route::NotPermitted, IoFailure::NotPermitted),
    ] {
        let metadata = metadata_within(&run(METADATA, route), LONG).await;
        assert_eq!(metadata.outcome, Outcome::Failed(MetadataFailure::Unreachable(failure)));
        let wire_server = wire_server_within(&run(WIRE_SERVER, route), LONG).await;
        assert_eq!(wire_server.outcome, Outcome::Failed(failure));
    }
    let (outcome, ()) = asked(resetting("").await).await;
    assert_eq!(outcome, Outcome::Failed(MetadataFailure::Unreachable(IoFailure::Reset)));
    let (outcome, _) = asked(answering_once("").await).await;
    assert_eq!(outcome, Outcome::Failed(MetadataFailure::Unreachable(IoFailure::Closed)));
    let cut = answering_once("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{").await;
    assert_eq!(asked(cut).await.0, Outcome::Failed(MetadataFailure::Unreachable(IoFailure::Closed)));
}

#[tokio::test]
async fn status_of_the_wire_server_is_recorded() {
    for status in [200, 403] {
        let server = serve(async move |mut stream: TcpStream| {
            let question = some(&mut stream).await;
            stream.write_all(answer(status, "<Versions/>").as_bytes()).await.unwrap();
            String::from_utf8(question).unwrap()
        })
        .await;
        let seen = wire_server_within(&run(WIRE_SERVER, Route::To(server.address)), LONG).await;
        assert_eq!(seen.outcome, Outcome::Seen(status));
        assert!(server.received().await.starts_with("GET /?comp=versions HTTP/1.1\r\n"));
    }
}
