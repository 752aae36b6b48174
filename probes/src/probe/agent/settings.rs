//! `KEY=value` lines and hosts in them, as the agents' own files have them.

use crate::azure::{Cloud, WorkspaceId};

/// The `KEY=value` pairs of a text, in order. `export` before the key, quotes around the value and lines that begin with
/// `#` or `;` are taken off; a value may hold `=`. What is no pair is passed over.
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

/// The host of a URL, lower case, if it is a plain name.
pub(super) fn host(url: &str) -> Option<String> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.to_ascii_lowercase();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && host.len() <= 253 && host.contains('.')).then_some(host)
}

/// The workspace that a host belongs to: `<id>.ods.opinsights.…`, `<id>.oms.opinsights.…`.
pub(super) fn workspace_of(host: &str) -> Option<WorkspaceId> {
    let (label, rest) = host.split_once('.')?;
    (rest.starts_with("ods.") || rest.starts_with("oms.")).then(|| label.parse().ok()).flatten()
}

/// The cloud that a host of Azure Monitor belongs to.
pub(super) fn cloud_of(host: &str) -> Option<Cloud> {
    Cloud::of_host(host)
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

    #[test]
    fn host_of_a_url_is_a_plain_name() {
        assert_eq!(host("https://u:p@A.b.com:443/x?y").as_deref(), Some("a.b.com"));
        for odd in ["", "https://", "localhost", "https://a b.com", "https://[::1]/", "https://\u{1b}.com/"] {
            assert_eq!(host(odd), None, "{odd}");
        }
    }
}
