//! What holds of every diagnosis, whatever the network does: the last step, after rules and explanations.
//!
//! A required name that fails or leads the wrong way is listed by a root. That root is an error, unless the name still answers
//! and the public way may be meant. Where no rule says why, the root says just that.

use ampls_probes::endpoint::Expect;

use super::cause::{self, Group, Statement};
use super::draft::Reach;
use super::facts::{Facts, View};
use super::finding::Severity;
use super::levels::Levels;
use super::rule::Layer;

/// Completes a diagnosis. `unexplained` holds a statement for every required name that goes wrong.
pub(super) fn keep<'r>(
    facts: &Facts<'_>,
    levels: &Levels,
    mut groups: Vec<Group<'r>>,
    unexplained: Vec<Statement<'r>>,
) -> Vec<Group<'r>> {
    let mut left = Vec::new();
    for statement in unexplained {
        let listed = statement.draft.endpoints.iter().all(|name| list(facts, levels, &mut groups, name));
        if !listed {
            left.push(statement);
        }
    }
    cause::joined(groups, &left)
}

/// Makes a root list a name that goes wrong, and be as bad as that; false where no root has to do with the name.
fn list(facts: &Facts<'_>, levels: &Levels, groups: &mut [Group<'_>], name: &str) -> bool {
    let answers = facts.endpoint(name).is_some_and(|endpoint| !endpoint.fails());
    let given = |group: &Group<'_>| levels.of(group.code).is_some();
    let serious = |group: &Group<'_>| group.root.is_none() && (group.severity > Severity::Info || given(group));
    let enough = |group: &Group<'_>| {
        let meant =
            || group.drafts.iter().any(|draft| draft.may_be_meant && draft.endpoints.iter().any(|own| own == name));
        group.severity == Severity::Error || given(group) || (answers && facts.expect() == Expect::Auto && meant())
    };
    let fitting = |group: &Group<'_>| match group.layer {
        Layer::Dns => true,
        Layer::Agent | Layer::Browser => false,
        _ => !answers,
    };
    let listing = |group: &Group<'_>| serious(group) && lists(group, name);
    if groups.iter().any(|group| listing(group) && enough(group)) {
        return true;
    }
    if let Some(root) = groups.iter_mut().find(|group| listing(group) && fitting(group)) {
        root.severity = Severity::Error;
        return true;
    }
    let through_a_symptom =
        groups.iter().find(|group| lists(group, name) && fitting(group)).and_then(|group| group.root);
    // Where nothing at all is private, what shows that it should be is also what the public names belong to.
    let of_the_link = || {
        let shows = |group: &Group<'_>| serious(group) && group.drafts.iter().any(|draft| draft.shows_private_link);
        (answers && !anything_private(facts)).then(|| groups.iter().position(shows)).flatten()
    };
    let of_all = || groups.iter().position(|group| serious(group) && of_the_machine(group) && fitting(group));
    let Some(root) = through_a_symptom.or_else(of_all).or_else(of_the_link).and_then(|place| groups.get_mut(place))
    else {
        return false;
    };
    if !given(root) {
        root.severity = Severity::Error;
    }
    if let Some(first) = root.drafts.first_mut() {
        first.endpoints.push(name.to_owned());
    }
    true
}

fn anything_private(facts: &Facts<'_>) -> bool {
    facts.ampls_endpoints().flat_map(|name| &name.views).any(View::is_private)
}

fn lists(group: &Group<'_>, name: &str) -> bool {
    group.drafts.iter().any(|draft| draft.endpoints.iter().any(|own| own == name))
}

fn of_the_machine(group: &Group<'_>) -> bool {
    group.drafts.iter().any(|draft| draft.reach == Reach::Machine)
}

#[cfg(test)]
mod tests {
    use ampls_probes::Observation;
    use ampls_probes::endpoint::{Expect, Need};
    use ampls_probes::observation::{Asks, IoFailure, Outcome, ServerRole};
    use ampls_probes::testing::{API, CUSTOM, HANDLER, ODS, OMS, Says, Scene, browser, private_world};

    use crate::diagnose::facts::Facts;
    use crate::diagnose::finding::{Finding, Severity};
    use crate::diagnose::levels::{Level, Levels};
    use crate::diagnose::{diagnose, diagnose_with};

    fn lists(finding: &Finding, name: &str) -> bool {
        finding.caused_by.is_none() && finding.endpoints.iter().any(|own| own == name)
    }

    /// The roots that list a name, with their severity.
    fn listing(scene: &Scene, name: &str) -> Vec<(String, Severity)> {
        let found = diagnose(&scene.observations());
        let own = found.into_iter().filter(|finding| lists(finding, name));
        own.map(|finding| (finding.code, finding.severity)).collect()
    }

    fn stale() -> Scene {
        private_world().system(ODS, &Says::Public("20.1.1.1"))
    }

    #[test]
    fn servers_that_are_all_silent_list_every_required_name() {
        let mut scene = private_world().server_says(CUSTOM, &Says::Silence);
        for name in [HANDLER, ODS, OMS] {
            scene = scene.system(name, &Says::Silence);
        }
        for name in [HANDLER, ODS, OMS] {
            assert_eq!(listing(&scene, name), [("DNS008".to_owned(), Severity::Error)]);
        }
    }

    #[test]
    fn a_name_that_leads_the_wrong_way_is_an_error_where_no_rule_says_why() {
        let mut seen = stale().observations();
        // What the machine's own servers say is not known.
        for observation in &mut seen.seen {
            if let Observation::Resolver(resolver) = observation {
                resolver.servers.retain(|server| server.roles == [ServerRole::Azure]);
            }
        }
        let found = diagnose(&seen);
        let root = found.iter().find(|finding| lists(finding, ODS)).expect("a root");
        assert_eq!((root.code.as_str(), root.severity), ("RUN003", Severity::Error), "{found:?}");
        assert!(root.title.starts_with("public although private is expected"), "{}", root.title);
    }

    #[test]
    fn a_stale_answer_is_an_error_where_private_is_asked_for() {
        assert_eq!(listing(&stale(), ODS), [("DNS007".to_owned(), Severity::Warning)]);
        assert_eq!(listing(&stale().expect(Expect::Private), ODS), [("DNS007".to_owned(), Severity::Error)]);
    }

    #[test]
    fn a_browser_is_never_why_this_machine_finds_no_address() {
        let scene = private_world().name(API, Need::Required).system(API, &Says::ServFail);
        let scene = scene.browser(browser("chrome", Asks::EncryptedOnly));
        assert_eq!(
            listing(&scene, API),
            [("RUN003".to_owned(), Severity::Error), ("BRW001".to_owned(), Severity::Warning)]
        );
    }

    #[test]
    fn a_severity_that_the_user_gave_stays() {
        let seen = stale().expect(Expect::Private).observations();
        let levels: Levels = [("DNS007", Level::Info)].into_iter().collect();
        let found = diagnose_with(&Facts::new(&seen), &levels);
        let roots: Vec<_> = found.iter().filter(|finding| lists(finding, ODS)).collect();
        assert_eq!(
            roots.iter().map(|root| (root.code.as_str(), root.severity)).collect::<Vec<_>>(),
            [("DNS007", Severity::Info)]
        );
    }

    #[test]
    fn a_name_that_fails_as_a_symptom_stands_in_its_root() {
        let refused = Outcome::Failed(IoFailure::Refused);
        let scene = private_world()
            .says(CUSTOM, ODS, &Says::Public("20.1.1.1"))
            .system(ODS, &Says::Public("20.1.1.1"))
            .connects(ODS, &refused);
        let roots = listing(&scene, ODS);
        assert!(!roots.is_empty() && roots.iter().all(|(_, severity)| *severity == Severity::Error), "{roots:?}");
    }
}
