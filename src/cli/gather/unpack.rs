//! What is packed is known by how it begins, whatever its file is called.

use std::io::{self, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Bytes that tell how an input is packed.
const MARK: usize = 4;
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The end of the marks of frames that hold something else than what was packed (RFC 8878, 3.1.2).
const SKIPPABLE: &[u8] = b"\x2a\x4d\x18";

/// Bytes that one packed input may unpack to: a hundred thousand whole reports.
const MOST: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes that it may unpack to for each of its own. What machines of one network write packs three hundred times at most; a small
/// file of nothing but blanks would cost as much as a company.
const MOST_TIMES: u64 = 1_000;
/// Bytes that it may unpack to whatever its size.
const ALWAYS: u64 = 16 * 1024 * 1024;

/// Whether an input that begins so is packed.
pub(super) fn is_packed(beginning: &[u8]) -> bool {
    beginning.starts_with(GZIP) || beginning.starts_with(ZSTD) || is_skippable(beginning)
}

fn is_skippable(beginning: &[u8]) -> bool {
    matches!(beginning, [0x50..=0x5f, rest @ ..] if rest.starts_with(SKIPPABLE))
}

/// An input, unpacked as it is read, and whether it was packed.
pub(super) fn unpacked(mut input: impl Read + Send + 'static) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut mark = Vec::with_capacity(MARK);
    input.by_ref().take(MARK as u64).read_to_end(&mut mark)?;
    let (gzip, zstd) = (mark.starts_with(GZIP), mark.starts_with(ZSTD) || is_skippable(&mark));
    let whole = Cursor::new(mark).chain(input);
    let packed = Arc::new(AtomicU64::new(0));
    let counted = |input| Counted { input, read: Arc::clone(&packed) };
    Ok(match (gzip, zstd) {
        (true, _) => (Box::new(Bounded::new(MultiGzDecoder::new(counted(whole)), packed.clone())), true),
        (_, true) => (Box::new(Bounded::new(Frames::new(counted(whole)), packed.clone())), true),
        _ => (Box::new(whole), false),
    })
}

/// Counts what is read of a packed input.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        // What counts and what asks are one behind the other: no order between threads hangs on it.
        self.read.fetch_add(octets(read), Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends where a packed input has given more than it may.
struct Bounded<R> {
    unpacked: R,
    given: u64,
    packed: Arc<AtomicU64>,
}

impl<R> Bounded<R> {
    fn new(unpacked: R, packed: Arc<AtomicU64>) -> Self {
        Self { unpacked, given: 0, packed }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = self.packed.load(Ordering::Relaxed);
        let most = packed.saturating_mul(MOST_TIMES).saturating_add(ALWAYS).min(MOST);
        if self.given > most {
            let why = if most == MOST {
                format!("it is more than {} GiB", MOST >> 30)
            } else {
                format!("it is more than {MOST_TIMES} times as large as its file")
            };
            return Err(io::Error::other(why));
        }
        let read = self.unpacked.read(buffer)?;
        self.given = self.given.saturating_add(octets(read));
        Ok(read)
    }
}

fn octets(read: usize) -> u64 {
    u64::try_from(read).unwrap_or(u64::MAX)
}

/// The frames of zstd one after the other: a log is packed in as many as it was written in, and some tools write where they
/// stand into frames between them.
struct Frames<R: Read> {
    /// The frame that is read; before and after it the input alone.
    state: State<R>,
}

enum State<R: Read> {
    Between(BufReader<R>),
    Within(Box<StreamingDecoder<Begun<R>, FrameDecoder>>),
    Ended,
}

/// The input from the mark of a frame on, which was looked at.
type Begun<R> = Chain<Cursor<Vec<u8>>, BufReader<R>>;

impl<R: Read> Frames<R> {
    fn new(input: R) -> Self {
        Self { state: State::Between(BufReader::new(input)) }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(mut input) => {
                    let mut mark = Vec::with_capacity(MARK);
                    input.by_ref().take(MARK as u64).read_to_end(&mut mark)?;
                    if mark.is_empty() {
                        return Ok(0);
                    }
                    if is_skippable(&mark) {
                        skip(&mut input)?;
                        State::Between(input)
                    } else {
                        let frame = StreamingDecoder::new(Cursor::new(mark).chain(input)).map_err(io::Error::other)?;
                        State::Within(Box::new(frame))
                    }
                }
                State::Within(mut frame) => {
                    let read = frame.read(buffer)?;
                    if read > 0 {
                        self.state = State::Within(frame);
                        return Ok(read);
                    }
                    State::Between(frame.into_inner().into_inner().1)
                }
            };
        }
    }
}

/// Passes over what stands in a frame that holds something else.
fn skip(input: &mut impl Read) -> io::Result<()> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let skipped = io::copy(&mut input.take(length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
