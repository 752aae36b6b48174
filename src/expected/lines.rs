//! Lines of text: a host name and its addresses in any order, as they are copied from a table.
//!
//! The portal puts a name and its addresses beside or below each other, with words of its own between them (captions, the
//! name of the zone, `Succeeded`); `az … -o tsv` puts the address first now and then. Such words are passed over; what nearly
//! is an address is not.

use std::net::IpAddr;

use super::{ExpectedError, Records, is_zone, public_name};
use crate::text;

/// Takes the records of all lines.
pub(super) fn read(text: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let mut open = Open::default();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let (mut names, mut addresses, mut nearly) = (Vec::new(), Vec::new(), None);
        for word in line.split(is_between) {
            match classify(word) {
                Word::Name(name) => names.push(name),
                Word::Address(address) => addresses.push(address),
                Word::Nearly => nearly = nearly.or(Some(word)),
                Word::Other => {}
            }
        }
        if !names.is_empty() {
            open.close(records);
            open = Open { line: number, names, served: false };
        }
        if let Some(word) = nearly {
            // With one of its addresses unreadable a name would seem to have others than the file says.
            records.leave_out(format!("line {number}"), format!("{} is not an address", text::quote(word)));
            for name in &open.names {
                records.names.remove(name);
            }
            open = Open::default();
            continue;
        }
        if !addresses.is_empty() && open.names.is_empty() {
            records.leave_out(format!("line {number}"), "an address without a host name before it");
        }
        for name in &open.names {
            open.served |= !addresses.is_empty();
            records
                .add(name, addresses.iter().copied())
                .map_err(|what| ExpectedError(format!("line {number}: {what}")))?;
        }
    }
    open.close(records);
    records.names.retain(|_, addresses| !addresses.is_empty());
    Ok(())
}

/// What stands between words: tables of all kinds, and lists as `-o tsv` prints them.
fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, ',' | ';' | '|' | '"' | '\'' | '`' | '[' | ']' | '(' | ')' | '{' | '}')
}

/// The names that the next addresses belong to.
#[derive(Debug, Default)]
struct Open {
    line: usize,
    names: Vec<String>,
    served: bool,
}

impl Open {
    fn close(&self, records: &mut Records) {
        if let Some(name) = self.names.first().filter(|_| !self.served) {
            records.leave_out(format!("line {}", self.line), format!("{} has no address", text::quote(name)));
        }
    }
}

enum Word {
    Name(String),
    Address(IpAddr),
    /// Digits and dots, or colons, that make no address.
    Nearly,
    Other,
}

fn classify(word: &str) -> Word {
    if let Ok(address) = word.parse() {
        return Word::Address(address);
    }
    let digits_and = |mark: u8| word.bytes().all(|b| b.is_ascii_hexdigit() || b == mark);
    if (word.contains('.') && word.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        || (word.matches(':').count() > 1 && digits_and(b':'))
    {
        return Word::Nearly;
    }
    match public_name(word) {
        Some(name) if !is_zone(word) => Word::Name(name),
        _ => Word::Other,
    }
}
