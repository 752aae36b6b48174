//! Host names and the hosts of URLs.

/// The host of a bare name or an https URL, lower case, without trailing dot.
pub(crate) fn host_of(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    if !lower.contains("://") {
        return host_name(&lower);
    }
    let url = url::Url::parse(&lower).ok()?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    match url.host()? {
        url::Host::Domain(name) => host_name(name),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}

/// A host name of at least two labels (RFC 1123 2.1, underscores allowed as DNS does), lower case, without trailing dot.
pub(crate) fn host_name(text: &str) -> Option<String> {
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
    fits.then_some(name)
}
