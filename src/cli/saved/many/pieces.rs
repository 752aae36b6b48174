//! The documents of a block, one by one, whatever they turn out to be.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memchr;
use serde_json::value::RawValue;

use super::{Block, wrong};
use crate::cli::saved::{digest, kind};
use crate::fleet::Source;
use crate::report::digest::Digest;
use crate::text::decode;

/// A place in a block.
pub(super) struct At {
    /// The line; 0 where the block is all of the file.
    pub(super) line: u64,
    /// Where a file holds what stands there.
    pub(super) source: Option<Source>,
}

/// What stands at a place.
pub(super) enum Piece<'t> {
    /// A JSON object.
    Object(&'t str),
    /// A list of something else than objects.
    List(&'t str),
    /// A line among those that people read, which holds a digest by its looks.
    Line(&'t str),
    /// A digest wherever it stands.
    Digest(Result<Box<Digest>, String>),
    /// Nothing that can be read, and why.
    Broken(String),
}

fn of_digest(digest: Result<Digest, String>) -> Piece<'static> {
    Piece::Digest(digest.map(Box::new))
}

/// What comes of a line, where that is known without more.
type Known<'k, T> = &'k dyn Fn(&[u8], &At) -> Option<Vec<T>>;

/// What comes of each piece of a block, in their order. A line that ends is first shown to `known`, as it stands there.
pub(super) fn of_each<T>(block: &Block, known: Known<'_, T>, take: &dyn Fn(Piece<'_>, &At) -> Vec<T>) -> Vec<T> {
    let mut pieces = Pieces { block, take, found: Vec::new() };
    if block.line == 0 {
        pieces.whole();
        return pieces.found;
    }
    let (mut offset, mut rest) = (0, block.bytes.as_slice());
    for number in block.line.. {
        if rest.is_empty() {
            break;
        }
        let end = memchr(b'\n', rest);
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !line.is_empty() {
            let at = At { line: number, source: block.source(offset, line.len()) };
            match end.and_then(|_| known(line.trim_ascii(), &at)) {
                Some(found) => pieces.found.extend(found),
                None => pieces.line(&at, line),
            }
        }
        rest = after.get(1..).unwrap_or_default();
        offset += line.len() + 1;
    }
    pieces.found
}

struct Pieces<'b, T> {
    block: &'b Block,
    take: &'b dyn Fn(Piece<'_>, &At) -> Vec<T>,
    found: Vec<T>,
}

impl<T> Pieces<'_, T> {
    fn add(&mut self, piece: Piece<'_>, at: &At) {
        self.found.extend((self.take)(piece, at));
    }

    fn add_of_all(&mut self, piece: Piece<'_>) {
        self.add(piece, &At { line: 0, source: None });
    }

    fn line(&mut self, at: &At, line: &[u8]) {
        let text = std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
        let text = text.trim_start_matches('\u{feff}').trim();
        // The last line of the `compact` format repeats what its digest says.
        if text.is_empty() || text.starts_with("VERDICT ") {
            return;
        }
        if text.starts_with(['{', '[']) {
            self.json(text, at);
        } else {
            self.add(Piece::Broken("is not a JSON object".to_owned()), at);
        }
    }

    fn whole(&mut self) {
        let bytes = &self.block.bytes;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Err(_) => decode(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned),
        };
        let begin = text.trim_start();
        if begin.is_empty() {
            return self.add_of_all(Piece::Broken("is empty".to_owned()));
        }
        if begin.starts_with(['{', '[']) {
            // Of a text in another encoding only the whole file is known.
            let before_it = (text.len() == bytes.len()).then(|| text.len() - begin.len());
            if let Some(why) = self.documents(begin, before_it) {
                // A log may begin with a brace and hold a digest further down.
                self.add_of_all(digest::digest(bytes).map_or(Piece::Broken(why), of_digest));
            }
            return;
        }
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('{') && line.contains("\"digest\""));
        let before = self.found.len();
        lines.for_each(|line| self.add_of_all(Piece::Line(line)));
        if self.found.len() > before {
            return;
        }
        let what = || kind::of_octets(bytes).or_else(|| kind::of_text(&text));
        let why = || what().unwrap_or("is neither JSON nor holds a digest").to_owned();
        self.add_of_all(digest::digest(bytes).map_or_else(|| Piece::Broken(why()), of_digest));
    }

    /// One document after the other; gives why the first one cannot be read.
    fn documents(&mut self, text: &str, offset: Option<usize>) -> Option<String> {
        let mut number = 0;
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        while let Some(document) = documents.next() {
            number += 1;
            match document {
                Ok(document) => {
                    let length = document.get().len();
                    let source = match offset {
                        Some(offset) => {
                            self.block.source((offset + documents.byte_offset()).saturating_sub(length), length)
                        }
                        None => self.block.source(0, self.block.bytes.len()),
                    };
                    self.json(document.get(), &At { line: 0, source });
                }
                Err(error) if number > 1 => {
                    self.add_of_all(Piece::Broken(format!("document {number} {}", wrong(&error))));
                    return None;
                }
                Err(error) => return Some(wrong(&error)),
            }
        }
        None
    }

    /// A document, or each of a list of them.
    fn json(&mut self, text: &str, at: &At) {
        if text.starts_with('{') {
            return self.add(Piece::Object(text), at);
        }
        match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(objects) if !objects.is_empty() && objects.iter().all(|object| object.get().starts_with('{')) => {
                for object in objects {
                    self.add(Piece::Object(object.get()), &At { line: at.line, source: None });
                }
            }
            Ok(_) => self.add(Piece::List(text), at),
            Err(error) => self.add(Piece::Broken(wrong(&error)), at),
        }
    }
}

impl Block {
    /// Where so many bytes of it can be read again.
    fn source(&self, offset: usize, length: usize) -> Option<Source> {
        let place = self.place.as_ref()?;
        let offset = place.offset.checked_add(u64::try_from(offset).ok()?)?;
        Some(Source { file: Arc::clone(&place.file), offset, length: u64::try_from(length).ok()? })
    }
}
