//! The schemas of what `fleet` writes, made from the types that write it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Picture, Row};

/// The schema of the picture (2020-12).
pub fn schema() -> Value {
    described::<Picture>("urn:ampls-doctor:fleet:1", "Picture of many machines by ampls-doctor")
}

/// The schema of a row (2020-12).
pub fn row_schema() -> Value {
    described::<Row<'static>>("urn:ampls-doctor:fleet-row:1", "A machine and one of its causes, by ampls-doctor")
}

fn described<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), json!(id));
    schema.insert("title".to_owned(), json!(title));
    schema.to_value()
}
