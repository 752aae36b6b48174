//! What a rule returns.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Works, or nearly, but not as it should.
    Warning,
    /// Broken.
    Error,
}

impl Severity {
    /// The word of JSON, of metrics and of lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whose work the remedy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Who runs the DNS servers and private zones.
    Dns,
    /// Who runs routes, firewalls and proxies.
    Network,
    /// Who runs the Azure Monitor resources.
    Monitor,
    /// Who runs this machine.
    Os,
    /// Who runs inspection and trust.
    Security,
}

impl Owner {
    /// The word of the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Network => "network",
            Self::Monitor => "monitor",
            Self::Os => "os",
            Self::Security => "security",
        }
    }
}

/// How sure the finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The observations leave no other reading.
    Proven,
    /// The best reading of the observations.
    Likely,
}

impl Certainty {
    /// The word of JSON and of headings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
        }
    }
}

/// How far a changing command reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlastRadius {
    /// This machine only.
    Machine,
    /// Every machine of this virtual network.
    Vnet,
    /// Every network that resolves through the same zones or servers.
    EveryNetworkOnThisDns,
}

/// One way to fix it, or to look closer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
pub struct Fix {
    /// What to do, in the imperative.
    pub text: String,
    /// The command; values that were not observed stay `‹…›`.
    pub command: Option<String>,
    /// It only looks.
    pub read_only: bool,
    /// What else it affects.
    pub blast_radius: BlastRadius,
    /// It can stand in for the change before it; otherwise both are needed.
    #[serde(default)]
    pub alternative: bool,
    /// What to look at before: a sentence, or read-only commands on lines of their own that begin with four spaces, or the
    /// one above the other.
    pub check_first: Option<String>,
    /// How to take it back, written like `check_first`.
    pub undo: Option<String>,
}

/// Lines of commands in one way to fix a fault.
const MAX_LINES: usize = 24;

/// What the lines of commands begin with in [`Fix::check_first`] and [`Fix::undo`]: as a block of code in Markdown.
const COMMAND: &str = "    ";

impl Fix {
    /// A way to look closer that changes nothing.
    pub fn look(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), read_only: true, ..Self::change(BlastRadius::Machine, text) }
    }

    /// A change, and how far it reaches.
    pub fn change(blast_radius: BlastRadius, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, command: None, read_only: false, blast_radius, alternative: false, check_first: None, undo: None }
    }

    /// It can stand in for the change before it.
    #[must_use]
    pub fn instead(mut self) -> Self {
        self.alternative = true;
        self
    }

    /// The command that makes the change.
    #[must_use]
    pub fn with(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// What to look at before, in a sentence.
    #[must_use]
    pub fn after(mut self, sentence: impl Into<String>) -> Self {
        self.check_first = Some(sentence.into());
        self
    }

    /// What to look at before: commands, and what to bear in mind with them, which may be empty.
    #[must_use]
    pub fn after_looking(mut self, sentence: &str, commands: impl AsRef<str>) -> Self {
        self.check_first = Some(told(sentence, commands.as_ref()));
        self
    }

    /// How to take it back, in a sentence.
    #[must_use]
    pub fn undone_by(mut self, sentence: impl Into<String>) -> Self {
        self.undo = Some(sentence.into());
        self
    }

    /// The commands that take it back, and what to bear in mind with them, which may be empty.
    #[must_use]
    pub fn undone_with(mut self, sentence: &str, commands: impl AsRef<str>) -> Self {
        self.undo = Some(told(sentence, commands.as_ref()));
        self
    }
}

/// [`Fix::check_first`] or [`Fix::undo`] taken apart: the sentence, and the lines to be copied. Either may be empty.
pub fn sentence_and_commands(text: &str) -> (String, Vec<&str>) {
    let sentence: Vec<&str> = text.lines().filter(|line| !line.starts_with(COMMAND)).collect();
    (sentence.join(" "), text.lines().filter_map(|line| line.strip_prefix(COMMAND)).collect())
}

/// Changes that read alike and differ only in the names within their commands, as one: the first, with the lines of all.
pub(super) fn joined(fixes: Vec<Fix>) -> Vec<Fix> {
    let mut joined: Vec<Fix> = Vec::new();
    for fix in fixes {
        let alike = |it: &&mut Fix| !fix.read_only && (&it.text, it.blast_radius) == (&fix.text, fix.blast_radius);
        let Some(one) = joined.iter_mut().find(alike) else {
            joined.push(fix);
            continue;
        };
        let parts =
            [(&mut one.command, fix.command), (&mut one.check_first, fix.check_first), (&mut one.undo, fix.undo)];
        for (all, more) in parts.into_iter().filter_map(|(all, more)| all.as_mut().zip(more)) {
            for line in more.lines() {
                if all.lines().count() < MAX_LINES && !all.lines().any(|known| known == line) {
                    all.push('\n');
                    all.push_str(line);
                }
            }
        }
    }
    joined
}

fn told(sentence: &str, commands: &str) -> String {
    let commands = commands.lines().map(|command| format!("{COMMAND}{command}"));
    let sentence = Some(sentence).filter(|sentence| !sentence.is_empty()).map(str::to_owned);
    sentence.into_iter().chain(commands).collect::<Vec<_>>().join("\n")
}

/// One finding, as a rule makes it and as the report carries it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Finding {
    /// Unique within a report: the code, and a number where a code occurs again, e.g. `DNS003`, `DNS003-2`.
    pub id: String,
    /// The code, e.g. `DNS003`.
    pub code: String,
    /// The rule's name, e.g. `zone-not-linked`.
    pub name: String,
    /// How bad.
    pub severity: Severity,
    /// One line with the observed values.
    pub title: String,
    /// What was seen and what follows from it, in one sentence.
    pub summary: String,
    /// Full host names concerned, sorted.
    pub endpoints: Vec<String>,
    /// What was observed, each with address, port and UTC time where they apply.
    pub evidence: Vec<String>,
    /// The observed values by name, for machines.
    pub args: BTreeMap<String, String>,
    /// Other causes that the evidence rules out.
    pub excludes: Vec<String>,
    /// Whose work.
    pub owner: Owner,
    /// How sure.
    pub certainty: Certainty,
    /// What to look at, then ways to fix it, the one to try first before the others.
    pub fix: Vec<Fix>,
    /// Where to read on.
    pub link: String,
    /// The code of the root that explains it.
    pub caused_by: Option<String>,
    /// The id of the root that explains it.
    pub caused_by_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_read_alike_are_one_with_the_commands_of_all() {
        let fix = |text: &str, name: &str| {
            Fix::change(BlastRadius::Vnet, text)
                .with(format!("add {name}"))
                .after_looking("mind this", "show zone")
                .undone_with("", format!("remove {name}"))
        };
        let joined = joined(vec![fix("by hand", "a"), fix("by group", "a"), fix("by hand", "b")]);
        assert_eq!(joined.len(), 2);
        assert_eq!(joined[0].command.as_deref(), Some("add a\nadd b"));
        assert_eq!(joined[0].check_first.as_deref(), Some("mind this\n    show zone"));
        assert_eq!(joined[0].undo.as_deref(), Some("    remove a\n    remove b"));
    }

    #[test]
    fn what_is_said_is_told_from_what_is_copied() {
        let fix = Fix::change(BlastRadius::Vnet, "link it")
            .after_looking("an empty zone breaks names; mind (this)", "az a list; az b\naz c")
            .undone_with("", "az d");
        let (sentence, commands) = sentence_and_commands(fix.check_first.as_deref().unwrap_or_default());
        assert_eq!(sentence, "an empty zone breaks names; mind (this)");
        assert_eq!(commands, ["az a list; az b", "az c"]);
        assert_eq!(sentence_and_commands(fix.undo.as_deref().unwrap_or_default()), (String::new(), vec!["az d"]));
        assert_eq!(sentence_and_commands("az is told of in a sentence").1, Vec::<&str>::new());
    }
}
