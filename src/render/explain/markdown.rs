//! The Markdown of rule pages, as plain text.

use std::io;

use crate::render::page::{Page, Tint};

/// Headings in bold, paragraphs wrapped, lists with their indentation, code as it stands.
pub(super) fn write(text: &str, page: &mut Page<'_>) -> io::Result<()> {
    let mut paragraph = Paragraph::default();
    let mut code = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            paragraph.flush(page)?;
            code = !code;
        } else if code {
            page.line(Tint::Plain, &format!("    {line}"))?;
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            paragraph.flush(page)?;
            page.line(Tint::Bold, heading.trim_start_matches('#').trim())?;
        } else if trimmed.is_empty() {
            paragraph.flush(page)?;
            page.blank()?;
        } else if let Some((mark, item)) = item(trimmed) {
            paragraph.flush(page)?;
            paragraph = Paragraph { first: mark.to_owned(), text: item.to_owned() };
        } else {
            paragraph.push(trimmed);
        }
    }
    paragraph.flush(page)
}

#[derive(Default)]
struct Paragraph {
    first: String,
    text: String,
}

impl Paragraph {
    fn push(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(line);
    }

    fn flush(&mut self, page: &mut Page<'_>) -> io::Result<()> {
        let paragraph = std::mem::take(self);
        if paragraph.text.is_empty() {
            return Ok(());
        }
        let rest = " ".repeat(paragraph.first.len());
        page.wrapped(Tint::Plain, &paragraph.first, &rest, &paragraph.text)
    }
}

/// The mark of a list item with its space, and the rest.
fn item(line: &str) -> Option<(&str, &str)> {
    let mark = line.split_inclusive(' ').next()?;
    let bullet = matches!(mark, "- " | "* ");
    let number = mark.strip_suffix(". ").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (bullet || number).then(|| line.split_at(mark.len()))
}
