//! The settings that a VM extension was given, a file for each time. The protected ones are encrypted and not looked at.

use serde_json::Value;

use super::files::Files;

/// The newest settings in a folder, and their file.
pub(super) fn newest_settings(files: &mut Files<'_>, folder: &str, separator: char) -> Option<(Value, String)> {
    let number = |name: &String| name.strip_suffix(".settings").and_then(|number| number.parse::<u32>().ok());
    let name = files.names(folder, "settings").into_iter().filter(|name| number(name).is_some()).max_by_key(number)?;
    let path = format!("{folder}{separator}{name}");
    Some((files.json(&path)?, path))
}

/// The public settings of a document.
pub(super) fn public(document: &Value) -> Option<&Value> {
    document.pointer("/runtimeSettings/0/handlerSettings/publicSettings")
}
