//! The environment that systemd gives to a service: its unit, drop-ins and environment files.
//!
//! Sources: systemd.unit(5), systemd.exec(5), systemd-system.conf(5)

use std::collections::BTreeMap;

use crate::probe::agent::files::Files;
use crate::probe::agent::settings::{pairs, unquoted};

/// Where units are, the strongest last.
const FOLDERS: [&str; 4] =
    ["/lib/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system", "/etc/systemd/system"];
/// `DefaultEnvironment=` for all services.
const OF_ALL: [&str; 4] = [
    "/lib/systemd/system.conf.d",
    "/usr/lib/systemd/system.conf.d",
    "/run/systemd/system.conf.d",
    "/etc/systemd/system.conf.d",
];
/// Environment files that are read of one unit.
const ENVIRONMENT_FILES: usize = 16;

/// Variables, each with the file that sets it.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(BTreeMap<String, (String, String)>);

impl Environment {
    /// The value of a variable and the file that sets it; an empty value takes an earlier one back.
    pub(super) fn of(&self, name: &str) -> Option<(&str, &str)> {
        let (value, source) = self.0.get(name)?;
        (!value.is_empty()).then_some((value.as_str(), source.as_str()))
    }

    /// Takes the variables of an environment file.
    pub(super) fn read(&mut self, text: &str, path: &str) {
        for (name, value) in pairs(text) {
            self.set(name, value, path);
        }
    }

    /// Takes the variables of another over these.
    pub(super) fn overlay(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn set(&mut self, name: &str, value: &str, path: &str) {
        self.0.insert(name.to_owned(), (value.to_owned(), path.to_owned()));
    }
}

/// What a unit's file and drop-ins set: variables of environment files go over those of `Environment=`.
pub(super) fn of_unit(files: &mut Files<'_>, unit: &str) -> Environment {
    let mut paths: Vec<String> = FOLDERS.iter().rev().map(|folder| format!("{folder}/{unit}.service")).collect();
    paths.retain(|path| files.exists(path));
    paths.truncate(1);
    let folders: Vec<String> = FOLDERS
        .iter()
        .flat_map(|folder| [format!("{folder}/{unit}.d"), format!("{folder}/{unit}.service.d")])
        .collect();
    paths.extend(drop_ins(files, &folders));
    let mut environment = Environment::default();
    let mut named: Vec<String> = Vec::new();
    for path in paths {
        let Some(text) = files.text(&path) else { continue };
        for line in text.lines() {
            for (name, value) in assignments(line, "Environment") {
                environment.set(&name, &value, &path);
            }
            match value_of(line, "EnvironmentFile") {
                Some("") => named.clear(),
                Some(file) => named.push(unquoted(file).trim_start_matches('-').to_owned()),
                None => {}
            }
        }
    }
    for file in named.into_iter().filter(|file| file.starts_with('/')).take(ENVIRONMENT_FILES) {
        let text = files.text(&file).unwrap_or_default();
        environment.read(&text, &file);
    }
    environment
}

/// What every service gets.
pub(super) fn of_all(files: &mut Files<'_>) -> Environment {
    let mut environment = Environment::default();
    for path in drop_ins(files, &OF_ALL.map(str::to_owned)) {
        let text = files.text(&path).unwrap_or_default();
        for (name, value) in text.lines().flat_map(|line| assignments(line, "DefaultEnvironment")) {
            environment.set(&name, &value, &path);
        }
    }
    environment
}

/// Drop-ins in order of their names; one in a later folder takes the place of one with its name.
fn drop_ins(files: &mut Files<'_>, folders: &[String]) -> Vec<String> {
    let mut of_name = BTreeMap::new();
    for folder in folders {
        for name in files.names(folder, "conf") {
            let path = format!("{folder}/{name}");
            of_name.insert(name, path);
        }
    }
    of_name.into_values().collect()
}

/// What stands behind `key=` in a line.
fn value_of<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.trim().strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim)
}

/// The variables of `Environment="A=b c" D=e`: whole assignments may stand in quotes.
fn assignments(line: &str, key: &str) -> Vec<(String, String)> {
    let Some(value) = value_of(line, key) else { return Vec::new() };
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in value.chars() {
        match quote {
            Some(open) if open == character => quote = None,
            None if character == '"' || character == '\'' => quote = Some(character),
            None if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().into_iter().for_each(|word| word.push(character)),
        }
    }
    let pair = |word: &String| word.split_once('=').map(|(key, value)| (key.to_owned(), unquoted(value).to_owned()));
    words.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_in_may_hold_several_assignments_in_quotes() {
        let line = r#"Environment="https_proxy=http://p:1" 'no_proxy=a b' X=1 "#;
        let found = assignments(line, "Environment");
        assert_eq!(
            found,
            [("https_proxy", "http://p:1"), ("no_proxy", "a b"), ("X", "1")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert_eq!(assignments("EnvironmentFile=/etc/x", "Environment"), []);
        assert_eq!(value_of(" EnvironmentFile = -/etc/x ", "EnvironmentFile"), Some("-/etc/x"));
    }
}
