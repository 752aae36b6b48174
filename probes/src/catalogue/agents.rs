//! The agents of Azure Monitor as data: `catalogue/agents.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::CatalogueError;
use crate::azure::{AgentKind, file_of_the_catalogue, taken, values};
use crate::version::Version;

const FILE: &str = "agents.toml";

/// The file, parsed and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    /// Where the Azure Linux agent unpacks extensions, one folder each: `<extension>-<version>`.
    pub extensions_folder: String,
    /// Where the guest agent for Windows unpacks them, one folder an extension and in it one a version.
    pub windows_extensions_folder: String,
    /// Services of Windows that install extensions and start what they bring.
    pub windows_installers: Vec<String>,
    /// Where the facts are from, by key.
    pub sources: BTreeMap<String, String>,
    /// Agents, in the order of the file.
    #[serde(rename = "agent")]
    pub agents: Vec<KnownAgent>,
    /// What `proxy.bypass` of Azure Arc's agent stands for.
    #[serde(rename = "bypass")]
    pub bypasses: Vec<Bypass>,
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
    /// Names of its package; on Windows those under which it is listed for uninstallation.
    #[serde(default)]
    pub packages: Vec<String>,
    /// `Publisher.Type` of its VM extension.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Files whose existence shows that it is installed.
    #[serde(default)]
    pub signs: Vec<String>,
    /// Its units of systemd, the one that uploads first; its services on Windows.
    #[serde(default)]
    pub services: Vec<String>,
    /// Its programs: whole paths, or the beginning of one and `*`; on Windows, where the folder holds the version, names of
    /// files. One of them runs while it does.
    #[serde(default)]
    pub programs: Vec<String>,
    /// What is read of it besides: files or folders, `*` for the id of a workspace.
    #[serde(default)]
    pub files: BTreeMap<AgentFile, Vec<String>>,
    /// Keys of [`Agents::sources`].
    pub source: Vec<String>,
}

/// What a file or folder of an agent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentFile {
    /// Workspaces, rules, region, cloud.
    Configuration,
    /// The installed version.
    Version,
    /// The agent's own proxy.
    Proxy,
    /// Its log, with refusals.
    Log,
    /// The log that shows that the service answered.
    Answers,
    /// What it counts of its requests.
    Counters,
}

/// A service name of `proxy.bypass`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bypass {
    /// Lower case.
    pub service: String,
    /// The hosts that are reached without the proxy.
    pub hosts: Vec<String>,
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
        Self::checked(file_of_the_catalogue!("agents"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Self::checked(values(text))
    }

    fn checked(values: Result<Value, String>) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = values.and_then(|values| taken(&values)).map_err(wrong)?;
        let cited = parsed.agents.iter().map(|agent| (&agent.name, &agent.source));
        for (name, source) in cited.chain(parsed.bypasses.iter().map(|bypass| (&bypass.service, &bypass.source))) {
            if let Some(key) = source.iter().find(|key| !parsed.sources.contains_key(*key)) {
                return Err(wrong(format!("`{name}`: `source` names `{key}`, which `[sources]` does not hold")));
            }
            if source.is_empty() {
                return Err(wrong(format!("`{name}`: `source` must name one")));
            }
        }
        for agent in &parsed.agents {
            let name = &agent.name;
            if agent.minimum.as_ref().is_some_and(|minimum| minimum.parse::<Version>().is_err()) {
                return Err(wrong(format!("agent `{name}`: `minimum` is not a dotted version")));
            }
        }
        Ok(parsed)
    }

    /// What is known of an agent on an operating system.
    pub fn of(&self, kind: AgentKind, system: System) -> Option<&KnownAgent> {
        self.agents.iter().find(|agent| agent.kind == kind && agent.system == system)
    }

    /// The files or folders of an agent on Linux that hold something; empty where none is known.
    pub fn paths(&self, kind: AgentKind, file: AgentFile) -> &[String] {
        self.paths_on(System::Linux, kind, file)
    }

    /// The same on an operating system.
    pub fn paths_on(&self, system: System, kind: AgentKind, file: AgentFile) -> &[String] {
        let files = self.of(kind, system).and_then(|agent| agent.files.get(&file));
        files.map(Vec::as_slice).unwrap_or_default()
    }

    /// The hosts behind a service name of `proxy.bypass`; empty where it is not known.
    pub fn hosts_of(&self, service: &str) -> &[String] {
        let bypass = self.bypasses.iter().find(|bypass| bypass.service == service);
        bypass.map(|bypass| bypass.hosts.as_slice()).unwrap_or_default()
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
    fn every_file_that_is_read_has_its_place() {
        let agents = Agents::builtin().expect("the built-in file");
        for (kind, files) in [
            (AgentKind::Oms, &[AgentFile::Configuration, AgentFile::Version, AgentFile::Proxy, AgentFile::Log][..]),
            (AgentKind::Ama, &[AgentFile::Configuration, AgentFile::Proxy]),
            (AgentKind::Ama, &[AgentFile::Log, AgentFile::Answers, AgentFile::Counters]),
            (AgentKind::Arc, &[AgentFile::Configuration, AgentFile::Proxy]),
        ] {
            for file in files {
                let paths = agents.paths(kind, *file);
                assert!(!paths.is_empty() && paths.iter().all(|path| path.starts_with('/')), "{kind:?} {file:?}");
            }
        }
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
