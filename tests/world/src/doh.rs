//! DNS over HTTPS (RFC 8484) as a front gives it: `POST` over HTTP/1.1, one question after the other.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::dns;
use crate::scenario::View;
use crate::zones::Zones;

/// Octets of a head and of a question that are read.
const MOST: usize = 16 * 1024;
/// Questions of one connection.
const QUESTIONS: usize = 256;

/// Answers until the client goes away.
pub(crate) async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    zones: &Zones,
    view: View,
) -> io::Result<()> {
    let mut read = Vec::new();
    for _ in 0..QUESTIONS {
        let Some(question) = question(stream, &mut read).await? else { return Ok(()) };
        let (status, answer) = match dns::answer(zones, view, &question) {
            Some(answer) => ("200 OK", answer),
            None => ("400 Bad Request", Vec::new()),
        };
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/dns-message\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &answer].concat()).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// The body of the next request; `None` where there is none.
async fn question(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) {
            let head = String::from_utf8_lossy(read.get(..end).unwrap_or_default()).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
            if let Some(body) = read.get(end..end.saturating_add(length)).map(<[u8]>::to_vec) {
                read.drain(..end + length);
                return Ok(Some(body));
            }
        }
        let mut buffer = [0_u8; 2048];
        let count = stream.read(&mut buffer).await?;
        if count == 0 || read.len() > MOST {
            return Ok(None);
        }
        read.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}
