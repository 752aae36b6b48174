//! What is written as JSON, as a value.

use serde::Serialize;
use serde_json::Value;

/// What a thing is as JSON. By its text, which it is written as anyway: `serde_json::to_value` is a second way of writing for
/// every type that stands in it, and 70 kB of program.
pub fn value(of: &(impl Serialize + ?Sized)) -> serde_json::Result<Value> {
    serde_json::from_slice(&serde_json::to_vec(of)?)
}
