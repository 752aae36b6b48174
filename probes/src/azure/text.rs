//! Texts of the catalogue, in TOML, taken into types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::packed::unpacked;

/// The values of a text of TOML as those of JSON: what takes these into a type is far smaller than what takes TOML into it.
pub(crate) fn values(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error| place(text, &error))
}

/// The values of a file of the catalogue that is part of the program, as the build script packed them.
pub(crate) fn of_the_program(packed: &[u8]) -> Result<Value, String> {
    serde_json::from_str(&unpacked(packed)).map_err(|error| error.to_string())
}

/// A file of the catalogue that is part of the program.
macro_rules! file_of_the_catalogue {
    ($name:expr) => {
        $crate::azure::of_the_program(include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".json.gz")))
    };
}
pub(crate) use file_of_the_catalogue;

/// What these values are of a type, or a line that says which is wrong, and how.
pub(crate) fn taken<T: DeserializeOwned>(values: &Value) -> Result<T, String> {
    let read = |values: &Value| T::deserialize(values).map_err(|error| error.to_string());
    read(values).map_err(|message| {
        // Values are taken in their order: a change before the wrong one, or of it, makes another error; one after it does not.
        let matters = |pointer: &String| {
            let mut changed = values.clone();
            changed.pointer_mut(pointer).map(Value::take);
            read(&changed).err().as_ref() != Some(&message)
        };
        match pointers(values).into_iter().rfind(matters) {
            Some(pointer) => format!("`{}`: {message}", pointer.trim_start_matches('/').replace('/', ".")),
            None => message,
        }
    })
}

/// Where the values are that hold no others, in their order (RFC 6901).
fn pointers(values: &Value) -> Vec<String> {
    let below = |key: &str, value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        pointers(value).into_iter().map(move |rest| format!("/{key}{rest}")).collect::<Vec<_>>()
    };
    match values {
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, item)| below(&at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| below(key, value)).collect(),
        _ => vec![String::new()],
    }
}

/// Line, key and message of a TOML error, in one line.
fn place(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return message;
    };
    let number = before.matches('\n').count();
    let line = text.lines().nth(number).unwrap_or_default();
    let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
    format!("line {}, `{key}`: {message}", number + 1)
}
