//! The answer in one line.

use std::cmp::Reverse;

use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, Expectation, Need};
use ampls_probes::observation::{Source, SourceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointReport, Report, is_unfinished};
use crate::diagnose::facts::delivery::{self, Delivery, Flow};
use crate::diagnose::facts::sources::{label, missing, was_looked_at};
use crate::diagnose::facts::{Route, Status, View, complete};
use crate::diagnose::finding::{Finding, Severity};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Verdict {
    /// What the required private-capable names resolve to (all private-capable ones where none is required; where there are none
    /// at all, the names that monitoring requires).
    pub route: Route,
    /// The highest severity among the roots.
    pub health: Health,
    /// Both, and the numbers behind them, in one line.
    pub headline: String,
    /// What the agents' own files say of the last minutes: no network test proves that data arrives.
    #[serde(default)]
    pub delivery: Delivery,
    /// What shows it; null when agents were not looked at.
    #[serde(default)]
    pub delivery_evidence: Option<String>,
}

/// The highest severity among the roots; information counts as [`Health::Ok`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nothing to fix.
    Ok,
    /// Works, but not as it should.
    Warning,
    /// Broken.
    Error,
}

impl Health {
    /// The word of JSON, of metrics and of the `VERDICT` line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The words of sentences.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "healthy",
            Self::Warning => "with warnings",
            Self::Error => "broken",
        }
    }
}

impl Verdict {
    pub(super) fn new(observations: &Observations, endpoints: &[EndpointReport], findings: &[Finding]) -> Self {
        let judged = judged(endpoints);
        let route = fold(judged.iter().map(|endpoint| endpoint.route));
        let health = health(findings);
        let unseen = if health == Health::Ok { missing(observations) } else { Vec::new() };
        let flow = delivery::flow(observations);
        let flows = flows(&flow, health);
        let verdict = |headline: String| Self {
            route,
            health,
            headline,
            delivery: flow.delivery,
            delivery_evidence: flow.evidence.clone(),
        };
        if observations.asked.files_only {
            let headline = files_only(observations, condition(health, &unseen))
                + &first_root(findings, observations).unwrap_or_default()
                + &flows
                + &not_looked_at(&unseen)
                + cut_short(observations);
            return verdict(headline);
        }
        let adjective = if health == Health::Ok && judged.iter().any(|endpoint| fails(endpoint)) {
            "unexplained"
        } else {
            condition(health, &unseen)
        };
        let mut headline = format!("{}, {adjective}: ", route.label().to_uppercase());
        headline.push_str(&match route {
            Route::Private => private(&judged, endpoints, findings),
            Route::Public => public(&judged, health, observations.asked.expect),
            Route::Mixed => mixed(&judged),
            Route::None => none(&judged),
        });
        // Which names lead where is itself the answer of a mixed machine.
        if route != Route::Mixed {
            headline.push_str(&first_root(findings, observations).unwrap_or_default());
        }
        headline.push_str(&flows);
        headline.push_str(&not_looked_at(&unseen));
        headline.push_str(cut_short(observations));
        verdict(headline)
    }
}

/// Whether data flows, as a clause. Where something is broken only a failure of the agent's own is worth the room.
fn flows(flow: &Flow, health: Health) -> String {
    let time = flow.at.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default();
    match flow.delivery {
        Delivery::Failing => format!("; delivery failing since {time} UTC"),
        _ if health != Health::Ok => String::new(),
        Delivery::Delivering => format!("; data delivered at {time} UTC"),
        Delivery::Unproven => "; delivery unproven".to_owned(),
    }
}

impl Report {
    /// How well the machine is, in words: healthy only where everything was looked at that should be.
    pub(crate) fn condition(&self) -> &'static str {
        condition(self.verdict.health, &missing(&self.observations))
    }

    /// Whether the name has a public address where a private one is expected.
    pub(crate) fn is_astray(&self, endpoint: &EndpointReport) -> bool {
        endpoint.expected == Expectation::Private
            && matches!(endpoint.route, Route::Public | Route::Mixed)
            && self.private_is_expected(endpoint)
    }

    /// Whether a private address is expected of this name: the user says so, something on this machine is private, or a DNS
    /// finding is about the name.
    fn private_is_expected(&self, endpoint: &EndpointReport) -> bool {
        let private = |view: &View| matches!(view.route, Route::Private | Route::Mixed);
        let dns_fault = |finding: &Finding| finding.severity > Severity::Info && finding.code.starts_with("DNS");
        match self.run.expect {
            Expect::Private => true,
            Expect::Public => false,
            Expect::Auto => {
                matches!(self.verdict.route, Route::Private | Route::Mixed)
                    || (self.verdict.health > Health::Ok
                        && (self.endpoints.iter().flat_map(|endpoint| &endpoint.views).any(private)
                            || self.findings_about(endpoint).any(dns_fault)))
            }
        }
    }
}

/// How well it is, in words. Healthy is only what was looked at as a whole.
fn condition(health: Health, unseen: &[Source]) -> &'static str {
    if health == Health::Ok && !unseen.is_empty() { "no fault seen" } else { health.label() }
}

/// What is missing from the picture, as a clause.
fn not_looked_at(unseen: &[Source]) -> String {
    let labels: Vec<&str> = unseen.iter().map(|source| label(source.source)).collect();
    if labels.is_empty() { String::new() } else { format!("; not looked at: {}", labels.join(", ")) }
}

fn cut_short(observations: &Observations) -> &'static str {
    if complete(observations) { "" } else { "; the run was cut short" }
}

fn files_only(observations: &Observations, condition: &str) -> String {
    let agents = match super::agent::agents(observations).len() {
        0 if !was_looked_at(observations, SourceName::Agents) => "no agent's files were looked at".to_owned(),
        1 => "1 agent found".to_owned(),
        found => format!("{found} agents found"),
    };
    format!("FILES ONLY, {condition}: {agents}; nothing was asked over the network")
}

/// The first of the worst roots as a clause: the numbers show that something is broken, never what.
fn first_root(findings: &[Finding], observations: &Observations) -> Option<String> {
    let counts = |finding: &&Finding| {
        let in_headline = is_unfinished(finding) && !complete(observations);
        finding.caused_by.is_none() && finding.severity > Severity::Info && !in_headline
    };
    let root = findings.iter().filter(counts).min_by_key(|finding| Reverse(finding.severity))?;
    Some(format!("; {} {}", root.code, root.name))
}

/// The endpoints whose routes decide. In a cloud without a private link those of its names that are needed do: a machine whose
/// every path works is not unresolved.
fn judged(endpoints: &[EndpointReport]) -> Vec<&EndpointReport> {
    let needed = |endpoint: &&EndpointReport| endpoint.need == Need::Required;
    let capable = || endpoints.iter().filter(|endpoint| is_capable(endpoint));
    let connected = || endpoints.iter().filter(|endpoint| endpoint.need != Need::Evidence);
    let choices: [Vec<_>; 4] = [
        capable().filter(needed).collect(),
        capable().collect(),
        connected().filter(needed).collect(),
        connected().collect(),
    ];
    choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default()
}

fn is_capable(endpoint: &EndpointReport) -> bool {
    endpoint.expected == Expectation::Private
}

/// A required name that was looked at and does not work. Without a finding that explains it, the machine is not healthy.
fn fails(endpoint: &EndpointReport) -> bool {
    endpoint.need == Need::Required
        && (endpoint.reachable == Some(false) || (endpoint.route == Route::None && was_looked_up(endpoint)))
}

fn was_looked_up(endpoint: &EndpointReport) -> bool {
    endpoint.views.first().is_some_and(|system| !matches!(system.status, Status::Skipped | Status::Cancelled))
}

/// One route for many; names that lead nowhere do not count unless all do.
pub(crate) fn fold(routes: impl IntoIterator<Item = Route>) -> Route {
    routes.into_iter().fold(Route::None, |all, one| match (all, one) {
        (all, Route::None) => all,
        (Route::None, one) => one,
        (all, one) if all == one => all,
        _ => Route::Mixed,
    })
}

fn health(findings: &[Finding]) -> Health {
    let worst = findings.iter().filter(|finding| finding.caused_by.is_none()).map(|finding| finding.severity).max();
    match worst {
        Some(Severity::Error) => Health::Error,
        Some(Severity::Warning) => Health::Warning,
        Some(Severity::Info) | None => Health::Ok,
    }
}

fn private(judged: &[&EndpointReport], endpoints: &[EndpointReport], findings: &[Finding]) -> String {
    let private: Vec<_> = judged.iter().filter(|endpoint| endpoint.route == Route::Private).collect();
    let what = kind(judged);
    let total = judged.len();
    let text = if private.iter().all(|endpoint| endpoint.reachable.is_none()) {
        format!("{} of {total} {what} private; none was tested", private.len())
    } else {
        let answering = private.iter().filter(|endpoint| endpoint.reachable == Some(true)).count();
        if answering == private.len() {
            format!("{answering} of {total} {what} private and answering")
        } else {
            format!("{} of {total} {what} private, {answering} answering", private.len())
        }
    };
    let blocked = blocked(endpoints, findings);
    let names = if blocked == 1 { "name" } else { "names" };
    if blocked == 0 { text } else { format!("{text}; {blocked} optional public {names} blocked (normal)") }
}

/// Optional names that a locked-down network keeps away, and that no finding above information is about.
fn blocked(endpoints: &[EndpointReport], findings: &[Finding]) -> usize {
    let complained = |endpoint: &EndpointReport| {
        findings.iter().any(|finding| finding.severity > Severity::Info && finding.endpoints.contains(&endpoint.fqdn))
    };
    endpoints
        .iter()
        .filter(|endpoint| endpoint.need == Need::Optional && endpoint.expected != Expectation::Private)
        .filter(|endpoint| endpoint.route == Route::Public && endpoint.reachable == Some(false))
        .filter(|endpoint| !complained(endpoint))
        .count()
}

fn public(judged: &[&EndpointReport], health: Health, expect: Expect) -> String {
    let what = kind(judged);
    let total = judged.len();
    let silent = judged.iter().filter(|endpoint| endpoint.reachable == Some(false)).count();
    let unresolved = judged.iter().filter(|endpoint| endpoint.route == Route::None).count();
    if silent + unresolved > 0 && health > Health::Ok {
        return format!("{} of {total} {what} public, {} not answering", total - unresolved, silent + unresolved);
    }
    match expect {
        Expect::Private => format!("a private link is expected, {total} of {total} {what} public"),
        Expect::Public => format!("{total} of {total} {what} public, as expected"),
        Expect::Auto if health == Health::Error => format!("{total} of {total} {what} public"),
        Expect::Auto if !judged.iter().any(|endpoint| is_capable(endpoint)) => {
            format!("{total} of {total} {what} public; none of them is known to have a private link")
        }
        Expect::Auto => "no private link; if one is intended, run with --expect private".to_owned(),
    }
}

fn mixed(judged: &[&EndpointReport]) -> String {
    let mut families: Vec<(&'static str, Vec<Route>)> = Vec::new();
    for endpoint in judged {
        let family = family(&endpoint.fqdn);
        match families.iter_mut().find(|(name, _)| *name == family) {
            Some((_, routes)) => routes.push(endpoint.route),
            None => families.push((family, vec![endpoint.route])),
        }
    }
    let mut parts: Vec<(Route, Vec<&str>)> = Vec::new();
    for route in [Route::Private, Route::Mixed, Route::Public, Route::None] {
        let names: Vec<_> = families
            .iter()
            .filter(|(_, routes)| fold(routes.iter().copied()) == route)
            .map(|(name, _)| *name)
            .collect();
        if !names.is_empty() {
            parts.push((route, names));
        }
    }
    parts.iter().map(|(route, names)| format!("{} {}", list(names), route.label())).collect::<Vec<_>>().join(", ")
}

fn list(names: &[&str]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.concat(),
    }
}

fn none(judged: &[&EndpointReport]) -> String {
    match judged.len() {
        1.. if !judged.iter().any(|endpoint| was_looked_up(endpoint)) => "no name was looked up to its end".to_owned(),
        0 => "no name was looked at".to_owned(),
        1 => format!("the one {} does not resolve", kind(judged).trim_end_matches('s')),
        total => format!("none of {total} {} resolves", kind(judged)),
    }
}

fn kind(judged: &[&EndpointReport]) -> &'static str {
    let required = judged.iter().all(|endpoint| endpoint.need == Need::Required);
    if required {
        "required names"
    } else if judged.iter().any(|endpoint| is_capable(endpoint)) {
        "private-capable names"
    } else {
        "names"
    }
}

/// What a name does for monitoring, in the words of the people who run the machine.
fn family(fqdn: &str) -> &'static str {
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
        "other names"
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Agents, Observation, ReadFailure, SourceOutcome, Unread, UnreadReason};
    use ampls_probes::testing::{Scene, private_world};

    use super::*;
    use crate::report::examples::report;
    use crate::report::{FailOn, exit_status};

    /// Nothing was read of this source.
    fn without(scene: Scene, name: SourceName, outcome: SourceOutcome) -> Scene {
        scene.edit(|seen| seen.sources = vec![Source::new(name, outcome)])
    }

    #[test]
    fn healthy_stands_only_where_everything_was_looked_at() {
        assert!(report(&private_world()).verdict.headline.contains("healthy"));
        for outcome in [SourceOutcome::Unsupported, SourceOutcome::NotPermitted, SourceOutcome::Failed] {
            for name in [SourceName::Agents, SourceName::Resolver, SourceName::Hosts, SourceName::Browsers] {
                let report = report(&without(private_world(), name, outcome));
                let headline = &report.verdict.headline;
                assert!(!headline.contains("healthy") && report.condition() != "healthy", "{headline}");
                if report.verdict.health == Health::Ok {
                    assert!(headline.contains(label(name)), "{headline}");
                }
            }
        }
        for outcome in [SourceOutcome::Seen, SourceOutcome::Absent, SourceOutcome::Skipped] {
            let report = report(&without(private_world(), SourceName::Browsers, outcome));
            assert!(report.verdict.headline.contains("healthy"), "{}", report.verdict.headline);
        }
    }

    #[test]
    fn what_was_cut_off_is_neither_healthy_nor_complete() {
        for name in [SourceName::Agents, SourceName::Resolver, SourceName::Browsers, SourceName::SystemDns] {
            let scene = without(private_world(), name, SourceOutcome::Cancelled);
            for files_only in [false, true] {
                let report = report(&scene.clone().edit(|seen| {
                    seen.asked.files_only = files_only;
                }));
                let headline = &report.verdict.headline;
                assert!(!headline.contains("healthy") && !headline.contains("0 agents"), "{headline}");
                assert!(headline.contains("cut short") && !report.run.complete, "{headline}");
                assert!(report.findings.iter().any(|finding| finding.code == "RUN001"), "{headline}");
                assert_eq!(exit_status(&report, FailOn::Warning), 1, "{headline}");
            }
        }
    }

    #[test]
    fn refused_files_of_agents_are_named_among_the_sources() {
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = vec![Unread { path: "/etc/opt/microsoft/azuremonitoragent".to_owned(), why }];
        let agents = Observation::Agents(Agents { unread, ..Agents::default() });
        let report = report(&private_world().edit(|seen| seen.seen.push(agents)));
        let source = report.sources.iter().find(|source| source.source == SourceName::Agents).expect("it is listed");
        assert_eq!(source.outcome, SourceOutcome::NotPermitted);
        assert!(source.because.as_ref().is_some_and(|why| why.contains("azuremonitoragent")), "{source:?}");
    }

    #[test]
    fn names_that_lead_nowhere_do_not_change_the_route_of_the_others() {
        assert_eq!(fold([Route::Private, Route::None]), Route::Private);
        assert_eq!(fold([Route::None, Route::None]), Route::None);
        assert_eq!(fold([Route::Private, Route::Public, Route::None]), Route::Mixed);
        assert_eq!(fold([Route::Mixed]), Route::Mixed);
        assert_eq!(fold([]), Route::None);
    }

    #[test]
    fn a_name_is_called_by_what_it_does() {
        assert_eq!(family("x-abcd.westeurope-1.metrics.ingest.monitor.azure.com"), "metrics upload");
        assert_eq!(family("x-abcd.westeurope-1.ingest.monitor.azure.com"), "data collection upload");
        assert_eq!(family("global.handler.control.monitor.azure.com"), "configuration");
        assert_eq!(family("global.in.ai.monitor.azure.com"), "application telemetry");
    }
}
