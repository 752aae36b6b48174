//! The types whose values may stand in a command. Each holds one kind of thing and nothing else.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use uuid::Uuid;

use super::path::{is_hosts_file, is_path, is_registry_key};
use super::quoting::{is_bare, is_inert_in_quotes, quoted};
use super::{Language, Placeholder};

/// One word of a command: what a type of this module gives, or the placeholder of that type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    text: String,
    placeholder: Placeholder,
}

impl Word {
    /// A word that is written in the source.
    #[must_use]
    pub const fn placeholder(name: Placeholder) -> Self {
        Self { text: String::new(), placeholder: name }
    }

    /// What stands for the word where it is not known.
    pub(super) const fn unknown(&self) -> &'static str {
        self.placeholder.as_str()
    }

    /// What was observed; `None` where the word is a placeholder.
    pub(super) fn known(&self) -> Option<&str> {
        (!self.text.is_empty()).then_some(self.text.as_str())
    }

    /// The word, or what stands for it where the language cannot hold it.
    pub(super) fn written(&self, language: Language, within_quotes: bool) -> String {
        self.legible(language, within_quotes).unwrap_or_else(|| self.placeholder.as_str().to_owned())
    }

    /// The word; `None` where it is not known, or the language cannot hold it.
    fn legible(&self, language: Language, within_quotes: bool) -> Option<String> {
        let text = self.known().filter(|text| !text.starts_with(is_read_as_more))?;
        if text.chars().all(|character| is_bare(language, character)) {
            return Some(text.to_owned());
        }
        if within_quotes {
            return text.chars().all(is_inert_in_quotes).then(|| text.to_owned());
        }
        quoted(language, text)
    }

    /// The word where nothing but its own characters is needed to write it: it may stand in the middle of another word.
    pub(super) fn bare(&self, language: Language) -> Option<&str> {
        let text = self.known().filter(|text| !text.starts_with(is_read_as_more))?;
        text.chars().all(|character| is_bare(language, character)).then_some(text)
    }

    fn inert(text: &impl ToString, placeholder: Placeholder) -> Self {
        Self { text: text.to_string(), placeholder }
    }
}

/// An option of any program; a file whose content is meant, for `az` and `curl`.
fn is_read_as_more(first: char) -> bool {
    matches!(first, '-' | '@')
}

const ADDRESS: Placeholder = Placeholder::new("ADDRESS");
const VALUE: Placeholder = Placeholder::new("VALUE");

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident or $placeholder:literal: $holds:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text, if it is one.
            pub fn new(text: &str) -> Option<Self> {
                let holds: fn(&str) -> bool = $holds;
                let whole = !text.is_empty() && !text.starts_with(is_read_as_more) && holds(text);
                whole.then(|| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for Word {
            fn from(value: $name) -> Self {
                Self { text: value.0, placeholder: const { Placeholder::new($placeholder) } }
            }
        }

        impl From<&$name> for Word {
            fn from(value: &$name) -> Self {
                value.clone().into()
            }
        }

        impl From<Option<$name>> for Word {
            fn from(value: Option<$name>) -> Self {
                value.map_or(Self::placeholder(const { Placeholder::new($placeholder) }), Self::from)
            }
        }

        impl From<Option<&$name>> for Word {
            fn from(value: Option<&$name>) -> Self {
                value.cloned().into()
            }
        }
    )+};
}

words! {
    /// A host name, of one label or more (RFC 1123 2.1, and the `_` of service names).
    Host or "HOST_NAME": is_name;
    /// The name of a DNS zone.
    Zone or "ZONE_NAME": is_name;
    /// The name of a record within its zone.
    Record or "RECORD_NAME": is_name;
    /// An IP address.
    Address or "ADDRESS": |text| text.parse::<IpAddr>().is_ok();
    /// An address or a host name, and a port, to connect to.
    Peer or "ADDRESS_AND_PORT": is_peer;
    /// A port.
    Port or "PORT": is_port;
    /// A host name as a regular expression that fits nothing else, in POSIX and .NET alike; it belongs between quotes.
    HostPattern or "HOST_NAME": |_| false;
    /// A GUID with hyphens, without braces or a scheme around it.
    Guid or "WORKSPACE_ID": |text| text.len() == 36 && Uuid::try_parse(text).is_ok();
    /// A region of Azure, as its API writes it.
    Region or "REGION_NAME": |text| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    /// A cloud, as `--cloud` takes it.
    CloudName or "CLOUD_NAME": |text| text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    /// A service tag of Azure, with its region where it has one.
    ServiceTag or "SERVICE_TAG": |text| text.len() <= 90 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    /// The name of a resource.
    /// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
    ArmName or "RESOURCE_NAME": |text| text.len() <= 90 && is_part(text, "._-");
    /// The id of a resource.
    ResourceId or "RESOURCE_ID": is_resource_id;
    /// The id of this machine as a resource.
    VmResourceId or "VM_RESOURCE_ID": is_resource_id;
    /// This machine's name in Azure.
    VmName or "VM_NAME": |text| text.len() <= 90 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    /// The address prefix of this machine's subnet.
    Subnet or "SUBNET_PREFIX": |text| text.parse::<IpNet>().is_ok();
    /// The absolute path of a file, on Linux or Windows, to be read.
    FilePath or "FILE_PATH": is_path;
    /// A key of the registry of Windows.
    RegistryKey or "REGISTRY_KEY": is_registry_key;
    /// The name of a service of Windows, as programs are given it.
    ServiceName or "SERVICE_NAME": |text| text.len() <= 80 && is_part(text, "._-");
    /// The hosts file of Linux or Windows, which commands change: no other path passes.
    HostsFile or "FILE_PATH": is_hosts_file;
    /// The path of a URL.
    UrlPath or "URL_PATH": |text| text.len() <= 200 && (text == "/" || text.strip_prefix('/').is_some_and(|path| path.split('/').all(|part| is_part(part, "._-"))));
    /// The URL of a proxy: a scheme, a host, and a port where it has one.
    ProxyUrl or "PROXY_URL": is_proxy;
    /// The value of `NO_PROXY`: names, addresses and ranges with commas between them.
    NoProxy or "FORMER_VALUE": |text| text.len() <= 4_096 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:*,".contains(c));
}

impl Zone {
    /// The text, if it is a zone that holds the name: a server may name any zone in its answer.
    pub fn over(text: &str, name: &str) -> Option<Self> {
        Self::new(text).filter(|zone| zone.covers(name))
    }

    /// Whether a name is the zone's own or below it.
    pub fn covers(&self, name: &str) -> bool {
        let (zone, name) =
            (self.0.trim_end_matches('.').to_ascii_lowercase(), name.trim_end_matches('.').to_ascii_lowercase());
        name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
    }

    /// The public zone of a `privatelink` zone.
    #[must_use]
    pub fn public(&self) -> Self {
        Self(self.0.strip_prefix("privatelink.").unwrap_or(&self.0).to_owned())
    }

    /// The zone's name as a resource's: with hyphens for dots.
    #[must_use]
    pub fn hyphenated(&self) -> ArmName {
        ArmName(self.0.replace('.', "-"))
    }

    /// The name of a record in this zone.
    pub fn record(&self, name: &str) -> Option<Record> {
        Record::new(name.strip_suffix(&self.0)?.strip_suffix('.')?)
    }
}

impl ServiceTag {
    /// The tag of one region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        Self(format!("{}.{}", self.0, region.0))
    }
}

impl Host {
    /// The name as a regular expression.
    #[must_use]
    pub fn pattern(&self) -> HostPattern {
        HostPattern(self.0.replace('.', "[.]"))
    }

    /// The name below a search domain, made absolute.
    #[must_use]
    pub fn below(&self, suffix: &Self) -> Self {
        Self(format!("{}.{}.", self.0.trim_end_matches('.'), suffix.0.trim_end_matches('.')))
    }
}

impl From<IpAddr> for Word {
    fn from(address: IpAddr) -> Self {
        Self::inert(&address, ADDRESS)
    }
}

impl From<u16> for Word {
    fn from(number: u16) -> Self {
        Self::inert(&number, VALUE)
    }
}

impl From<u64> for Word {
    fn from(number: u64) -> Self {
        Self::inert(&number, VALUE)
    }
}

impl From<Uuid> for Word {
    fn from(id: Uuid) -> Self {
        Self::inert(&id, VALUE)
    }
}

impl From<Placeholder> for Word {
    fn from(placeholder: Placeholder) -> Self {
        Self::placeholder(placeholder)
    }
}

/// 253 octets in labels of 63 (RFC 1035 2.3.4), without the bytes that DNS carries besides (RFC 2181 11).
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

fn is_peer(text: &str) -> bool {
    let named = |(host, port): (&str, &str)| is_name(host) && is_port(port);
    text.parse::<SocketAddr>().is_ok() || text.rsplit_once(':').is_some_and(named)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// One step of a path: what is made of dots alone leads elsewhere.
fn is_part(text: &str, beside: &str) -> bool {
    !text.starts_with('-')
        && text.chars().any(|c| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}

fn is_resource_id(text: &str) -> bool {
    text.len() <= 512
        && text.starts_with("/subscriptions/")
        && text.split('/').skip(1).all(|part| is_part(part, "._-()"))
}

fn is_proxy(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if !matches!(scheme, "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
        return false;
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = address.map_or_else(
        || is_name(host) && !host.starts_with('-'),
        |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    host && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_reads_as_an_option_or_a_file_is_never_written() {
        for text in ["-x", "@/etc/shadow"] {
            let word = Word::inert(&text, VALUE);
            assert_eq!(word.bare(Language::Sh), None, "{text}");
            assert_eq!([word.written(Language::Sh, false), word.written(Language::Sh, true)], ["VALUE", "VALUE"]);
        }
        assert_eq!(Word::inert(&"x", VALUE).written(Language::Sh, false), "x");
    }
}
