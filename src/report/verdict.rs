//! The answer in one line.

use std::cmp::Reverse;

use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, Expectation, Need};
use ampls_probes::observation::{Source, SourceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::effect::{self, family, is_lost};
use super::{EndpointReport, Report};
use crate::diagnose::facts::delivery::{self, Delivery, Flow};
use crate::diagnose::facts::sources::{label, missing, reason, was_looked_at};
use crate::diagnose::facts::{Route, View, complete};
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
        let faults = faults(findings, endpoints, observations);
        let mut headline =
            if observations.asked.files_only { "FILES ONLY".to_owned() } else { route.label().to_uppercase() };
        headline.push_str(", ");
        headline.push_str(&match &faults {
            Some(faults) => faults.clone(),
            None if observations.asked.files_only => condition(health, &unseen).to_owned(),
            None => healthy(route, &judged, &unseen, observations.asked.expect),
        });
        if observations.asked.files_only {
            headline.push_str(&files_only(observations));
        } else if health > Health::Ok && !headline.contains("PUBLIC") {
            headline.push_str(&public_besides(&judged, endpoints, route, observations.asked.expect));
        }
        headline.push_str(&flows(&flow, health, observations));
        headline.push_str(&not_looked_at(&unseen));
        headline.push_str(cut_short(observations));
        Self { route, health, headline, delivery: flow.delivery, delivery_evidence: flow.evidence }
    }
}

/// Roots whose effects the headline names; the others are counted.
const NAMED: usize = 3;

/// How many errors and warnings there are, and what they do: `2 errors: log upload is PUBLIC (DNS003); …`. `None` where there
/// are none.
fn faults(findings: &[Finding], endpoints: &[EndpointReport], observations: &Observations) -> Option<String> {
    let roots = || findings.iter().filter(|finding| finding.caused_by.is_none() && finding.severity > Severity::Info);
    let count = |severity, word: &str| match roots().filter(|root| root.severity == severity).count() {
        0 => None,
        1 => Some(format!("1 {word}")),
        several => Some(format!("{several} {word}s")),
    };
    let counts: Vec<String> =
        count(Severity::Error, "error").into_iter().chain(count(Severity::Warning, "warning")).collect();
    if counts.is_empty() {
        return None;
    }
    let mut effects: Vec<(String, Vec<&str>)> = Vec::new();
    let mut worst: Vec<&Finding> = roots().collect();
    worst.sort_by_key(|root| Reverse(root.severity));
    for root in worst {
        let effect = effect::effect(root, findings, endpoints, observations.asked.expect);
        match effects.iter_mut().find(|(known, _)| *known == effect) {
            Some((_, codes)) if codes.contains(&root.code.as_str()) => {}
            Some((_, codes)) => codes.push(&root.code),
            None => effects.push((effect, vec![&root.code])),
        }
    }
    let more = effects.len().saturating_sub(NAMED);
    let mut effects: Vec<String> =
        effects.iter().take(NAMED).map(|(effect, codes)| format!("{effect} ({})", codes.join(", "))).collect();
    if more > 0 {
        effects.push(format!("{more} more"));
    }
    Some(format!("{}: {}", counts.join(", "), effects.join("; ")))
}

/// Public addresses of names that should have private ones, where no effect says so.
fn public_besides(judged: &[&EndpointReport], all: &[EndpointReport], route: Route, expect: Expect) -> String {
    let expected = route == Route::Mixed || expect == Expect::Private;
    let public = effect::public(judged, all, expect).filter(|_| expected);
    public.map_or_else(String::new, |public| format!("; {public}"))
}

/// No fault was found: how far that goes.
fn healthy(route: Route, judged: &[&EndpointReport], unseen: &[Source], expect: Expect) -> String {
    let unexplained = judged.iter().any(|endpoint| fails(endpoint));
    let what = match route {
        Route::Private => private(judged, unexplained),
        Route::Public => public(judged, unexplained, expect),
        Route::Mixed => Some(mixed(judged)),
        Route::None => Some(none(judged)),
    };
    let condition = match condition(Health::Ok, unseen) {
        _ if unexplained => "unexplained",
        "healthy" if route != Route::None => "network healthy",
        condition => condition,
    };
    what.map_or_else(|| condition.to_owned(), |what| format!("{condition}: {what}"))
}

/// Whether data flows, as a clause. Where something is broken only a failure of the agent's own is worth the room.
fn flows(flow: &Flow, health: Health, observations: &Observations) -> String {
    let time = flow.at.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default();
    match flow.delivery {
        Delivery::Failing => format!("; delivery failing since {time} UTC"),
        _ if health != Health::Ok => String::new(),
        Delivery::Delivering => format!("; data delivered at {time} UTC"),
        Delivery::Unproven => format!("; {}", unproven(observations)),
    }
}

/// That nothing shows that data arrives, and why where that is plain.
fn unproven(observations: &Observations) -> String {
    let no_agent = was_looked_at(observations, SourceName::Agents) && super::agent::agents(observations).is_empty();
    format!("delivery not proven{}", if no_agent { ": no agent here" } else { "" })
}

impl Report {
    /// How well the machine is, in words: healthy only where everything was looked at that should be.
    pub(crate) fn condition(&self) -> &'static str {
        condition(self.verdict.health, &missing(&self.observations))
    }

    /// Whether the name has a public address where a private one is expected.
    pub(crate) fn is_astray(&self, endpoint: &EndpointReport) -> bool {
        self.should_be_private(endpoint) && matches!(endpoint.route, Route::Public | Route::Mixed)
    }

    /// Whether the name can be private and is expected to be.
    pub(crate) fn should_be_private(&self, endpoint: &EndpointReport) -> bool {
        endpoint.expected == Expectation::Private && self.private_is_expected(endpoint)
    }

    /// What is known of the flow of data, as a clause.
    pub(crate) fn flow(&self) -> String {
        match self.verdict.delivery {
            Delivery::Unproven => unproven(&self.observations),
            Delivery::Delivering | Delivery::Failing => {
                flows(&delivery::flow(&self.observations), Health::Ok, &self.observations).replace("; ", "")
            }
        }
    }

    /// Sources that should have been looked at and were not, and why, e.g. `the agents' files (this build cannot read it)`.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let why =
            |source: &Source| reason(source, &self.observations).map_or_else(String::new, |why| format!(" ({why})"));
        missing(&self.observations).iter().map(|source| format!("{}{}", label(source), why(source))).collect()
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
    let labels: Vec<&str> = unseen.iter().map(label).collect();
    if labels.is_empty() { String::new() } else { format!("; not looked at: {}", labels.join(", ")) }
}

fn cut_short(observations: &Observations) -> &'static str {
    if complete(observations) { "" } else { "; the run was cut short" }
}

fn files_only(observations: &Observations) -> String {
    let agents = match super::agent::agents(observations).len() {
        0 if !was_looked_at(observations, SourceName::Agents) => "no agent's files were looked at".to_owned(),
        1 => "1 agent found".to_owned(),
        found => format!("{found} agents found"),
    };
    format!("; {agents}; nothing was asked over the network")
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
    endpoint.need == Need::Required && (endpoint.reachable == Some(false) || is_lost(endpoint))
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

/// What has to be said of private names beside that they are; `None` where all of them answer.
fn private(judged: &[&EndpointReport], unexplained: bool) -> Option<String> {
    let private: Vec<_> = judged.iter().filter(|endpoint| endpoint.route == Route::Private).collect();
    let (total, what) = (judged.len(), kind(judged));
    let answering = private.iter().filter(|endpoint| endpoint.reachable == Some(true)).count();
    let untested = private.iter().all(|endpoint| endpoint.reachable.is_none());
    match (private.len(), answering) {
        (private, _) if untested => Some(format!("{private} of {total} {what} are private, no connection was tested")),
        (private, answering) if unexplained || private < total => {
            Some(format!("{private} of {total} {what} are private, {answering} answer"))
        }
        _ => None,
    }
}

fn public(judged: &[&EndpointReport], unexplained: bool, expect: Expect) -> Option<String> {
    let (total, what) = (judged.len(), kind(judged));
    if unexplained {
        let works = |endpoint: &&&EndpointReport| endpoint.route != Route::None && endpoint.reachable != Some(false);
        return Some(format!("{} of {total} {what} are public and answer", judged.iter().filter(works).count()));
    }
    match expect {
        Expect::Private => Some(format!("a private link is expected, {total} of {total} {what} are public")),
        Expect::Public => Some("as expected".to_owned()),
        Expect::Auto if !judged.iter().any(|endpoint| is_capable(endpoint)) => None,
        Expect::Auto => Some("no private link found".to_owned()),
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
        1.. if !judged.iter().any(|endpoint| is_lost(endpoint)) => "no name was resolved".to_owned(),
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
                    assert!(headline.contains(label(&Source::new(name, outcome))), "{headline}");
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
}
