//! The agents of Azure Monitor as data: `catalogue/agents.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::CatalogueError;
use crate::observation::AgentKind;
use crate::version::Version;

const FILE: &str = "agents.toml";

/// The file, parsed and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    /// Where what is said is written, by key.
    pub sources: BTreeMap<String, String>,
    /// Agents, in the order of the file.
    #[serde(rename = "agent")]
    pub agents: Vec<KnownAgent>,
}

/// One agent on one operating system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAgent {
    /// Which.
    pub kind: AgentKind,
    /// Where it runs.
    pub system: System,
    /// Its name, for people.
    pub name: String,
    /// The least version that works with a private link, where one is documented.
    pub minimum: Option<String>,
    /// The day it was retired, `YYYY-MM-DD`.
    pub retired: Option<String>,
    /// Names of its package.
    #[serde(default)]
    pub packages: Vec<String>,
    /// `Publisher.Type` of its VM extension.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Files whose existence shows that it is installed.
    #[serde(default)]
    pub signs: Vec<String>,
    /// Its programs: whole paths; one of them runs while it does.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Keys of [`Agents::sources`].
    pub source: Vec<String>,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

impl Agents {
    /// The file that is part of the program.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(include_str!("../../catalogue/agents.toml"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = toml::from_str(text).map_err(|error| wrong(super::file::place(text, &error)))?;
        for agent in &parsed.agents {
            let name = &agent.name;
            if let Some(key) = agent.source.iter().find(|key| !parsed.sources.contains_key(*key)) {
                return Err(wrong(format!("agent `{name}`: `source` names `{key}`, which `[sources]` does not hold")));
            }
            if agent.source.is_empty() {
                return Err(wrong(format!("agent `{name}`: `source` must name one")));
            }
            if agent.minimum.as_ref().is_some_and(|minimum| minimum.parse::<Version>().is_err()) {
                return Err(wrong(format!("agent `{name}`: `minimum` is no dotted version")));
            }
        }
        Ok(parsed)
    }

    /// What is known of an agent on an operating system.
    pub fn of(&self, kind: AgentKind, system: System) -> Option<&KnownAgent> {
        self.agents.iter().find(|agent| agent.kind == kind && agent.system == system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_file_holds_every_kind_with_its_minimum() {
        let agents = Agents::builtin().expect("the built-in file");
        let minimum = |kind, system| agents.of(kind, system).and_then(|agent| agent.minimum.as_deref());
        assert_eq!(minimum(AgentKind::Oms, System::Linux), Some("1.12.25"));
        assert_eq!(minimum(AgentKind::Mma, System::Windows), Some("10.20.18038.0"));
        assert_eq!(minimum(AgentKind::Ama, System::Linux), None);
        assert!(agents.of(AgentKind::Mma, System::Linux).is_none());
    }

    #[test]
    fn a_wrong_file_is_an_error_that_names_the_key() {
        let good = include_str!("../../catalogue/agents.toml");
        let table = [
            (good.replacen("kind = \"oms\"", "kind = \"xyz\"", 1), "xyz"),
            (good.replacen("retired", "retirde", 1), "retirde"),
            (good.replacen("\"1.12.25\"", "\"new\"", 1), "minimum"),
            (good.replacen("source = [\"private-link\", \"oms\"", "source = [\"nowhere\"", 1), "nowhere"),
        ];
        for (text, key) in table {
            let error = Agents::parse(&text).expect_err(key).to_string();
            assert!(error.contains("agents.toml") && error.contains(key), "{error}");
        }
    }
}
