//! Runs every rule, then explains findings by their root causes.
//!
//! Rules make small statements ([`draft`]); `cause` finds the roots and gathers what belongs together; this module turns
//! the groups into [`Finding`]s. The result is a pure function of the observations.

use ampls_probes::Observations;

use cause::{Group, Statement};
use facts::Facts;
use finding::{Certainty, Finding};
use levels::Levels;
use rules::RULES;

mod browser;
mod cause;
pub mod draft;
pub mod facts;
pub mod finding;
pub mod levels;
mod remedy;
pub mod rule;
pub mod rules;
#[cfg(test)]
mod scenarios;
pub mod severity;

/// Lines of evidence kept in one finding.
const MAX_EVIDENCE: usize = 16;
/// Ways to mend it kept in one finding.
const MAX_FIXES: usize = 12;
/// Values of one argument kept in one finding.
const MAX_VALUES: usize = 8;

/// Judges what one run saw. Roots come first; the first is the one to mend first.
pub fn diagnose(observations: &Observations) -> Vec<Finding> {
    diagnose_facts(&Facts::new(observations))
}

/// The same, of facts that exist already.
pub fn diagnose_facts(facts: &Facts<'_>) -> Vec<Finding> {
    diagnose_with(facts, &Levels::default())
}

/// The same, with severities that the user gave to rules. They hold before anything is explained: what a rule that is off would
/// have explained becomes a root, and a root still is as bad as the worst of what it explains.
pub fn diagnose_with(facts: &Facts<'_>, levels: &Levels) -> Vec<Finding> {
    let mut statements = Vec::new();
    for rule in RULES {
        let level = levels.of(rule.code);
        if level == Some(levels::Level::Off) {
            continue;
        }
        for mut draft in (rule.check)(facts) {
            let given = level.and_then(levels::Level::severity);
            draft.severity = given.unwrap_or_else(|| severity::lowered(facts, rule.code, &draft));
            statements.push(Statement { layer: rule.layer, code: rule.code, draft, explains: rule.explains });
        }
    }
    without_the_explained(&mut statements);
    let groups = cause::explain(statements);
    let ids = ids(&groups);
    groups.iter().zip(&ids).map(|(group, id)| finding(group, id, &groups, &ids)).collect()
}

/// RUN003 says that nothing else says why a name does not work: it holds only where that is so.
fn without_the_explained(statements: &mut Vec<Statement<'_>>) {
    let told: std::collections::BTreeSet<String> = statements
        .iter()
        .filter(|statement| statement.code != "RUN003" && statement.draft.severity > finding::Severity::Info)
        .flat_map(|statement| statement.draft.endpoints.iter().cloned())
        .collect();
    let whole_machine = statements.iter().any(|statement| {
        statement.draft.reach == draft::Reach::Machine && statement.draft.severity > finding::Severity::Info
    });
    statements.retain(|statement| {
        statement.code != "RUN003"
            || !(whole_machine || statement.draft.endpoints.iter().all(|endpoint| told.contains(endpoint)))
    });
}

/// The code, and a number where it occurs again.
fn ids(groups: &[Group<'_>]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let before = groups.iter().take(index).filter(|earlier| earlier.code == group.code).count();
        ids.push(if before == 0 { group.code.to_owned() } else { format!("{}-{}", group.code, before + 1) });
    }
    ids
}

fn finding(group: &Group<'_>, id: &str, groups: &[Group<'_>], ids: &[String]) -> Finding {
    let rule = rules::of_code(group.code);
    let root = group.root;
    let mut merged = Finding {
        id: id.to_owned(),
        code: group.code.to_owned(),
        name: rule.map(|rule| rule.name).unwrap_or_default().to_owned(),
        severity: group.severity,
        title: String::new(),
        summary: String::new(),
        endpoints: Vec::new(),
        evidence: Vec::new(),
        args: std::collections::BTreeMap::new(),
        excludes: Vec::new(),
        owner: finding::Owner::Os,
        certainty: Certainty::Proven,
        fix: Vec::new(),
        link: rule.map(rule::Rule::link).unwrap_or_default().to_owned(),
        caused_by: root.and_then(|root| groups.get(root)).map(|root| root.code.to_owned()),
        caused_by_id: root.and_then(|root| ids.get(root)).cloned(),
    };
    let Some(first) = group.drafts.first() else {
        return merged;
    };
    let mut title = first.title.clone();
    merged.summary.clone_from(&first.summary);
    merged.owner = first.owner;
    for draft in &group.drafts {
        title.unite(&draft.title);
        merged.certainty = merged.certainty.max(draft.certainty);
        unite(&mut merged.endpoints, &draft.endpoints);
        unite(&mut merged.evidence, &draft.evidence);
        unite(&mut merged.excludes, &draft.excludes);
        // What to look at is the same for every name; what to change is not.
        let more: Vec<_> = draft.fix.iter().filter(|fix| !fix.read_only || draft == first).cloned().collect();
        unite(&mut merged.fix, &more);
    }
    merged.title = title.text();
    merged.args = arguments(group);
    merged.endpoints.sort();
    merged.fix = finding::joined(std::mem::take(&mut merged.fix));
    merged.fix.truncate(MAX_FIXES);
    if merged.evidence.len() > MAX_EVIDENCE {
        let more = merged.evidence.len() - MAX_EVIDENCE;
        merged.evidence.truncate(MAX_EVIDENCE);
        merged.evidence.push(format!("and {more} more observations"));
    }
    merged
}

fn unite<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
}

/// The values of each argument, joined by commas where drafts differ.
fn arguments(group: &Group<'_>) -> std::collections::BTreeMap<String, String> {
    let mut values: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, value) in group.drafts.iter().flat_map(|draft| &draft.args) {
        unite(values.entry(name.clone()).or_default(), std::slice::from_ref(value));
    }
    let joined = |values: Vec<String>| match values.len().saturating_sub(MAX_VALUES) {
        0 => values.join(", "),
        rest => format!("{} and {rest} more", values.get(..MAX_VALUES).unwrap_or_default().join(", ")),
    };
    values.into_iter().map(|(name, values)| (name, joined(values))).collect()
}
