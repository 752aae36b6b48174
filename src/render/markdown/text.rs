//! Text inside Markdown: what came from outside is read as text by whatever renders it.
//!
//! A renderer also takes HTML, entities, bare addresses of web pages and names after an `@` for more than text
//! (<https://github.github.com/gfm/>), so these are broken up too.

use crate::render::page::inert;

/// One line of text. What stands in backticks becomes code.
pub(in crate::render) fn prose(text: &str) -> String {
    let text = inert(text);
    let mut markdown = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        match (index % 2, part.is_empty()) {
            (0, _) => markdown.push_str(&plain(part)),
            (_, true) => {}
            _ => markdown.push_str(&code(part)),
        }
    }
    at_a_beginning(&markdown)
}

/// A name or a value as code.
pub(in crate::render) fn code(text: &str) -> String {
    let text = inert(text);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The same in a cell of a table, which ends at a bar, in code too.
pub(in crate::render) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Lines to be copied, as they are.
pub(in crate::render) fn block<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines.map(inert).collect();
    let fence = "`".repeat(lines.iter().map(|line| longest_run(line)).max().unwrap_or_default().max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '#' | '!' | '$' | '^' => {
                escaped.extend(['\\', character]);
            }
            // No renderer takes these for the beginning of a mention or of a link.
            '@' => escaped.push_str("@<!-- -->"),
            _ => escaped.push(character),
        }
    }
    escaped.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.").replace("WWW.", "WWW<!-- -->.")
}

/// What would begin a list, a heading or a rule there begins none.
fn at_a_beginning(text: &str) -> String {
    let text = text.trim_start();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    let numbered = digits > 0 && rest.starts_with(['.', ')']) && rest.chars().nth(1).is_none_or(|c| c == ' ');
    if numbered || (digits == 0 && rest.starts_with(['-', '+', '=', ':'])) {
        return format!("{number}\\{rest}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    fn events(markdown: &str) -> Vec<Event<'_>> {
        // All that a renderer may know, but for quotes that it makes rounder.
        Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION).collect()
    }

    /// What a reader sees of it.
    fn seen(markdown: &str) -> String {
        let shown = |event| match event {
            Event::Text(text) | Event::Code(text) => text.into_string(),
            _ => String::new(),
        };
        events(markdown).into_iter().map(shown).collect()
    }

    fn only_text(markdown: &str) -> bool {
        events(markdown).iter().all(|event| match event {
            Event::Start(tag) => matches!(tag, Tag::Paragraph),
            Event::InlineHtml(html) => html.as_ref() == "<!-- -->",
            Event::End(_) | Event::Text(_) | Event::Code(_) => true,
            _ => false,
        })
    }

    #[test]
    fn hostile_text_is_text() {
        for text in [
            "<script>alert(1)</script>",
            "[a](javascript:alert(1))",
            "![a](http://evil.example/x)",
            "<http://evil.example>",
            "# a",
            "- a",
            "1. a",
            "1) a",
            "1.",
            ".a",
            "+ a",
            "---",
            "===",
            "> a",
            "a | b",
            "~~a~~ **b** __c__ $x$ $$y$$",
            "&lt;b&gt; &#60;",
            "[^1]: a",
            ":::a",
            "    four spaces",
            "\\<b>",
            "a\\",
        ] {
            let markdown = prose(text);
            assert!(only_text(&markdown), "{markdown}: {:?}", events(&markdown));
            assert_eq!(seen(&markdown), text.trim_start(), "{markdown}");
        }
        assert_eq!(prose("168.63.129.16"), "168.63.129.16");
        assert_eq!(prose("ask @admin at https://evil.example"), "ask @<!-- -->admin at https:<!-- -->//evil.example");
    }

    #[test]
    fn code_ends_where_it_should() {
        for text in ["a", "a`b", "``", "`a", "a``b`c"] {
            assert_eq!(seen(&code(text)), text, "{}", code(text));
        }
        assert_eq!(seen(&prose("zone `a.b` is `x_y`")), "zone a.b is x_y");
        let lines = ["a ``` b", "    c", "# d"];
        assert_eq!(seen(&block(lines.into_iter())), "a ``` b\n    c\n# d\n");
    }

    proptest! {
        #[test]
        fn whatever_it_is_a_reader_sees_it_and_nothing_acts(text in "[ -_a-~]{1,40}") {
            prop_assume!(!text.trim().is_empty() && !text.contains('`'));
            let markdown = prose(&text);
            prop_assert!(only_text(&markdown), "{}: {:?}", markdown, events(&markdown));
            prop_assert_eq!(seen(&markdown), text.trim());
        }
    }
}
