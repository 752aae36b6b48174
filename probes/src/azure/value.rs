//! What is wrong with a value, in words that are safe to print.

use std::fmt;

/// What is wrong with the value of an option and what is wanted, in one line without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue(String);

impl BadValue {
    /// `message` must have its values passed through [`quoted`].
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadValue {}

/// A value as messages show it: in backticks, escaped, and cut after 80 characters.
pub(crate) fn quoted(value: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::from("`");
    for character in value.chars().take(LONGEST) {
        match character {
            '\'' | '"' => shown.push(character),
            '`' => shown.push('\''),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if value.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_a_message() {
        let shown = quoted("a\x1b[31m\n\u{202e}\u{7}`");
        assert!(!shown.chars().any(char::is_control), "{shown}");
        assert!(!shown.contains('\u{202e}'), "{shown}");
        assert_eq!(quoted(&"x".repeat(81)).chars().count(), 83);
    }
}
