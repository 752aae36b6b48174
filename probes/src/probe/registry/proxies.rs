//! Proxies of the system and of its accounts: the default of `WinHTTP`, and the internet settings of each account.
//!
//! Sources: <https://learn.microsoft.com/windows/win32/winhttp/netsh-exe-commands>,
//! <https://learn.microsoft.com/troubleshoot/developer/browsers/connectivity-navigation/how-to-configure-client-proxy-settings>

use crate::observation::{ProxyUser, SystemProxy};
use crate::probe::proxy::masked::masked;
use crate::registry::Keys;

const WINHTTP: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections";
const SETTINGS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";
/// Accounts that are looked at.
const ACCOUNTS: usize = 256;
/// Characters of a value that are kept.
const LONGEST: usize = 1024;

pub(super) fn read(keys: &mut Keys<'_>) -> Vec<SystemProxy> {
    let of_winhttp = keys.octets(WINHTTP, "WinHttpSettings").as_deref().and_then(winhttp);
    let mut proxies: Vec<SystemProxy> = of_winhttp.into_iter().collect();
    if keys.number(POLICY, "ProxySettingsPerUser") == Some(0) {
        proxies.extend(of_account(keys, ProxyUser::Everybody, &format!(r"HKLM\{SETTINGS}")));
        return proxies;
    }
    for id in keys.keys("HKU").into_iter().take(ACCOUNTS) {
        let used_by = match id.as_str() {
            // The same account as `S-1-5-18`.
            ".DEFAULT" => continue,
            "S-1-5-18" => ProxyUser::System,
            "S-1-5-19" => ProxyUser::LocalService,
            "S-1-5-20" => ProxyUser::NetworkService,
            person if person.starts_with("S-1-5-21-") && !person.ends_with("_Classes") => ProxyUser::Person,
            _ => continue,
        };
        proxies.extend(of_account(keys, used_by, &format!(r"HKU\{id}\{SETTINGS}")));
    }
    proxies
}

/// Counter, flags, and two texts with their lengths before them.
fn winhttp(octets: &[u8]) -> Option<SystemProxy> {
    const PROXY: u32 = 2;
    let number = |at: usize| octets.get(at..).and_then(<[u8]>::first_chunk).map(|four| u32::from_le_bytes(*four));
    let text = |at: usize| {
        let length = number(at)? as usize;
        let octets = octets.get(at + 4..)?.get(..length)?;
        Some(String::from_utf8_lossy(octets).into_owned())
    };
    if number(8)? & PROXY == 0 {
        return None;
    }
    let server = text(12)?;
    let exempt = text(12 + 4 + server.len()).unwrap_or_default();
    let (url, has_credentials) = of_list(&server)?;
    Some(SystemProxy {
        used_by: ProxyUser::Winhttp,
        url: Some(url),
        has_credentials,
        script: None,
        exempt: kept(&exempt),
        source: WINHTTP.to_owned(),
    })
}

fn of_account(keys: &mut Keys<'_>, used_by: ProxyUser, key: &str) -> Option<SystemProxy> {
    let enabled = keys.number(key, "ProxyEnable") == Some(1);
    let server = keys.text(key, "ProxyServer").filter(|_| enabled).and_then(|list| of_list(&list));
    let script = keys.text(key, "AutoConfigURL").map(|url| without_credentials(&url));
    if server.is_none() && script.is_none() {
        return None;
    }
    let exempt = if server.is_some() { keys.text(key, "ProxyOverride").unwrap_or_default() } else { String::new() };
    let (url, has_credentials) = server.map_or((None, false), |(url, has)| (Some(url), has));
    Some(SystemProxy { used_by, url, has_credentials, script, exempt: kept(&exempt), source: key.to_owned() })
}

/// The proxy for `https` of `host:port` or of `http=host:port;https=host:port`, and whether it has credentials.
fn of_list(list: &str) -> Option<(String, bool)> {
    let entries = entries(list);
    let named = entries.iter().find_map(|entry| entry.strip_prefix("https="));
    let plain = named.or_else(|| entries.iter().find(|entry| !is_named(entry)).map(String::as_str))?;
    masked(plain)
}

/// The entries of a list. A password may hold a separator: what stands before an `@` belongs to it as far back as an entry that is
/// named, so that no half of a password is taken for a host.
fn entries(list: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for part in list.split_inclusive([';', ' ']) {
        match entries.last_mut() {
            Some(before) if part.contains('@') && !is_named(part) && !before.contains('@') => before.push_str(part),
            _ => entries.push(part.to_owned()),
        }
    }
    let trimmed = entries.iter().map(|entry| entry.trim_matches([';', ' ']).to_owned());
    trimmed.filter(|entry| !entry.is_empty()).collect()
}

fn is_named(entry: &str) -> bool {
    ["http=", "https=", "ftp=", "socks="].iter().any(|name| entry.starts_with(name))
}

/// A script's address without credentials and query, which may hold a token. Where a password may look like the host, and
/// of what is not a URL of the web, nothing but the scheme is kept.
fn without_credentials(url: &str) -> String {
    const REST: &str = "…";
    let Some((scheme, rest)) = url.split_once("://") else { return REST.to_owned() };
    let is_of_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match masked(&format!("{scheme}://{authority}")) {
        Some((host, _)) if is_of_web && !after.contains('@') => {
            let path = after.split(['?', '#']).next().unwrap_or_default();
            kept(&format!("{host}{path}"))
        }
        _ if is_of_web || scheme.eq_ignore_ascii_case("file") => format!("{}://{REST}", scheme.to_ascii_lowercase()),
        _ => REST.to_owned(),
    }
}

fn kept(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    fn blob(flags: u32, server: &str, exempt: &str) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let mut octets = [0x28_u32, 0, flags].iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        for text in [server, exempt] {
            octets.extend(number(text.len()));
            octets.extend(text.as_bytes());
        }
        octets
    }

    fn found(values: &[(&str, &str, Value)]) -> Vec<SystemProxy> {
        let registry = Memory::of(values);
        read(&mut Keys::new(registry.as_ref()))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn default_of_winhttp_is_read_from_its_octets() {
        let set = found(&[(
            WINHTTP,
            "WinHttpSettings",
            Value::Octets(blob(3, "http://u:geheim@proxy:8080", "<local>;*.corp")),
        )]);
        assert_eq!((set[0].url.as_deref(), set[0].has_credentials), (Some("http://proxy:8080"), true));
        assert_eq!(set[0].exempt, "<local>;*.corp");
        let direct = Value::Octets(blob(1, "", ""));
        assert!(found(&[(WINHTTP, "WinHttpSettings", direct)]).is_empty());
        for cut in 0..blob(3, "proxy:80", "x").len() - 5 {
            let octets = blob(3, "proxy:80", "x").get(..cut).unwrap().to_vec();
            let _ = found(&[(WINHTTP, "WinHttpSettings", Value::Octets(octets))]);
        }
    }

    #[test]
    fn each_account_has_its_own_and_one_that_is_off_is_none() {
        let key = |id: &str| format!(r"HKU\{id}\{SETTINGS}");
        let (system, person, other) = (key("S-1-5-18"), key("S-1-5-21-1-2-3-500"), key("S-1-5-21-1-2-3-501"));
        let set = found(&[
            (&system, "ProxyEnable", Value::Number(1)),
            (&system, "ProxyServer", text("http=a:1;https=b:2")),
            (&system, "ProxyOverride", text("<local>")),
            (&person, "ProxyEnable", Value::Number(0)),
            (&person, "ProxyServer", text("c:3")),
            (&other, "AutoConfigURL", text("http://u:geheim@pac.corp/x.pac?token=geheim")),
        ]);
        let shown: Vec<_> =
            set.iter().map(|proxy| (proxy.used_by, proxy.url.as_deref(), proxy.script.as_deref())).collect();
        assert_eq!(
            shown,
            [(ProxyUser::System, Some("http://b:2"), None), (ProxyUser::Person, None, Some("http://pac.corp/x.pac")),]
        );
    }

    #[test]
    fn policy_puts_the_machines_proxy_in_the_place_of_everybodys() {
        let (machine, person) = (format!(r"HKLM\{SETTINGS}"), format!(r"HKU\S-1-5-21-1\{SETTINGS}"));
        let set = found(&[
            (POLICY, "ProxySettingsPerUser", Value::Number(0)),
            (&machine, "ProxyEnable", Value::Number(1)),
            (&machine, "ProxyServer", text("proxy.corp:8080")),
            (&person, "ProxyEnable", Value::Number(1)),
            (&person, "ProxyServer", text("own:1")),
        ]);
        assert_eq!(set.len(), 1);
        assert_eq!((set[0].used_by, set[0].url.as_deref()), (ProxyUser::Everybody, Some("http://proxy.corp:8080")));
    }

    #[test]
    fn lists_without_a_proxy_for_https_name_none() {
        for (list, expected) in [
            ("http=a:1", None),
            ("", None),
            ("socks=a:1;b:2", Some("http://b:2")),
            ("https://[fd00::1]:3", Some("https://[fd00::1]:3")),
        ] {
            assert_eq!(of_list(list).map(|(url, _)| url).as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn password_is_kept_of_no_proxy_and_no_script_whatever_it_holds() {
        for password in ["pa", "pa/ss", "p@a/ss", "p:a", "pa?ss", "pa#ss", "pa;ss", "pa ss", "pa=ss", "1/2", "https=x"]
        {
            for (list, expected) in [
                (format!("http://u:{password}@proxy:8080"), "http://proxy:8080"),
                (format!("u:{password}@proxy:8080"), "http://proxy:8080"),
                (format!("http=a:1;https=u:{password}@proxy:8080"), "http://proxy:8080"),
            ] {
                let found = of_list(&list);
                let safe = found.as_ref().is_none_or(|(url, has)| (url.as_str(), *has) == (expected, true));
                assert!(safe && (found.is_some() || password.contains("https=")), "{list}: {found:?}");
            }
            for url in
                [format!("http://u:{password}@pac.corp/x.pac"), format!("u:{password}@pac.corp/x.pac?token=geheim")]
            {
                let found = without_credentials(&url);
                assert!(["http://pac.corp/x.pac", "http://…", "…"].contains(&found.as_str()), "{url}: {found}");
            }
        }
    }

    #[test]
    fn script_is_known_by_its_host_and_path_only() {
        for (url, expected) in [
            ("HTTP://PAC.corp:8080/X.pac", "http://pac.corp:8080/X.pac"),
            ("http://u:geheim@pac.corp/x.pac", "http://pac.corp/x.pac"),
            ("http://pac.corp?token=geheim", "http://pac.corp"),
            ("http://pac.corp/x.pac?mail=a@geheim", "http://…"),
            ("http://pac.corp#geheim", "http://pac.corp"),
            ("file://server/share/geheim.pac", "file://…"),
            (r"\\server\share\geheim.pac", "…"),
            ("geheim://x", "…"),
        ] {
            assert_eq!(without_credentials(url), expected, "{url}");
        }
    }
}
