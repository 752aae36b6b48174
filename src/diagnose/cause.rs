//! Which statement explains which. Pure: it knows codes, endpoints and what a rule says it explains, and nothing else.
//!
//! A statement is a symptom when another one lists its code and reaches all of its endpoints. Chains lead to their root.
//! Where statements explain each other in a circle the first of them is the root, so that a root is never hidden.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Reach};
use super::finding::Severity;
use super::rule::Layer;

/// A statement with what its rule says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Statement<'r> {
    pub(super) layer: Layer,
    pub(super) code: &'r str,
    pub(super) draft: Draft,
    pub(super) explains: &'r [&'r str],
}

/// Statements of one code, one root and one group: one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group<'r> {
    pub(super) code: &'r str,
    pub(super) layer: Layer,
    pub(super) severity: Severity,
    /// In a canonical order, never empty.
    pub(super) drafts: Vec<Draft>,
    /// The place of the root in the result; `None` for a root.
    pub(super) root: Option<usize>,
}

/// Groups statements: roots first, by severity, layer and code; then symptoms in the same order. A root has the highest severity
/// among what it explains.
pub(super) fn explain(mut statements: Vec<Statement<'_>>) -> Vec<Group<'_>> {
    statements.sort();
    statements.dedup();
    let causes: Vec<BTreeSet<usize>> = ancestors(&statements);
    let root_of: Vec<usize> = (0..statements.len()).map(|one| root(one, &causes)).collect();

    let mut roots = Groups::default();
    let mut place_of_root = vec![0; statements.len()];
    for (index, statement) in statements.iter().enumerate().filter(|(index, _)| root_of.get(*index) == Some(index)) {
        let place = roots.gather(statement, None);
        if let Some(slot) = place_of_root.get_mut(index) {
            *slot = place;
        }
    }
    let mut symptoms = Groups::default();
    for (index, statement) in statements.iter().enumerate() {
        let Some(place) = root_of.get(index).filter(|root| **root != index).and_then(|root| place_of_root.get(*root))
        else {
            continue;
        };
        symptoms.gather(statement, Some(*place));
        if let Some(root) = roots.all.get_mut(*place) {
            root.severity = root.severity.max(statement.draft.severity);
        }
    }
    ordered(&roots.all, symptoms.all)
}

/// The statements that explain each statement, directly or through others.
fn ancestors(statements: &[Statement<'_>]) -> Vec<BTreeSet<usize>> {
    let mut causes_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (cause, statement) in statements.iter().enumerate() {
        for code in statement.explains {
            causes_of.entry(code).or_default().push(cause);
        }
    }
    let parents: Vec<Vec<usize>> = statements
        .iter()
        .enumerate()
        .map(|(symptom, explained)| {
            let causes = causes_of.get(explained.code).into_iter().flatten().copied().filter(|cause| *cause != symptom);
            let explaining = |cause: &usize| statements.get(*cause).is_some_and(|cause| explains(cause, explained));
            causes.filter(explaining).collect()
        })
        .collect();
    (0..statements.len())
        .map(|one| {
            let mut known = BTreeSet::new();
            let mut next = parents.get(one).cloned().unwrap_or_default();
            while let Some(cause) = next.pop() {
                if known.insert(cause) {
                    next.extend(parents.get(cause).into_iter().flatten());
                }
            }
            known
        })
        .collect()
}

fn explains(cause: &Statement<'_>, symptom: &Statement<'_>) -> bool {
    if cause.code == symptom.code || !cause.explains.contains(&symptom.code) {
        return false;
    }
    // Another port of the host is another service.
    if let (Some(cause), Some(symptom)) = (cause.draft.port, symptom.draft.port)
        && cause != symptom
    {
        return false;
    }
    let covers = |reached: &[String]| {
        !symptom.draft.endpoints.is_empty() && symptom.draft.endpoints.iter().all(|name| reached.contains(name))
    };
    match &cause.draft.reach {
        Reach::Nothing => false,
        Reach::Machine => true,
        Reach::Own => covers(&cause.draft.endpoints),
        Reach::Only(endpoints) => covers(endpoints),
        Reach::Split { only, own } => covers(only) || (own.contains(&symptom.code) && covers(&cause.draft.endpoints)),
    }
}

/// The root of a statement: itself when nothing outside its own circle explains it and it is the first of the circle, else
/// the first root among its causes.
fn root(one: usize, causes: &[BTreeSet<usize>]) -> usize {
    let none = BTreeSet::new();
    let of = |index: usize| causes.get(index).unwrap_or(&none);
    let is_root = |index: usize| {
        of(index).iter().all(|cause| of(*cause).contains(&index))
            && of(index).first().is_none_or(|first| index <= *first)
    };
    if is_root(one) {
        return one;
    }
    of(one).iter().copied().find(|cause| is_root(*cause)).unwrap_or(one)
}

/// Groups, and where each of them stands.
#[derive(Default)]
struct Groups<'r> {
    all: Vec<Group<'r>>,
    places: BTreeMap<(&'r str, Option<usize>, String), usize>,
}

impl<'r> Groups<'r> {
    /// Puts a statement into its group, and tells the group's place.
    fn gather(&mut self, statement: &Statement<'r>, root: Option<usize>) -> usize {
        let key = (statement.code, root, statement.draft.group.clone());
        let place = *self.places.entry(key).or_insert(self.all.len());
        if let Some(group) = self.all.get_mut(place) {
            group.severity = group.severity.max(statement.draft.severity);
            group.drafts.push(statement.draft.clone());
            return place;
        }
        self.all.push(Group {
            code: statement.code,
            layer: statement.layer,
            severity: statement.draft.severity,
            drafts: vec![statement.draft.clone()],
            root,
        });
        place
    }
}

/// Groups whose severities changed, and statements that nothing explains, in their order.
pub(super) fn joined<'r>(groups: Vec<Group<'r>>, more: &[Statement<'r>]) -> Vec<Group<'r>> {
    let (mut roots, symptoms): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.root.is_none());
    let mut unexplained = Groups::default();
    for statement in more {
        unexplained.gather(statement, None);
    }
    roots.extend(unexplained.all);
    ordered(&roots, symptoms)
}

fn ordered<'r>(roots: &[Group<'r>], mut symptoms: Vec<Group<'r>>) -> Vec<Group<'r>> {
    let mut places: Vec<usize> = (0..roots.len()).collect();
    // A group may name servers, whose order behind a stub means nothing.
    let words = |group: &str| -> BTreeSet<String> { group.split([' ', ',']).map(str::to_owned).collect() };
    let order = |group: &Group<'r>| {
        let first = group.drafts.first().map(|draft| (words(&draft.group), draft.endpoints.clone()));
        (std::cmp::Reverse(group.severity), group.layer, group.code, first)
    };
    places.sort_by_key(|place| roots.get(*place).map(order));
    for symptom in &mut symptoms {
        symptom.root = symptom.root.and_then(|old| places.iter().position(|place| *place == old));
    }
    symptoms.sort_by_key(|group| (order(group), group.root));
    let mut all: Vec<Group<'r>> = places.iter().filter_map(|place| roots.get(*place).cloned()).collect();
    all.extend(symptoms);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::draft::Title;
    use super::super::finding::Owner;
    use super::*;

    const CODES: [&str; 5] = ["AAA001", "AAA002", "BBB001", "BBB002", "CCC001"];
    /// Explains in circles on purpose.
    const EXPLAINS: [&[&str]; 5] =
        [&["BBB001", "AAA002"], &["BBB002", "AAA001"], &["CCC001"], &["CCC001", "BBB001"], &["AAA001"]];

    fn statement(code: usize, severity: Severity, endpoints: &[&str], reach: Reach) -> Statement<'static> {
        let draft =
            Draft::new(severity, Owner::Dns, Title::plain("x")).about(endpoints.iter().copied()).reaching(reach);
        Statement { layer: Layer::Dns, code: CODES[code], draft, explains: EXPLAINS[code] }
    }

    fn any_statement() -> impl Strategy<Value = Statement<'static>> {
        let severity = prop_oneof![Just(Severity::Info), Just(Severity::Warning), Just(Severity::Error)];
        let reach = prop_oneof![4 => Just(Reach::Own), 1 => Just(Reach::Machine), 1 => Just(Reach::Nothing)];
        let endpoints = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
        (0..CODES.len(), severity, endpoints, reach, 0..3_u8).prop_map(|(code, severity, endpoints, reach, group)| {
            let mut made = statement(code, severity, &endpoints, reach);
            made.draft.group = group.to_string();
            made
        })
    }

    #[test]
    fn a_symptom_leads_to_the_root_of_its_chain() {
        let chain = vec![
            statement(4, Severity::Error, &["a"], Reach::Own),
            statement(2, Severity::Warning, &["a"], Reach::Own),
            statement(3, Severity::Info, &["a", "b"], Reach::Own),
        ];
        let groups = explain(chain);
        assert_eq!(
            groups.iter().map(|group| (group.code, group.root)).collect::<Vec<_>>(),
            [("BBB002", None), ("CCC001", Some(0)), ("BBB001", Some(0)),]
        );
        assert_eq!(groups[0].severity, Severity::Error, "a root is as bad as what it explains");
    }

    #[test]
    fn independent_faults_are_both_roots() {
        let two =
            vec![statement(2, Severity::Error, &["a"], Reach::Own), statement(4, Severity::Error, &["b"], Reach::Own)];
        assert!(explain(two).iter().all(|group| group.root.is_none()));
    }

    #[test]
    fn a_fault_on_fewer_endpoints_does_not_explain_one_on_more() {
        let two = vec![
            statement(2, Severity::Error, &["a"], Reach::Own),
            statement(4, Severity::Error, &["a", "b"], Reach::Own),
        ];
        assert!(explain(two).iter().all(|group| group.root.is_none()));
    }

    #[test]
    fn a_fault_on_one_port_does_not_explain_one_on_another() {
        let mut two = [2, 4].map(|code| statement(code, Severity::Error, &["a"], Reach::Own));
        for (port, symptom_explained) in [(443, true), (8443, false)] {
            two[0].draft.port = Some(443);
            two[1].draft.port = Some(port);
            let roots = explain(two.to_vec()).iter().filter(|group| group.root.is_none()).count();
            assert_eq!(roots == 1, symptom_explained, "{port}");
        }
    }

    proptest! {
        #[test]
        fn a_root_is_never_hidden(statements in prop::collection::vec(any_statement(), 1..12)) {
            let groups = explain(statements.clone());
            prop_assert!(groups.first().is_some_and(|group| group.root.is_none()));
            for group in &groups {
                if let Some(root) = group.root {
                    prop_assert!(groups[root].root.is_none(), "caused_by names a root, so there is no circle");
                    prop_assert!(groups[root].severity >= group.severity);
                }
            }
            let mut distinct = statements;
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(groups.iter().map(|group| group.drafts.len()).sum::<usize>(), distinct.len());
        }

        #[test]
        fn the_worst_root_is_as_bad_as_the_worst_statement(statements in prop::collection::vec(any_statement(), 1..12)) {
            let worst = statements.iter().map(|statement| statement.draft.severity).max();
            let groups = explain(statements);
            prop_assert_eq!(groups.first().map(|group| group.severity), worst);
        }

        #[test]
        fn order_does_not_matter(
            (statements, shuffled) in prop::collection::vec(any_statement(), 1..12)
                .prop_flat_map(|statements| (Just(statements.clone()), Just(statements).prop_shuffle()))
        ) {
            prop_assert_eq!(explain(statements), explain(shuffled));
        }

        #[test]
        fn what_nothing_lists_is_a_root(statements in prop::collection::vec(any_statement(), 1..12)) {
            let lonely = statement(3, Severity::Info, &["z"], Reach::Nothing);
            let mut all = statements;
            all.retain(|statement| statement.draft.reach != Reach::Machine);
            all.push(lonely.clone());
            let groups = explain(all);
            let found = groups.iter().find(|group| group.drafts.contains(&lonely.draft));
            prop_assert!(found.is_some_and(|group| group.root.is_none()));
        }
    }
}
