//! VM extensions on Windows: one folder an extension, in it one a version, in that the settings it was given.
//!
//! Protected settings are encrypted and not looked at.
//! Source: <https://learn.microsoft.com/azure/virtual-machines/extensions/features-windows>

use serde_json::Value;

use crate::observation::Installed;
use crate::probe::agent::extension::newest_settings;
use crate::probe::agent::files::Files;
use crate::version::Version;

/// The versions whose folders are there.
pub(super) fn versions(files: &mut Files<'_>, folder: &str, extension: &str) -> Vec<Installed> {
    let place = format!(r"{folder}\{extension}");
    let names = files.folders(&place).into_iter().filter(|name| name.parse::<Version>().is_ok());
    names.map(|version| Installed { source: format!(r"{place}\{version}"), version }).collect()
}

/// The newest settings of the newest version, and their file.
pub(super) fn settings(files: &mut Files<'_>, folder: &str, extension: &str) -> Option<(Value, String)> {
    let version = |installed: &Installed| installed.version.parse::<Version>().ok();
    let newest = versions(files, folder, extension).into_iter().max_by_key(version)?;
    let place = format!(r"{}\RuntimeSettings", newest.source);
    newest_settings(files, &place, '\\')
}
