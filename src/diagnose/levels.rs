//! Severities that the user gave to rules (`--rule`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::Severity;
use super::rules::RULES;

/// What a rule's statements count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing: the rule is not asked.
    Off,
    /// Information.
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

impl Level {
    /// The severity; `None` for [`Level::Off`].
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// Levels by code. A code that no rule has changes nothing, so that a report of another version can be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Levels(BTreeMap<String, Level>);

impl Levels {
    /// Whether no rule was given a level.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The level given to a rule.
    pub fn of(&self, code: &str) -> Option<Level> {
        self.0.get(code).copied()
    }

    /// The codes of this version's rules that are off.
    pub fn off(&self) -> impl Iterator<Item = &str> {
        RULES.iter().map(|rule| rule.code).filter(|code| self.of(code) == Some(Level::Off))
    }

    /// Those of this version's rules: a saved report could name anything, and a redacted one must not repeat it.
    #[must_use]
    pub fn of_known_codes(self) -> Self {
        let known = |code: &str| RULES.iter().any(|rule| rule.code == code);
        Self(self.0.into_iter().filter(|(code, _)| known(code)).collect())
    }
}

impl<C: Into<String>> FromIterator<(C, Level)> for Levels {
    fn from_iter<I: IntoIterator<Item = (C, Level)>>(levels: I) -> Self {
        Self(levels.into_iter().map(|(code, level)| (code.into(), level)).collect())
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Expect;
    use ampls_probes::observation::Outcome;
    use ampls_probes::testing::{HANDLER, Scene, public_world};

    use super::*;
    use crate::diagnose::facts::Facts;
    use crate::diagnose::finding::Finding;
    use crate::diagnose::{diagnose_facts, diagnose_with};

    /// A scene in which one finding explains another.
    fn judged(levels: &[(&str, Level)]) -> Vec<Finding> {
        let observations = scene().observations();
        diagnose_with(&Facts::new(&observations), &levels.iter().copied().collect())
    }

    fn scene() -> Scene {
        public_world().expect(Expect::Private).connects(HANDLER, &Outcome::TimedOut)
    }

    fn find<'f>(findings: &'f [Finding], code: &str) -> Option<&'f Finding> {
        findings.iter().find(|finding| finding.code == code)
    }

    #[test]
    fn without_levels_nothing_changes() {
        let observations = scene().observations();
        assert_eq!(judged(&[]), diagnose_facts(&Facts::new(&observations)));
        assert_eq!(judged(&[("XXX001", Level::Off)]), judged(&[]));
    }

    #[test]
    fn only_codes_of_this_version_are_kept_for_strangers() {
        let levels: Levels = [("DNS001", Level::Off), ("vm-secret-01", Level::Error)].into_iter().collect();
        let kept = levels.of_known_codes();
        assert_eq!((kept.of("DNS001"), kept.of("vm-secret-01")), (Some(Level::Off), None));
    }

    #[test]
    fn what_a_rule_explained_becomes_a_root_when_the_rule_is_off() {
        let all = judged(&[]);
        let symptom = all.iter().find(|finding| finding.caused_by.is_some()).expect("a symptom");
        let root = symptom.caused_by.clone().expect("its root");
        let without = judged(&[(&root, Level::Off)]);
        assert!(find(&without, &root).is_none());
        assert!(find(&without, &symptom.code).is_some_and(|finding| finding.caused_by.is_none()), "{without:#?}");
    }

    #[test]
    fn a_root_still_is_as_bad_as_what_it_explains() {
        let all = judged(&[]);
        let symptom = all.iter().find(|finding| finding.caused_by.is_some()).expect("a symptom");
        let root = symptom.caused_by.clone().expect("its root");
        let lowered = judged(&[(&root, Level::Info), (&symptom.code, Level::Warning)]);
        let severity = |code: &str| find(&lowered, code).map(|finding| finding.severity);
        assert_eq!((severity(&root), severity(&symptom.code)), (Some(Severity::Warning), Some(Severity::Warning)));
    }
}
