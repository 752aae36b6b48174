//! `KEY=value` lines and what hosts say, as the agents' own files have them.

use crate::azure::{AgentsSeen, Cloud, WorkspaceId};

/// The `KEY=value` pairs of a text, in order. `export` before the key, quotes around the value and lines that begin with
/// `#` or `;` are taken off; a value may hold `=`. What is not a pair is passed over.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let key = key.trim();
        let named = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        named.then(|| (key, unquoted(value.trim())))
    })
}

/// The value without the pair of quotes around it.
pub(super) fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// The workspace that a host belongs to: `<id>.ods.opinsights.…`, `<id>.oms.opinsights.…`.
pub(super) fn workspace_of(host: &str) -> Option<WorkspaceId> {
    let (label, rest) = host.split_once('.')?;
    (rest.starts_with("ods.") || rest.starts_with("oms.")).then(|| label.parse().ok()).flatten()
}

/// Whether a name is one of Azure Monitor's own.
pub(super) fn is_of_azure_monitor(host: &str) -> bool {
    Cloud::of_host(host).is_some() && (host.contains("monitor.azure.") || host.contains("opinsights.azure."))
}

/// Takes the cloud of a suffix or host that belongs to Azure Monitor; one that this version does not know is kept by its name.
pub(super) fn note_cloud(seen: &mut AgentsSeen, host: &str, path: &str) {
    if seen.cloud.is_some() {
        return;
    }
    seen.cloud = Cloud::of_host(host);
    let name = host.trim_matches('.');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if seen.cloud.is_none() && seen.unknown_cloud.is_none() && plain && (1..=100).contains(&name.len()) {
        seen.unknown_cloud = Some((name.to_ascii_lowercase(), path.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_exports_quotes_and_equals_signs_are_understood() {
        let text = "# WORKSPACE_ID=no\n; x=1\nexport A=\"b=c\"\n B = d \nnonsense\n=x\nC='e'\nD=\"half\n";
        let found: Vec<_> = pairs(text).collect();
        assert_eq!(found, [("A", "b=c"), ("B", "d"), ("C", "e"), ("D", "\"half")]);
    }
}
