//! Texts with a form of their own: paths, resource ids, distinguished names, headers, lists of exemptions.

use std::net::IpAddr;

use ampls_probes::addr::{Class, classify};
use ipnet::IpNet;
use uuid::Uuid;

use super::tokens::Ports;
use super::{Pseudonyms, words};

impl Pseudonyms {
    /// The name of an operating system: words of well-known systems and dotted versions stay.
    pub(super) fn system(&self, text: &str) -> String {
        let first = text.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let vendor = words::VENDORS.contains(&first.as_str());
        let masked: Vec<String> = text
            .split(' ')
            .map(|word| {
                let known = vendor && words::SYSTEMS.contains(&word.to_ascii_lowercase().as_str());
                let number = || vendor && is_version(word.trim_matches(['(', ')', 'v']));
                if known || number() { word.to_owned() } else { self.text(word) }
            })
            .collect();
        let masked = masked.join(" ");
        // Rules choose commands by this word.
        let windows = |text: &str| text.to_ascii_lowercase().contains("windows");
        if windows(text) && !windows(&masked) { format!("Windows {masked}") } else { masked }
    }

    /// A version: its numbers stay, with the number of the package.
    pub(super) fn version(&self, text: &str) -> String {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
        let end = text.get(..end).map_or(0, |start| start.trim_end_matches(['.', '-']).len());
        let (numbers, rest) = text.split_at_checked(end).unwrap_or(("", text));
        let known = numbers.split_once('-').map_or(is_version(numbers), |(version, package)| {
            is_version(version) && package.len() <= 4 && package.bytes().all(|b| b.is_ascii_digit())
        });
        let joined = rest.starts_with(['-', '+', '~', '_', ' ']) || rest.is_empty();
        if known && joined { format!("{numbers}{}", self.text(rest)) } else { self.text(text) }
    }

    /// `/subscriptions/…/resourceGroups/…`: what names a kind stays, what names a resource goes.
    pub(super) fn resource(&self, text: &str) -> String {
        const KINDS: [&str; 4] = ["subscriptions", "resourcegroups", "providers", "extensions"];
        const TYPES: [&str; 3] = ["virtualmachines", "virtualmachinescalesets", "machines"];
        const PROVIDERS: [&str; 2] = ["microsoft.compute", "microsoft.hybridcompute"];
        let mut before = String::new();
        let mut value = false;
        let masked = text.split('/').map(|part| {
            let lower = part.to_ascii_lowercase();
            let provider = before == "providers";
            let kind = KINDS.contains(&lower.as_str()) || TYPES.contains(&lower.as_str());
            let keeps = if provider { PROVIDERS.contains(&lower.as_str()) } else { !value && kind };
            // What follows a kind is a name, what follows a name or a provider is a kind.
            value = !part.is_empty() && !provider && !value && lower != "providers";
            before = lower;
            if keeps { part.to_owned() } else { self.text(part) }
        });
        masked.collect::<Vec<_>>().join("/")
    }

    /// A path: what the catalogues and [`words::PATHS`] have stays, up to where it leaves them; never who is at home there.
    pub(super) fn path(&self, text: &str) -> String {
        let separator = |c: char| c == '/' || c == '\\';
        let pieces: Vec<&str> = text.split_inclusive(separator).collect();
        let mut place = Place::Known(String::new());
        let mut masked = String::with_capacity(text.len());
        for (at, piece) in pieces.iter().enumerate() {
            let part = piece.trim_end_matches(separator);
            let end = piece.get(part.len()..).unwrap_or_default();
            let last = at + 1 == pieces.len();
            if part.is_empty() && at == 0 {
                masked.push_str(end);
                continue;
            }
            let (keeps, next) = self.step(part, place);
            place = next;
            let file = last && pieces.len() > 1 && words::FILES.contains(&part);
            let kind = part.rsplit_once('.').filter(|(_, kind)| last && words::EXTENSIONS.contains(kind));
            match kind {
                _ if keeps || file => masked.push_str(part),
                Some((name, kind)) => masked.extend([self.text(name).as_str(), ".", kind]),
                None => masked.push_str(&self.text(part)),
            }
            masked.push_str(end);
        }
        masked
    }

    /// Whether a part of a path stays, and where it leads.
    fn step(&self, part: &str, place: Place) -> (bool, Place) {
        let lower = part.to_ascii_lowercase();
        match place {
            Place::Home => (false, Place::Below(String::new())),
            Place::Known(above) => {
                let drive = above.is_empty() && lower.len() == 2 && lower.ends_with(':') && lower.is_ascii();
                if drive {
                    return (true, Place::Known(lower));
                }
                let root = above.is_empty() || above.ends_with(':');
                if root && ["home", "users"].contains(&lower.as_str()) {
                    return (true, Place::Home);
                }
                if root && lower == "root" {
                    return (true, Place::Below(String::new()));
                }
                let slash = if above.ends_with(':') || !above.is_empty() { "/" } else { "" };
                let start = if above.is_empty() { "/" } else { slash };
                let known = |part: &str| self.known.places.contains(&format!("{above}{start}{part}"));
                if known(&lower) {
                    return (true, Place::Known(format!("{above}{start}{lower}")));
                }
                if Uuid::try_parse(part).is_ok() && known("*") {
                    return (false, Place::Known(format!("{above}{start}*")));
                }
                (above == "/var/lib/waagent" && self.is_extension(&lower), Place::Lost)
            }
            Place::Below(above) => {
                let below = if above.is_empty() { lower } else { format!("{above}/{lower}") };
                if self.known.below_home.contains(&below) { (true, Place::Below(below)) } else { (false, Place::Lost) }
            }
            Place::Lost => (false, Place::Lost),
        }
    }

    /// The folder of an extension: its name and version.
    fn is_extension(&self, folder: &str) -> bool {
        let parts = folder.rsplit_once('-');
        parts.is_some_and(|(name, version)| self.known.extensions.contains(name) && is_version(version))
    }

    /// `NO_PROXY`: networks and addresses are moved, names replaced but for Azure's own.
    pub(super) fn exemptions(&self, text: &str) -> String {
        let entries = text.split_inclusive([' ', '\t', ',']).map(|piece| {
            let entry = piece.trim_end_matches([' ', '\t', ',']);
            let end = piece.get(entry.len()..).unwrap_or_default();
            format!("{}{end}", self.exemption(entry))
        });
        entries.collect()
    }

    fn exemption(&self, entry: &str) -> String {
        if let Ok(net) = entry.parse::<IpNet>() {
            return self.net(net).to_string();
        }
        // curl reads the digits that a length begins with.
        if let Some((Ok(address), length)) = entry.split_once('/').map(|(ip, length)| (ip.parse::<IpAddr>(), length)) {
            let digits = length.find(|c: char| !c.is_ascii_digit()).unwrap_or(length.len()).min(3);
            let (digits, rest) = length.split_at_checked(digits).unwrap_or(("", length));
            return format!("{}/{digits}{}", self.address(address), self.text(rest));
        }
        let known = self.tokens(entry, Ports::Stay);
        // A single label may be the end of every name.
        let start = entry.len() - entry.trim_start_matches('.').len();
        let whole = entry.get(start..).unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if self.known.domain(&whole).is_some_and(|(at, _)| at == 0) { entry.to_owned() } else { known }
    }

    /// Addresses of resources: scheme, ports and public hosts stay.
    pub(super) fn url(&self, text: &str) -> String {
        text.split_inclusive(' ').map(|piece| self.one_url(piece)).collect()
    }

    fn one_url(&self, text: &str) -> String {
        let (scheme, rest) = text.split_at_checked(text.find("://").unwrap_or(0)).unwrap_or(("", text));
        let known = words::SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
        let scheme = if known { scheme.to_owned() } else { self.text(scheme) };
        let (mark, rest) = rest.split_at_checked(if rest.starts_with("://") { 3 } else { 0 }).unwrap_or(("", rest));
        let (host, path) =
            rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
        // A number after a user's name is a password, not a port.
        let (user, host) = host.split_at_checked(host.rfind('@').map_or(0, |at| at + 1)).unwrap_or(("", host));
        let user = user.split_inclusive([':', '@']).map(|part| {
            let (word, mark) = part.split_at_checked(part.len() - 1).unwrap_or((part, ""));
            let masked = if word.is_empty() { String::new() } else { self.name(word) };
            format!("{masked}{mark}")
        });
        let user: String = user.collect();
        let (name, port) = host.split_at_checked(host.find(':').unwrap_or(host.len())).unwrap_or((host, ""));
        let host = if name == "localhost" {
            format!("{name}{}", self.tokens(port, Ports::Stay))
        } else {
            self.tokens(host, Ports::Stay)
        };
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "_.:-".contains(c));
        let known =
            words::DNS_PATHS.iter().find(|known| path.strip_prefix(**known).is_some_and(ends)).map_or(0, |it| it.len());
        let (known, rest) = path.split_at_checked(known).unwrap_or(("", path));
        let path = format!("{known}{}", self.text(rest));
        format!("{scheme}{mark}{user}{host}{path}")
    }

    /// `Server`: well-known products with their versions stay.
    pub(super) fn products(&self, text: &str) -> String {
        let delimiter = |c: char| c.is_whitespace() || "()".contains(c);
        let pieces = text.split_inclusive(delimiter).map(|piece| {
            let word = piece.trim_end_matches(delimiter);
            let end = piece.get(word.len()..).unwrap_or_default();
            if is_product(word) { piece.to_owned() } else { format!("{}{end}", self.tokens(word, Ports::Stay)) }
        });
        pieces.collect()
    }

    /// `Via`: the protocol of each hop stays, and a well-known product in its comment; never the hop's own name.
    pub(super) fn via(&self, text: &str) -> String {
        let hops = text.split_inclusive(',').map(|hop| {
            let indent = hop.len() - hop.trim_start().len();
            let (start, rest) = hop.split_at_checked(indent).unwrap_or(("", hop));
            let (protocol, rest) = rest.split_at_checked(rest.find(' ').unwrap_or(0)).unwrap_or(("", rest));
            let known = ["1.0", "1.1", "2", "2.0", "3", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0"].contains(&protocol);
            let protocol = if known { protocol.to_owned() } else { self.text(protocol) };
            let (name, comment) = rest.split_at_checked(rest.find('(').unwrap_or(rest.len())).unwrap_or((rest, ""));
            format!("{start}{protocol}{}{}", self.tokens(name, Ports::Stay), self.products(comment))
        });
        hops.collect()
    }

    /// `Content-Type`: well-known types and character sets stay.
    pub(super) fn content(&self, text: &str) -> String {
        let delimiter = |c: char| c.is_whitespace() || c == ';';
        let pieces = text.split_inclusive(delimiter).map(|piece| {
            let word = piece.trim_end_matches(delimiter);
            let known = words::CONTENT.contains(&word.to_ascii_lowercase().as_str());
            let end = piece.get(word.len()..).unwrap_or_default();
            if known { piece.to_owned() } else { format!("{}{end}", self.text(word)) }
        });
        pieces.collect()
    }

    /// `WWW-Authenticate`: a well-known scheme stays.
    pub(super) fn authentication(&self, text: &str) -> String {
        let (scheme, rest) = text.split_at_checked(text.find(' ').unwrap_or(text.len())).unwrap_or((text, ""));
        let known = words::AUTHENTICATION.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        let scheme = if known { scheme.to_owned() } else { self.text(scheme) };
        format!("{scheme}{}", self.text(rest))
    }

    /// A distinguished name: types stay, and the values of public authorities.
    pub(super) fn distinguished(&self, text: &str) -> String {
        let parts = text.split_inclusive([',', '+']).map(|piece| {
            let part = piece.trim_end_matches([',', '+']);
            let end = piece.get(part.len()..).unwrap_or_default();
            let (start, value) = part.split_at_checked(part.find('=').map_or(0, |at| at + 1)).unwrap_or(("", part));
            let attribute = start.trim_end_matches('=').trim_matches([' ', '\\']).to_ascii_lowercase();
            let known = start.is_empty() || words::ATTRIBUTES.contains(&attribute.as_str());
            let start = if known { start.to_owned() } else { self.text(start) };
            let country = attribute == "c" && value == "US";
            let value = if country || is_public_authority(value) { value.to_owned() } else { self.text(value) };
            format!("{start}{value}{end}")
        });
        parts.collect()
    }

    /// A body: the codes that rules look for stay, and what is written alike in every answer of that kind.
    pub(super) fn body(&self, text: &str) -> String {
        let start = text.len() - text.trim_start().len();
        let lower: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
        let page =
            ["<!doctype html", "<html"].iter().find(|page| lower.starts_with(**page)).map_or(0, |page| page.len());
        let (start, text) = text.split_at_checked(start + page).unwrap_or(("", text));

        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let known = words::CODES.iter().chain(words::PHRASES);
        let mut found: Vec<(usize, &str)> = known.flat_map(|known| text.match_indices(*known)).collect();
        found.sort_unstable_by_key(|(at, phrase)| (*at, std::cmp::Reverse(phrase.len())));
        let mut masked = start.to_owned();
        let mut done = 0;
        for (at, phrase) in found {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + phrase.len()..).and_then(|text| text.chars().next());
            let joined = (phrase.starts_with(part) && before.is_some_and(part))
                || (phrase.ends_with(part) && after.is_some_and(part));
            if at < done || joined {
                continue;
            }
            masked.push_str(&self.text(text.get(done..at).unwrap_or_default()));
            masked.push_str(phrase);
            done = at + phrase.len();
        }
        masked + &self.text(text.get(done..).unwrap_or_default())
    }

    /// Who names a cloud: the program's own sentence, and what it quotes.
    pub(super) fn saying(&self, text: &str) -> String {
        let parts = text.split('`').enumerate().map(|(at, part)| {
            if at % 2 == 0 {
                return if words::SAYINGS.contains(&part.trim()) { part.to_owned() } else { self.text(part) };
            }
            let (option, value) = part.split_once(' ').unwrap_or((part, ""));
            if !words::OPTIONS.contains(&option) {
                return self.whole(part);
            }
            let value = match option {
                "--cloud" if words::CLOUDS.contains(&value) => value.to_owned(),
                "--region" => self.region(value),
                _ => self.tokens(value, Ports::Stay),
            };
            if part.contains(' ') { format!("{option} {value}") } else { option.to_owned() }
        });
        parts.collect::<Vec<_>>().join("`")
    }
}

/// Where a path has led to.
enum Place {
    /// A place of the catalogues.
    Known(String),
    /// The folder of homes.
    Home,
    /// A place below somebody's home.
    Below(String),
    /// Anywhere else.
    Lost,
}

/// Dotted numbers that are no private address: a version of four numbers looks like a public one.
fn is_version(text: &str) -> bool {
    let number = |part: &str| (1..=10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let private = text.parse::<IpAddr>().is_ok_and(|address| classify(address, &[]) != Class::Public);
    let parts = text.split('.').count();
    let cut = parts == 3 && ["10.", "192.168.", "172."].iter().any(|start| text.starts_with(start));
    parts <= 4 && text.split('.').all(number) && !private && !(cut && text.split('.').all(|part| part.len() <= 3))
}

fn is_product(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let (product, version) = lower.split_once('/').unwrap_or((&lower, ""));
    words::PRODUCTS.contains(&product) && (version.is_empty() || is_version(version))
}

fn is_public_authority(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let number =
        |word: &str| word == "2017" || ((1..=2).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit()));
    let microsofts = || value.split(' ').all(|word| words::MICROSOFT_CA_WORDS.contains(&word) || number(word));
    words::PUBLIC_CA.contains(&value.as_str()) || (value.starts_with("microsoft ") && microsofts())
}
