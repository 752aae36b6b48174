//! The prediction of a whole fleet as a document: its coverage first.

use ampls_probes::endpoint::Need;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};

use crate::facts_file::InAzure;

use super::{Change, Fate, MachinePrediction, SCHEMA};

/// What changes would do to the machines of which there are reports.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WhatIf {
    /// Version of this document.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// `what-if`
    pub kind: &'static str,
    /// The program that wrote it.
    pub version: String,
    // Before it stand only the three fields by which a program recognises any document of this one.
    /// What the prediction is about.
    pub coverage: Coverage,
    /// The changes, in their order.
    pub changes: Vec<String>,
    /// How many machines improve, break and stay.
    pub machines: Machines,
    /// Each machine: those that break first.
    pub predictions: Vec<MachinePrediction>,
}

/// What the prediction is about: machines without a report are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Coverage {
    /// Machines with a whole report.
    pub machines: usize,
    /// Of them redacted: their names and addresses are pseudonyms, which a change of real ones does not meet.
    pub redacted: usize,
    /// Inputs that hold no observations (digests, rows) or cannot be read.
    pub unusable: u64,
    /// The first of them, and why.
    pub unusable_named: Vec<String>,
    /// What Azure holds on the networks of these machines; null without `--facts`, or where it holds none of them.
    pub in_azure: Option<InAzure>,
    /// The same in a sentence.
    pub sentence: String,
}

/// How many machines there are of each fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Machines {
    /// Whose required names break.
    pub breaks: usize,
    /// Of whose required names something is not known.
    pub unknown: usize,
    /// Whose names improve.
    pub improves: usize,
    /// That stay as they are.
    pub same: usize,
}

/// The changes that no report is about: nothing that it looks at has their zone, name or suffix.
pub fn unmet<'c>(changes: &'c [Change], predictions: &[MachinePrediction]) -> Vec<&'c Change> {
    let met = |place: usize| predictions.iter().any(|machine| machine.meets.contains(&place));
    changes.iter().enumerate().filter(|(place, _)| !met(*place)).map(|(_, change)| change).collect()
}

/// The document: machines that break first, then by name.
pub fn what_if(
    version: &str,
    changes: &[Change],
    mut coverage: Coverage,
    mut predictions: Vec<MachinePrediction>,
) -> WhatIf {
    let count = |fate: Fate| predictions.iter().filter(|machine| machine.fate == fate).count();
    let machines = Machines {
        breaks: count(Fate::Breaks),
        unknown: count(Fate::Unknown),
        improves: count(Fate::Improves),
        same: count(Fate::Same),
    };
    predictions.sort_by(|a, b| (b.fate, &a.host, &a.resource_id).cmp(&(a.fate, &b.host, &b.resource_id)));
    coverage.machines = predictions.len();
    let of = if coverage.machines == 1 { "machine" } else { "machines" };
    let redacted = match coverage.redacted {
        0 => String::new(),
        count => format!(" ({count} redacted: names and addresses are pseudonyms)"),
    };
    let others = match &coverage.in_azure {
        Some(around) => around.sentence(),
        None => "others on these networks are not in it".to_owned(),
    };
    coverage.sentence = format!("reports cover {} {of}{redacted}; {others}", coverage.machines);
    let changes = changes.iter().map(ToString::to_string).collect();
    WhatIf { schema: SCHEMA, kind: "what-if", version: version.to_owned(), coverage, changes, machines, predictions }
}

impl WhatIf {
    /// The exit status: 1 where a required name breaks, or is unknown and that is not allowed.
    pub fn exit_status(&self, allow_unknown: bool) -> u8 {
        let required =
            self.predictions.iter().flat_map(|machine| &machine.names).filter(|name| name.need == Need::Required);
        let fails = |fate: Fate| fate == Fate::Breaks || (fate == Fate::Unknown && !allow_unknown);
        u8::from(required.map(|name| name.fate).any(fails))
    }
}

/// The schema of the document (2020-12).
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<WhatIf>();
    schema.insert("$id".to_owned(), json!("urn:ampls-doctor:what-if:1"));
    schema.insert("title".to_owned(), json!("Prediction of ampls-doctor"));
    schema.to_value()
}
