//! Watches what a peer sends: how much, and how it begins, which tells what it is when it does not speak as expected.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes kept of what came first: a TLS record's header is five.
const KEPT: usize = 16;
/// Bytes that are read from one peer. A handshake and the beginning of an answer have a tenth of it; there are messages that a
/// peer may send for ever and that the protocols make a client read (session tickets, interim answers).
const MOST: u64 = 1024 * 1024;

/// A stream that knows how much was read from it, and how that began. Beyond a number of bytes reading fails.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    seen: Shared,
    most: u64,
}

/// What was read, also for those who gave the stream away.
#[derive(Clone, Debug, Default)]
pub(in crate::probe) struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    /// Until now.
    pub(in crate::probe) fn seen(&self) -> Seen {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, bytes: &[u8], most: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.add(bytes);
        seen.full = seen.count >= most;
    }
}

/// What was read from a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct Seen {
    count: u64,
    full: bool,
    first: [u8; KEPT],
}

impl Seen {
    /// How many bytes came.
    pub(in crate::probe) fn count(&self) -> u64 {
        self.count
    }

    /// As much came as is read.
    pub(in crate::probe) fn is_full(&self) -> bool {
        self.full
    }

    /// What came first cannot be a TLS record: its content type is none of RFC 8446 section 5.1 (or RFC 6520), or its
    /// version is not 3.x.
    pub(in crate::probe) fn is_not_tls(&self) -> bool {
        let [content_type, major, ..] = self.first;
        (self.count >= 1 && !(20..=24).contains(&content_type)) || (self.count >= 2 && major != 3)
    }

    fn add(&mut self, bytes: &[u8]) {
        let begun = usize::try_from(self.count).unwrap_or(KEPT).min(KEPT);
        for (kept, byte) in self.first.iter_mut().skip(begun).zip(bytes) {
            *kept = *byte;
        }
        self.count = self.count.saturating_add(bytes.len() as u64);
    }
}

impl<S> Counted<S> {
    /// With room for a handshake and what comes after it.
    pub(in crate::probe) fn new(stream: S) -> (Self, Shared) {
        Self::up_to(MOST, stream)
    }

    pub(in crate::probe) fn up_to(most: u64, stream: S) -> (Self, Shared) {
        let seen = Shared::default();
        (Self { stream, seen: seen.clone(), most }, seen)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.seen.seen().is_full() {
            return Poll::Ready(Err(io::Error::other("the peer sends without end")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.seen.add(buffer.filled().get(before..).unwrap_or_default(), self.most);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
