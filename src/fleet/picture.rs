//! The picture as a document: what is written as JSON and what every other format shows.

use ampls_probes::observation::moment::to_millisecond;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::counted::{by_machines, counted, percent};
use super::group::Draft;
use super::side::Side;
use super::title::title_of;
use super::{Common, Counted, Cut, Machine, Place, SCHEMA, Since, State};
use crate::diagnose::finding::{Certainty, Fix, Owner, Severity};
use crate::diagnose::rules;
use crate::facts_file::InAzure;
use crate::report::{FailOn, NOTHING_LOOKED_AT};

/// Many machines, grouped by what is wrong with them.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Picture {
    /// Version of this document.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// `fleet`
    pub kind: &'static str,
    /// The program that wrote it.
    pub version: String,
    /// What was read.
    pub inputs: Inputs,
    /// How many machines there are, and how they are.
    pub machines: Machines,
    /// What Azure holds on the networks of these machines; null without `--facts`, or where it holds none of them.
    pub in_azure: Option<InAzure>,
    /// The causes: errors first, then those of most machines.
    pub groups: Vec<Group>,
    /// The machines cut by one dimension; null unless it was asked for.
    pub by: Option<Cut>,
    /// What changed since an earlier picture; null unless it was asked for.
    pub since: Option<Since>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Inputs {
    /// Whole reports.
    pub reports: u64,
    /// Digests.
    pub digests: u64,
    /// Lines of the format `ndjson`.
    pub rows: u64,
    /// Inputs that could not be read.
    pub broken: u64,
    /// The first of them, by name.
    pub broken_named: Vec<BrokenInput>,
}

/// An input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct BrokenInput {
    /// The file, and the line where it is one of many.
    pub input: String,
    /// What is wrong with it.
    pub why: String,
}

/// How many machines there are. Each counts once, with its newest report.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Machines {
    /// All of them.
    pub seen: usize,
    /// Without an error and without a warning.
    pub ok: usize,
    /// With warnings only.
    pub warning: usize,
    /// With an error.
    pub error: usize,
    /// Whose run could look at nothing.
    pub unexamined: usize,
    /// Whose verdict is worse than the findings that were read of it: some of these are missing.
    pub incomplete: usize,
    /// With a cause of which its digest does not name all that it is about.
    pub not_named: usize,
    /// Whose names and addresses are pseudonyms.
    pub redacted: usize,
    /// When the oldest of these runs began; null without machines.
    pub oldest: Option<Timestamp>,
    /// When the newest of these runs began; null without machines.
    pub newest: Option<Timestamp>,
}

/// What the machines of a group share.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FactValues {
    /// What kind of thing, e.g. `server`.
    pub name: &'static str,
    /// Which, with the machines of the group that show it.
    pub values: Vec<Counted>,
}

/// A machine of a group.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Example {
    /// Host name.
    pub host: String,
    /// Resource id.
    pub resource_id: Option<String>,
    /// When its newest run began.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub at: Timestamp,
}

/// Machines with one cause.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Group {
    /// The code and its facts in one line: the same as long as the cause is the same.
    pub id: String,
    /// The code.
    pub code: String,
    /// The rule's name; empty for a code of a later version.
    pub name: String,
    /// The cause in a few words.
    pub title: String,
    /// How bad it is on these machines; machines on which it is worse or better are another group.
    pub severity: Severity,
    /// `likely` as soon as it is no more on one of the machines; null where no report says it: digests do not.
    pub certainty: Option<Certainty>,
    /// Whose work the fix is; null for a code of a later version where no report says it.
    pub owner: Option<Owner>,
    /// What the machines share.
    pub facts: Vec<FactValues>,
    /// How many machines.
    pub machines: usize,
    /// Their share of all machines, in percent.
    pub percent: f64,
    /// Machines on which it is the only error or warning.
    pub only_fault: usize,
    /// One machine alone.
    pub outlier: bool,
    /// Digests had no room for what these machines share: they may belong to other groups of the code.
    pub not_named: bool,
    /// What it affects.
    pub affects: Vec<Counted>,
    /// Regions.
    pub regions: Vec<Counted>,
    /// Subnets.
    pub subnets: Vec<Counted>,
    /// Subscriptions.
    pub subscriptions: Vec<Counted>,
    /// Agents and their versions.
    pub agents: Vec<Counted>,
    /// Some of the machines.
    pub examples: Vec<Example>,
    /// When it was first seen, in any report that was read.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub first_seen: Timestamp,
    /// When it was last seen.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub last_seen: Timestamp,
    /// How to fix it, once for all of them: the rules of this version on the newest whole report that shows it. Empty where
    /// there is none; then the page of the code says it.
    pub fix: Vec<Fix>,
    /// The machine whose report the fix is filled in from.
    pub fix_from: Option<String>,
}

impl Picture {
    /// The exit status: 1 where a machine is as bad as this or could not be examined, 3 where none could be.
    pub fn exit_status(&self, fail_on: FailOn) -> u8 {
        let all = &self.machines;
        if all.seen > 0 && all.unexamined == all.seen {
            return NOTHING_LOOKED_AT;
        }
        let bad = fail_on.counts(Severity::Error) && all.error + all.unexamined > 0;
        u8::from(bad || fail_on.counts(Severity::Warning) && all.warning > 0)
    }

    /// Groups of several machines that call for something to be done.
    pub fn causes(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.outlier && group.severity > Severity::Info)
    }

    /// Causes of one machine alone that call for something to be done.
    pub fn outliers(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.outlier && group.severity > Severity::Info)
    }
}

pub(super) fn picture(version: &str, inputs: Inputs, side: &Side) -> Picture {
    let count = |is: &dyn Fn(&Common) -> bool| -> usize {
        side.all().filter(|(_, common)| is(common)).map(|(kin, _)| kin.machines).sum()
    };
    let of_state = |state| count(&|common| common.state == state);
    Picture {
        schema: SCHEMA,
        kind: "fleet",
        version: version.to_owned(),
        inputs,
        machines: Machines {
            seen: side.machines.len(),
            ok: of_state(State::Ok),
            warning: of_state(State::Warning),
            error: of_state(State::Error),
            unexamined: of_state(State::Unexamined),
            incomplete: count(&|common| common.incomplete),
            not_named: count(&|common| common.unnamed),
            redacted: count(&|common| common.redacted),
            oldest: side.kins.iter().map(|kin| kin.first).min(),
            newest: side.kins.iter().map(|kin| kin.last).max(),
        },
        in_azure: None,
        groups: side.drafts.iter().map(|draft| group(draft, side)).collect(),
        by: None,
        since: None,
    }
}

/// Errors and warnings of a machine, as groups.
fn faults(common: &Common, drafts: &[Draft]) -> usize {
    let fault = |group: &&usize| drafts.get(**group).is_some_and(|draft| draft.severity > Severity::Info);
    common.groups.iter().filter(fault).count()
}

fn group(draft: &Draft, side: &Side) -> Group {
    let places = |of: fn(&Place) -> Option<&String>| {
        counted(side.members(draft).map(|(kin, common)| (of(&common.shared.place), kin.machines)))
    };
    let agents = side.members(draft).flat_map(|(kin, common)| {
        let none = common.agents.is_empty().then_some(None);
        none.into_iter().chain(common.agents.iter().map(Some)).map(|agent| (agent, kin.machines))
    });
    let alone = side.members(draft).filter(|(_, common)| faults(common, &side.drafts) == 1);
    let example = |machine: &Machine| Example {
        host: machine.name.to_string(),
        resource_id: machine.resource_id.as_deref().map(str::to_owned),
        at: machine.at,
    };
    let values = |(value, machines): &(String, usize)| Counted { value: value.clone(), machines: *machines };
    let fact = |(name, all): (&&'static str, &Vec<(String, usize)>)| {
        let whole = |counted: Counted| Counted {
            machines: counted.machines.max(usize::from(all.len() == 1) * draft.machines),
            ..counted
        };
        FactValues { name, values: all.iter().map(values).map(whole).collect() }
    };
    Group {
        id: draft.key(),
        code: draft.code.clone(),
        name: rules::of_code(&draft.code).map(|rule| rule.name.to_owned()).unwrap_or_default(),
        title: title_of(draft),
        severity: draft.severity,
        certainty: draft.certainty,
        owner: draft.owner,
        facts: draft.named.iter().map(fact).collect(),
        machines: draft.machines,
        percent: percent(draft.machines, side.machines.len()),
        only_fault: alone.map(|(kin, _)| kin.machines).sum(),
        outlier: draft.machines == 1,
        not_named: draft.unnamed,
        affects: by_machines(draft.affects.iter().map(|(what, machines)| ((*what).to_owned(), *machines)).collect()),
        regions: places(|place| place.region.as_ref()),
        subnets: places(|place| place.subnet.as_ref()),
        subscriptions: places(|place| place.subscription.as_ref()),
        agents: counted(agents),
        examples: side.examples(draft).into_iter().map(example).collect(),
        first_seen: draft.first,
        last_seen: draft.last,
        fix: Vec::new(),
        fix_from: None,
    }
}
