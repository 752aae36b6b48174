//! The report's JSON Schema (2020-12), made from the types that write the report.
//!
//! It describes what readers may rely on: every promised field is required, others may be added. The observations are
//! described by the fields without which nobody can judge them: what each of them holds is the business of `judge`.

use ampls_probes::observation::VERSION;
use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::Report;

/// A name, not a place: the schema is printed by `ampls-doctor schema`.
const ID: &str = "urn:ampls-doctor:report:2";

/// What the schema promises of the observations.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "the type only describes")]
pub(super) struct Recorded {
    /// Version of their structure.
    #[schemars(extend("const" = VERSION))]
    version: u32,
    /// When the run began, by the machine's clock.
    started_at: Timestamp,
    /// How long it took, in milliseconds.
    elapsed_ms: u64,
    /// The options that a judgement depends on.
    asked: Map<String, Value>,
    /// The machine that looked.
    machine: Map<String, Value>,
    /// The endpoints that were planned.
    endpoints: Vec<Map<String, Value>>,
    /// AMPLS zones that were looked at.
    zones: Vec<String>,
    /// Endpoint templates left out because a parameter stayed unknown.
    unresolved_names: Vec<String>,
    /// What each probe saw.
    seen: Vec<Map<String, Value>>,
}

/// The schema.
pub fn schema() -> Value {
    described::<Report>(ID, "Report of ampls-doctor")
}

/// The schema of a document that is written, with this name and title.
pub(crate) fn described<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), json!(id));
    schema.insert("title".to_owned(), json!(title));
    let mut schema = schema.to_value();
    for_readers(&mut schema);
    schema
}

/// Puts what Rust's own documentation holds into the words of JSON.
fn for_readers(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`").replace("`None`", "null");
            }
            fields.values_mut().for_each(for_readers);
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        _ => {}
    }
}
