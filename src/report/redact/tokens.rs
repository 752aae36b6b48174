//! Words, names and addresses within a text: what is not known to be anybody's is replaced.

use std::net::{IpAddr, SocketAddr};

use uuid::Uuid;

use super::Pseudonyms;

/// Digits of a written id.
const ID: usize = 36;

/// Octets of two names of DNS, one behind the other.
const LONGEST: usize = 506;

/// What becomes of a number behind a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ports {
    /// It is a port and stays.
    Stay,
    /// It may be anything and goes.
    Go,
}

impl Pseudonyms {
    /// Free text: everything is replaced but addresses, which are moved, and domains of Azure's.
    pub(super) fn text(&self, text: &str) -> String {
        self.tokens(text, Ports::Go)
    }

    /// The same, where ports may stay.
    pub(super) fn tokens(&self, text: &str, ports: Ports) -> String {
        let part = |c: char| c.is_alphanumeric() || "_.:-".contains(c);
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            let (token, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            masked.push_str(&self.token(token, ports));
            let end = after.find(part).unwrap_or(after.len());
            let (between, after) = after.split_at_checked(end).unwrap_or((after, ""));
            masked.push_str(between);
            rest = after;
        }
        masked
    }

    fn token(&self, token: &str, ports: Ports) -> String {
        if token.is_empty() {
            return String::new();
        }
        if let Some(moved) = self.moved(token) {
            return moved;
        }
        let marks = ['.', ':', '-'];
        let whole = token.trim_end_matches(marks);
        let end = token.get(whole.len()..).unwrap_or_default();
        if let Some(moved) = self.moved(whole) {
            return format!("{moved}{end}");
        }
        let inner = whole.trim_start_matches(marks);
        let start = whole.get(..whole.len() - inner.len()).unwrap_or_default();
        if let Some(moved) = self.moved(inner) {
            return format!("{start}{moved}{end}");
        }
        let pieces: Vec<&str> = inner.split(':').collect();
        let last = pieces.len() - 1;
        let masked: Vec<String> = pieces
            .iter()
            .enumerate()
            .map(|(at, piece)| {
                let behind = at > 0 || start.ends_with(':');
                let port = ports == Ports::Stay && at == last && behind && piece.parse::<u16>().is_ok();
                if port { (*piece).to_owned() } else { self.piece(piece) }
            })
            .collect();
        format!("{start}{}{end}", masked.join(":"))
    }

    /// An address, an address with its port, or a range of addresses.
    fn moved(&self, token: &str) -> Option<String> {
        // The longest of them: an IPv6 address that ends like an IPv4 address, with brackets, port and another of it.
        if token.len() > 128 {
            return None;
        }
        if let Ok(address) = token.parse::<IpAddr>() {
            return Some(self.address(address).to_string());
        }
        if let Ok(address) = token.parse::<SocketAddr>() {
            return Some(SocketAddr::new(self.address(address.ip()), address.port()).to_string());
        }
        let (first, last) = token.split_once('-')?;
        let (first, last) = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
        Some(format!("{}-{}", self.address(first), self.address(last)))
    }

    fn piece(&self, piece: &str) -> String {
        if let Ok(address) = piece.parse::<IpAddr>() {
            return self.address(address).to_string();
        }
        if piece.contains('.') { self.dotted(piece) } else { self.label(piece) }
    }

    /// A name of DNS of many labels: Azure's domains stay, and what is its own below them. A search suffix may stand behind
    /// such a name.
    pub(super) fn dotted(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let (start, domain) = self.known.domain(&lower).unwrap_or((name.len(), ""));
        let (before, end) = name.split_at_checked(start).unwrap_or((name, ""));
        let (head, before) = before.split_at_checked(self.searched(&lower, before.len())).unwrap_or(("", before));
        let mut masked = if head.is_empty() { String::new() } else { self.dotted(head) };
        for piece in before.split_inclusive('.') {
            let label = piece.trim_end_matches('.');
            let own = domain.contains('.') && self.known.is_own_label(&label.to_ascii_lowercase(), domain);
            masked.push_str(&if own || label == "privatelink" { label.to_owned() } else { self.label(label) });
            masked.push_str(piece.get(label.len()..).unwrap_or_default());
        }
        masked + end
    }

    /// Where a name ends that is Azure's own and has other labels behind it.
    fn searched(&self, lower: &str, end: usize) -> usize {
        if lower.len() > LONGEST {
            return 0;
        }
        let before = lower.get(..end).unwrap_or_default().trim_end_matches('.');
        let ends = before.match_indices('.').map(|(at, _)| at).chain([before.len()]).filter(|at| *at < lower.len());
        let own = |at: &usize| {
            let domain = before.get(..*at).and_then(|head| self.known.domain(head));
            domain.is_some_and(|(_, domain)| domain.contains('.'))
        };
        ends.filter(own).max().unwrap_or(0)
    }

    /// A label: the ids in it, one behind the other, and what stands between them.
    pub(super) fn label(&self, label: &str) -> String {
        if label.len() == 32
            && let Ok(id) = Uuid::try_parse(label)
        {
            return self.id(id).simple().to_string();
        }
        let mut masked = String::with_capacity(label.len());
        let (mut done, mut at) = (0, 0);
        while at + ID <= label.len() {
            let Some(id) = label.get(at..at + ID).and_then(written_id) else {
                at += 1;
                continue;
            };
            masked.push_str(&self.between(label.get(done..at).unwrap_or_default()));
            masked.push_str(&self.id(id).to_string());
            at += ID;
            done = at;
        }
        masked + &self.between(label.get(done..).unwrap_or_default())
    }

    /// What stands beside an id, joined to it by hyphens.
    fn between(&self, text: &str) -> String {
        let name = text.trim_matches('-');
        if name.is_empty() {
            return text.to_owned();
        }
        let hyphens = |text: &str| "-".repeat(text.len());
        let before = text.len() - text.trim_start_matches('-').len();
        let after = text.trim_end_matches('-').len();
        let (before, after) = (text.get(..before).unwrap_or_default(), text.get(after..).unwrap_or_default());
        format!("{}{}{}", hyphens(before), self.name(name), hyphens(after))
    }
}

/// An id as it is written with hyphens.
fn written_id(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    let hyphens = [8, 13, 18, 23].iter().all(|at| bytes.get(*at) == Some(&b'-'));
    if hyphens { Uuid::try_parse(text).ok() } else { None }
}
