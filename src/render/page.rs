//! Lines of text for people: inert, wrapped to the width, tinted if asked.
//!
//! Every character of every line passes through here, so a face cannot forget to escape.

use std::io::{self, Write};

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

use crate::text::acts_on_output;

/// How to write, as the caller decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; `None` off a terminal, where nothing is broken or shortened.
    pub width: Option<usize>,
    /// Tint with ANSI colours. Nothing depends on it.
    pub colour: bool,
    /// No character beyond ASCII.
    pub ascii: bool,
    /// How much.
    pub detail: Detail,
}

/// How much to write. Ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The headline.
    Answer,
    /// One screen.
    #[default]
    Usual,
    /// Evidence, other ways to fix it, how to undo it, every endpoint, what a machine cannot see.
    More,
    /// Every answer too.
    Everything,
}

impl Default for Style {
    /// Plain text for a pipe.
    fn default() -> Self {
        Self { width: None, colour: false, ascii: false, detail: Detail::Usual }
    }
}

/// Columns that a layout counts with where there is no terminal.
const COLUMNS: usize = 80;

impl Style {
    /// Columns to lay out for.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(COLUMNS)
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

/// A paragraph, before it is known how wide the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    tint: Tint,
    /// Stands before the first line, in a tint of its own.
    mark: Option<(Tint, String)>,
    first: String,
    rest: String,
    text: String,
    /// One line that is never broken: a command, or what was laid out already.
    whole: bool,
}

impl Paragraph {
    /// Text broken at spaces. `first` stands before the first line, `rest` before the others.
    pub fn text(tint: Tint, first: &str, rest: &str, text: &str) -> Self {
        Self { tint, mark: None, first: first.to_owned(), rest: rest.to_owned(), text: inert(text), whole: false }
    }

    /// One line that is never broken.
    pub fn whole(tint: Tint, text: &str) -> Self {
        let text = inert(text).trim_end().to_owned();
        Self { tint, mark: None, first: String::new(), rest: String::new(), text, whole: true }
    }

    /// A line with nothing on it.
    pub fn blank() -> Self {
        Self::whole(Tint::Plain, "")
    }

    /// The same behind a mark.
    #[must_use]
    pub fn marked(mut self, tint: Tint, mark: &str) -> Self {
        self.mark = Some((tint, mark.to_owned()));
        self
    }

    fn lines(&self, width: Option<usize>) -> Vec<String> {
        if self.whole {
            return vec![self.text.clone()];
        }
        let mark = self.mark.as_ref().map_or(0, |(_, mark)| columns_of(mark));
        wrap(
            &self.first,
            &format!("{:mark$}{}", "", self.rest),
            &self.text,
            width.map(|width| width.saturating_sub(mark)),
        )
    }

    /// Rows of a terminal that it takes: what is longer than a row goes on in the next.
    pub fn rows(&self, columns: usize) -> usize {
        let mark = self.mark.as_ref().map_or(0, |(_, mark)| columns_of(mark));
        let lines = self.lines(Some(columns));
        let wide = |(number, line): (usize, &String)| columns_of(line) + if number == 0 { mark } else { 0 };
        lines.iter().enumerate().map(wide).map(|wide| wide.div_ceil(columns.max(1)).max(1)).sum()
    }
}

/// Columns that a terminal needs for a text.
pub fn columns_of(text: &str) -> usize {
    UnicodeWidthStr::width(text)
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
        self.put(&Paragraph::whole(tint, text))
    }

    /// Text broken at spaces. `first` stands before the first line, `rest` before the others.
    pub fn wrapped(&mut self, tint: Tint, first: &str, rest: &str, text: &str) -> io::Result<()> {
        self.put(&Paragraph::text(tint, first, rest, text))
    }

    /// A paragraph.
    pub fn put(&mut self, paragraph: &Paragraph) -> io::Result<()> {
        for (number, line) in paragraph.lines(self.style.width).iter().enumerate() {
            if let (0, Some((tint, mark))) = (number, &paragraph.mark) {
                let mark = self.tinted(*tint, mark);
                write!(self.out, "{mark}")?;
            }
            let line = self.tinted(paragraph.tint, line);
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn tinted(&self, tint: Tint, text: &str) -> String {
        let code = match tint {
            _ if !self.style.colour || text.is_empty() => return text.to_owned(),
            Tint::Bold => "1",
            Tint::Red => "1;31",
            Tint::Yellow => "1;33",
            Tint::Green => "1;32",
            Tint::Plain => return text.replace(LOUD, &format!("\u{1b}[1;31m{LOUD}\u{1b}[0m")),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The word that is a fault wherever it stands.
const LOUD: &str = "PUBLIC";

/// Text that a terminal shows and never obeys: control characters, line and paragraph separators, and the marks that
/// reorder text (<https://www.unicode.org/reports/tr9/>) are written as escapes.
pub fn inert(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if acts_on_output(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

/// Words are never cut: half a name or an address is none.
fn wrap(first: &str, rest: &str, text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![format!("{first}{text}").trim_end().to_owned()] };
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).into_iter().map(|line| line.trim_end().to_owned()).collect()
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
    fn text_is_broken_at_spaces_alone_and_names_nowhere() {
        assert_eq!(wrap("- ", "  ", "one two three", Some(9)), ["- one two", "  three"]);
        let name = format!("{}.net", "x".repeat(50));
        assert_eq!(wrap("", "    ", &format!("of {name} here"), Some(40)), ["of", &format!("    {name}"), "    here"]);
        assert_eq!(wrap("- ", "  ", &"word ".repeat(100), None).len(), 1);
    }

    #[test]
    fn rows_are_those_of_a_terminal() {
        assert_eq!(Paragraph::blank().rows(80), 1);
        assert_eq!(Paragraph::whole(Tint::Plain, &"x".repeat(80)).rows(80), 1);
        assert_eq!(Paragraph::whole(Tint::Plain, &"x".repeat(81)).rows(80), 2);
        assert_eq!(Paragraph::text(Tint::Plain, "", "", &"12345 ".repeat(20)).rows(80), 2);
        let marked = Paragraph::text(Tint::Plain, "", "", &"x".repeat(79)).marked(Tint::Red, "! ");
        assert_eq!(marked.rows(80), 2);
    }

    #[test]
    fn without_colour_no_escape_is_written() {
        let written = |colour| {
            let mut out = Vec::new();
            let mut page = Page::new(&mut out, Style { colour, ..Style::default() });
            page.line(Tint::Red, "broken").unwrap();
            page.put(&Paragraph::whole(Tint::Plain, "ods PUBLIC").marked(Tint::Red, "! ")).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(false), "broken\n! ods PUBLIC\n");
        assert_eq!(
            written(true),
            "\u{1b}[1;31mbroken\u{1b}[0m\n\u{1b}[1;31m! \u{1b}[0mods \u{1b}[1;31mPUBLIC\u{1b}[0m\n"
        );
    }
}
