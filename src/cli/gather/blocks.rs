//! An input in blocks: whole lines where a document stands in each of them, else all of it at once.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use memchr::{memchr_iter, memmem, memrchr};

use super::unpack::{is_packed, unpacked};
use super::{Input, Sink};
use crate::cli::saved::many::Block;
use crate::fleet::{FilePlace, Source};

/// Bytes read at once of an input with lines.
const BLOCK: usize = 1024 * 1024;
/// Bytes of the beginning of an input; most are no longer.
const HEAD: usize = 32 * 1024;
/// MiB of one line: a report of hundreds of endpoints stays under half of it.
const LONGEST_LINE: usize = 16;
/// MiB of an input that is one document: what one command prints of ten thousand machines.
const LARGEST: usize = 64;
const MIB: usize = 1024 * 1024;

/// Reads an input and hands on what stands in it. `place` is the file that it is read from.
pub(super) fn document(name: &str, place: Option<FilePlace>, mut input: impl Read + Send + 'static, sink: &Sink) {
    let mut head = sink.head.take();
    head.clear();
    let failed = input.by_ref().take(HEAD as u64).read_to_end(&mut head).err();
    if failed.is_none() && head.len() < HEAD && !is_packed(&head) {
        // The whole of it: most inputs are digests in a file each.
        let line = u64::from(is_of_lines(&head, true) == Some(true));
        let place = place.map(Arc::new).map(|file| Source { file, offset: 0, length: length(&head) });
        sink.block(Block { file: name.into(), line, bytes: head.clone(), place });
        sink.head.replace(head);
        return;
    }
    let (input, packed) = match unpacked(Cursor::new(head).chain(Failing(failed)).chain(input)) {
        Ok(unpacked) => unpacked,
        Err(error) => return sink.broken(name, &format!("cannot be read: {error}")),
    };
    let file = place.filter(|_| !packed).map(Arc::new);
    let reader = Reader {
        name: name.into(),
        packed,
        file,
        offset: 0,
        pieces: 0,
        bytes: Vec::new(),
        ended: false,
        failed: None,
        input,
    };
    reader.hand_on(sink);
}

/// Says once why reading failed; an end where it did not.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// An input with a document in each line: who is free reads the next block of it, into the memory of its last one. Lines are
/// counted while somebody else reads.
pub(super) struct Lines {
    reader: Mutex<Reader>,
    count: Mutex<Count>,
    counted: Condvar,
}

/// What of an input was counted.
struct Count {
    /// Pieces.
    pieces: u64,
    /// The number of the line that comes next.
    line: u64,
}

impl Lines {
    fn new(reader: Reader) -> Self {
        Self { reader: Mutex::new(reader), count: Mutex::new(Count { pieces: 0, line: 1 }), counted: Condvar::new() }
    }

    /// Bytes that it holds already.
    pub(super) fn held(&self) -> usize {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).bytes.capacity()
    }

    /// The next block, or what is wrong with the input; `None` at its end. `used` is memory that nobody needs any more.
    pub(super) fn next(&self, used: Vec<u8>) -> Option<Input> {
        let (piece, next) = self.reader.lock().unwrap_or_else(PoisonError::into_inner).next(used)?;
        let lines = match &next {
            Next::Block(block) => memchr_iter(b'\n', &block.bytes).count(),
            Next::Broken { .. } => 0,
        };
        let line = self.first_line(piece, lines);
        Some(match next {
            Next::Block(block) => Input::Block(Block { line, ..block }),
            Next::Broken { input, why } => Input::Broken { input, why: why(line) },
        })
    }

    /// The number of the first line of a piece; waits for those who count the pieces before it.
    fn first_line(&self, piece: u64, lines: usize) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let before = |count: &mut Count| count.pieces != piece;
        let mut count = self.counted.wait_while(count, before).unwrap_or_else(PoisonError::into_inner);
        let line = count.line;
        count.pieces += 1;
        count.line += u64::try_from(lines).unwrap_or(u64::MAX);
        self.counted.notify_all();
        line
    }
}

/// What comes next of an input, before its lines are counted.
enum Next {
    /// Whole lines.
    Block(Block),
    /// What is wrong with it, by the number of the line where that is.
    Broken { input: String, why: Box<dyn FnOnce(u64) -> String> },
}

struct Reader {
    name: Arc<str>,
    packed: bool,
    /// The file, where it holds just what is read.
    file: Option<Arc<FilePlace>>,
    /// Bytes that were handed on.
    offset: u64,
    /// Pieces that were handed on of an input with lines.
    pieces: u64,
    /// What was read and not handed on.
    bytes: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
    /// Why it ended early.
    failed: Option<io::Error>,
    input: Box<dyn Read + Send>,
}

impl Reader {
    fn hand_on(mut self, sink: &Sink) {
        self.more(BLOCK);
        let mut of_lines = is_of_lines(&self.bytes, self.ended);
        while of_lines.is_none() && !self.ended && self.bytes.len() <= LONGEST_LINE * MIB {
            self.more(BLOCK);
            of_lines = is_of_lines(&self.bytes, self.ended);
        }
        match of_lines {
            Some(true) if !self.ended => sink.lines(Lines::new(self)),
            Some(true) => {
                let lines = Lines::new(self);
                while let Some(input) = lines.next(Vec::new()) {
                    sink.input(input);
                }
            }
            _ => sink.input(self.whole()),
        }
    }

    /// The input as one document.
    fn whole(mut self) -> Input {
        if !self.ended {
            self.more(LARGEST * MIB);
        }
        if !self.ended {
            return self.broken(format!("is larger than {LARGEST} MiB: give a document a line, or several files"));
        }
        let bytes = std::mem::take(&mut self.bytes);
        match self.end() {
            Some(why) => self.broken(why),
            None => Input::Block(self.block(bytes)),
        }
    }

    /// The next piece and its number.
    fn next(&mut self, used: Vec<u8>) -> Option<(u64, Next)> {
        let next = self.piece(used)?;
        self.pieces += 1;
        Some((self.pieces - 1, next))
    }

    fn piece(&mut self, mut used: Vec<u8>) -> Option<Next> {
        while !self.ended && (self.bytes.len() < BLOCK || memrchr(b'\n', &self.bytes).is_none()) {
            if self.bytes.len() > LONGEST_LINE * MIB {
                self.ended = true;
                self.bytes = Vec::new();
                return Some(self.wrong(|line| format!("line {line} is longer than {LONGEST_LINE} MiB")));
            }
            self.more(BLOCK);
        }
        let lines = memrchr(b'\n', &self.bytes).map_or(0, |last| last + 1);
        // The last line of an input that failed is what was cut off, and named as that.
        let length = if self.ended && self.failed.is_none() { self.bytes.len() } else { lines };
        let (now, rest) = self.bytes.split_at(length);
        if now.is_empty() {
            self.bytes = Vec::new();
            let why = self.end()?;
            return Some(self.wrong(|_| why));
        }
        used.clear();
        used.extend_from_slice(rest);
        let mut bytes = std::mem::replace(&mut self.bytes, used);
        bytes.truncate(length);
        Some(Next::Block(self.block(bytes)))
    }

    /// Reads so many bytes more, or all that is left.
    fn more(&mut self, most: usize) {
        let wanted = u64::try_from(most).unwrap_or(u64::MAX);
        self.bytes.reserve(most.min(BLOCK));
        match self.input.by_ref().take(wanted).read_to_end(&mut self.bytes) {
            Ok(read) => self.ended = read < most,
            Err(error) => {
                self.failed = Some(error);
                self.ended = true;
            }
        }
    }

    /// What is said at the end of an input that failed.
    fn end(&mut self) -> Option<String> {
        let why = self.failed.take()?;
        let how = if self.packed { "unpacked" } else { "read" };
        Some(format!("cannot be {how} to its end: {why}"))
    }

    /// A block without the number of its first line: that is known when the lines before it are counted.
    fn block(&mut self, bytes: Vec<u8>) -> Block {
        let length = length(&bytes);
        let place = self.file.clone().map(|file| Source { file, offset: self.offset, length });
        self.offset = self.offset.saturating_add(length);
        Block { file: self.name.clone(), line: 0, bytes, place }
    }

    fn wrong(&self, why: impl FnOnce(u64) -> String + 'static) -> Next {
        Next::Broken { input: self.name.to_string(), why: Box::new(why) }
    }

    fn broken(&self, why: String) -> Input {
        Input::Broken { input: self.name.to_string(), why }
    }
}

/// Whether a document stands in each line; `None` where the beginning does not show it. The first line may be cut off, as logs
/// are that were rotated, or be talk before the reports. What stands in the lines is read later.
fn is_of_lines(bytes: &[u8], ended: bool) -> Option<bool> {
    let end = if ended { bytes.len() } else { memrchr(b'\n', bytes)? };
    let begin = bytes.strip_prefix(b"\xef\xbb\xbf").map_or(0, |_| 3);
    let lines = bytes.get(begin..end)?.split(|byte| *byte == b'\n');
    let mut lines = lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next()?;
    // An object over several lines, or a list.
    if first == b"{" || first.starts_with(b"[") {
        return Some(false);
    }
    if is_object(first) {
        return Some(bytes.contains(&b'\n'));
    }
    // The `compact` format has a digest below what people read: it is read as a whole.
    let is_text = !first.starts_with(b"{");
    let counts = |line: &[u8]| is_object(line) && holds(line, b"\"schema\"") && !(is_text && holds(line, DIGEST));
    lines.any(counts).then_some(true)
}

const DIGEST: &[u8] = b"\"kind\":\"digest\"";

/// Whether it is a whole object by its looks.
fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && line.ends_with(b"}") && line.len() > 2
}

fn holds(line: &[u8], part: &[u8]) -> bool {
    memmem::find(line, part).is_some()
}
