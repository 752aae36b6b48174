//! The answer on one screen: what is wrong, who acts, what to look at first, the fix, how to verify it.
//!
//! A terminal shows the last screen, so the first has to be the last. What does not fit gives way in a fixed order, and is
//! named; what must be known before a change stays as long as its command does.

use std::cmp::Reverse;

use ampls_probes::endpoint::{Expect, Expectation, Need};

use super::root::{Brevity, root};
use super::{endpoints, matrix};
use crate::diagnose::facts::Route;
use crate::diagnose::facts::delivery::Delivery;
use crate::diagnose::finding::{Finding, Owner, Severity};
use crate::render::page::{Detail, Paragraph, Style, Tint, columns_of};
use crate::render::words::{Mark, machine};
use crate::report::{Health, Report, Verify};

/// Rows for a healthy machine or one root: a terminal of 24, its prompt and a row to spare.
const ROWS: usize = 22;
/// Rows for each further root.
const FURTHER: usize = 10;
/// Endpoints that fail, by name: as many as there is room for.
const FAILING: [usize; 3] = [3, 1, 0];

/// Roots that are shown in full; a report by hand may hold any number.
const SHOWN: usize = 9;

/// The screen.
pub(super) fn paragraphs(report: &Report, style: &Style) -> Vec<Paragraph> {
    let mut roots: Vec<&Finding> = report.roots().filter(|root| root.severity > Severity::Info).collect();
    // What readers can do by themselves comes before what others have to do.
    roots.sort_by_key(|root| (Reverse(root.severity), root.owner != Owner::Os));
    let parts = Parts::new(report, style, &roots);
    let budget = ROWS + FURTHER * parts.roots.len().saturating_sub(1);
    let mut cut = Cut { failing: 0, alike: 0, blanks: true, brevity: vec![0; parts.roots.len()] };
    while parts.rows(&cut) > budget && cut.deeper(&parts) {}
    // The last cut may have left more room than it needed.
    for index in 0..cut.brevity.len() {
        for brevity in 0..Brevity::ALL.len() {
            let mut roomier = cut.clone();
            let Some(present) = roomier.brevity.get_mut(index).filter(|present| **present > brevity) else { break };
            *present = brevity;
            if parts.rows(&roomier) <= budget {
                cut = roomier;
                break;
            }
        }
    }
    parts.laid_out(&cut)
}

/// Some lines, and the rows of a terminal that they take.
struct Part {
    lines: Vec<Paragraph>,
    rows: usize,
}

impl Part {
    fn new(lines: Vec<Paragraph>, style: &Style) -> Self {
        let rows = lines.iter().map(|line| line.rows(style.columns())).sum();
        Self { lines, rows }
    }
}

/// Everything that may stand on the screen: what can give way in each of its forms, the longest first.
struct Parts {
    head: Vec<Part>,
    failing: Vec<Part>,
    summary: Part,
    roots: Vec<Vec<Part>>,
    foot: Part,
}

impl Parts {
    fn new(report: &Report, style: &Style, roots: &[&Finding]) -> Self {
        let faulty = !roots.is_empty();
        let part = |lines| Part::new(lines, style);
        let forms =
            |found: &Finding| Brevity::ALL.iter().map(|brevity| part(root(report, found, *brevity, style))).collect();
        let mut foot_lines = further(roots.get(SHOWN..).unwrap_or_default());
        foot_lines.extend(foot(report, style, roots));
        Self {
            head: [false, true].map(|alike| part(head(report, style, faulty, alike))).into(),
            failing: FAILING.map(|most| part(endpoints::failing(report, most, style.ascii))).into(),
            summary: part(summary(report, style, faulty)),
            roots: roots.iter().take(SHOWN).map(|found| forms(found)).collect(),
            foot: part(foot_lines),
        }
    }

    fn chosen<'a>(&'a self, cut: &'a Cut) -> impl Iterator<Item = &'a Part> {
        let roots = self.roots.iter().zip(&cut.brevity).filter_map(|(forms, brevity)| forms.get(*brevity));
        self.head
            .get(cut.alike)
            .into_iter()
            .chain(self.failing.get(cut.failing))
            .chain([&self.summary])
            .chain(roots)
            .chain([&self.foot])
    }

    fn rows(&self, cut: &Cut) -> usize {
        let blanks = if cut.blanks { self.roots.len() } else { 0 };
        self.chosen(cut).map(|part| part.rows).sum::<usize>() + blanks
    }

    fn laid_out(&self, cut: &Cut) -> Vec<Paragraph> {
        let before_roots = self.chosen(cut).count().saturating_sub(self.roots.len() + 1);
        let mut lines = Vec::new();
        for (number, part) in self.chosen(cut).enumerate() {
            let is_root = number >= before_roots && number < before_roots + self.roots.len();
            lines.extend((is_root && cut.blanks).then(Paragraph::blank));
            lines.extend(part.lines.iter().cloned());
        }
        lines
    }
}

/// Roots beyond those that are shown, by their codes.
fn further(roots: &[&Finding]) -> Vec<Paragraph> {
    let mut codes: Vec<&str> = Vec::new();
    for root in roots {
        if !codes.contains(&root.code.as_str()) {
            codes.push(&root.code);
        }
    }
    if codes.is_empty() {
        return Vec::new();
    }
    let text = format!("and {} more (-v): {}", roots.len(), codes.join(", "));
    vec![Paragraph::text(Tint::Plain, "", "  ", &text)]
}

/// Which form of each part is shown.
#[derive(Clone)]
struct Cut {
    failing: usize,
    /// Whether zones that are alike are one line.
    alike: usize,
    blanks: bool,
    brevity: Vec<usize>,
}

impl Cut {
    /// Leaves out the next thing: endpoints first, then of the longest root; `false` where nothing is left to leave out.
    fn deeper(&mut self, parts: &Parts) -> bool {
        if self.failing + 1 < parts.failing.len() {
            self.failing += 1;
            return true;
        }
        if self.alike + 1 < parts.head.len() {
            self.alike += 1;
            return true;
        }
        if std::mem::take(&mut self.blanks) {
            return true;
        }
        let forms = parts.roots.iter().zip(&mut self.brevity).filter(|(forms, brevity)| **brevity + 1 < forms.len());
        let longest = forms.max_by_key(|(forms, brevity)| forms.get(**brevity).map_or(0, |part| part.rows));
        longest.is_some_and(|(_, brevity)| {
            *brevity += 1;
            true
        })
    }
}

/// The headline, and the zones: with a fault the healthy ones are folded into a line.
fn head(report: &Report, style: &Style, faulty: bool, alike: bool) -> Vec<Paragraph> {
    let mut lines = headline(report, style);
    let table = matrix::lines(report, style, alike, |row| !faulty || row.mark != Mark::Good);
    lines.push(Paragraph::blank());
    lines.extend(table);
    lines
}

/// The tint of the headline.
pub(super) fn tint(report: &Report) -> Tint {
    match report.verdict.health {
        Health::Ok => Tint::Green,
        Health::Warning => Tint::Yellow,
        Health::Error => Tint::Red,
    }
}

/// The headline, and the machine at the end of its line.
pub(super) fn headline(report: &Report, style: &Style) -> Vec<Paragraph> {
    let tint = tint(report);
    let mut host = report.host.name.clone();
    if report.redacted.is_some() {
        host.push_str(" (redacted)");
    }
    let headline = &report.verdict.headline;
    let free = style.columns().saturating_sub(columns_of(headline) + columns_of(&host));
    if host.trim().is_empty() {
        vec![Paragraph::text(tint, "", "  ", headline)]
    } else if free >= 2 {
        vec![Paragraph::whole(tint, &format!("{headline}{}{host}", " ".repeat(free)))]
    } else {
        vec![Paragraph::text(tint, "", "  ", &format!("{headline}  {host}"))]
    }
}

/// What is well, in a line or two; on a healthy machine also what was not seen.
fn summary(report: &Report, style: &Style, faulty: bool) -> Vec<Paragraph> {
    let mut lines = Vec::new();
    if faulty {
        lines.push(folded(report, style));
    } else {
        lines.push(Paragraph::blank());
        let sentences: Vec<String> = required(report).into_iter().chain([endpoints::counted(report)]).collect();
        lines.push(Paragraph::text(Tint::Plain, "", "", &sentences.join(" ")));
        if let Some(hint) = hint(report) {
            lines.push(Paragraph::text(Tint::Plain, "", "", hint));
        }
        lines.push(Paragraph::text(Tint::Plain, "", "", &delivery(report)));
    }
    let unseen = report.unseen();
    if !unseen.is_empty() {
        lines.push(Paragraph::text(Tint::Plain, "", "  ", &format!("Not looked at: {}.", unseen.join("; "))));
    }
    if !faulty {
        lines.extend(noted(report));
    }
    if let Some(facts) = &report.run.facts {
        lines.push(Paragraph::text(Tint::Plain, "", "  ", &facts.sentence()));
    }
    if !faulty && report.notes.iter().any(|note| !note.answered) {
        let commands = report.notes.iter().filter(|note| note.command.is_some()).count();
        let text = format!(
            "Not visible from {}: scope members, access modes, rules (-v: {commands} commands)",
            machine(report)
        );
        lines.push(Paragraph::text(Tint::Plain, "", "  ", &text));
    }
    lines
}

/// The zones without a fault, how many endpoints answer, and whether data is known to arrive.
fn folded(report: &Report, style: &Style) -> Paragraph {
    let good: Vec<_> = matrix::rows(report).into_iter().filter(|row| row.mark == Mark::Good).collect();
    let mut sentences = Vec::new();
    for route in [Route::Private, Route::Mixed, Route::Public] {
        let zones: Vec<&str> = good.iter().filter(|row| row.route == route).map(|row| row.zone.as_str()).collect();
        if !zones.is_empty() {
            sentences.push(format!("{}: {}.", zones.join(", "), route.label()));
        }
    }
    sentences.push(endpoints::answering(report));
    if report.verdict.delivery == Delivery::Unproven {
        sentences.push(sentence(&report.flow()));
    }
    // That there is no agent stands before it in words.
    let infos = report.roots().filter(|root| root.severity == Severity::Info && root.code != NO_AGENT);
    let infos: Vec<String> = infos.map(|root| format!("{} {}", root.code, root.name)).collect();
    if !infos.is_empty() {
        sentences.push(format!("Noted: {}.", infos.join(", ")));
    }
    let mark = if good.is_empty() { Mark::Open } else { Mark::Good };
    Paragraph::text(Tint::Plain, "", "", &sentences.join(" ")).marked(mark.tint(), mark.shown(style.ascii))
}

const NO_AGENT: &str = "AGT002";

/// How many of the required names that can be private are, and answer.
fn required(report: &Report) -> Option<String> {
    let required: Vec<_> = report
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.need == Need::Required && endpoint.expected == Expectation::Private)
        .collect();
    let total = required.len();
    let route = report.verdict.route;
    let routed: Vec<_> = required.iter().filter(|endpoint| endpoint.route == route).collect();
    let answering = routed.iter().filter(|endpoint| endpoint.reachable == Some(true)).count();
    if total == 0 || route == Route::None {
        None
    } else if answering == routed.len() {
        Some(format!("{answering} of {total} required names are {} and answer.", route.label()))
    } else {
        Some(format!("{} of {total} required names are {}, {answering} answer.", routed.len(), route.label()))
    }
}

/// What to do where what was found may not be what is wanted.
fn hint(report: &Report) -> Option<&'static str> {
    let auto = report.run.expect == Expect::Auto;
    let capable = report.endpoints.iter().any(|endpoint| endpoint.expected == Expectation::Private);
    (auto && capable && report.verdict.route == Route::Public)
        .then_some("If you expect a private link, run with --expect private.")
}

/// Whether data is known to arrive, and what shows it.
fn delivery(report: &Report) -> String {
    let evidence = report.verdict.delivery_evidence.as_deref().unwrap_or("the agents' files were not looked at");
    match report.verdict.delivery {
        Delivery::Unproven => format!("Not proven: does data arrive? {}", sentence(evidence)),
        Delivery::Delivering | Delivery::Failing => sentence(evidence),
    }
}

/// Information, in a line.
fn noted(report: &Report) -> Option<Paragraph> {
    let infos: Vec<&Finding> = report.roots().filter(|root| root.severity == Severity::Info).collect();
    let text = match infos.as_slice() {
        [] => return None,
        [info] => format!("{} {}", info.code, info.title),
        infos => infos.iter().map(|info| format!("{} {}", info.code, info.name)).collect::<Vec<_>>().join(", "),
    };
    Some(Paragraph::text(Tint::Plain, "Noted: ", "  ", &text))
}

/// How to verify the fix, where the rest is, how to send it.
pub(super) fn foot(report: &Report, style: &Style, roots: &[&Finding]) -> Vec<Paragraph> {
    let mut lines = Vec::new();
    if let Some(verify) = report.verify().filter(|_| !roots.is_empty()) {
        lines.push(Paragraph::whole(Tint::Plain, &format!("Verify {}", again(report, &verify))));
    }
    let more = if style.detail < Detail::More { "-v (evidence, undo)" } else { "-vv" };
    let why = roots.first().map_or_else(String::new, |root| format!("   Why   ampls-doctor explain {}", root.code));
    lines.push(Paragraph::whole(Tint::Plain, &format!("More   this command with {more}{why}")));
    if report.offers_to_ask_azure() {
        let ask = "Ask    this command with --ask-azure (rules and endpoint that Azure has)";
        lines.push(Paragraph::whole(Tint::Plain, ask));
    }
    let send = "Send   this command with --redact -o report.json (names replaced)";
    lines.push(Paragraph::whole(Tint::Plain, send));
    lines
}

/// The check with more arguments. A report does not hold the arguments of its run word for word, so the reader repeats them.
fn again(report: &Report, verify: &Verify) -> String {
    let check = if report.has_arguments() { "the same check with" } else { "ampls-doctor check" };
    let waits = verify.waits.map(|most| format!(" (waits up to {} min)", most.as_secs() / 60)).unwrap_or_default();
    format!("{check} {}{waits}", verify.words.join(" "))
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if clause.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}
