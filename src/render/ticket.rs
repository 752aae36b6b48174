//! What to hand to the team that can fix it: what is wrong, what shows it, what to look at, change, undo and verify.
//!
//! It is put together here once; Markdown and the page show it each in their way.

use crate::diagnose::command::Command;
use crate::diagnose::finding::{Advice, Finding, Fix, Owner, Severity};
use crate::render::page::inert;
use crate::render::words::{self, reach};
use crate::report::{EndpointReport, Report};

/// A part of a ticket.
pub(super) enum Part {
    /// What the parts after it are about.
    Heading(String),
    /// A sentence and what it is.
    Said(&'static str, String),
    /// One of several things of the sentence before.
    Item(String),
    /// Lines to be copied.
    Commands(Vec<String>),
}

/// Those who have something to do, the first to act first.
pub(super) fn owners(report: &Report) -> Vec<Owner> {
    let mut owners = Vec::new();
    for root in faults(report) {
        if !owners.contains(&root.owner) {
            owners.push(root.owner);
        }
    }
    owners
}

/// The roots that call for something to be done.
pub(super) fn faults(report: &Report) -> impl Iterator<Item = &Finding> {
    report.roots().filter(|root| root.severity > Severity::Info)
}

/// What a sentence calls them.
pub(super) fn team(owner: Owner) -> &'static str {
    words::team_or(owner, "those who run this machine")
}

/// A ticket for this owner.
pub(super) fn ticket(report: &Report, owner: Owner) -> Vec<Part> {
    let mut parts = vec![Part::Heading(report.verdict.headline.clone()), Part::Said("For", team(owner).to_owned())];
    parts.extend(machine(report));
    let (own, others): (Vec<_>, Vec<_>) = faults(report).partition(|root| root.owner == owner);
    for root in &own {
        parts.push(Part::Heading(title(root)));
        parts.extend(symptom(root));
        parts.extend(evidence(report, root));
        for (index, fix) in root.fix.iter().enumerate() {
            parts.extend(self::fix(fix, if is_first_change(root, index) { "Change" } else { "Or" }, true));
        }
        if root.fix.iter().all(|fix| fix.read_only) {
            parts.push(Part::Said("Change", "no change is known from here".to_owned()));
        }
        parts.push(Part::Said("More", format!("`ampls-doctor explain {}`", root.code)));
    }
    if own.is_empty() {
        parts.push(Part::Said("Nothing to do", format!("no warning and no error is for {}", team(owner))));
    }
    for root in others {
        parts.push(Part::Said("Also found", format!("{} {}, for {}", root.code, root.name, team(root.owner))));
    }
    if !own.is_empty() {
        parts.extend(verify(report));
    }
    parts
}

/// Which machine, looked at when and by what.
pub(super) fn machine(report: &Report) -> Vec<Part> {
    let azure = report.host.azure.as_ref();
    let mut words = vec![format!("`{}`", report.host.name), report.host.os.clone()];
    words.extend(azure.and_then(|azure| azure.region.clone()));
    words.extend(azure.and_then(|azure| azure.subnet.clone()).map(|subnet| format!("subnet {subnet}")));
    words.retain(|word| !word.is_empty());
    let mut parts = vec![Part::Said("Machine", words.join(", "))];
    let ids = [
        ("Resource id", azure.and_then(|azure| azure.resource_id.as_ref())),
        ("VM id", azure.and_then(|azure| azure.vm_id.as_ref())),
    ];
    parts.extend(ids.into_iter().filter_map(|(name, id)| id.map(|id| Part::Said(name, format!("`{id}`")))));
    parts.push(Part::Said(
        "Checked",
        format!("{:.0} (UTC) by ampls-doctor {}, run `{}`", report.run.started_at, report.tool.version, report.run.id),
    ));
    if report.redacted.is_some() {
        parts.push(Part::Said("Note", "redacted: names and addresses are pseudonyms".to_owned()));
    }
    if !report.run.complete {
        parts.push(Part::Said("Cut short", "not every check was made".to_owned()));
    }
    parts
}

/// A root in a line.
pub(super) fn title(root: &Finding) -> String {
    format!("{} {} ({}, {}): {}", root.code, root.name, root.severity.as_str(), root.certainty.as_str(), root.title)
}

fn symptom(root: &Finding) -> Vec<Part> {
    let mut parts = Vec::new();
    if !root.summary.is_empty() {
        parts.push(Part::Said("Symptom", root.summary.clone()));
    }
    if !root.endpoints.is_empty() {
        parts.push(Part::Said("Names", quoted(&root.endpoints)));
    }
    parts
}

/// What shows it, with the times and the services' own ids of the requests, and what it is not.
pub(super) fn evidence(report: &Report, root: &Finding) -> Vec<Part> {
    let mut parts = Vec::new();
    let requests: Vec<String> = report.endpoints.iter().filter_map(|endpoint| request(root, endpoint)).collect();
    if !root.evidence.is_empty() || !requests.is_empty() {
        parts.push(Part::Said("Evidence", "times are UTC".to_owned()));
        parts.extend(root.evidence.iter().cloned().chain(requests).map(Part::Item));
    }
    parts.extend(root.excludes.iter().map(|excluded| Part::Said("Ruled out", excluded.clone())));
    parts
}

/// The request to an endpoint of the finding, by which the service's own logs name it.
fn request(root: &Finding, endpoint: &EndpointReport) -> Option<String> {
    let http = endpoint.http.as_ref().filter(|_| root.endpoints.contains(&endpoint.fqdn))?;
    let id = http.request_id.as_ref()?;
    let answer = http.status.map_or_else(|| http.outcome.to_string(), |status| format!("HTTP {status}"));
    Some(format!("at {:.3} `{}` gave {answer}, request id `{id}`", http.at, endpoint.fqdn))
}

/// Whether the fix at this place is the first that changes something.
pub(super) fn is_first_change(root: &Finding, index: usize) -> bool {
    root.fix.iter().position(|fix| !fix.read_only) == Some(index)
}

/// A look or a change; with how to undo it where there is room for that.
pub(super) fn fix(fix: &Fix, change: &'static str, undo: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    if fix.read_only {
        parts.push(Part::Said("Look (read-only)", fix.text.clone()));
        parts.extend(commands(&fix.commands));
        return parts;
    }
    if let Some(check) = &fix.check_first {
        parts.extend(advice("Before you change anything", check));
    }
    let label = if change == "Or" && !fix.alternative { "And" } else { change };
    parts.push(Part::Said(label, format!("{} (affects {})", fix.text, reach(fix.blast_radius))));
    parts.extend(commands(&fix.commands));
    parts.extend(fix.needs.clone().map(|needs| Part::Said("Rights needed", needs)));
    parts.extend(fix.policy.clone().map(|policy| Part::Said("Policy", policy)));
    if undo {
        parts.extend(fix.undo.as_ref().map(|undo| advice("Undo", undo)).unwrap_or_default());
    }
    parts
}

/// A sentence and the commands that go with it.
pub(super) fn advice(label: &'static str, advice: &Advice) -> Vec<Part> {
    let mut parts = vec![Part::Said(label, advice.text.clone())];
    parts.extend(commands(&advice.commands));
    parts
}

fn commands(commands: &[Command]) -> Option<Part> {
    (!commands.is_empty()).then(|| Part::Commands(commands.iter().map(|it| it.as_str().to_owned()).collect()))
}

/// How to see that it is fixed.
pub(super) fn verify(report: &Report) -> Option<Part> {
    report.verify().map(|verify| {
        let run = format!("on `{}` run the same check again with `{}`", report.host.name, verify.words.join(" "));
        Part::Said("Verify", format!("{run}; exit status 0 means fixed"))
    })
}

/// Names in backticks.
pub(super) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The parts as plain text.
pub(super) fn plain(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let lines = match part {
            Part::Heading(heading) => {
                let space = if text.is_empty() { "" } else { "\n" };
                vec![format!("{space}{}", line(heading))]
            }
            Part::Said(label, said) => vec![format!("{label}: {}", line(said)).trim_end().to_owned()],
            Part::Item(item) => vec![format!("- {}", line(item))],
            Part::Commands(commands) => commands.iter().map(|command| format!("    {}", inert(command))).collect(),
        };
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn line(text: &str) -> String {
    inert(text).replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{healthy, hostile, mixed, on_a_vm};

    #[test]
    fn a_ticket_says_what_shows_it_what_to_change_and_how_to_verify_it() {
        let report = on_a_vm(mixed());
        assert_eq!(owners(&report), [Owner::Dns]);
        let text = plain(&ticket(&report, Owner::Dns));
        let root = &report.findings[0];
        for wanted in [
            "For: your DNS team",
            "Resource id: /subscriptions/",
            "Symptom: ",
            "Evidence: times are UTC",
            "Look (read-only): ",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        for wanted in ["\nChange: ", "\nUndo: ", "\nVerify: on ", "--wait private --for 900"] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        assert!(root.fix.iter().flat_map(Fix::all_commands).all(|it| text.contains(&format!("    {}\n", it.as_str()))));
        assert!(!text.contains('`'), "{text}");
    }

    #[test]
    fn a_team_with_nothing_to_do_is_shown_who_has() {
        let text = plain(&ticket(&mixed(), Owner::Security));
        assert!(text.contains("no warning and no error is for your security team"), "{text}");
        assert!(text.contains("Also found: DNS003 zone-not-linked, for your DNS team"), "{text}");
        assert!(!text.contains("Verify"), "{text}");
        assert!(owners(&healthy()).is_empty());
    }

    #[test]
    fn the_services_own_id_of_a_request_is_evidence() {
        let mut report = healthy();
        let endpoint = report.endpoints.iter().find(|endpoint| endpoint.http.is_some()).unwrap().clone();
        let mut finding = mixed().findings[0].clone();
        finding.endpoints = vec![endpoint.fqdn.clone()];
        report.findings = vec![finding];
        let place = report.endpoints.iter_mut().find(|it| it.fqdn == endpoint.fqdn).unwrap();
        place.http.as_mut().unwrap().request_id = Some("5f0c6d1e".to_owned());
        let text = plain(&ticket(&report, Owner::Dns));
        assert!(
            text.contains(&format!("{} gave HTTP ", endpoint.fqdn)) && text.contains("request id 5f0c6d1e"),
            "{text}"
        );
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let report = hostile();
        let owner = owners(&report)[0];
        let text = plain(&ticket(&report, owner));
        assert!(!text.contains(|c| c != '\n' && crate::text::acts_on_output(c)), "{text:?}");
    }
}
