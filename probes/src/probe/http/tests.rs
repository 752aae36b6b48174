//! Tests of the request against real HTTP servers on loopback.

use std::time::Duration;

use super::*;
use crate::probe::loopback::*;

async fn asked<T>(server: Server<T>, limit: Duration) -> (Exchange, T) {
    let ctx = context_to(server.address, limit);
    let stream = connected(&ctx).await;
    let began = Instant::now();
    let exchange = request(&ctx, &endpoint(), stream).await;
    assert!(began.elapsed() < HANGS);
    (exchange, server.received().await)
}

fn seen(exchange: &Exchange) -> &HttpResponse {
    exchange.outcome.seen().unwrap_or_else(|| panic!("{exchange:?}"))
}

#[tokio::test]
async fn one_question_is_asked_without_credentials() {
    let (exchange, question) = asked(answering_once("HTTP/1.1 200 OK\r\n\r\nHealthy").await, LONG).await;

    let question = String::from_utf8(question).unwrap().to_ascii_lowercase();
    let mut lines = question.trim_end().split("\r\n");
    assert_eq!(lines.next(), Some("get /ping http/1.1"));
    let mut headers: Vec<_> = lines.collect();
    headers.sort_unstable();
    let agent = format!("user-agent: ampls-doctor/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers, ["accept: */*", "connection: close", &format!("host: {NAME}"), &agent]);
    assert_eq!((exchange.path.as_str(), seen(&exchange).body.as_str()), ("/ping", "Healthy"));
}

#[tokio::test]
async fn answer_is_read_with_its_headers() {
    let answer = "HTTP/1.1 403 Forbidden\r\nServer: Kestrel\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
        request-id: third\r\nx-ms-correlation-request-id: second\r\nX-MS-Request-ID: first\r\nVia: 1.1 proxy\r\n\
        Location: /elsewhere\r\nContent-Type: text/plain\r\nWWW-Authenticate: Bearer realm=\"secret\"\r\n\
        Content-Length: 4\r\n\r\nnope";
    let (exchange, _) = asked(answering(answer).await, LONG).await;

    let response = seen(&exchange);
    assert_eq!(response.status, 403);
    assert_eq!(response.server.as_deref(), Some("Kestrel"));
    assert_eq!(response.date.map(Timestamp::as_second), Some(784_111_777));
    assert_eq!(response.request_id.as_deref(), Some("first"));
    assert_eq!(response.via.as_deref(), Some("1.1 proxy"));
    assert_eq!(response.location.as_deref(), Some("/elsewhere"));
    assert_eq!(response.content_type.as_deref(), Some("text/plain"));
    assert_eq!(response.authenticate.as_deref(), Some("Bearer"));
    assert_eq!((response.body.as_str(), response.body_truncated), ("nope", false));
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let (exchange, _) =
        asked(answering("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n").await, LONG).await;
    assert_eq!((seen(&exchange).status, seen(&exchange).location.as_deref()), (302, Some("/x")));
}

#[tokio::test]
async fn date_that_is_none_is_left_out_and_text_is_bounded() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nDate: yesterday\r\nServer: {}\r\nContent-Length: 2\r\n\r\n\u{fffd}",
        "s".repeat(9000)
    );
    let (exchange, _) = asked(answering(answer).await, LONG).await;
    assert_eq!(seen(&exchange).date, None);
    assert_eq!(seen(&exchange).server.as_ref().map(String::len), Some(MAX_TEXT));
    assert_eq!(seen(&exchange).body, "\u{fffd}", "bytes that are not text are replaced");
}

#[tokio::test]
async fn head_that_is_too_large_is_not_read() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024)).into_bytes();
    let server = serve(async move |mut stream: tokio::net::TcpStream| {
        some(&mut stream).await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &long).await;
    });
    let (exchange, ()) = asked(server.await, LONG).await;
    assert_eq!(exchange.outcome, Outcome::Failed(HttpFailure::HeadTooLarge));

    let (exchange, ()) = asked(repeating(b"HTTP/1.1 200 OK\r\n", HEADERS, Duration::ZERO).await, LONG).await;
    assert_eq!(exchange.outcome, Outcome::Failed(HttpFailure::HeadTooLarge));
}

#[tokio::test]
async fn endless_body_is_cut_off() {
    let begin = b"HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\n";
    let (exchange, ()) = asked(repeating(begin, &[b'x'; 1000], Duration::ZERO).await, LONG).await;
    assert_eq!((seen(&exchange).body.len(), seen(&exchange).body_truncated), (MAX_BODY, true));

    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (exchange, ()) = asked(repeating(begin, b"3\r\nabc\r\n", Duration::ZERO).await, LONG).await;
    assert_eq!((seen(&exchange).body.len(), seen(&exchange).body_truncated), (MAX_BODY, true));
}

#[tokio::test]
async fn body_that_does_not_come_leaves_the_answer() {
    let (exchange, _) = asked(answering("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nabc").await, SHORT).await;
    assert_eq!((seen(&exchange).status, seen(&exchange).body.as_str()), (503, "abc"));
    assert!(seen(&exchange).body_truncated);
}

#[tokio::test]
async fn silence_and_endless_interim_answers_are_timeouts() {
    let (exchange, _) = asked(answering("").await, SHORT).await;
    assert_eq!(exchange.outcome, Outcome::TimedOut);

    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let (exchange, ()) = asked(repeating(interim, interim, Duration::from_millis(1)).await, SHORT).await;
    assert_eq!(exchange.outcome, Outcome::TimedOut);

    let (exchange, ()) = asked(repeating(b"HTTP/1.1 200 OK\r\n", b"a", Duration::from_millis(5)).await, SHORT).await;
    assert_eq!(exchange.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn garbage_close_and_reset_are_distinguished() {
    for garbage in ["\u{1}\u{2}\u{3}\r\n\r\n", "220 mail ESMTP\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n"] {
        let (exchange, _) = asked(answering(garbage).await, LONG).await;
        assert_eq!(exchange.outcome, Outcome::Failed(HttpFailure::Malformed), "{garbage:?}");
    }
    for begun in ["", "HTTP/1.1 200 OK\r\nServ"] {
        let (exchange, _) = asked(answering_once(begun).await, LONG).await;
        assert_eq!(exchange.outcome, Outcome::Failed(HttpFailure::Closed(IoFailure::Closed)), "{begun:?}");
        let (exchange, ()) = asked(resetting(begun).await, LONG).await;
        assert_eq!(exchange.outcome, Outcome::Failed(HttpFailure::Closed(IoFailure::Reset)), "{begun:?}");
    }
}
