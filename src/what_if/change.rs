//! Changes, as they are written on the command line.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::azure::HostName;
use ampls_probes::endpoint::ExpectedRecord;
use ampls_probes::options::resolver;

use crate::text::quote;

/// Something that somebody may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The zone is linked to the networks in which the machines' servers resolve.
    Link(String),
    /// The link is removed.
    Unlink(String),
    /// The name has these addresses in its zone; none where the record is removed.
    Record(ExpectedRecord),
    /// Each of these names has its addresses.
    Records(Vec<ExpectedRecord>),
    /// The links of the zone fall back to public DNS for names that it lacks, or do not.
    Fallback(String, bool),
    /// The server forwards names below the suffix to the target.
    Forward(SocketAddr, String, SocketAddr),
    /// The machines ask these servers.
    Dns(Vec<SocketAddr>),
}

/// How changes are written.
pub const TYPES: &str = "link ZONE, unlink ZONE, record NAME=ADDRESS, record NAME=none, records FILE, fallback ZONE=on, fallback ZONE=off, \
                         forward SERVER SUFFIX=TARGET or dns ADDRESS,…";

impl Change {
    /// Reads a change; `records` reads the file of `records FILE`.
    pub fn parse(text: &str, records: &dyn Fn(&str) -> Result<Vec<ExpectedRecord>, String>) -> Result<Self, String> {
        let (kind, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        let wrong = || format!("{} is not a change: give {TYPES}", quote(text));
        if rest.is_empty() {
            return Err(wrong());
        }
        match kind.to_ascii_lowercase().as_str() {
            "link" => zone(rest).map(Self::Link),
            "unlink" => zone(rest).map(Self::Unlink),
            "records" => records(rest).map(Self::Records),
            "record" => {
                let (name, address) = rest.split_once('=').ok_or_else(wrong)?;
                let addresses = match address.trim() {
                    none if none.eq_ignore_ascii_case("none") => Vec::new(),
                    given => given.split(',').map(address_of).collect::<Result<_, _>>()?,
                };
                Ok(Self::Record(ExpectedRecord { name: name_of(name)?, addresses }))
            }
            "fallback" => {
                let (zone, on) = rest.split_once('=').ok_or_else(wrong)?;
                let on = match on.trim().to_ascii_lowercase().as_str() {
                    "on" => true,
                    "off" => false,
                    _ => return Err(wrong()),
                };
                Ok(Self::Fallback(self::zone(zone)?, on))
            }
            "forward" => {
                let (server, rule) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
                let (suffix, target) = rule.split_once('=').ok_or_else(wrong)?;
                Ok(Self::Forward(server_of(server)?, name_of(suffix)?, server_of(target)?))
            }
            "dns" => rest.split(',').map(server_of).collect::<Result<_, _>>().map(Self::Dns),
            _ => Err(wrong()),
        }
    }

    /// Whether nothing in a report of the machine itself tells what the change gives.
    pub fn needs_like(&self) -> bool {
        matches!(self, Self::Link(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: bool| if on { "on" } else { "off" };
        match self {
            Self::Link(zone) => write!(formatter, "link {zone}"),
            Self::Unlink(zone) => write!(formatter, "unlink {zone}"),
            Self::Record(record) if record.addresses.is_empty() => write!(formatter, "record {}=none", record.name),
            Self::Record(record) => write!(formatter, "record {}={}", record.name, listed(&record.addresses)),
            Self::Records(records) => write!(formatter, "records of {} names", records.len()),
            Self::Fallback(zone, fallback) => write!(formatter, "fallback {zone}={}", on(*fallback)),
            Self::Forward(server, suffix, target) => write!(formatter, "forward {server} {suffix}={target}"),
            Self::Dns(servers) => write!(formatter, "dns {}", listed(servers)),
        }
    }
}

fn listed<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn name_of(text: &str) -> Result<String, String> {
    let name = HostName::of_name(text.trim()).ok_or_else(|| format!("{} is not a full host name", quote(text)))?;
    Ok(name.as_str().to_owned())
}

fn zone(text: &str) -> Result<String, String> {
    let zone = name_of(text)?;
    if zone.starts_with("privatelink.") {
        return Ok(zone);
    }
    Err(format!("{} is not a private link zone: did you mean {}?", quote(text), quote(&format!("privatelink.{zone}"))))
}

fn address_of(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| format!("{} is not an address", quote(text)))
}

fn server_of(text: &str) -> Result<SocketAddr, String> {
    resolver(text.trim()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Change, String> {
        Change::parse(text, &|_| Err("no file".to_owned()))
    }

    #[test]
    fn every_change_is_read_and_written_alike() {
        for text in [
            "link privatelink.monitor.azure.com",
            "unlink privatelink.ods.opinsights.azure.com",
            "record api.monitor.azure.com=10.0.0.4",
            "record api.monitor.azure.com=none",
            "fallback privatelink.monitor.azure.com=on",
            "fallback privatelink.monitor.azure.com=off",
            "forward 10.0.0.4:53 monitor.azure.com=168.63.129.16:53",
            "dns 10.0.0.4:53,10.0.0.5:5353",
        ] {
            assert_eq!(parsed(text).unwrap().to_string(), text);
        }
        assert_eq!(parsed("dns [fd00::4]").unwrap().to_string(), "dns [fd00::4]:53");
        assert_eq!(parsed("DNS 10.0.0.4").unwrap(), Change::Dns(vec!["10.0.0.4:53".parse().unwrap()]));
        assert!(parsed("link privatelink.monitor.azure.com").unwrap().needs_like());
    }

    #[test]
    fn what_is_no_change_is_refused_in_one_harmless_line() {
        for (text, wanted) in [
            ("", "is not a change"),
            ("link", "is not a change"),
            ("link monitor.azure.com", "did you mean `privatelink.monitor.azure.com`?"),
            ("rename a=b", "give link ZONE"),
            ("record api.monitor.azure.com", "is not a change"),
            ("record api.monitor.azure.com=x", "is not an address"),
            ("fallback privatelink.monitor.azure.com=maybe", "is not a change"),
            ("record 10.0.0.1=10.0.0.2", "is not a full host name"),
            ("unlink privatelink.-a.azure.com", "is not a full host name"),
            ("forward x monitor.azure.com=10.0.0.4", "is not an address of a DNS server"),
            ("dns a\u{1b}[2J", "is not an address"),
            ("dns 0.0.0.0", "is not an address of a DNS server"),
            ("dns 10.0.0.4:0", "is not an address of a DNS server"),
            ("dns 224.0.0.1", "is not an address of a DNS server"),
            ("records x.json", "no file"),
        ] {
            let refused = parsed(text).unwrap_err();
            assert!(refused.contains(wanted) && !refused.contains(char::is_control), "{refused}");
        }
    }
}
