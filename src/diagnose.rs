//! Runs every rule, then explains findings by their root causes.
//!
//! Rules make small statements ([`draft`]); `cause` finds the roots and gathers what belongs together; this module turns
//! the groups into [`Finding`]s. The result is a pure function of the observations.

use std::collections::{BTreeMap, BTreeSet};

use ampls_probes::Observations;

use cause::{Group, Statement};
use draft::Draft;
use facts::Facts;
use finding::{Argument, Certainty, Finding};
use levels::Levels;
use rule::Claim;
use rules::RULES;

mod browser;
mod cause;
pub mod command;
pub mod draft;
pub mod facts;
pub mod finding;
mod invariants;
pub mod levels;
mod need;
mod remedy;
pub mod rule;
pub mod rules;
#[cfg(test)]
mod scenarios;
mod severity;

/// Lines of evidence kept in one finding.
const MAX_EVIDENCE: usize = 16;
/// Ways to fix it kept in one finding.
const MAX_FIXES: usize = 12;

/// Judges what one run saw. Roots come first; the first is the one to fix first.
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
    let partial = facts.observations().later.counts().names > 0;
    let mut statements = Vec::new();
    let mut unexplained = Vec::new();
    // What a rule that is off says of a name is known to the user who switched it off: it is not unexplained.
    let mut accepted = BTreeSet::new();
    for rule in RULES {
        let level = levels.of(rule.code);
        if level == Some(levels::Level::Off) {
            accepted.extend((rule.check)(facts).into_iter().flat_map(|draft| draft.endpoints));
            continue;
        }
        if partial && rule.all_names {
            continue;
        }
        let statements = if rule.claim == Claim::Unexplained { &mut unexplained } else { &mut statements };
        for mut draft in (rule.check)(facts) {
            let given = level.and_then(levels::Level::severity);
            draft.severity = given.unwrap_or_else(|| severity::lowered(facts, rule, &draft));
            statements.push(Statement { layer: rule.layer, code: rule.code, draft, explains: rule.explains });
        }
    }
    unexplained
        .retain(|statement: &Statement<'_>| !statement.draft.endpoints.iter().all(|name| accepted.contains(name)));
    let groups = invariants::keep(facts, levels, cause::explain(statements), unexplained);
    let ids = ids(&groups);
    groups.iter().zip(&ids).map(|(group, id)| finding(facts, group, id, &groups, &ids)).collect()
}

/// The code, and a number where it occurs again.
fn ids(groups: &[Group<'_>]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(groups.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for group in groups {
        let count = counts.entry(group.code).or_default();
        let before = *count;
        *count += 1;
        ids.push(if before == 0 { group.code.to_owned() } else { format!("{}-{}", group.code, before + 1) });
    }
    ids
}

fn finding(facts: &Facts<'_>, group: &Group<'_>, id: &str, groups: &[Group<'_>], ids: &[String]) -> Finding {
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
        args: BTreeMap::new(),
        excludes: Vec::new(),
        owner: finding::Owner::Os,
        certainty: Certainty::Proven,
        fix: Vec::new(),
        link: rule.map(rule::Rule::link).unwrap_or_default().to_owned(),
        caused_by: root.and_then(|root| groups.get(root)).map(|root| root.code.to_owned()),
        caused_by_id: root.and_then(|root| ids.get(root)).cloned(),
    };
    // What the machine needs most is said first, and its look-ups are the ones that are printed.
    let rank = |name: &String| need::rank(facts, name);
    let mut ordered: Vec<&Draft> = group.drafts.iter().collect();
    ordered.sort_by_key(|draft| draft.endpoints.iter().map(rank).min());
    let Some(first) = ordered.first().copied() else {
        return merged;
    };
    let mut title = first.title.clone();
    merged.summary.clone_from(&first.summary);
    merged.owner = first.owner;
    for draft in &ordered {
        title.unite(&draft.title);
        merged.certainty = merged.certainty.max(draft.certainty);
    }
    let drafts = || ordered.iter().copied();
    merged.endpoints = united(drafts().flat_map(|draft| &draft.endpoints));
    merged.evidence = united(drafts().flat_map(|draft| &draft.evidence));
    merged.excludes = united(drafts().flat_map(|draft| &draft.excludes));
    // What to look at is the same for every name; what to change is not.
    merged.fix = united(drafts().flat_map(|draft| {
        let first = draft == first;
        draft.fix.iter().filter(move |fix| !fix.read_only || first)
    }));
    merged.title = title.text();
    merged.args = arguments(&ordered);
    merged.endpoints.sort_by_cached_key(rank);
    merged.fix = finding::joined(std::mem::take(&mut merged.fix));
    if facts.on_windows() {
        merged.fix = merged.fix.into_iter().map(finding::Fix::on_windows).collect();
    }
    // The reader goes from top to bottom, and a look shows which change it is. Changes keep their order: `or` speaks of the one before.
    merged.fix.sort_by_key(|fix| !fix.read_only);
    merged.fix.truncate(MAX_FIXES);
    if merged.evidence.len() > MAX_EVIDENCE {
        let more = merged.evidence.len() - MAX_EVIDENCE;
        merged.evidence.truncate(MAX_EVIDENCE);
        merged.evidence.push(format!("and {more} more observations"));
    }
    merged
}

/// Items, each once, in their order.
fn united<'d, T: Clone + Ord + 'd>(items: impl Iterator<Item = &'d T>) -> Vec<T> {
    let mut known = BTreeSet::new();
    items.filter(|item| known.insert(*item)).cloned().collect()
}

/// The values of each argument over all drafts, each once.
fn arguments(drafts: &[&Draft]) -> BTreeMap<String, Argument> {
    let mut lists: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    let mut found: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for draft in drafts {
        for (name, values) in &draft.lists {
            lists.entry(name).or_default().extend(values);
        }
        for (name, value) in &draft.args {
            found.entry(name).or_default().push(value);
        }
    }
    let listed = lists.into_iter().map(|(name, values)| (name.clone(), Argument::Many(united(values.into_iter()))));
    let single = found.into_iter().map(|(name, values)| {
        let mut values = united(values.into_iter());
        let only = if values.len() == 1 { values.pop() } else { None };
        (name.clone(), only.map_or(Argument::Many(values), Argument::One))
    });
    single.chain(listed).collect()
}
