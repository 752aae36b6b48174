//! The report's JSON Schema (2020-12), made from the types that write the report.
//!
//! It describes what readers may rely on: every promised field is required, others may be added. The observations are
//! described by their version alone: they are for `judge`, which reads every version it knows.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::Report;

/// A name, not a place: the schema is printed by `ampls-doctor schema`.
const ID: &str = "urn:ampls-doctor:report:1";

/// What the schema promises of the observations.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub(super) struct Seen {
    /// Version of their structure.
    #[expect(dead_code, reason = "the type only describes")]
    version: u32,
}

/// The schema.
pub fn schema() -> Value {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>();
    schema.insert("$id".to_owned(), json!(ID));
    schema.insert("title".to_owned(), json!("Report of ampls-doctor"));
    schema.to_value()
}
