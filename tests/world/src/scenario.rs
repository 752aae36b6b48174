//! World files: what a simulated Azure is made of, and what the doctor must say of it.
//!
//! Everything has a default, so that a file states only what is wrong with its world. Names may contain `<workspace>`,
//! `<dce>` and `<region>`, which stand for the first workspace, the first data collection endpoint (its label and stamp, as
//! in `prod-ab12.westeurope-1`) and the region. It only describes: sockets are opened by [`crate::start()`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};

use serde::Deserialize;

use crate::names::Cloud;

pub use control::{ArcAnswer, Control, ControlAnswer, IdentityAnswer};
pub use dns::{LocalZone, Resolver, Server, ServerFault, View, Vnet};
pub use front::{Front, HttpFault, TcpFault, TlsFault};
pub use machine::{Machine, Platform, PlatformAnswer, Proxy};

pub mod control;
pub mod dns;
pub mod front;
pub mod machine;
pub mod registry;

/// The workspace of a world that names none.
pub const WORKSPACE: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";

/// A world file that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldFileError {
    /// The name of the file, without folder and extension.
    pub file: String,
    /// What is wrong with it: key, line, what is wanted.
    pub message: String,
}

impl fmt::Display for WorldFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "world file `{}`: {}", self.file, self.message.trim_end())
    }
}

impl std::error::Error for WorldFileError {}

/// A world file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The file's name, without folder and extension.
    #[serde(skip)]
    pub name: String,
    /// A few words.
    pub title: String,
    /// One sentence for `demo --list`.
    pub story: String,
    /// Arguments of `check` beside those that follow from the rest of the file (`--workspace`, `--dce`, `--timeout`).
    #[serde(default, rename = "arguments")]
    pub more_arguments: Vec<String>,
    /// What the file of `--expected-records` holds.
    pub expected_records: Option<String>,
    /// The cloud whose names exist here.
    #[serde(default)]
    pub cloud: Cloud,
    /// The machine's region.
    #[serde(default = "default_region")]
    pub region: String,
    /// Workspaces that exist, and that are asked for.
    #[serde(default = "default_workspaces")]
    pub workspaces: Vec<String>,
    /// Workspaces that are asked for and do not exist any more.
    #[serde(default)]
    pub deleted_workspaces: Vec<String>,
    /// Data collection endpoints that exist, and that are asked for, as `<label>.<region>-<n>`.
    #[serde(default)]
    pub dces: Vec<String>,
    /// Names of workspaces run through their `privatelink` alias in public DNS.
    #[serde(default = "yes")]
    pub workspaces_aliased: bool,
    /// Added to every answer of every server, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
    /// Added to the machine's clock, in seconds.
    #[serde(default)]
    pub clock_shift_s: i64,
    /// The virtual network of this machine: what 168.63.129.16 shows.
    #[serde(default)]
    pub vnet: Vnet,
    /// Another network, for servers that `resolve = "hub"`.
    #[serde(default)]
    pub hub: Vnet,
    /// DNS servers. 168.63.129.16 exists always, and is the configured one where none is described.
    #[serde(default, rename = "server")]
    pub servers: Vec<Server>,
    /// The machine's resolver.
    #[serde(default)]
    pub resolver: Resolver,
    /// How addresses and names answer; the first entry that matches and has the key decides.
    #[serde(default, rename = "front")]
    pub fronts: Vec<Front>,
    /// The machine itself.
    #[serde(default)]
    pub machine: Machine,
    /// The platform's services.
    #[serde(default)]
    pub platform: Platform,
    /// The control service and the machine's identity.
    #[serde(default)]
    pub control: Control,
    /// A proxy.
    pub proxy: Option<Proxy>,
    /// Values of the registry, by key and name. A machine that has any runs Windows.
    #[serde(default)]
    pub registry: BTreeMap<String, BTreeMap<String, registry::Value>>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files, by absolute path; `<now>` in them is the moment of the start, `<now-5>` five minutes earlier.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What the doctor must say.
    #[serde(default)]
    pub expect: Expected,
}

/// What the doctor must say of a world.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expected {
    /// Exit status.
    pub exit: u8,
    /// `verdict.route`
    pub route: Option<String>,
    /// `verdict.health`
    pub health: Option<String>,
    /// Codes of the roots, in order; informational ones only where they are named here.
    pub roots: Vec<String>,
    /// Symptoms and the root that explains them.
    pub caused: BTreeMap<String, String>,
    /// Text that the roots carry somewhere.
    pub text: Vec<String>,
    /// Text of the lines about what was not looked at.
    pub unseen: Vec<String>,
}

impl Scenario {
    /// Reads a world file; `name` is what errors call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, WorldFileError> {
        let wrong = |message: String| WorldFileError { file: name.to_owned(), message };
        let mut scenario: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        name.clone_into(&mut scenario.name);
        for path in scenario.files.keys() {
            let inside = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
            if !path.starts_with('/') || !Path::new(path).components().all(inside) {
                return Err(wrong(format!("`files` names `{path}`; paths are absolute and without `..`")));
            }
            // The simulated system resolves by `machine.hosts` and `resolver`, whatever stands in a file.
            let of_the_world = [("/etc/hosts", "machine.hosts"), ("/etc/resolv.conf", "resolver")];
            if let Some((_, key)) = of_the_world.iter().find(|(known, _)| Path::new(path) == Path::new(known)) {
                return Err(wrong(format!("`files` names `{path}`, which the world writes itself; use `{key}`")));
            }
        }
        for (part, vnet) in [("vnet", &scenario.vnet), ("hub", &scenario.hub)] {
            for zone in vnet.linked.iter().chain(&vnet.empty).chain(&vnet.fallback) {
                if !scenario.cloud.zone_names().contains(&zone.as_str()) {
                    let known = scenario.cloud.zone_names().join("`, `");
                    return Err(wrong(format!("`{part}` names the zone `{zone}`; known are `{known}`")));
                }
            }
        }
        Ok(scenario)
    }

    /// The arguments of `check` for this world.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = Vec::new();
        for workspace in self.workspaces.iter().chain(&self.deleted_workspaces) {
            arguments.extend(["--workspace".to_owned(), workspace.clone()]);
        }
        for dce in &self.dces {
            arguments.extend(["--dce".to_owned(), format!("{dce}.ingest.{}", self.cloud.monitor())]);
        }
        // A dead end costs a demonstration two seconds, not the five of a real network.
        for (option, value) in [("--timeout", "2"), ("--deadline", "10")] {
            if !self.more_arguments.iter().any(|given| given == option) {
                arguments.extend([option.to_owned(), value.to_owned()]);
            }
        }
        arguments.extend(self.more_arguments.iter().map(|argument| self.expand(argument)));
        arguments
    }

    /// A text with `<workspace>`, `<dce>` and `<region>` filled in.
    pub fn expand(&self, text: &str) -> String {
        let workspace = self.workspaces.first().map_or(WORKSPACE, String::as_str);
        let dce = self.dces.first().map_or("<dce>", String::as_str);
        text.replace("<workspace>", workspace).replace("<dce>", dce).replace("<region>", &self.region)
    }
}

fn yes() -> bool {
    true
}

fn default_region() -> String {
    "westeurope".to_owned()
}

fn default_workspaces() -> Vec<String> {
    vec![WORKSPACE.to_owned()]
}
