//! The findings: of each root the fix first, then, folded, what shows it, what else can be done and what follows from it.

use maud::{Markup, html};

use super::{about, commands, prose};
use crate::diagnose::command::Command;
use crate::diagnose::finding::{Advice, Finding, Fix, Severity};
use crate::render::ticket::team;
use crate::render::words::{label, reach};
use crate::report::Report;

pub(super) fn section(report: &Report) -> Markup {
    html! {
        section {
            h2 { "Findings" }
            @if report.findings.is_empty() { p class="card" { "Nothing was found that needs a fix." } }
            @for root in report.roots() { (finding(report, root)) }
        }
    }
}

fn finding(report: &Report, root: &Finding) -> Markup {
    let (tone, word) = tone(root.severity);
    let (looks, changes): (Vec<&Fix>, Vec<&Fix>) = root.fix.iter().partition(|fix| fix.read_only);
    let (first, others) = changes.split_first().map_or((None, &changes[..]), |(first, others)| (Some(*first), others));
    let (needed, ways): (Vec<&Fix>, Vec<&Fix>) = others.iter().partition(|fix| !fix.alternative);
    // Where nothing can be changed from here, the look is what there is to do.
    let (shown, folded) = looks.split_at(looks.len().min(usize::from(root.severity > Severity::Info)));
    html! {
        article class={ "card finding " (tone) } {
            div class="tags" {
                span class="tag" { (word) }
                span class="code" { (root.code) }
                span class="soft" { (root.name) ", " (root.certainty.as_str()) }
            }
            h3 { (prose(&root.title)) }
            @if !root.fix.is_empty() || root.severity > Severity::Info {
                p class="who" { "Who: " b { (team(root.owner)) } }
            }
            @if let Some(fix) = first {
                div class="fix" {
                    p { "Fix: " (prose(&fix.text)) " " (tag(fix)) }
                    @for look in shown { (look_first(look)) }
                    (steps(fix, None))
                }
                @for other in needed { (change("and", other, Some(fix))) }
            } @else {
                @if root.severity > Severity::Info {
                    p { "No fix is known from here: give this to " (team(root.owner)) "." }
                }
                @for look in shown { div class="fix" { (look_first(look)) } }
            }
            @if !root.summary.is_empty() { p { (prose(&root.summary)) } }
            (verify(report, root))
            (evidence(root))
            @if !folded.is_empty() {
                details {
                    summary { "Look closer, read-only (" (folded.len()) ")" }
                    @for look in folded { div class="fix" { (look_first(look)) } }
                }
            }
            @if !ways.is_empty() {
                details {
                    summary { "Other ways (" (ways.len()) ")" }
                    @for way in &ways { (change(label(way, false), way, None)) }
                }
            }
            (names(root))
            (consequences(report, root))
            p {
                a href={ "#" (about::place(&root.code)) } { "More about " (root.code) }
                @if root.link.starts_with("https://") {
                    " · " a href=(root.link) rel="noreferrer noopener" { "Microsoft's documentation" }
                }
            }
        }
    }
}

fn tag(fix: &Fix) -> Markup {
    html! {
        @if fix.read_only {
            span class="tag off" { "read-only" }
        } @else {
            span class="tag warn" { "affects " (reach(fix.blast_radius)) }
        }
    }
}

pub(in crate::render) fn look_first(look: &Fix) -> Markup {
    html! {
        p class="label" { "Look first: " (prose(&look.text)) " " (tag(look)) }
        @if !look.commands.is_empty() { (commands(look.commands.iter().map(Command::as_str))) }
    }
}

pub(in crate::render) fn change(joins: &str, fix: &Fix, before: Option<&Fix>) -> Markup {
    html! {
        div class="fix" {
            p { span class="joins" { (joins) } " " (prose(&fix.text)) " " (tag(fix)) }
            (steps(fix, before))
        }
    }
}

/// What comes before the change, the change, and how to take it back; rights and policies that are those of the change before
/// it are not repeated.
fn steps(fix: &Fix, before: Option<&Fix>) -> Markup {
    let needs = fix.needs.as_ref().filter(|_| before.is_none_or(|before| before.needs != fix.needs));
    let policy = fix.policy.as_ref().filter(|_| before.is_none_or(|before| before.policy != fix.policy));
    html! {
        @if let Some(check) = &fix.check_first { (advice("Before you change anything", check)) }
        @for (label, text) in [("Needs", needs), ("Policy", policy)] {
            @if let Some(text) = text { p class="label" { (label) } p { (prose(text)) } }
        }
        @if !fix.commands.is_empty() {
            p class="label" { "Run" }
            (commands(fix.commands.iter().map(Command::as_str)))
        }
        @if let Some(undo) = &fix.undo { (advice("Undo", undo)) }
    }
}

fn advice(label: &str, advice: &Advice) -> Markup {
    html! {
        p class="label" { (label) }
        @if !advice.text.is_empty() { p { (prose(&advice.text)) } }
        @if !advice.commands.is_empty() { (commands(advice.commands.iter().map(Command::as_str))) }
    }
}

fn verify(report: &Report, root: &Finding) -> Markup {
    let verify = report.verify().filter(|_| root.severity > Severity::Info);
    html! {
        @if let Some(verify) = verify {
            p class="verify" { "Verify: run the same check again with " code { (verify.words.join(" ")) } }
        }
    }
}

fn evidence(root: &Finding) -> Markup {
    html! {
        @if !root.evidence.is_empty() || !root.excludes.is_empty() {
            details {
                summary { "Evidence (" (root.evidence.len()) ")" }
                ul { @for seen in &root.evidence { li { (prose(seen)) } } }
                @if !root.excludes.is_empty() {
                    p class="label" { "Ruled out" }
                    ul { @for excluded in &root.excludes { li { (prose(excluded)) } } }
                }
            }
        }
    }
}

fn names(root: &Finding) -> Markup {
    html! {
        @if !root.endpoints.is_empty() {
            details {
                summary { "Names (" (root.endpoints.len()) ")" }
                ul { @for name in &root.endpoints { li { code { (name) } } } }
            }
        }
    }
}

fn consequences(report: &Report, root: &Finding) -> Markup {
    let symptoms: Vec<_> = report.explained_by(root).collect();
    html! {
        @if !symptoms.is_empty() {
            details {
                summary { (symptoms.len()) (if symptoms.len() == 1 { " consequence" } else { " consequences" }) }
                ul {
                    @for symptom in symptoms {
                        li {
                            code { (symptom.code) } " " (symptom.name) ": " (prose(&symptom.title)) " " (prose(&symptom.summary))
                            @if !symptom.evidence.is_empty() {
                                ul { @for seen in &symptom.evidence { li { (prose(seen)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn tone(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("bad", "error"),
        Severity::Warning => ("warn", "warning"),
        Severity::Info => ("info", "information"),
    }
}
