//! The environment variables that matter, read once.

use std::collections::BTreeMap;

use crate::registry::{Keys, Registry};

/// The variables that are read. Their values may hold a proxy's password: they are never printed.
pub const VARIABLES: [&str; 12] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RES_OPTIONS",
    "LOCALDOMAIN",
];

/// Where Windows has the variables of the machine, which its services see.
pub(crate) const ENVIRONMENT_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// The variables that are set, by their name as set. A value that is not Unicode counts as unset.
///
/// On Windows they are those of the machine: services, which the agents are, see none of the shell's.
pub(super) fn read(registry: Option<&dyn Registry>) -> BTreeMap<String, String> {
    match registry {
        Some(registry) => of_machine(&mut Keys::new(registry)),
        None => VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect(),
    }
}

/// Names do not differ by case there, so each is given once. What says where a trust store lies is obeyed by none of the agents.
fn of_machine(keys: &mut Keys<'_>) -> BTreeMap<String, String> {
    let upper = VARIABLES.iter().filter(|name| **name == name.to_ascii_uppercase() && !name.starts_with("SSL_"));
    upper.filter_map(|name| Some(((*name).to_owned(), keys.text(ENVIRONMENT_KEY, name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    #[test]
    fn variables_of_a_windows_machine_are_given_once_and_none_of_a_trust_store() {
        let key = ENVIRONMENT_KEY;
        let text = |text: &str| Value::Text(text.to_owned());
        let registry = Memory::of(&[
            (key, "https_proxy", text("http://proxy:8080")),
            (key, "SSL_CERT_FILE", text(r"C:\Git\cert.pem")),
        ]);
        let read = read(Some(registry.as_ref()));
        assert_eq!(read, BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://proxy:8080".to_owned())]));
    }
}
