//! How each language quotes a word, and what it cannot quote.

use super::Language;
use crate::text::acts_on_output;

/// Whether the end of a line stands between quotes.
pub(super) fn is_open(language: Language, line: &str) -> bool {
    let single = matches!(language, Language::Any | Language::Sh | Language::PowerShell);
    let mut open = None;
    for character in line.chars() {
        match open {
            Some(quote) if quote == character => open = None,
            None if character == '"' || (single && character == '\'') => open = Some(character),
            _ => {}
        }
    }
    open.is_some()
}

/// Characters that a language reads as nothing but themselves without quotes. A word of them never begins with `-`.
pub(super) fn is_bare(language: Language, character: char) -> bool {
    match language {
        // `//` begins a remark in BIND's configuration, `/` parts the fields of dnsmasq's.
        Language::Bind | Language::Dnsmasq => is_inert(character) && character != '/',
        _ => is_inert(character),
    }
}

fn is_inert(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-/:".contains(character)
}

/// Characters that every language of ours takes for themselves in either kind of quotes.
pub(super) fn is_inert_in_quotes(character: char) -> bool {
    is_inert(character) || " *,[]()+=@~".contains(character)
}

/// A whole word in quotes; `None` where the language has no safe way to write it.
pub(super) fn quoted(language: Language, text: &str) -> Option<String> {
    if text.starts_with('-') || text.chars().any(acts_on_output) {
        return None;
    }
    match language {
        Language::Sh => Some(format!("'{}'", text.replace('\'', r"'\''"))),
        Language::PowerShell => Some(format!("'{}'", doubled(text))),
        // Nothing else is read alike by all three, or by cmd whatever its settings: `%`, `!` and `^` act even in quotes.
        Language::Any | Language::Cmd => text.chars().all(is_inert_in_quotes).then(|| format!("\"{text}\"")),
        Language::Bind => text.chars().all(is_inert_in_quotes).then(|| format!("\"{text}\"")),
        // It has no quotes that hold in every option.
        Language::Dnsmasq => None,
    }
}

/// PowerShell takes the typographic quotes for the plain one.
/// Source: <https://learn.microsoft.com/powershell/scripting/lang-spec/chapter-02#2352-string-literals>
fn doubled(text: &str) -> String {
    let mut doubled = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            doubled.push(character);
        }
        doubled.push(character);
    }
    doubled
}
