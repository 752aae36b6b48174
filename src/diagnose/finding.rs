//! What a rule returns.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::Command;

pub use argument::Argument;

mod argument;

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
    /// It changes nothing.
    None,
    /// This machine only.
    Machine,
    /// Every machine of this virtual network.
    Vnet,
    /// Every network that resolves through the same zones or servers.
    EveryNetworkOnThisDns,
}

/// One way to fix it, or to look closer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct Fix {
    /// What to do, in the imperative.
    pub text: String,
    /// The commands, each in one line, in their order; values that were not observed are placeholders in capitals.
    pub commands: Vec<Command>,
    /// It only looks.
    pub read_only: bool,
    /// It can stand in for the change before it; otherwise both are needed.
    pub alternative: bool,
    /// The right that it takes, and on which scope.
    pub needs: Option<String>,
    /// Whose policy may refuse it or undo it, and what to do then.
    pub policy: Option<String>,
    /// What else it affects; `none` for what only looks.
    pub blast_radius: BlastRadius,
    /// What to look at before; read-only.
    pub check_first: Option<Advice>,
    /// How to take it back.
    pub undo: Option<Advice>,
}

/// A sentence and the commands that go with it. Either may be empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct Advice {
    /// What to bear in mind.
    pub text: String,
    /// The commands, each in one line, in their order.
    pub commands: Vec<Command>,
}

/// Commands in one way to fix a fault.
const MAX_COMMANDS: usize = 24;

impl Fix {
    /// A way to look closer that changes nothing.
    pub fn look(text: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        Self { read_only: true, ..Self::change(BlastRadius::None, text).with(commands) }
    }

    /// A change, and how far it reaches.
    pub fn change(blast_radius: BlastRadius, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            commands: Vec::new(),
            read_only: false,
            alternative: false,
            needs: None,
            policy: None,
            blast_radius,
            check_first: None,
            undo: None,
        }
    }

    /// It can stand in for the change before it.
    #[must_use]
    pub fn instead(mut self) -> Self {
        self.alternative = true;
        self
    }

    /// The commands that make the change.
    #[must_use]
    pub fn with(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.commands.extend(commands);
        self
    }

    /// What to look at before, in a sentence.
    #[must_use]
    pub fn after(self, sentence: impl Into<String>) -> Self {
        self.after_looking(sentence, [])
    }

    /// What to look at before: commands, and what to bear in mind with them, which may be empty.
    #[must_use]
    pub fn after_looking(mut self, sentence: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        self.check_first = Some(Advice::new(sentence, commands));
        self
    }

    /// How to take it back, in a sentence.
    #[must_use]
    pub fn undone_by(self, sentence: impl Into<String>) -> Self {
        self.undone_with(sentence, [])
    }

    /// The commands that take it back, and what to bear in mind with them, which may be empty.
    #[must_use]
    pub fn undone_with(mut self, sentence: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        self.undo = Some(Advice::new(sentence, commands));
        self
    }

    /// Every command: what to look at before, the change, what takes it back.
    pub fn all_commands(&self) -> impl Iterator<Item = &Command> {
        let first = self.check_first.iter().flat_map(|advice| &advice.commands);
        first.chain(&self.commands).chain(self.undo.iter().flat_map(|advice| &advice.commands))
    }
}

impl Fix {
    /// Every command, to be changed.
    pub(crate) fn each_command(&mut self, mut change: impl FnMut(&mut Command)) {
        let first = self.check_first.iter_mut().flat_map(|advice| &mut advice.commands);
        let undo = self.undo.iter_mut().flat_map(|advice| &mut advice.commands);
        first.chain(&mut self.commands).chain(undo).for_each(&mut change);
    }
}

#[cfg(test)]
impl Fix {
    /// The commands that make the change, a line each.
    pub(crate) fn lines(&self) -> String {
        self.commands.iter().map(Command::as_str).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
impl Advice {
    /// The sentence and the commands, a line each.
    pub(crate) fn lines(&self) -> String {
        let commands = self.commands.iter().map(Command::as_str);
        std::iter::once(self.text.as_str()).chain(commands).collect::<Vec<_>>().join("\n")
    }
}

impl Advice {
    fn new(text: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        Self { text: text.into(), commands: commands.into_iter().collect() }
    }
}

/// Changes that read alike and differ only in the names within their commands, as one: the first, with the commands of all.
pub(super) fn joined(fixes: Vec<Fix>) -> Vec<Fix> {
    let mut joined: Vec<Fix> = Vec::new();
    for fix in fixes {
        let alike = |it: &&mut Fix| !fix.read_only && (&it.text, it.blast_radius) == (&fix.text, fix.blast_radius);
        let Some(one) = joined.iter_mut().find(alike) else {
            joined.push(fix);
            continue;
        };
        add(&mut one.commands, fix.commands);
        for (all, more) in [(&mut one.check_first, fix.check_first), (&mut one.undo, fix.undo)] {
            if let (Some(all), Some(more)) = (all, more) {
                add(&mut all.commands, more.commands);
            }
        }
    }
    joined
}

fn add(all: &mut Vec<Command>, more: Vec<Command>) {
    for command in more {
        if all.len() < MAX_COMMANDS && !all.contains(&command) {
            all.push(command);
        }
    }
}

/// One finding, as a rule makes it and as the report carries it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
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
    /// Full host names concerned, the most needed first.
    pub endpoints: Vec<String>,
    /// What was observed, each with address, port and UTC time where they apply.
    pub evidence: Vec<String>,
    /// The observed values by name, for machines.
    pub args: BTreeMap<String, Argument>,
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
    use crate::diagnose::command::{Host, command};

    #[test]
    fn changes_that_read_alike_are_one_with_the_commands_of_all() {
        let fix = |text: &str, name: &str| {
            let name = Host::new(name);
            Fix::change(BlastRadius::Vnet, text)
                .with([command!(Any, "add {}", name.clone())])
                .after_looking("mind this", [command!(Any, "show zone")])
                .undone_with("", [command!(Any, "remove {}", name)])
        };
        let lines = |commands: &[Command]| commands.iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>();
        let joined = joined(vec![fix("by hand", "a"), fix("by group", "a"), fix("by hand", "b")]);
        assert_eq!(joined.len(), 2);
        assert_eq!(lines(&joined[0].commands), ["add a", "add b"]);
        assert_eq!(lines(&joined[0].check_first.as_ref().unwrap().commands), ["show zone"]);
        assert_eq!(lines(&joined[0].undo.as_ref().unwrap().commands), ["remove a", "remove b"]);
    }

    #[test]
    fn looks_and_changes_of_another_reach_stay_apart() {
        let look = || Fix::look("look", [command!(Any, "show zone")]);
        assert_eq!(joined(vec![look(), look()]).len(), 2);
        let change = |reach| Fix::change(reach, "by hand").with([command!(Any, "add it")]);
        assert_eq!(joined(vec![change(BlastRadius::Vnet), change(BlastRadius::Machine)]).len(), 2);
        assert_eq!(joined(vec![change(BlastRadius::Vnet), change(BlastRadius::Vnet)]).len(), 1);
    }

    #[test]
    fn commands_of_joined_changes_are_bounded() {
        let fix = |number: usize| {
            let name = Host::new(&format!("name{number}"));
            Fix::change(BlastRadius::Vnet, "by hand").with([command!(Any, "add {}", name)])
        };
        let most = joined((0..MAX_COMMANDS + 3).map(fix).collect());
        assert_eq!((most.len(), most[0].commands.len()), (1, MAX_COMMANDS));
        let all = joined((0..MAX_COMMANDS).map(fix).collect());
        assert_eq!(all[0].commands.len(), MAX_COMMANDS);
    }

    #[test]
    fn the_words_are_those_of_json() {
        for severity in [Severity::Info, Severity::Warning, Severity::Error] {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.as_str());
        }
        for owner in [Owner::Dns, Owner::Network, Owner::Monitor, Owner::Os, Owner::Security] {
            assert_eq!(serde_json::to_value(owner).unwrap(), owner.as_str());
        }
    }

    #[test]
    fn every_command_can_be_changed_and_reads_as_text() {
        let mut fix = Fix::change(BlastRadius::Vnet, "by hand")
            .with([command!(Any, "add it")])
            .after_looking("mind this", [command!(Any, "show zone")])
            .undone_with("", [command!(Any, "remove it")]);
        fix.each_command(|it| *it = command!(Any, "nothing"));
        assert_eq!(fix.all_commands().map(Command::as_str).collect::<Vec<_>>(), ["nothing"; 3]);
        let schema = serde_json::to_string(&schemars::schema_for!(Fix)).unwrap();
        assert!(!schema.contains("/Command\""), "a command is a string where it stands: {schema}");
    }
}
