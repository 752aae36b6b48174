//! The system's own TLS: versions that are switched off for clients, cipher suites of a policy, the .NET Framework, roots.
//!
//! Sources: <https://learn.microsoft.com/windows-server/security/tls/tls-registry-settings>,
//! <https://learn.microsoft.com/dotnet/framework/network-programming/tls>,
//! <https://learn.microsoft.com/troubleshoot/windows-server/certificates-and-public-key-infrastructure-pki/valid-root-ca-certificates-untrusted>

use crate::observation::{ProtocolSwitch, RegistrySeen, StrongCrypto};
use crate::registry::Keys;
use crate::world::fetches_roots;

const PROTOCOLS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols";
/// Those that Azure Monitor takes.
const VERSIONS: [&str; 2] = ["TLS 1.2", "TLS 1.3"];
const CIPHER_SUITES: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
const FRAMEWORKS: [&str; 2] = [
    r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319",
];
/// Cipher suites that are kept.
const SUITES: usize = 100;

pub(super) fn read(keys: &mut Keys<'_>, seen: &mut RegistrySeen) {
    for protocol in VERSIONS {
        let source = format!(r"{PROTOCOLS}\{protocol}\Client");
        let enabled = flag(keys, &source, "Enabled");
        let disabled_by_default = flag(keys, &source, "DisabledByDefault");
        if enabled.is_some() || disabled_by_default.is_some() {
            seen.protocols.push(ProtocolSwitch { protocol: protocol.to_owned(), enabled, disabled_by_default, source });
        }
    }
    seen.cipher_suites = keys.list(CIPHER_SUITES, "Functions", &[',']);
    seen.cipher_suites.truncate(SUITES);
    for source in FRAMEWORKS {
        let strong = flag(keys, source, "SchUseStrongCrypto");
        let system_default = flag(keys, source, "SystemDefaultTlsVersions");
        if strong.is_some() || system_default.is_some() {
            seen.strong_crypto.push(StrongCrypto { strong, system_default, source: source.to_owned() });
        }
    }
    seen.root_updates_off = !fetches_roots(keys);
}

/// Any number but 0 is true: `0xffffffff` is common.
fn flag(keys: &mut Keys<'_>, key: &str, name: &str) -> Option<bool> {
    keys.number(key, name).map(|number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    fn seen(values: &[(&str, &str, Value)]) -> RegistrySeen {
        let registry = Memory::of(values);
        let mut seen = RegistrySeen::default();
        read(&mut Keys::new(registry.as_ref()), &mut seen);
        seen
    }

    #[test]
    fn switches_are_read_as_they_are_set() {
        let client = format!(r"{PROTOCOLS}\TLS 1.2\Client");
        let server = format!(r"{PROTOCOLS}\TLS 1.3\Server");
        let seen = seen(&[
            (&client, "Enabled", Value::Number(0xffff_ffff)),
            (&client, "DisabledByDefault", Value::Number(0)),
            (&server, "Enabled", Value::Number(0)),
        ]);
        assert_eq!(seen.protocols.len(), 1, "the switches of servers say nothing of clients");
        assert_eq!((seen.protocols[0].enabled, seen.protocols[0].disabled_by_default), (Some(true), Some(false)));
    }

    #[test]
    fn framework_suites_and_roots_are_read() {
        const ROOT_UPDATES: &str = r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot";
        let seen = seen(&[
            (FRAMEWORKS[1], "SchUseStrongCrypto", Value::Number(1)),
            (CIPHER_SUITES, "Functions", Value::Text("TLS_AES_256_GCM_SHA384, TLS_X".to_owned())),
            (ROOT_UPDATES, "DisableRootAutoUpdate", Value::Number(1)),
        ]);
        assert_eq!((seen.strong_crypto[0].strong, seen.strong_crypto[0].system_default), (Some(true), None));
        assert_eq!(seen.cipher_suites, ["TLS_AES_256_GCM_SHA384", "TLS_X"]);
        assert!(seen.root_updates_off);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_set() {
        assert_eq!(seen(&[]), RegistrySeen::default());
    }
}
