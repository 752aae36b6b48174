//! Lines of text: a host name and its addresses in any order, as they are copied from a table.
//!
//! The portal puts a name and its addresses beside or below each other, with words of its own between them (captions, the
//! name of the zone, `Succeeded`). Such words are passed over; what nearly is an address is not.

use std::net::IpAddr;

use super::{ExpectedError, FORMS, Records, is_zone, public_name};
use crate::text;

/// Takes the records of all lines.
pub(super) fn read(text: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let mut open = Open::default();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let wrong = |what: String| ExpectedError(format!("line {number}: {what}"));
        let (mut names, mut addresses) = (Vec::new(), Vec::new());
        for word in line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"')) {
            match classify(word) {
                Word::Name(name) => names.push(name),
                Word::Address(address) => addresses.push(address),
                Word::Nearly => {
                    return Err(wrong(format!(
                        "{} is not an address; correct it or leave the line out",
                        text::quote(word)
                    )));
                }
                Word::Other => {}
            }
        }
        if !names.is_empty() {
            open.close()?;
            open = Open { line: number, names, served: false };
        }
        if !addresses.is_empty() && open.names.is_empty() {
            return Err(wrong("an address without a host name before it; write both on one line".to_owned()));
        }
        for address in addresses {
            open.served = true;
            for name in &open.names {
                records.add(name, address).map_err(&wrong)?;
            }
        }
    }
    open.close()?;
    if records.0.is_empty() {
        return Err(ExpectedError(format!("holds no line with a host name and its addresses; {FORMS}")));
    }
    Ok(())
}

/// The names that the next addresses belong to.
#[derive(Debug, Default)]
struct Open {
    line: usize,
    names: Vec<String>,
    served: bool,
}

impl Open {
    fn close(&self) -> Result<(), ExpectedError> {
        match self.names.first() {
            Some(name) if !self.served => Err(ExpectedError(format!(
                "line {}: {} has no address; write it behind the name",
                self.line,
                text::quote(name)
            ))),
            _ => Ok(()),
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
