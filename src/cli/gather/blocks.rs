//! An input in blocks: whole lines where a document stands in each of them, else all of it at once.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use memchr::{memchr_iter, memmem, memrchr};

use super::Sink;
use super::unpack::{is_packed, unpacked};
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

/// Reads an input and hands on its blocks. `place` is the file that it is read from.
pub(super) fn document(name: &str, place: Option<FilePlace>, mut input: impl Read, sink: &Sink) {
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
    let mut reader = Reader { name: name.into(), file, offset: 0, input, sink, failed: None };
    reader.blocks();
    if let Some(why) = reader.failed {
        let how = if packed { "unpacked" } else { "read" };
        sink.broken(name, &format!("cannot be {how} to its end: {why}"));
    }
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

struct Reader<'s, R> {
    name: Arc<str>,
    /// The file, where it holds just what is read.
    file: Option<Arc<FilePlace>>,
    /// Bytes that were handed on.
    offset: u64,
    input: R,
    sink: &'s Sink,
    /// Why it ended early.
    failed: Option<io::Error>,
}

impl<R: Read> Reader<'_, R> {
    fn blocks(&mut self) {
        let mut bytes = Vec::new();
        let mut ended = self.more(&mut bytes, BLOCK);
        let mut of_lines = is_of_lines(&bytes, ended);
        while of_lines.is_none() && !ended && bytes.len() <= LONGEST_LINE * MIB {
            ended = self.more(&mut bytes, BLOCK);
            of_lines = is_of_lines(&bytes, ended);
        }
        if of_lines != Some(true) {
            if !ended {
                ended = self.more(&mut bytes, LARGEST * MIB);
            }
            if !ended {
                self.sink.broken(
                    &self.name,
                    &format!("is larger than {LARGEST} MiB: give a document a line, or several files"),
                );
                return;
            }
            if self.failed.is_none() {
                self.hand_on(0, bytes);
            }
            return;
        }
        let mut line = 1;
        while !ended {
            let Some(last) = memrchr(b'\n', &bytes) else {
                if bytes.len() > LONGEST_LINE * MIB {
                    self.sink.broken(&self.name, &format!("line {line} is longer than {LONGEST_LINE} MiB"));
                    return;
                }
                ended = self.more(&mut bytes, BLOCK);
                continue;
            };
            let mut rest = Vec::with_capacity(bytes.len() - last + BLOCK);
            rest.extend_from_slice(bytes.get(last + 1..).unwrap_or_default());
            bytes.truncate(last + 1);
            let count = memchr_iter(b'\n', &bytes).count();
            self.hand_on(line, std::mem::replace(&mut bytes, rest));
            line += u64::try_from(count).unwrap_or(u64::MAX);
            ended = self.more(&mut bytes, BLOCK);
        }
        if self.failed.is_some() {
            // The last line is what was cut off, and named as that.
            let whole = memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
            bytes.truncate(whole);
        }
        self.hand_on(line, bytes);
    }

    /// Reads so many bytes more, or all that is left: then it gives `true`.
    fn more(&mut self, bytes: &mut Vec<u8>, most: usize) -> bool {
        let wanted = u64::try_from(most).unwrap_or(u64::MAX);
        bytes.reserve(most.min(BLOCK));
        match self.input.by_ref().take(wanted).read_to_end(bytes) {
            Ok(read) => read < most,
            Err(error) => {
                self.failed = Some(error);
                true
            }
        }
    }

    fn hand_on(&mut self, line: u64, bytes: Vec<u8>) {
        let length = length(&bytes);
        let place = self.file.clone().map(|file| Source { file, offset: self.offset, length });
        self.offset = self.offset.saturating_add(length);
        self.sink.block(Block { file: self.name.clone(), line, bytes, place });
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
