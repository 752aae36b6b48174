//! What a code, an address or a host name means.

use std::io::{self, Write};
use std::net::IpAddr;

use ampls_probes::Catalogue;
use ampls_probes::addr::{self, Class, classify, embedded_ipv4, heartbeat_ipv4};
use ampls_probes::azure::HostName;
use url::{Host, Url};

use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::rule::Rule;
use crate::render::page::{Page, Style, Tint};
use crate::render::words;
use crate::text::{meant, quote};
use glossary::Term;

mod commands;
pub mod glossary;
pub mod index;
mod markdown;
mod name;

/// A rule, as far as it is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePage {
    /// `DNS003`
    pub code: String,
    /// `zone-not-linked`
    pub name: String,
    /// How bad it usually is.
    pub severity: Severity,
    /// Who usually repairs it.
    pub owner: Owner,
    /// Symptoms that it explains.
    pub explains: Vec<&'static str>,
    /// Its page, in Markdown.
    pub page: String,
}

impl From<&Rule> for RulePage {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code.to_owned(),
            name: rule.name.to_owned(),
            severity: rule.severity,
            owner: rule.owner,
            explains: rule.explains.to_vec(),
            page: rule.page_markdown() + &commands::section(rule.code),
        }
    }
}

impl RulePage {
    /// Who usually repairs it, as people say it.
    pub(super) fn who(&self) -> &'static str {
        words::team_or(self.owner, "you, on the machine")
    }

    /// The first sentence of what it means.
    fn gist(&self) -> String {
        let lines = self.page.lines().skip_while(|line| !line.starts_with("## ")).skip(1);
        let paragraph = lines.map(str::trim).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
        let paragraph = paragraph.collect::<Vec<_>>().join(" ");
        let end = paragraph.find(". ");
        paragraph.get(..end.unwrap_or(paragraph.len())).unwrap_or_default().trim_end_matches('.').to_owned()
    }
}

/// What was found about something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The page of a rule, in Markdown.
    Page(String),
    /// A title and facts: what each is about, and the fact.
    Facts(String, Vec<(&'static str, String)>),
}

/// Finds what is known about a code, a rule's name, an address or a host name. Fails with one line on what can be asked for.
pub fn find(what: &str, catalogue: &Catalogue, rules: &[RulePage]) -> Result<Topic, String> {
    let asked = what.trim();
    if let Some(rule) = rules.iter().find(|rule| is_called(rule, asked)) {
        return Ok(Topic::Page(rule.page.clone()));
    }
    if let Some(term) = glossary::find(asked) {
        return Ok(term_topic(term));
    }
    if let Some(address) = address(asked) {
        return Ok(address_topic(address));
    }
    if let Some(topic) = host(asked).map(|host| name::topic(&host, catalogue)) {
        return Ok(topic);
    }
    let names = rules.iter().flat_map(|rule| [rule.code.as_str(), rule.name.as_str()]);
    let words = glossary::names().map(|name| -> &str { name });
    let mut hint = if asked.is_empty() { String::new() } else { meant(asked, names.chain(words)) };
    if hint.is_empty() {
        "; give a code or a word of `explain --list`, an address or a full host name".clone_into(&mut hint);
    }
    Err(format!("unknown code, word or name {}{hint}", quote(asked)))
}

/// Writes what was found.
pub fn write(topic: &Topic, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    match topic {
        Topic::Page(text) => markdown::write(text, &mut page),
        Topic::Facts(title, facts) => {
            page.wrapped(Tint::Bold, "", "  ", title)?;
            for (label, fact) in facts {
                page.wrapped(Tint::Plain, &format!("  {label:12} "), "               ", fact)?;
            }
            Ok(())
        }
    }
}

/// Writes every code with its usual severity, its name and what it means.
pub fn write_list(rules: &[RulePage], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    for rule in rules {
        let severity = rule.severity.as_str();
        let first = format!("{:8}{severity:9}{}: ", rule.code, rule.name);
        page.wrapped(Tint::Plain, &first, &" ".repeat(17), &rule.gist())?;
    }
    page.blank()?;
    let words = glossary::TERMS.iter().filter_map(|term| term.names.first().copied()).collect::<Vec<_>>();
    page.wrapped(Tint::Plain, "Words: ", "       ", &words.join(", "))
}

fn term_topic(term: &'static Term) -> Topic {
    let title = term.names.first().copied().unwrap_or_default();
    let mut facts = vec![("means", term.means.to_owned())];
    if let [_, also @ ..] = term.names
        && !also.is_empty()
    {
        facts.push(("also", also.join(", ")));
    }
    facts.push(("explain", term.more.join(", ")));
    Topic::Facts(title.to_owned(), facts)
}

fn is_called(rule: &RulePage, asked: &str) -> bool {
    rule.code.eq_ignore_ascii_case(asked) || rule.name.eq_ignore_ascii_case(asked)
}

/// An address out of what people paste: alone, in brackets, with a zone, a port or a prefix length, in a URL.
fn address(asked: &str) -> Option<IpAddr> {
    let bare = asked.trim_start_matches('[').trim_end_matches(']');
    let alone = bare.split(['%', '/']).next().unwrap_or(bare).parse().ok();
    alone.or_else(|| match host_of_url(asked)? {
        // To a URL parser `4` is 0.0.0.4; nobody means that.
        Host::Ipv4(address) => Some(IpAddr::V4(address)).filter(|_| asked.contains(&address.to_string())),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    })
}

/// A host name out of what people paste: a URL, a name with a port or a trailing dot.
fn host(asked: &str) -> Option<String> {
    HostName::of_url(asked).map(String::from)
}

fn host_of_url(asked: &str) -> Option<Host<String>> {
    let url = if asked.contains("://") { Url::parse(asked) } else { Url::parse(&format!("https://{asked}")) };
    url.ok()?.host().map(|host| host.to_owned())
}

fn address_topic(address: IpAddr) -> Topic {
    let mut facts = vec![("class", class(address))];
    if let Some(embedded) = embedded_ipv4(address) {
        facts.push(("stands for", format!("the IPv4 address {embedded}, which is what is judged")));
    }
    if let IpAddr::V6(v6) = address
        && let Some(own) = heartbeat_ipv4(v6)
    {
        facts.push((
            "heartbeat",
            format!(
                "as `ComputerIP` of a heartbeat it shows that the data came over a private link; its last 32 bits are \
                 the machine's own address {own}"
            ),
        ));
    }
    facts.extend(well_known(address));
    Topic::Facts(address.to_string(), facts)
}

fn class(address: IpAddr) -> String {
    let ours = "private: ";
    match (classify(address, &[]), embedded_ipv4(address).map_or(address, IpAddr::V4)) {
        (Class::Private, IpAddr::V4(_)) => format!("{ours}a range of RFC 1918, as virtual networks use it"),
        (Class::Private, IpAddr::V6(_)) => format!("{ours}a unique local address (RFC 4193)"),
        (Class::SharedAddressSpace, _) => {
            "shared address space (RFC 6598, 100.64.0.0/10): private only when a DNS server says so, because VPN clients \
             make such answers up"
                .to_owned()
        }
        (Class::Sinkhole, _) => {
            "never a destination: unspecified, loopback, link-local, multicast or reserved; as an answer for a name it \
             means that something blocks the name"
                .to_owned()
        }
        (Class::Public, _) => {
            "public; it counts as private where it lies in this machine's own subnet, in a `--private-range`, or where the \
             `privatelink` name itself owns the record"
                .to_owned()
        }
    }
}

fn well_known(address: IpAddr) -> Option<(&'static str, String)> {
    let text = if address == addr::AZURE_DNS.ip() {
        "Azure's own address on every virtual network, the same in all regions and clouds: DNS on port 53 (with the private \
         zones linked to this virtual network), the wire server on ports 80 and 32526; it cannot be reached from outside \
         Azure"
    } else if address == addr::METADATA.ip() {
        "the instance metadata service of Azure virtual machines: region, ids and tokens; never through a proxy"
    } else {
        return None;
    };
    Some(("in Azure", text.to_owned()))
}

#[cfg(test)]
mod tests;
