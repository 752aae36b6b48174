//! Text from the network and from files, made harmless for every output.
//!
//! It escapes what a terminal or a line-based reader would act upon; markup is the business of the face that writes markup.

/// Text as editors and shells save it: UTF-8, with or without a byte order mark, or the UTF-16 that `>` of Windows PowerShell
/// writes (<https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>). `None`
/// for anything else.
pub fn decode(bytes: &[u8]) -> Option<String> {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16(&units).ok();
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).ok()
}

/// Characters kept of one quoted value.
pub const MAX_QUOTED: usize = 200;

/// A value in backticks: control and direction characters escaped, backticks replaced, at most [`MAX_QUOTED`] characters.
pub fn quote(text: &str) -> String {
    format!("`{}`", escape(text, MAX_QUOTED))
}

/// The same without the backticks, at most `most` characters of the original.
pub fn escape(text: &str, most: usize) -> String {
    if is_plain(text, most) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len().min(most));
    for (count, character) in text.chars().enumerate() {
        if count == most {
            escaped.push('…');
            break;
        }
        match character {
            '`' => escaped.push('\''),
            _ if acts_on_output(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The same of a text that nobody needs any more.
pub fn escaped(text: String, most: usize) -> String {
    if is_plain(&text, most) { text } else { escape(&text, most) }
}

/// Whether nothing of it is to be changed, which is true of nearly all that is written.
fn is_plain(text: &str, most: usize) -> bool {
    text.len() <= most && text.bytes().all(|octet| matches!(octet, b' '..=b'~') && octet != b'`')
}

/// Whether a character acts on a terminal or a line: control characters, line and paragraph separators, and what changes the direction of text (Unicode UAX #9) or is invisible.
pub fn acts_on_output(character: char) -> bool {
    // Nearly all of what is written is ASCII.
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Items in backticks joined by commas, at most `most` of them: ``a`, `b` and 3 more``.
pub fn list<S: AsRef<str>>(items: &[S], most: usize) -> String {
    let shown = items.iter().take(most).map(|item| quote(item.as_ref())).collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(most) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

/// Of these texts those that come nearest to what was asked for, the nearest first and otherwise in the order of the alphabet;
/// none where all are far from it. A text that begins with what was asked for comes before one that holds it, and that one
/// before one that differs in a letter or two.
pub fn nearest<'t>(asked: &str, texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let asked = asked.to_ascii_lowercase();
    let rank = |text: &str| {
        let candidate = text.to_ascii_lowercase();
        match asked.len() >= 3 {
            true if candidate.starts_with(&asked) => 0,
            true if candidate.contains(&asked) => 1,
            _ => distance(&asked, &candidate).saturating_add(1),
        }
    };
    let mut near: Vec<(usize, &str)> = texts.into_iter().map(|text| (rank(text), text)).collect();
    near.retain(|(rank, _)| *rank <= 3);
    near.sort_unstable();
    let closest = near.first().map_or(0, |(rank, _)| *rank);
    near.into_iter().take_while(|(rank, _)| *rank == closest).map(|(_, text)| text).collect()
}

/// Texts that are suggested at most.
const SUGGESTED: usize = 3;

/// The end of a refusal: up to three texts that may have been meant, or nothing where none comes near.
pub fn meant<'t>(asked: &str, texts: impl IntoIterator<Item = &'t str>) -> String {
    let near = nearest(asked, texts);
    match near.get(..SUGGESTED).unwrap_or(&near) {
        [] => String::new(),
        near => format!("; did you mean {}?", or_list(near)),
    }
}

/// Levenshtein's distance; texts that differ much in length are far apart.
pub fn distance(one: &str, other: &str) -> usize {
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((b, above), before) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(i + 1);
            next.push((above + 1).min(left + 1).min(before + usize::from(a != *b)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Words joined as people list them: ``a`, `b` or `c``.
pub fn or_list<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// A number with a comma after each three digits.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Milliseconds for people: `38 ms`, `5.0 s`.
pub fn duration_ms(ms: u64) -> String {
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    let tenths = ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_line_breaks_cannot_act() {
        assert_eq!(quote("a\u{1b}[31mb\nc"), "`a\\u{1b}[31mb\\u{a}c`");
        assert_eq!(quote("x\u{202e}y"), "`x\\u{202e}y`");
    }

    #[test]
    fn a_backtick_cannot_end_the_quotation() {
        assert_eq!(quote("a`b"), "`a'b`");
    }

    #[test]
    fn plain_text_is_left_as_it_is_and_no_other() {
        for (text, most, kept) in [
            ("a b~", 4, "a b~"),
            ("", 0, ""),
            ("ab", 1, "a…"),
            ("a`b", 9, "a'b"),
            ("a\u{7f}", 9, "a\\u{7f}"),
            ("é\u{85}", 9, "é\\u{85}"),
            ("éé", 2, "éé"),
        ] {
            assert_eq!(escape(text, most), kept, "{text}");
            assert_eq!(escaped(text.to_owned(), most), kept, "{text}");
        }
    }

    #[test]
    fn long_text_is_cut() {
        let quoted = quote(&"x".repeat(5_000));
        assert_eq!(quoted.chars().count(), MAX_QUOTED + 3);
        assert!(quoted.ends_with("…`"));
    }

    #[test]
    fn lists_are_bounded() {
        assert_eq!(list(&["a", "b", "c"], 2), "`a`, `b` and 1 more");
        assert_eq!(list(&["a"], 2), "`a`");
    }

    #[test]
    fn what_begins_alike_is_nearer_than_what_holds_it_and_that_nearer_than_a_slip() {
        let texts = ["zone-b", "two-zones", "zone-a", "zonf", "other"];
        assert_eq!(nearest("zone", texts), ["zone-a", "zone-b"]);
        assert_eq!(nearest("zones", texts), ["two-zones"]);
        assert_eq!(nearest("chek", ["schema", "check"]), ["check"]);
        assert_eq!(nearest("nothing-like-it", texts), [""; 0]);
        assert_eq!(or_list(&["a", "b", "c"]), "`a`, `b` or `c`");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(duration_ms(38), "38 ms");
        assert_eq!(duration_ms(5_000), "5.0 s");
        assert_eq!(duration_ms(1_949), "1.9 s");
    }
}
