//! Host names and the hosts of URLs.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;
use url::{Host, Url};

/// A host name of at least two labels, lower case, without trailing dot; never an address.
///
/// RFC 1123 section 2.1, with underscores as DNS allows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct HostName(String);

impl HostName {
    /// A bare name; `None` when it is not a host name.
    pub fn of_name(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A name that ends in a number is an address to every URL parser (https://url.spec.whatwg.org/#ends-in-a-number-checker).
        let number = name.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
        let fits = name.len() <= 253 && name.contains('.') && !number && name.split('.').all(label_fits);
        fits.then_some(Self(name))
    }

    /// The host of a URL of any scheme, or of what a URL has after its scheme; `None` when that is an address or not a name.
    pub fn of_url(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains("://") { host(&parse(text)?) } else { host(&parse(&format!("https://{text}"))?) }
    }

    /// The host of an `https` URL without credentials, or of a bare name: what people give as an argument.
    pub fn of_argument(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.contains("://") {
            return Self::of_name(text);
        }
        let url = parse(text)?;
        let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
        plain.then(|| host(&url)).flatten()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parser leaves out tabs and line ends, and would join what they divide.
fn parse(text: &str) -> Option<Url> {
    (!text.contains(char::is_control)).then(|| Url::parse(text).ok()).flatten()
}

fn host(url: &Url) -> Option<HostName> {
    match url.host()? {
        Host::Domain(name) => HostName::of_name(name),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

impl Deref for HostName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

/// Whether a name is a domain or lies below it. Both are in lower case; a trailing dot of the name does not count.
pub fn is_within(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lies_within_itself_and_its_parents_only() {
        for (name, within) in [("azure.com", true), ("a.b.azure.com.", true), ("notazure.com", false), ("com", false)] {
            assert_eq!(is_within(name, "azure.com"), within, "{name}");
        }
    }

    #[test]
    fn the_host_of_a_url_is_a_name() {
        for text in ["https://u:p@A.b.com:443/x?y", "http://a.b.com", "a.b.com:443/x", "A.B.com.", " a.b.com "] {
            assert_eq!(HostName::of_url(text).as_deref(), Some("a.b.com"), "{text}");
        }
        for text in
            ["", "https://", "localhost", "https://a b.com", "https://[::1]/", "https://\u{1b}.com/", "a\n.b.com"]
        {
            assert_eq!(HostName::of_url(text), None, "{text}");
        }
        for text in ["https://10.0.0.1/", "https://10.1", "a..b", "-a.b", "https://a.b\n.com"] {
            assert_eq!(HostName::of_url(text), None, "{text}");
        }
    }

    #[test]
    fn an_argument_is_a_bare_name_or_an_https_url_without_credentials() {
        for text in ["A.b.com", "https://a.b.com/x", "HTTPS://A.B.COM:8443"] {
            assert_eq!(HostName::of_argument(text).as_deref(), Some("a.b.com"), "{text}");
        }
        for text in
            ["a.b.com:443", "a.b.com/x", "http://a.b.com", "https://u@a.b.com", "https://u:p@a.b.com", "10.0.0.1"]
        {
            assert_eq!(HostName::of_argument(text), None, "{text}");
        }
    }
}
