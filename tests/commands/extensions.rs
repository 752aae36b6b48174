//! `az` commands that come with an extension, against the options that their references list: `extensions.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Groups that are extensions: <https://learn.microsoft.com/cli/azure/azure-cli-extensions-list>
const GROUPS: [&str; 4] = ["graph ", "monitor data-collection ", "network firewall ", "dns-resolver "];

/// Options of every command.
const EVERYWHERE: [&str; 4] = ["--query", "-o", "--output", "--subscription"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    command: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    extension: String,
    source: String,
    options: Vec<String>,
}

static KNOWN: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| {
    let known: Known = toml::from_str(include_str!("extensions.toml")).expect("extensions.toml");
    known.command.into_iter().map(|entry| (entry.name.clone(), entry)).collect()
});

/// What is wrong with a line; nothing where it is right, or not a line of an extension.
pub(super) fn refusal(line: &str) -> Option<String> {
    let rest = line.strip_prefix("az ")?;
    if !GROUPS.iter().any(|group| rest.starts_with(group)) {
        return None;
    }
    let words = unquoted(rest);
    let name: Vec<&str> = words.iter().take_while(|word| !word.starts_with('-')).map(String::as_str).collect();
    let name = name.join(" ");
    let Some(entry) = KNOWN.get(&name) else { return Some(format!("`{name}` is not in extensions.toml: {line}")) };
    let options = words.iter().filter(|word| word.starts_with('-'));
    let unknown = options.filter(|word| !entry.options.contains(word) && !EVERYWHERE.contains(&word.as_str()));
    let unknown: Vec<&str> = unknown.map(String::as_str).collect();
    (!unknown.is_empty()).then(|| format!("`{name}` has no {unknown:?}: {line}"))
}

/// The words of a line, those between quotes left out.
fn unquoted(line: &str) -> Vec<String> {
    let outside = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    outside.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_an_extension_does_not_know_is_refused() {
    assert_eq!(refusal("az graph query -q \"resources | project a --b\" --query data -o table"), None);
    assert!(refusal("az graph query --nonsense x").is_some());
    assert!(refusal("az graph list").is_some());
    assert_eq!(refusal("az network nic show --nonsense x"), None, "the real parser sees to that");
    assert!(KNOWN.values().all(|entry| entry.source.starts_with("https://") && !entry.extension.is_empty()));
}
