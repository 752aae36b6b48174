//! Lines of text for people: inert, wrapped to the width, tinted if asked.
//!
//! Every character of every line passes through here, so a face cannot forget to escape.

use std::io::{self, Write};

use crate::text::acts_on_output;

/// How to write, as the caller decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns; commands alone may be longer, so that they can be copied.
    pub width: usize,
    /// Tint with ANSI colours. Nothing depends on it.
    pub colour: bool,
    /// No box drawing beyond ASCII.
    pub ascii: bool,
    /// How much.
    pub detail: Detail,
}

/// How much to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The answer and the roots, one line each.
    Answer,
    /// Causes and fixes.
    #[default]
    Usual,
    /// Everything.
    Everything,
}

impl Default for Style {
    /// Plain text for a pipe.
    fn default() -> Self {
        Self { width: 80, colour: false, ascii: false, detail: Detail::Usual }
    }
}

/// A tint. The words alone are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// As the terminal has it.
    Plain,
    /// For headings.
    Bold,
    /// For faults.
    Red,
    /// For doubts.
    Yellow,
    /// For health.
    Green,
}

/// Somewhere to write lines to.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    /// How to write.
    pub style: Style,
}

impl<'a> Page<'a> {
    /// A page over a writer.
    pub fn new(out: &'a mut dyn Write, style: Style) -> Self {
        Self { out, style }
    }

    /// An empty line.
    pub fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// One line that is never broken: a command, or what was laid out already.
    pub fn line(&mut self, tint: Tint, text: &str) -> io::Result<()> {
        let text = inert(text);
        self.tinted(tint, text.trim_end())
    }

    /// Text broken at spaces. `first` stands before the first line, `rest` before the others.
    pub fn wrapped(&mut self, tint: Tint, first: &str, rest: &str, text: &str) -> io::Result<()> {
        for line in wrap(first, rest, &inert(text), self.style.width) {
            self.tinted(tint, &line)?;
        }
        Ok(())
    }

    fn tinted(&mut self, tint: Tint, text: &str) -> io::Result<()> {
        let code = match tint {
            Tint::Bold => "1",
            Tint::Red => "1;31",
            Tint::Yellow => "1;33",
            Tint::Green => "1;32",
            Tint::Plain => return writeln!(self.out, "{text}"),
        };
        if self.style.colour {
            writeln!(self.out, "\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            writeln!(self.out, "{text}")
        }
    }
}

/// Text that a terminal shows and never obeys: control characters, line and paragraph separators, and the marks that
/// reorder text (<https://www.unicode.org/reports/tr9/>) are written as escapes.
pub fn inert(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if acts_on_output(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

fn wrap(first: &str, rest: &str, text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        for (part, piece) in pieces(word, width.saturating_sub(rest.chars().count()).max(20)).into_iter().enumerate() {
            // A space within a word would be another word.
            if part > 0 || !empty && line.chars().count() + 1 + piece.chars().count() > width {
                lines.push(std::mem::replace(&mut line, rest.to_owned()));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(piece);
            empty = false;
        }
    }
    lines.push(line);
    lines
}

/// A word cut into pieces of at most `width` characters, before a dot if there is one: an escaped or endless word must not
/// run off the page.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut left = word;
    while let Some((cut, _)) = left.char_indices().nth(width) {
        let dot = left.get(..cut).and_then(|piece| piece.rfind('.')).filter(|dot| *dot > 0);
        let (piece, more) = left.split_at(dot.unwrap_or(cut));
        pieces.push(piece);
        left = more;
    }
    pieces.push(left);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_acts_on_a_terminal_is_shown_as_escapes() {
        for acting in ["\u{1b}[2J", "\r", "\n", "\u{7f}", "\u{9b}31m", "\u{202e}", "\u{2066}", "\u{2028}", "\u{2029}"] {
            let safe = inert(acting);
            assert!(safe.starts_with("\\u{"), "{safe}");
            assert!(safe.chars().all(|c| c.is_ascii_graphic()), "{safe}");
        }
        assert_eq!(inert("`grün` ‹…›"), "`grün` ‹…›");
    }

    #[test]
    fn text_is_broken_at_spaces_and_endless_words_anywhere() {
        assert_eq!(wrap("- ", "  ", "one two three", 9), ["- one two", "  three"]);
        let lines = wrap("", "", &"x".repeat(50), 40);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [40, 10]);
        assert_eq!(wrap("", "    ", &format!("{}.net", "x".repeat(38)), 44), [&"x".repeat(38), "    .net"]);
    }

    #[test]
    fn without_colour_no_escape_is_written() {
        let mut out = Vec::new();
        Page::new(&mut out, Style::default()).line(Tint::Red, "broken").unwrap();
        assert_eq!(out, b"broken\n");
    }
}
