//! A root on the first screen: its title, who acts, what to look at first, the fix.

use ampls_probes::endpoint::Need;

use crate::diagnose::command::Command;
use crate::diagnose::finding::{Finding, Fix};
use crate::render::page::{Paragraph, Style, Tint};
use crate::render::words::{self, Mark, team};
use crate::report::{EndpointReport, Report};

/// How much of a root is left out, from nothing to all that can be: each step leaves out more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Brevity {
    /// Two looks, what is looked at before the change, and all commands.
    #[default]
    Full,
    /// One name of many in the title.
    ShortTitle,
    /// Who acts, without the rights that it takes.
    ShortWho,
    /// One look.
    OneLook,
    /// One command of the look.
    OneLookCommand,
    /// Of further changes only that they are needed.
    OneChange,
    /// One command of what is looked at before the change.
    OneCheck,
    /// One command of the change.
    OneCommand,
    /// The first clause of what is to be known before the change, and of the fix; the others are counted.
    FirstClauses,
    /// The look before a change in words alone: when to stop stands in them. Where the change needs what the look prints, the
    /// change in words alone.
    LookInWords,
    /// What is looked at before the change in words alone.
    CheckInWords,
    /// The change in words alone, and one command of the look: it comes first. What is to be known before the change is left to
    /// `-v` with its commands.
    InWords,
    /// No commands.
    NoCommands,
    /// The first clause of the look.
    ShortLook,
    /// No look where something is to be known before the change anyway.
    NoLook,
}

impl Brevity {
    /// From nothing left out to all that can be.
    pub(super) const ALL: [Self; 15] = [
        Self::Full,
        Self::ShortTitle,
        Self::ShortWho,
        Self::OneLook,
        Self::OneLookCommand,
        Self::OneChange,
        Self::OneCheck,
        Self::OneCommand,
        Self::FirstClauses,
        Self::LookInWords,
        Self::CheckInWords,
        Self::InWords,
        Self::NoCommands,
        Self::ShortLook,
        Self::NoLook,
    ];
}

/// The columns before a text beside its label.
const INDENT: &str = "          ";

/// The lines of a root.
pub(super) fn root(report: &Report, root: &Finding, brevity: Brevity, style: &Style) -> Vec<Paragraph> {
    let mark = Mark::of(root.severity);
    let title = if brevity >= Brevity::ShortTitle { one_name(report, &root.title) } else { root.title.clone() };
    let title = format!("{title} ({})", root.certainty.as_str());
    let head = Paragraph::text(Tint::Bold, &format!("{}  ", root.code), "        ", &title);
    let mut lines = vec![head.marked(mark.tint(), mark.shown(style.ascii))];

    let team = team(report, root.owner);
    let who = if brevity < Brevity::ShortWho { who(&team, &root.fix) } else { team.clone() };
    lines.push(labelled("Who", &who));
    steps(&root.fix, &team, brevity, (lines, report.run.facts.is_some()))
}

/// Who acts, and the right that the first change takes.
pub(in crate::render) fn who(team: &str, fixes: &[Fix]) -> String {
    let change = fixes.iter().find(|fix| !fix.read_only);
    change
        .and_then(|change| change.needs.as_deref())
        .map_or_else(|| team.to_owned(), |it| format!("{team}; needs {it}"))
}

/// What to look at first, what to know before the change, and the change.
pub(in crate::render) fn to_do(fixes: &[Fix], team: &str) -> Vec<Paragraph> {
    steps(fixes, team, Brevity::OneCheck, (Vec::new(), false))
}

/// `held`: what Azure holds is known, and a change that it fills in needs no look-up.
fn steps(fixes: &[Fix], team: &str, brevity: Brevity, (lines, held): (Vec<Paragraph>, bool)) -> Vec<Paragraph> {
    let first = fixes.iter().position(|fix| !fix.read_only);
    let looks: Vec<&Fix> = fixes.iter().take(first.unwrap_or(fixes.len())).collect();
    let change = first.and_then(|first| fixes.get(first));
    let left_out =
        LeftOut { ways: fixes.iter().filter(|fix| fix.alternative && !fix.read_only).count(), ..LeftOut::default() };
    let is_filled = held && change.is_some_and(|change| !is_to_be_filled(change));
    let mut steps = Steps { brevity, lines, left_out, looked: false, is_filled, fix: None };
    steps.looks(&looks, change);
    match change {
        Some(change) => {
            let also: Vec<&Fix> = also(fixes, first.unwrap_or_default());
            steps.change(change, &also);
        }
        None => steps.nothing(team),
    }
    steps.end()
}

/// Whether the command of a change holds what somebody has to look up.
fn is_to_be_filled(change: &Fix) -> bool {
    change.commands.first().is_some_and(|command| !command.asks().is_empty())
}

/// Further changes that are needed beside the first.
fn also(fixes: &[Fix], first: usize) -> Vec<&Fix> {
    fixes.iter().skip(first + 1).filter(|fix| !fix.read_only && !fix.alternative).collect()
}

/// What `-v` adds beside what it always adds: evidence, the rights that a change takes, undo.
#[derive(Default)]
struct LeftOut {
    clauses: usize,
    commands: usize,
    ways: usize,
}

struct Steps {
    brevity: Brevity,
    lines: Vec<Paragraph>,
    left_out: LeftOut,
    looked: bool,
    /// What Azure holds stands in the change: look-ups of it are not shown.
    is_filled: bool,
    /// Where the line of the fix stands, and its text.
    fix: Option<(usize, String)>,
}

impl Steps {
    fn looks(&mut self, looks: &[&Fix], change: Option<&Fix>) {
        let checked = change.is_some_and(|change| change.check_first.is_some());
        let shown = match self.brevity {
            Brevity::Full | Brevity::ShortTitle | Brevity::ShortWho => 2,
            brevity if brevity >= Brevity::NoLook && checked => 0,
            _ => 1,
        };
        let commands = match self.brevity {
            // Where nothing is to be changed yet, the look is what there is to type.
            brevity if brevity >= Brevity::NoCommands && change.is_some() => 0,
            Brevity::LookInWords | Brevity::CheckInWords if change.is_some_and(|change| !is_to_be_filled(change)) => 0,
            brevity if brevity >= Brevity::OneLookCommand => 1,
            _ => usize::MAX,
        };
        for look in looks.iter().take(shown) {
            let text = self.clauses(&look.text, Brevity::ShortLook);
            self.look(&text);
            let found = |command: &&Command| self.is_filled && !command.gives().is_empty();
            let wanted: Vec<Paragraph> =
                look.commands.iter().filter(|it| !found(it)).take(commands).map(line).collect();
            self.lines.extend(wanted);
        }
    }

    fn look(&mut self, text: &str) {
        let label = if self.looked { "Then" } else { "First" };
        self.looked = true;
        self.lines.push(labelled(label, text));
    }

    fn change(&mut self, change: &Fix, also: &[&Fix]) {
        let (checks, commands) = match self.brevity {
            brevity if brevity >= Brevity::NoCommands => (0, 0),
            brevity if brevity >= Brevity::LookInWords && is_to_be_filled(change) => (usize::from(!self.looked), 0),
            Brevity::InWords => (0, 0),
            Brevity::CheckInWords => (0, 1),
            brevity if brevity >= Brevity::OneCommand => (1, 1),
            Brevity::OneCheck => (1, usize::MAX),
            _ => (usize::MAX, usize::MAX),
        };
        let is_left_out = self.brevity == Brevity::InWords && self.looked;
        if is_left_out && let Some(check) = &change.check_first {
            self.left_out.clauses += check.text.split("; ").count();
        }
        if let Some(check) = change.check_first.as_ref().filter(|_| !is_left_out) {
            let text = if check.text.is_empty() { "before you change anything:" } else { &check.text };
            let text = self.clauses(text, Brevity::FirstClauses);
            let label = if check.commands.is_empty() || checks == 0 { "Caution" } else { "Before" };
            self.lines.push(labelled(label, &text));
            self.commands(&check.commands, checks);
        }
        self.fix("Fix", change, commands);
        if self.brevity >= Brevity::OneChange {
            self.left_out.commands += also.iter().map(|fix| fix.commands.len().max(1)).sum::<usize>();
            return;
        }
        for fix in also {
            self.fix("And", fix, commands);
        }
    }

    fn fix(&mut self, label: &str, fix: &Fix, most: usize) {
        let text = self.clauses(fix.text.trim_end_matches('.'), Brevity::FirstClauses);
        let text = format!("{text}. Affects {}.", words::reach(fix.blast_radius));
        self.fix.get_or_insert_with(|| (self.lines.len(), text.clone()));
        self.lines.push(labelled(label, &text));
        self.commands(&fix.commands, most);
    }

    /// The text, or its first clause from this brevity on.
    fn clauses(&mut self, text: &str, from: Brevity) -> String {
        if self.brevity < from {
            return text.to_owned();
        }
        let mut clauses = text.split("; ");
        let first = clauses.next().unwrap_or_default().to_owned();
        self.left_out.clauses += clauses.count();
        first
    }

    fn nothing(&mut self, team: &str) {
        let text = if team.starts_with("you,") {
            "depends on what that shows.".to_owned()
        } else {
            format!("depends on what that shows. Give this to {team}.")
        };
        self.fix.get_or_insert_with(|| (self.lines.len(), text.clone()));
        self.lines.push(labelled("Fix", &text));
    }

    fn commands(&mut self, commands: &[Command], most: usize) {
        self.lines.extend(commands.iter().take(most).map(line));
        self.left_out.commands += commands.len().saturating_sub(most);
    }

    /// What `-v` adds, on the line of the fix.
    fn end(mut self) -> Vec<Paragraph> {
        let LeftOut { clauses, commands, ways } = self.left_out;
        let counted = |count: usize, one: &str, several: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {several}")),
        };
        let parts: Vec<String> = [
            counted(clauses, "caution", "cautions"),
            counted(commands, "more command", "more commands"),
            counted(ways, "other way", "other ways"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some((at, text)) = self.fix.filter(|_| !parts.is_empty())
            && let Some(line) = self.lines.get_mut(at)
        {
            *line = labelled("Fix", &format!("{text} (-v: {})", parts.join(", ")));
        }
        self.lines
    }
}

fn line(command: &Command) -> Paragraph {
    Paragraph::whole(Tint::Plain, &format!("    {}", command.as_str()))
}

fn labelled(label: &str, text: &str) -> Paragraph {
    Paragraph::text(Tint::Plain, &format!("  {label:7} "), INDENT, text)
}

/// A title in which one name or zone stands for a list of them: `a`, `b` and 4 more become `a` and 5 more. The first that is
/// required stays.
fn one_name(report: &Report, title: &str) -> String {
    let is_it =
        |endpoint: &EndpointReport, quoted: &str| endpoint.fqdn == quoted || endpoint.zone.as_deref() == Some(quoted);
    let is_name = |quoted: &&str| report.endpoints.iter().any(|endpoint| is_it(endpoint, quoted));
    let is_required = |quoted: &&&str| {
        report.endpoints.iter().any(|endpoint| endpoint.need == Need::Required && is_it(endpoint, quoted))
    };
    let parts: Vec<&str> = title.split('`').collect();
    // What is between backticks stands at odd places.
    let Some(start) = (1..parts.len()).step_by(2).find(|at| parts.get(*at).is_some_and(is_name)) else {
        return title.to_owned();
    };
    let joins = |at: usize| matches!(parts.get(at), Some(&", " | &" and ")) && parts.get(at + 1).is_some_and(is_name);
    let mut end = start;
    while joins(end + 1) {
        end += 2;
    }
    let named: Vec<&str> = (start..=end).step_by(2).filter_map(|at| parts.get(at).copied()).collect();
    let rest = parts.get(end + 1).copied().unwrap_or_default();
    let (more, rest) = match rest.strip_prefix(" and ").and_then(|rest| rest.split_once(" more")) {
        Some((number, rest)) if number.parse::<usize>().is_ok() => (number.parse().unwrap_or_default(), rest),
        _ => (0, rest),
    };
    let kept = named.iter().find(is_required).or(named.first());
    let (Some(kept), count) = (kept, named.len() - 1 + more) else { return title.to_owned() };
    if count == 0 {
        return title.to_owned();
    }
    let before = parts.get(..start).unwrap_or_default().join("`");
    let after = parts.get(end + 2..).unwrap_or_default().join("`");
    let after = if after.is_empty() { after } else { format!("`{after}") };
    format!("{before}`{kept}` and {count} more{rest}{after}")
}
