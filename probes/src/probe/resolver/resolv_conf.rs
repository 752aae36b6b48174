//! `resolv.conf` as glibc reads it (`resolv/res_init.c`). No I/O.
//!
//! Source: <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>

use std::net::IpAddr;

use crate::observation::ResolverConfig;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// All servers, also those beyond the third.
    pub(super) servers: Vec<NameServer>,
    /// The rest; `source`, `stub` and `unused_servers` are for the reader to fill in.
    pub(super) config: ResolverConfig,
}

/// A `nameserver` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameServer {
    /// The address.
    pub(super) address: IpAddr,
    /// What stands behind `%`: the name or number of an interface.
    pub(super) scope: Option<String>,
}

impl Default for ResolvConf {
    fn default() -> Self {
        let config = ResolverConfig { ndots: 1, timeout_s: 5, attempts: 2, ..ResolverConfig::default() };
        Self { servers: Vec::new(), config }
    }
}

/// Bad lines that are listed.
const BAD_LINES: usize = 64;

/// Parses a file. What makes no sense is listed and passed over, as glibc does.
pub(super) fn parse(bytes: &[u8]) -> ResolvConf {
    let mut parsed = ResolvConf::default();
    for (line, number) in bytes.split(|octet| *octet == b'\n').zip(1..) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        if !parsed.take(text) && parsed.config.bad_lines.len() < BAD_LINES {
            parsed.config.bad_lines.push(number);
        }
    }
    parsed
}

impl ResolvConf {
    /// Takes in a line; false when it makes no sense. glibc wants the keyword in the first column.
    fn take(&mut self, line: &str) -> bool {
        if line.starts_with(['#', ';']) || line.trim().is_empty() {
            return true;
        }
        let Some((keyword, value)) = line.split_once([' ', '\t']) else { return false };
        match keyword {
            "nameserver" => self.add_server(value),
            // A later line replaces an earlier one, whichever of the two keywords it uses.
            "search" => self.set_search(value),
            "domain" => self.set_search(value.split_whitespace().next().unwrap_or_default()),
            "options" => self.set_options(value),
            "sortlist" => true,
            _ => false,
        }
    }

    fn add_server(&mut self, value: &str) -> bool {
        let value = value.trim_start_matches([' ', '\t']);
        let value = value.split([';', '#', ' ', '\t']).next().unwrap_or_default();
        let (address, scope) = match value.split_once('%') {
            Some((address, scope)) => (address, Some(scope)),
            None => (value, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        if scope.is_some_and(str::is_empty) || (scope.is_some() && address.is_ipv4()) {
            return false;
        }
        self.servers.push(NameServer { address, scope: scope.map(str::to_owned) });
        true
    }

    /// Sets the search list: also from `LOCALDOMAIN`. False without any domain.
    pub(super) fn set_search(&mut self, domains: &str) -> bool {
        let domains: Vec<String> = domains.split_whitespace().map(str::to_owned).collect();
        if domains.is_empty() {
            return false;
        }
        self.config.search = domains;
        true
    }

    /// Adds options: also from `RES_OPTIONS`. What is unknown is passed over; false when a number is none.
    pub(super) fn set_options(&mut self, options: &str) -> bool {
        let config = &mut self.config;
        let mut sensible = true;
        for option in options.split_whitespace() {
            let (name, value) = option.split_once(':').unwrap_or((option, ""));
            // The upper bounds are RES_MAXNDOTS, RES_MAXRETRANS and RES_MAXRETRY of glibc.
            let place = match name {
                "ndots" => Some((&mut config.ndots, 15)),
                "timeout" => Some((&mut config.timeout_s, 30)),
                "attempts" => Some((&mut config.attempts, 5)),
                _ => None,
            };
            match (place, name) {
                (Some((place, most)), _) => match value.parse::<u32>() {
                    Ok(number) => *place = number.min(most),
                    Err(_) => sensible = false,
                },
                (None, "rotate") => config.rotate = true,
                (None, "edns0") => config.edns0 = true,
                (None, "use-vc") => config.use_vc = true,
                (None, _) => {}
            }
        }
        sensible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Vec<String> {
        let show = |server: &NameServer| match &server.scope {
            Some(scope) => format!("{}%{scope}", server.address),
            None => server.address.to_string(),
        };
        parse(text.as_bytes()).servers.iter().map(show).collect()
    }

    #[test]
    fn servers_are_read_as_glibc_reads_them() {
        for (text, expected) in [
            ("nameserver 10.0.0.4\n", vec!["10.0.0.4"]),
            ("nameserver\t 10.0.0.4 # the first\r\nnameserver 10.0.0.5;second", vec!["10.0.0.4", "10.0.0.5"]),
            ("nameserver fe80::1%eth0\nnameserver fd00::4\n", vec!["fe80::1%eth0", "fd00::4"]),
            ("#nameserver 10.0.0.4\n;nameserver 10.0.0.4\n nameserver 10.0.0.4\n", vec![]),
            ("nameserver\nnameserver \nnameservers 10.0.0.4\nnameserver dns.example.net\n", vec![]),
            ("nameserver 10.0.0.4%eth0\nnameserver fe80::1%\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(servers(text), expected, "{text:?}");
        }
    }

    #[test]
    fn last_of_search_and_domain_wins() {
        for (text, expected) in [
            ("search a.test b.test\n", vec!["a.test", "b.test"]),
            ("search a.test\ndomain b.test ignored\n", vec!["b.test"]),
            ("domain b.test\nsearch a.test\n", vec!["a.test"]),
        ] {
            assert_eq!(parse(text.as_bytes()).config.search, expected, "{text:?}");
        }
    }

    #[test]
    fn options_add_up_and_are_bounded() {
        let config =
            parse(b"options ndots:99 timeout:1\noptions attempts:9 rotate edns0\toptions use-vc trust-ad\n").config;
        assert_eq!((config.ndots, config.timeout_s, config.attempts), (15, 1, 5));
        assert!(config.rotate && config.edns0 && config.use_vc);
        assert!(config.bad_lines.is_empty());
    }

    #[test]
    fn defaults_are_those_of_glibc() {
        let config = parse(b"").config;
        assert_eq!((config.ndots, config.timeout_s, config.attempts), (1, 5, 2));
        assert!(!config.rotate && !config.edns0 && !config.use_vc);
    }

    #[test]
    fn lines_without_sense_are_numbered() {
        let text =
            b"nameserver 10.0.0.4\nnamserver 10.0.0.5\n\n# fine\nnameserver x\noptions ndots:many\n\xff\xfe\n\0\n";
        assert_eq!(parse(text).config.bad_lines, [2, 5, 6, 7, 8]);
    }

    #[test]
    fn bad_lines_are_bounded() {
        assert_eq!(parse("x\n".repeat(1000).as_bytes()).config.bad_lines.len(), BAD_LINES);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_read(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let text = [octets.as_slice(), b"\nnameserver 10.0.0.4\n"].concat();
            let last = parse(&text).servers.pop().map(|server| server.address);
            proptest::prop_assert_eq!(last, Some(IpAddr::from([10, 0, 0, 4])));
        }
    }
}
