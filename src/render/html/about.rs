//! The pages of the codes that were found, within the page: what one reads on about needs no network either.

use maud::{Markup, html};

use super::prose;
use crate::diagnose::rule::Rule;
use crate::diagnose::rules;
use crate::report::Report;

/// The page of each root's code, once.
pub(super) fn section(report: &Report) -> Markup {
    let mut shown: Vec<Rule> = Vec::new();
    for rule in report.roots().filter_map(|root| rules::of_code(&root.code)) {
        if !shown.iter().any(|seen| seen.code == rule.code) {
            shown.push(*rule);
        }
    }
    html! {
        @if !shown.is_empty() {
            section class="unprinted" {
                h2 { "About the codes" }
                div class="card" {
                    @for rule in shown {
                        details {
                            summary { (rule.code) " " (rule.name) }
                            // Inside: a link to the fold itself would not open it.
                            div id=(place(rule.code)) { (markup(&rule.page_markdown())) }
                        }
                    }
                }
            }
        }
    }
}

/// Where the page of a code stands.
pub(super) fn place(code: &str) -> String {
    format!("about-{code}")
}

/// What the pages are made of: headings, paragraphs, lists, code.
enum Block {
    Heading(String),
    Paragraph(String),
    Item(String),
    Code(String),
}

fn markup(page: &str) -> Markup {
    html! {
        @for block in blocks(page) {
            @match block {
                Block::Heading(text) => { h3 { (prose(&text)) } },
                Block::Paragraph(text) => { p { (inline(&text)) } },
                Block::Item(text) => { p class="item" { "– " (inline(&text)) } },
                Block::Code(text) => { pre { code { (text) } } },
            }
        }
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut fenced = false;
    let mut open = false;
    // The title stands above the fold.
    for line in page.lines().skip(1) {
        let text = line.trim();
        if text.starts_with("```") {
            fenced = !fenced;
            if fenced {
                blocks.push(Block::Code(String::new()));
            }
            open = false;
        } else if fenced {
            if let Some(Block::Code(code)) = blocks.last_mut() {
                code.push_str(line);
                code.push('\n');
            }
        } else if text.is_empty() {
            open = false;
        } else if let Some(heading) = text.strip_prefix("## ") {
            blocks.push(Block::Heading(heading.to_owned()));
            open = false;
        } else if let Some(item) = text.strip_prefix("- ") {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else if let Some(Block::Paragraph(before) | Block::Item(before)) = blocks.last_mut().filter(|_| open) {
            before.push(' ');
            before.push_str(text);
        } else {
            blocks.push(Block::Paragraph(text.to_owned()));
            open = true;
        }
    }
    blocks
}

/// A sentence with the links in it.
fn inline(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split("<https://").enumerate() {
            @match part.split_once('>').filter(|_| index > 0) {
                Some((address, rest)) => {
                    a href={ "https://" (address) } rel="noreferrer noopener" { "https://" (address) }
                    (prose(rest))
                },
                None => { (prose(part)) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_keeps_its_words() {
        for rule in rules::RULES {
            let page = rule.page_markdown();
            let html = markup(&page).into_string();
            assert_eq!(html.matches("<h3>").count(), crate::diagnose::rule::HEADINGS.len(), "{}", rule.code);
            assert_eq!(html.matches("<a href=\"https://").count(), page.matches("<https://").count(), "{}", rule.code);
            assert!(!html.contains("```") && !html.contains('`'), "{}: {html}", rule.code);
        }
    }
}
