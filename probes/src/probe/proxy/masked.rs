//! What may be kept of a proxy's address as somebody wrote it: never its credentials.

/// Octets of a value that are looked at.
const LONGEST: usize = 4096;

/// A proxy's address without its credentials: scheme, host and port; `None` where it holds no host.
pub(in crate::probe) fn masked(value: &str) -> Option<(String, bool)> {
    let value = value.trim();
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold an `@` or, unescaped, a `/`: the host begins after the last `@` of all.
    let (has_credentials, address) = match rest.rsplit_once('@') {
        Some((_, after)) => (true, after.split(['/', '?', '#']).next().unwrap_or_default()),
        None => (false, authority),
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:_[]".contains(&byte));
    let usable = !address.is_empty() && plain(address) && !scheme.is_empty() && plain(scheme);
    usable.then(|| (format!("{}://{}", scheme.to_ascii_lowercase(), address.to_ascii_lowercase()), has_credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_however_they_are_written() {
        let table = [
            ("http://proxy:3128", Some(("http://proxy:3128", false))),
            ("proxy.corp:8080", Some(("http://proxy.corp:8080", false))),
            ("HTTPS://User:geheim@Proxy:443/", Some(("https://proxy:443", true))),
            ("http://u:ge@he/im@proxy:3128", Some(("http://proxy:3128", true))),
            ("u:geheim@proxy:3128", Some(("http://proxy:3128", true))),
            ("http://[fd00::1]:3128", Some(("http://[fd00::1]:3128", false))),
            ("http://u:geheim@", None),
            ("http://pro xy:1", None),
            ("", None),
        ];
        for (value, expected) in table {
            let found = masked(value);
            assert_eq!(found, expected.map(|(url, has)| (url.to_owned(), has)), "{value}");
        }
    }
}
