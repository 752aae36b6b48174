//! HTTP/1.1 answers as the real services give them, and broken ones.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::scenario::HttpFault;

/// A request head longer than this is not read.
const MAX_HEAD: usize = 16 * 1024;
/// How long a peer may take for its request.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two tries to accept a connection.
const MOMENT: Duration = Duration::from_millis(50);
/// What an answer without end comes to: more than any client should read.
const ENDLESS: usize = 4 * 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) date_shift_s: i64,
    /// Another request may follow on the connection.
    pub(crate) goes_on: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { status, headers, body: body.into(), date_shift_s: 0, goes_on: false }
    }
}

/// The first line of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Header lines, lower-case names.
    pub(crate) headers: Vec<(String, String)>,
}

/// The next connection. Where the system has none to give (no sockets left), it is asked again after a moment.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(MOMENT).await,
        }
    }
}

/// Reads one request head; `None` when the peer closes or sends something else.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    tokio::time::timeout(PATIENCE, read_head(stream)).await.ok().flatten()
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut head = Vec::new();
    let mut buffer = [0_u8; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.ok()?;
        if read == 0 || head.len() > MAX_HEAD {
            return None;
        }
        head.extend_from_slice(buffer.get(..read)?);
    }
    let text = String::from_utf8_lossy(&head);
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    Some(Request { method, target, headers })
}

/// Writes an answer and says whether the connection ends.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> io::Result<()> {
    let shifted = Timestamp::now().checked_add(SignedDuration::from_secs(answer.date_shift_s));
    let date = shifted.unwrap_or(Timestamp::UNIX_EPOCH).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nDate: {date}\r\nConnection: {}\r\nContent-Length: {}\r\n",
        answer.status,
        reason(answer.status),
        if answer.goes_on { "keep-alive" } else { "close" },
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(answer.body.as_bytes()).await?;
    stream.flush().await
}

/// Behaves badly instead of answering.
pub(crate) async fn misbehave(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), fault: HttpFault) -> io::Result<()> {
    match fault {
        HttpFault::Silent => hold(stream).await,
        HttpFault::Close => Ok(()),
        HttpFault::Garbage => stream.write_all(b"\x00\x01\x02 no such protocol \xff\xfe\r\n\r\n").await,
        HttpFault::EndlessHeaders => endless(stream, b"HTTP/1.1 200 OK\r\n", b"X-Again: and again and again\r\n").await,
        HttpFault::EndlessBody => {
            endless(stream, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"and again and again and again\n")
                .await
        }
        HttpFault::Html => {
            let page =
                "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>";
            write(stream, &Answer::new(200, &[("Content-Type", "text/html; charset=utf-8")], page)).await
        }
    }
}

/// Says nothing until the peer goes away.
pub(crate) async fn hold(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut buffer = [0_u8; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn endless(stream: &mut (impl AsyncWrite + Unpin), first: &[u8], again: &[u8]) -> io::Result<()> {
    stream.write_all(first).await?;
    let block = again.repeat(512);
    for _ in 0..ENDLESS / block.len().max(1) {
        stream.write_all(&block).await?;
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
