//! What is packed is known by how it begins, whatever its file is called.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// Bytes that tell how an input is packed.
const MARK: usize = 4;
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// Bytes that one packed input may unpack to: a hundred thousand whole reports.
const MOST: u64 = 16 * 1024 * 1024 * 1024;

/// An input, unpacked as it is read, and whether it was packed.
pub(super) fn unpacked<'r>(mut input: impl Read + 'r) -> io::Result<(Box<dyn Read + 'r>, bool)> {
    let mut mark = Vec::with_capacity(MARK);
    input.by_ref().take(MARK as u64).read_to_end(&mut mark)?;
    let (gzip, zstd) = (mark.starts_with(GZIP), mark.starts_with(ZSTD));
    let whole = Cursor::new(mark).chain(input);
    Ok(match (gzip, zstd) {
        (true, _) => (Box::new(MultiGzDecoder::new(whole).take(MOST)), true),
        (_, true) => (Box::new(Frames::new(whole).take(MOST)), true),
        _ => (Box::new(whole), false),
    })
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
