//! What a root does to the machine, in a few words: what the headline says of it.
//!
//! What a name does for monitoring comes before how it fails: a reader knows "log upload", not a zone.

use ampls_probes::endpoint::{Expect, Expectation, Need};

use super::EndpointReport;
use crate::diagnose::facts::{Route, Status};
use crate::diagnose::finding::{Argument, Finding};
use crate::text::escape;

/// Names in one effect before the others are counted.
const NAMED: usize = 2;
/// Characters kept of a name or an address.
const KEPT: usize = 80;

/// The effect of a root, e.g. `log upload is PUBLIC`.
pub(super) fn effect(root: &Finding, findings: &[Finding], endpoints: &[EndpointReport], expect: Expect) -> String {
    let concerned = Names { some: concerned(root, findings, endpoints), all: endpoints };
    if root.code.starts_with("DNS")
        && let Some(effect) = outcome(&concerned, expect)
    {
        return effect;
    }
    mechanism(root, &concerned)
}

/// The endpoints that a root or what it explains is about: of those that are required, or of all where none is.
fn concerned<'a>(root: &Finding, findings: &[Finding], endpoints: &'a [EndpointReport]) -> Vec<&'a EndpointReport> {
    let explained = |finding: &&Finding| finding.caused_by_id.as_deref() == Some(&root.id);
    let about = |endpoint: &EndpointReport| {
        root.endpoints.contains(&endpoint.fqdn)
            || findings.iter().filter(explained).any(|finding| finding.endpoints.contains(&endpoint.fqdn))
    };
    let all: Vec<_> = endpoints.iter().filter(|endpoint| about(endpoint)).collect();
    let required: Vec<_> = all.iter().copied().filter(|endpoint| endpoint.need == Need::Required).collect();
    if required.is_empty() { all } else { required }
}

/// What became of the names, the worst first; `None` where all of them work as they should.
fn outcome(concerned: &Names<'_>, expect: Expect) -> Option<String> {
    let public = concerned.those(|endpoint| is_public(endpoint, expect));
    let lost = concerned.those(is_lost);
    let silent = concerned.those(|endpoint| endpoint.reachable == Some(false) && !is_lost(endpoint));
    if !public.is_empty() {
        return Some(format!("{} PUBLIC", public.are()));
    }
    if !lost.is_empty() {
        return Some(format!("{} not resolve", lost.does()));
    }
    (!silent.is_empty()).then(|| format!("{} not answer", silent.does()))
}

/// Whether a name that can be private leads to a public address where that may be wrong.
fn is_public(endpoint: &EndpointReport, expect: Expect) -> bool {
    endpoint.expected == Expectation::Private
        && matches!(endpoint.route, Route::Public | Route::Mixed)
        && expect != Expect::Public
}

/// Whether it was looked up and leads nowhere.
pub(super) fn is_lost(endpoint: &EndpointReport) -> bool {
    let settled = |status| !matches!(status, Status::Skipped | Status::Cancelled);
    endpoint.route == Route::None && endpoint.views.first().is_some_and(|system| settled(system.status))
}

/// Whether a server is at fault that is asked only where the first does not answer.
fn is_behind(root: &Finding) -> bool {
    root.args.get("first").is_some_and(|first| first.text() == "no")
}

/// What the rule has found, where the names do not show it.
fn mechanism(root: &Finding, concerned: &Names<'_>) -> String {
    let names = || concerned.names();
    let the_server = || {
        let given = root.args.get("server").map(Argument::values).unwrap_or_default();
        let mut addresses: Vec<&str> =
            given.iter().flat_map(|some| some.split(", ")).map(|one| one.trim_end_matches(":53")).collect();
        // Their order is the resolver's, and tells nothing here.
        addresses.sort_unstable();
        match addresses.as_slice() {
            [] => "a DNS server".to_owned(),
            [one] => format!("DNS server {}", escape(one, KEPT)),
            [one, others @ ..] => format!("DNS server {} (+{})", escape(one, KEPT), others.len()),
        }
    };
    match root.code.as_str() {
        "DNS002" | "DNS020" if is_behind(root) => format!("{} answers PUBLIC when the first is slow", the_server()),
        "DNS001" => "every name that could be private is PUBLIC".to_owned(),
        "DNS002" => format!("{} does not use Azure's DNS", the_server()),
        "DNS005" => "DNS servers give different answers".to_owned(),
        "DNS006" => format!("the hosts file decides {}", names()),
        "DNS007" => format!("a stale answer is used for {}", names()),
        "DNS008" => format!("{} does not answer", the_server()),
        "DNS009" => format!("{} fails", the_server()),
        "DNS010" => "DNS over TCP is blocked".to_owned(),
        "DNS011" => format!("IPv6 sends {} to the public address", names()),
        "DNS012" => format!("{} blocked in DNS", concerned.are()),
        "DNS014" => "private answers belong to two scopes".to_owned(),
        "DNS015" => format!("{} not where expected", concerned.are()),
        "DNS018" => "the system sends DNS encrypted".to_owned(),
        "DNS019" => format!("the answer for {} changes", names()),
        "DNS020" => format!("{} forwards only some names", the_server()),
        "DNS021" => format!("a local zone hides {}", names()),
        "DNS022" => format!("a search domain answers for {}", names()),
        "DNS023" => format!("{} private, not public", concerned.are()),
        "DNS024" => format!("{} withholds private addresses", the_server()),
        "DNS025" => format!("{} invents answers", the_server()),
        "NET002" => format!("connections to {} are refused", names()),
        "NET003" => format!("there is no route to {}", names()),
        "NET004" => format!("one address of {} does not answer", names()),
        "NET005" => "there is no outbound access".to_owned(),
        "AZR007" => "Azure has no rule for this machine".to_owned(),
        "AZR008" => "the agent has no identity".to_owned(),
        "AZR009" => "Azure refuses its rules or tokens".to_owned(),
        "NET006" => format!("large packets to {} get lost", names()),
        "TLS001" => format!("TLS to {} is intercepted", names()),
        "TLS002" => format!("the certificate of {} is not trusted", names()),
        "TLS003" => format!("{} the certificate of another name", concerned.show()),
        "TLS004" => format!("the certificate of {} is not valid now", names()),
        "TLS005" => format!("{} only old TLS", concerned.show()),
        "TLS006" => format!("TLS to {} is reset", names()),
        "TLS007" => format!("TLS to {} stalls", names()),
        "TLS008" => format!("something else answers TLS for {}", names()),
        "TLS009" => format!("the certificate chain of {} is incomplete", names()),
        "HTP001" => format!("access to {} is refused", names()),
        "HTP003" => format!("{} not accept this agent's endpoint", concerned.does()),
        "HTP004" => format!("the service behind {} fails", names()),
        "HTP002" => format!("the answer of {} is not the documented one", names()),
        "NET001" | "HTP005" | "DNS013" => match outcome(concerned, Expect::Public) {
            Some(effect) => effect,
            None => format!("{} not answer", concerned.does()),
        },
        "PRX001" => format!("traffic to {} goes through a proxy", names()),
        "PRX002" => "the proxy asks for credentials".to_owned(),
        "PRX003" => "the proxy does not answer".to_owned(),
        "PRX004" => format!("the proxy refuses {}", names()),
        "PRX005" => "a proxy blocks the metadata service".to_owned(),
        "AGT001" => "the agent is too old for Private Link".to_owned(),
        "AGT003" => "the agent is retired".to_owned(),
        "AGT004" => "the agent is not running".to_owned(),
        "AGT005" => "the agent has no endpoint of its own".to_owned(),
        "AGT007" => "the agent reports to another workspace".to_owned(),
        "AGT008" => "the agent was refused".to_owned(),
        "AGT009" => "the agent delivers nothing".to_owned(),
        "BRW001" => "a browser never asks this machine's DNS".to_owned(),
        "BRW002" => "a browser asks other DNS first".to_owned(),
        "AZR001" => "the metadata service does not answer".to_owned(),
        "AZR002" => "the clock is wrong".to_owned(),
        "AZR004" => "arguments, agents and Azure name different clouds".to_owned(),
        "AZR005" => "the metadata service refuses access".to_owned(),
        "AZR006" => "the cloud is unknown".to_owned(),
        "RUN001" => "some checks did not finish".to_owned(),
        "RUN003" => match outcome(concerned, Expect::Public) {
            Some(effect) => format!("{effect}, cause unknown"),
            None => format!("{} for an unknown reason", concerned.fail()),
        },
        "RUN004" => "not everything could be read".to_owned(),
        _ => root.name.replace('-', " "),
    }
}

/// Some of the endpoints, called by what they do.
struct Names<'a> {
    some: Vec<&'a EndpointReport>,
    all: &'a [EndpointReport],
}

impl Names<'_> {
    fn those(&self, take: impl Fn(&EndpointReport) -> bool) -> Self {
        Self { some: self.some.iter().copied().filter(|endpoint| take(endpoint)).collect(), all: self.all }
    }

    fn is_empty(&self) -> bool {
        self.some.is_empty()
    }

    fn are(&self) -> String {
        self.verb("is", "are")
    }

    fn does(&self) -> String {
        self.verb("does", "do")
    }

    fn show(&self) -> String {
        self.verb("shows", "show")
    }

    fn fail(&self) -> String {
        self.verb("fails", "fail")
    }

    fn verb(&self, one: &str, several: &str) -> String {
        let verb = if self.families().len() <= 1 { one } else { several };
        format!("{} {verb}", self.names())
    }

    /// What they do, e.g. `log upload and registration`.
    fn names(&self) -> String {
        let mut families = self.families();
        let required: Vec<_> = self.all.iter().filter(|endpoint| endpoint.need == Need::Required).collect();
        let has = |wanted: &EndpointReport| self.some.iter().any(|endpoint| endpoint.id == wanted.id);
        if families.len() > 1 && required.iter().all(|endpoint| has(endpoint)) && !required.is_empty() {
            return "all required names".to_owned();
        }
        let more = families.len().saturating_sub(NAMED);
        // "and 1 more" is no shorter than the name.
        if more > 1 {
            families.truncate(NAMED);
            families.push(format!("{more} more"));
        }
        match families.as_slice() {
            [] => "a name".to_owned(),
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            families => families.concat(),
        }
    }

    fn families(&self) -> Vec<String> {
        let mut families: Vec<String> = Vec::new();
        for endpoint in &self.some {
            let family = match family(&endpoint.fqdn) {
                OTHER => escape(&endpoint.fqdn, KEPT),
                family => family.to_owned(),
            };
            if !families.contains(&family) {
                families.push(family);
            }
        }
        families
    }
}

/// Those names that are public where that may be wrong, as a clause; `None` where there is none.
pub(super) fn public(some: &[&EndpointReport], all: &[EndpointReport], expect: Expect) -> Option<String> {
    let public = Names { some: some.to_vec(), all }.those(|endpoint| is_public(endpoint, expect));
    (!public.is_empty()).then(|| format!("{} PUBLIC", public.are()))
}

const OTHER: &str = "other names";

/// What a name does for monitoring, in the words of the people who run the machine.
pub(crate) fn family(fqdn: &str) -> &'static str {
    let inside = |label: &str| fqdn.split('.').any(|part| part == label);
    if inside("handler") {
        "configuration"
    } else if inside("ods") {
        "log upload"
    } else if inside("metrics") {
        "metrics upload"
    } else if inside("ingest") {
        "data collection upload"
    } else if inside("oms") {
        "registration"
    } else if inside("agentsvc") {
        "agent service"
    } else if inside("in") || inside("live") || inside("livediagnostics") {
        "application telemetry"
    } else if inside("blob") {
        "solution packs"
    } else if inside("api") {
        "queries"
    } else {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_called_by_what_it_does() {
        assert_eq!(family("x-abcd.westeurope-1.metrics.ingest.monitor.azure.com"), "metrics upload");
        assert_eq!(family("x-abcd.westeurope-1.ingest.monitor.azure.com"), "data collection upload");
        assert_eq!(family("global.handler.control.monitor.azure.com"), "configuration");
        assert_eq!(family("global.in.ai.monitor.azure.com"), "application telemetry");
    }

    #[test]
    fn two_kinds_of_names_are_named_and_more_are_counted() {
        let report = crate::report::mixed();
        let names =
            |count: usize| Names { some: report.endpoints.iter().take(count).collect(), all: &report.endpoints };
        assert_eq!(names(1).names(), "configuration");
        assert_eq!(names(2).does(), "configuration and log upload do");
        assert_eq!(names(3).are(), "all required names are");
        let optional = Names { some: report.endpoints.iter().skip(1).collect(), all: &report.endpoints };
        assert_eq!(optional.names(), "log upload, registration and 3 more");
    }
}
