//! What is listed for uninstallation: names and versions, as Settings shows them.
//!
//! Source: <https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key>

use crate::observation::Installed;
use crate::registry::Keys;

/// Programs of 64 and of 32 bits.
const LISTS: [&str; 2] = [
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
];
/// Programs that are looked at.
const PROGRAMS: usize = 2048;

/// The listed programs of Microsoft that this program knows.
pub(super) struct Installations(Vec<(String, Installed)>);

impl Installations {
    pub(super) fn read(keys: &mut Keys<'_>) -> Self {
        let mut found = Vec::new();
        for list in LISTS {
            for id in keys.keys(list).into_iter().take(PROGRAMS) {
                let source = format!(r"{list}\{id}");
                let Some(name) = keys.text(&source, "DisplayName") else { continue };
                let Some(version) = keys.text(&source, "DisplayVersion") else { continue };
                found.push((name, Installed { version, source }));
            }
        }
        Self(found)
    }

    /// The versions of a program by the beginning of its name: some carry a version or a platform at their end.
    pub(super) fn versions(&self, name: &str) -> impl Iterator<Item = Installed> {
        let is_it = move |known: &str| {
            let head = known.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
            head && known.get(name.len()..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        };
        self.0.iter().filter(move |(known, _)| is_it(known)).map(|(_, installed)| installed.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    #[test]
    fn program_is_found_in_both_lists_by_the_beginning_of_its_name() {
        let text = |text: &str| Value::Text(text.to_owned());
        let keys: Vec<String> = LISTS.iter().map(|list| format!(r"{list}\{{1}}")).collect();
        let registry = Memory::of(&[
            (&keys[0], "DisplayName", text("Dependency Agent 9.10.16")),
            (&keys[0], "DisplayVersion", text("9.10.16")),
            (&keys[1], "DisplayName", text("Dependency Agents of others")),
            (&keys[1], "DisplayVersion", text("1.0")),
        ]);
        let found = Installations::read(&mut Keys::new(registry.as_ref()));
        let versions: Vec<_> = found.versions("Dependency Agent").map(|installed| installed.version).collect();
        assert_eq!(versions, ["9.10.16"]);
    }
}
