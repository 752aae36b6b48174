//! What is packed is known by how it begins, whatever its file is called.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// Bytes that tell how an input is packed.
const MARK: usize = 4;
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// Bytes that one packed input may unpack to: a hundred thousand whole reports.
const MOST: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes that it may unpack to for each of its own. What machines of one network write packs three hundred times at most; a small
/// file of nothing but blanks would cost as much as a company.
const MOST_TIMES: u64 = 1_000;
/// Bytes that it may unpack to whatever its size.
const ALWAYS: u64 = 16 * 1024 * 1024;

/// An input, unpacked as it is read, and whether it was packed.
pub(super) fn unpacked<'r>(mut input: impl Read + 'r) -> io::Result<(Box<dyn Read + 'r>, bool)> {
    let mut mark = Vec::with_capacity(MARK);
    input.by_ref().take(MARK as u64).read_to_end(&mut mark)?;
    let (gzip, zstd) = (mark.starts_with(GZIP), mark.starts_with(ZSTD));
    let whole = Cursor::new(mark).chain(input);
    let packed = Rc::new(Cell::new(0));
    let counted = |input| Counted { input, read: Rc::clone(&packed) };
    Ok(match (gzip, zstd) {
        (true, _) => (Box::new(Bounded::new(MultiGzDecoder::new(counted(whole)), packed.clone())), true),
        (_, true) => (Box::new(Bounded::new(Frames::new(counted(whole)), packed.clone())), true),
        _ => (Box::new(whole), false),
    })
}

/// Counts what is read of a packed input.
struct Counted<R> {
    input: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        add(&self.read, read);
        Ok(read)
    }
}

/// Ends where a packed input has given more than it may.
struct Bounded<R> {
    unpacked: R,
    given: Cell<u64>,
    packed: Rc<Cell<u64>>,
}

impl<R> Bounded<R> {
    fn new(unpacked: R, packed: Rc<Cell<u64>>) -> Self {
        Self { unpacked, given: Cell::new(0), packed }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.packed.get().saturating_mul(MOST_TIMES).saturating_add(ALWAYS).min(MOST);
        if self.given.get() > most {
            let why = if most == MOST {
                format!("it is more than {} GiB", MOST >> 30)
            } else {
                format!("it is more than {MOST_TIMES} times as large as its file")
            };
            return Err(io::Error::other(why));
        }
        let read = self.unpacked.read(buffer)?;
        add(&self.given, read);
        Ok(read)
    }
}

fn add(sum: &Cell<u64>, read: usize) {
    sum.set(sum.get().saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
}

/// The frames of zstd one after the other: a log is packed in as many as it was written in.
struct Frames<R: Read> {
    /// The frame that is read; before and after it the input alone.
    state: State<R>,
}

enum State<R: Read> {
    Between(BufReader<R>),
    Within(Box<StreamingDecoder<BufReader<R>, ruzstd::decoding::FrameDecoder>>),
    Ended,
}

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
                    if input.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    State::Within(Box::new(StreamingDecoder::new(input).map_err(io::Error::other)?))
                }
                State::Within(mut frame) => {
                    let read = frame.read(buffer)?;
                    if read > 0 {
                        self.state = State::Within(frame);
                        return Ok(read);
                    }
                    State::Between(frame.into_inner())
                }
            };
        }
    }
}
