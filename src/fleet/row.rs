//! One flat row a machine and cause: what is loaded into a table elsewhere.
//!
//! A machine without a cause has one row, whose columns of the cause are null: machines can be counted in the rows alone.

use ampls_probes::observation::moment::to_millisecond;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Group, Machine, MachineKey, SCHEMA, State, Whole};
use crate::diagnose::finding::{Certainty, Owner, Severity};

/// A machine and one of its causes.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Row<'w> {
    /// Version of this row.
    pub schema: u32,
    /// `fleet-row`
    pub kind: &'static str,
    /// What tells the machine from others.
    #[schemars(with = "String")]
    pub machine: &'w MachineKey,
    /// Host name.
    pub host: &'w str,
    /// Resource id.
    pub resource_id: Option<&'w str>,
    /// The cloud.
    pub cloud: Option<&'w str>,
    /// Subscription.
    pub subscription: Option<&'w str>,
    /// Region.
    pub region: Option<&'w str>,
    /// The first subnet.
    pub subnet: Option<&'w str>,
    /// When the newest run began.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub at: Timestamp,
    /// When the newest run of the whole picture began. How a cause is called depends on the machines around it: of two pictures
    /// that hold the same run the later one counts.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub as_of: Timestamp,
    /// That run.
    pub run_id: Uuid,
    /// The program that judged it.
    pub version: &'w str,
    /// Names and addresses are pseudonyms.
    pub redacted: bool,
    /// How the machine is.
    pub state: State,
    /// Its root causes that are errors.
    pub errors: usize,
    /// Its root causes that are warnings.
    pub warnings: usize,
    /// Where its names lead.
    pub route: &'w str,
    /// Its DNS servers.
    pub servers: &'w [String],
    /// Its agents and their versions.
    pub agents: &'w [String],
    /// The group: code and facts in one line.
    pub cause: Option<&'w str>,
    /// The code.
    pub code: Option<&'w str>,
    /// How bad.
    pub severity: Option<Severity>,
    /// How sure: `likely` where it is no more on one of the machines that share it.
    pub certainty: Option<Certainty>,
    /// Whose work.
    pub owner: Option<Owner>,
    /// The cause in a few words.
    pub title: Option<&'w str>,
    /// What its machines share, each as `name=value`.
    pub facts: Vec<String>,
    /// No other machine has it.
    pub outlier: Option<bool>,
}

/// The rows, by machine.
pub fn rows(whole: &Whole) -> impl Iterator<Item = Row<'_>> {
    let as_of = whole.picture.machines.newest;
    whole.machines.iter().flat_map(move |machine| {
        let groups: Vec<Option<&Group>> = match machine.common.groups.as_slice() {
            [] => vec![None],
            groups => groups.iter().map(|group| whole.picture.groups.get(*group)).collect(),
        };
        groups.into_iter().map(move |group| row(machine, group, as_of.unwrap_or(machine.at)))
    })
}

fn row<'w>(machine: &'w Machine, group: Option<&'w Group>, as_of: Timestamp) -> Row<'w> {
    let (common, shared) = (&*machine.common, &*machine.common.shared);
    let facts = group.map(|group| group.facts.as_slice()).unwrap_or_default();
    let fact = |name: &str, value: &str| format!("{name}={value}");
    Row {
        schema: SCHEMA,
        kind: "fleet-row",
        machine: &machine.key,
        host: &machine.name,
        resource_id: machine.resource_id.as_deref(),
        cloud: shared.cloud.as_deref(),
        subscription: shared.place.subscription.as_deref(),
        region: shared.place.region.as_deref(),
        subnet: shared.place.subnet.as_deref(),
        at: machine.at,
        as_of,
        run_id: machine.run,
        version: &shared.version,
        redacted: common.redacted,
        state: common.state,
        errors: common.errors,
        warnings: common.warnings,
        route: &shared.route,
        servers: &shared.servers,
        agents: &common.agents,
        cause: group.map(|group| group.id.as_str()),
        code: group.map(|group| group.code.as_str()),
        severity: group.map(|group| group.severity),
        certainty: group.and_then(|group| group.certainty),
        owner: group.and_then(|group| group.owner),
        title: group.map(|group| group.title.as_str()),
        facts: facts.iter().flat_map(|of| of.values.iter().map(|it| fact(of.name, &it.value))).collect(),
        outlier: group.map(|group| group.outlier),
    }
}
