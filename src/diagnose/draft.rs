//! What a rule returns: the smallest statement that can be explained on its own. Drafts of one fault are merged later.

use std::collections::BTreeMap;

use super::finding::{Certainty, Fix, Owner, Severity};
use crate::text;

/// Items named in one title before the rest is counted.
const NAMED: usize = 3;

/// A title whose items are united when drafts are merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Title {
    before: String,
    items: Vec<String>,
    after: String,
}

impl Title {
    /// A title that stands by itself. Observed values in it are quoted already.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { before: text.into(), items: Vec::new(), after: String::new() }
    }

    /// `before`, the items in backticks, `after`.
    pub fn list<S: Into<String>>(before: &str, items: impl IntoIterator<Item = S>, after: impl Into<String>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        Self { before: before.to_owned(), items, after: after.into() }
    }

    /// One line.
    pub fn text(&self) -> String {
        if self.items.is_empty() {
            return format!("{}{}", self.before, self.after);
        }
        format!("{}{}{}", self.before, text::list(&self.items, NAMED), self.after)
    }

    pub(super) fn unite(&mut self, other: &Self) {
        for item in &other.items {
            if !self.items.contains(item) {
                self.items.push(item.clone());
            }
        }
    }
}

/// What a draft may explain, besides what its rule lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Symptoms whose endpoints are all among the draft's own.
    Own,
    /// Symptoms whose endpoints are all among these.
    Only(Vec<String>),
    /// Symptoms whose endpoints are all among `only`; those with one of the codes in `own` also where all are among the
    /// draft's own: servers disagree about a name even where its path is right.
    Split {
        /// Endpoints.
        only: Vec<String>,
        /// Codes.
        own: &'static [&'static str],
    },
    /// Every symptom on this machine.
    Machine,
    /// None.
    Nothing,
}

/// One statement of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Draft {
    /// Drafts of one code, one root and one group become one finding.
    pub group: String,
    /// Full host names concerned.
    pub endpoints: Vec<String>,
    /// The port that it concerns; `None` where it concerns the names on every port.
    pub port: Option<u16>,
    /// How bad for an endpoint that is required.
    pub severity: Severity,
    /// The severity holds whatever depends on the endpoints.
    pub severity_is_final: bool,
    /// The names resolve to public addresses, and that may be meant.
    pub may_be_meant: bool,
    /// It shows by itself that a private link is meant, whatever else is public here.
    pub shows_private_link: bool,
    /// One line with the observed values.
    pub title: Title,
    /// What was seen and what follows.
    pub summary: String,
    /// What was observed.
    pub evidence: Vec<String>,
    /// The observed values by name.
    pub args: BTreeMap<String, String>,
    /// The same, of which there can be several.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Causes ruled out.
    pub excludes: Vec<String>,
    /// Whose work.
    pub owner: Owner,
    /// How sure.
    pub certainty: Certainty,
    /// Ways to fix it.
    pub fix: Vec<Fix>,
    /// What it may explain.
    pub reach: Reach,
}

impl Draft {
    /// A proven statement about nothing in particular yet.
    pub fn new(severity: Severity, owner: Owner, title: Title) -> Self {
        Self {
            group: String::new(),
            endpoints: Vec::new(),
            port: None,
            severity,
            severity_is_final: false,
            may_be_meant: false,
            shows_private_link: false,
            title,
            summary: String::new(),
            evidence: Vec::new(),
            args: BTreeMap::new(),
            lists: BTreeMap::new(),
            excludes: Vec::new(),
            owner,
            certainty: Certainty::Proven,
            fix: Vec::new(),
            reach: Reach::Own,
        }
    }

    /// The host names concerned.
    #[must_use]
    pub fn about<S: Into<String>>(mut self, endpoints: impl IntoIterator<Item = S>) -> Self {
        self.endpoints.extend(endpoints.into_iter().map(Into::into));
        self.endpoints.sort();
        self.endpoints.dedup();
        self
    }

    /// The port concerned: faults on different ports of a host do not explain each other.
    #[must_use]
    pub fn at_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// What drafts are merged by, within one code and one root.
    #[must_use]
    pub fn group(mut self, key: impl Into<String>) -> Self {
        self.group = key.into();
        self
    }

    /// Two or three sentences.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Adds what was observed.
    #[must_use]
    pub fn evidence(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(lines);
        self
    }

    /// Adds observed values of which there can be several.
    #[must_use]
    pub fn list<S: ToString>(mut self, name: &str, values: impl IntoIterator<Item = S>) -> Self {
        self.lists.insert(name.to_owned(), values.into_iter().map(|value| value.to_string()).collect());
        self
    }

    /// Adds an observed value.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a cause that the evidence rules out.
    #[must_use]
    pub fn excludes(mut self, cause: impl Into<String>) -> Self {
        self.excludes.push(cause.into());
        self
    }

    /// Adds ways to fix it.
    #[must_use]
    pub fn fix(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fix.extend(fixes);
        self
    }

    /// There are other readings.
    #[must_use]
    pub fn likely(mut self) -> Self {
        self.certainty = Certainty::Likely;
        self
    }

    /// What it may explain.
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// It shows by itself that a private link is meant.
    #[must_use]
    pub fn showing_private_link(mut self) -> Self {
        self.shows_private_link = true;
        self
    }

    /// The names resolve to public addresses, and that may be meant as long as they answer and nobody asked for private ones.
    #[must_use]
    pub fn maybe_meant(mut self) -> Self {
        self.may_be_meant = true;
        self
    }

    /// The severity holds whatever depends on the endpoints.
    #[must_use]
    pub fn as_stated(mut self) -> Self {
        self.severity_is_final = true;
        self
    }
}
