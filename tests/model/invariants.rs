//! What a diagnosis of any network has to keep, and whether it is exactly right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::{self, Finding};
use ampls_doctor::report::{FailOn, Report, RunInfo, exit_status};
use ampls_probes::Observations;
use ampls_probes::endpoint::Expect;
use ampls_probes::endpoint::Need;
use ampls_probes::observation::{Observation, RecordKind, ServerRole, Timing};
use uuid::Uuid;

use super::faults::Fault;
use super::network::{Network, Shape, suffix};
use super::oracle::{Claim, Severity, claims, fate, private_expected, with, wrong};
use super::random::Random;
use super::see::see;

/// A network and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct World {
    pub(super) shape: Shape,
    pub(super) faults: Vec<Fault>,
}

impl World {
    pub(super) fn base(&self) -> Network {
        Network::new(&self.shape)
    }

    pub(super) fn network(&self) -> Network {
        with(&self.base(), self.faults.iter())
    }
}

/// What is not right about a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mistake {
    /// Invariant 1: a required name goes wrong and no root of the right severity lists it.
    Unlisted(String),
    /// Invariant 3: the first change takes away what was not shown to be at fault.
    Harmful(String),
    /// Invariant 4: one cause has two roots.
    TwoRoots(String),
    /// Invariant 5: another order of the same observations gives another verdict.
    Order(String),
    /// A root that no fault entitles to.
    FalseRoot(String),
    /// What is seen does not follow from what is named.
    Unnamed(String),
    /// The root is more or less bad than the fault.
    Severity(String),
}

impl Mistake {
    /// It breaks an invariant, which no share of worlds may do.
    pub(super) fn is_invariant(&self) -> bool {
        matches!(self, Self::Unlisted(_) | Self::Harmful(_) | Self::TwoRoots(_) | Self::Order(_))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

/// One world in so many is judged again in another order: that costs as much as all the rest.
const REORDERED: usize = 10;

/// Everything that is wrong with what the doctor says of a world.
pub(super) fn mistakes(world: &World, random: &mut Random) -> Vec<Mistake> {
    let base = world.base();
    let network = world.network();
    let observations = see(&network);
    let findings = diagnose(&observations);
    let mut mistakes = Vec::new();
    unlisted(&network, &findings, &mut mistakes);
    harmful(&findings, &mut mistakes);
    exact(world, &base, &network, &findings, &mut mistakes);
    if random.one_in(REORDERED) {
        reordered(&observations, &findings, random, &mut mistakes);
    }
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

/// How bad a finding says it is, in the oracle's words.
fn severity(finding: &Finding) -> Severity {
    match finding.severity {
        finding::Severity::Info => Severity::Info,
        finding::Severity::Warning => Severity::Warning,
        finding::Severity::Error => Severity::Error,
    }
}

/// Roots that count: information is good to know and no more.
pub(super) fn roots(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.caused_by.is_none() && severity(finding) > Severity::Info)
}

/// Codes that stay a warning under `auto` while the name answers and the public way may be meant.
const MAY_BE_MEANT: [&str; 2] = ["DNS004", "DNS007"];

fn unlisted(network: &Network, findings: &[Finding], mistakes: &mut Vec<Mistake>) {
    let required = network.names.iter().filter(|planned| planned.need == Need::Required);
    for name in required.map(|planned| planned.name).filter(|name| wrong(network, name)) {
        let listing = || roots(findings).filter(|root| root.endpoints.iter().any(|endpoint| endpoint == name));
        let meant = network.expect() == Expect::Auto && fate(network, name).reached;
        let enough =
            |root: &Finding| severity(root) == Severity::Error || (meant && MAY_BE_MEANT.contains(&root.code.as_str()));
        if !listing().any(enough) {
            let what: Vec<&str> = listing().map(|root| root.code.as_str()).collect();
            mistakes.push(Mistake::Unlisted(format!("{name} {}", what.join(" "))));
        }
    }
}

/// The first thing to change is never a deletion, and nothing above the public suffixes is touched.
fn harmful(findings: &[Finding], mistakes: &mut Vec<Mistake>) {
    for root in roots(findings) {
        let first = root.fix.iter().find(|fix| !fix.read_only && !fix.alternative);
        let commands = first
            .iter()
            .flat_map(|fix| &fix.commands)
            .map(ampls_doctor::diagnose::command::Command::as_str)
            .collect::<Vec<_>>()
            .join("; ");
        let text = format!("{} {commands}", first.map(|fix| fix.text.as_str()).unwrap_or_default());
        let words = ["private-endpoint delete", "private-dns zone delete", "vnet delete", "Remove-DnsServerZone"];
        if words.iter().any(|word| text.contains(word)) {
            mistakes.push(Mistake::Harmful(format!("{}: {text}", root.code)));
        }
    }
}

/// Whether a finding is what a claim entitles to.
pub(super) fn fits(claim: &Claim, finding: &Finding) -> bool {
    // A finding that names a server is about no other.
    let elsewhere = |server: &std::net::SocketAddr| {
        finding.args.get("server").is_some_and(|named| !named.values().contains(&server.to_string()))
    };
    claim.codes.contains(&finding.code.as_str())
        && !claim.server.as_ref().is_some_and(elsewhere)
        && (claim.names.is_empty()
            || finding.endpoints.is_empty()
            || finding.endpoints.iter().any(|endpoint| claim.names.contains(endpoint.as_str())))
}

fn exact(world: &World, base: &Network, network: &Network, findings: &[Finding], mistakes: &mut Vec<Mistake>) {
    let claims = claims(base, &world.faults);
    let mut named = BTreeSet::new();
    for claim in &claims {
        if findings.iter().any(|finding| fits(claim, finding)) {
            named.extend(claim.fault);
        }
    }
    for root in roots(findings) {
        let statement = format!("{} {:?} {}", root.code, root.severity, root.title);
        let own: Vec<&Claim> = claims.iter().filter(|claim| fits(claim, root)).collect();
        if own.is_empty() {
            mistakes.push(Mistake::FalseRoot(statement));
            continue;
        }
        // A root is as bad as the worst of what it explains.
        let explained = || findings.iter().filter(|finding| finding.caused_by_id.as_ref() == Some(&root.id));
        let symptoms = explained().flat_map(|finding| claims.iter().filter(|claim| fits(claim, finding)));
        let claimed: Vec<&Claim> = own.iter().copied().chain(symptoms).collect();
        let most = claimed.iter().map(|claim| claim.severity).max().unwrap_or(Severity::Info);
        // Of a fault of many names a finding may list those that matter less.
        let least = own.iter().map(|claim| claim.least).max().unwrap_or(Severity::Info).min(cap(network, root));
        // What lists a required name that goes wrong is an error, whatever else is wrong with that name.
        let lists_wrong = network.names.iter().any(|planned| {
            planned.need == Need::Required
                && wrong(network, planned.name)
                && explained().chain([root]).any(|finding| finding.endpoints.iter().any(|name| name == planned.name))
        });
        let most = if lists_wrong { Severity::Error } else { most };
        if severity(root) < least || severity(root) > most {
            mistakes.push(Mistake::Severity(format!("{statement}, wanted {least:?} to {most:?}")));
        }
    }
    two_roots(&claims, findings, mistakes);
    // A fault that is not named has to leave no trace that the named ones do not leave as well.
    if named.len() < world.faults.len() {
        let silent: BTreeSet<usize> = (0..world.faults.len())
            .filter(|fault| !claims.iter().any(|claim| claim.fault == Some(*fault) && !claim.hidden))
            .collect();
        let explaining =
            world.faults.iter().enumerate().filter(|(index, _)| named.contains(index) || silent.contains(index));
        let explained = with(base, explaining.map(|(_, fault)| fault));
        if traces(&explained) != traces(network) {
            let rest =
                world.faults.iter().enumerate().filter(|(index, _)| !named.contains(index) && !silent.contains(index));
            let rest: Vec<String> = rest
                .filter(|(index, _)| {
                    claims.iter().any(|claim| claim.fault == Some(*index) && claim.severity > Severity::Info)
                })
                .map(|(_, fault)| format!("{:?}", fault.kind))
                .collect();
            if !rest.is_empty() {
                mistakes.push(Mistake::Unnamed(rest.join(" ")));
            }
        }
    }
}

/// How bad a finding can be by what depends on the names that it lists.
fn cap(network: &Network, finding: &Finding) -> Severity {
    let needs = finding.endpoints.iter().filter_map(|name| network.planned(name)).map(|planned| planned.need);
    match needs.max() {
        None | Some(Need::Required) => Severity::Error,
        Some(Need::Optional) => Severity::Warning,
        Some(Need::Evidence) => Severity::Info,
    }
}

fn two_roots(claims: &[Claim], findings: &[Finding], mistakes: &mut Vec<Mistake>) {
    let mut by_claim: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for root in roots(findings) {
        let mut own = claims.iter().enumerate().filter(|(_, claim)| fits(claim, root));
        if let (Some((claim, _)), None) = (own.next(), own.next()) {
            by_claim.entry(claim).or_default().push(root);
        }
    }
    for roots in by_claim.values().filter(|roots| roots.len() > 1) {
        let titles: Vec<String> = roots.iter().map(|root| format!("{} {}", root.code, root.title)).collect();
        mistakes.push(Mistake::TwoRoots(titles.join(" | ")));
    }
}

/// What this machine itself gets and has: what faults must account for. Azure's view of a machine that does not ask it, zones
/// and records asked directly are evidence, and no more.
fn traces(network: &Network) -> BTreeSet<String> {
    let resolving = network.resolving();
    let seen = see(network).seen.into_iter().filter_map(|mut observation| {
        match &mut observation {
            Observation::Answer(answer) => {
                let own = resolving.contains(&answer.server) && answer.kind != RecordKind::Soa;
                if !own || !network.names.iter().any(|planned| planned.name == answer.name) {
                    return None;
                }
                // A second try that says the same says nothing more.
                (answer.timing, answer.try_number) = (Timing::default(), 0);
            }
            Observation::Lookup(seen) => seen.timing = Timing::default(),
            Observation::Connection(seen) => seen.timing = Timing::default(),
            Observation::Tunnel(seen) => seen.timing = Timing::default(),
            Observation::Handshake(seen) => seen.timing = Timing::default(),
            Observation::Exchange(seen) => {
                seen.timing = Timing::default();
                if let ampls_probes::observation::Outcome::Seen(response) = &mut seen.outcome {
                    let ahead = response.date.map(|date| response.received_at.duration_since(date).as_secs());
                    response.server = ahead.map(|ahead| ahead.to_string());
                    (response.date, response.received_at) = (None, jiff::Timestamp::UNIX_EPOCH);
                }
            }
            Observation::Resolver(seen) => seen.timing = Timing::default(),
            Observation::Hosts(seen) => seen.timing = Timing::default(),
            _ => {}
        }
        Some(format!("{observation:?}"))
    });
    seen.collect()
}

fn reordered(observations: &Observations, findings: &[Finding], random: &mut Random, mistakes: &mut Vec<Mistake>) {
    let mut shuffled = observations.clone();
    random.shuffle(&mut shuffled.seen);
    for observation in &mut shuffled.seen {
        match observation {
            // The order of what stands behind a stub means nothing.
            Observation::Resolver(resolver) => {
                let first = |server: &ampls_probes::observation::Server| {
                    u8::from(!server.roles.contains(&ServerRole::Configured))
                };
                if resolver.servers.iter().any(|server| server.roles.contains(&ServerRole::Upstream)) {
                    random.shuffle(&mut resolver.servers);
                    resolver.servers.sort_by_key(first);
                }
            }
            Observation::Answer(answer) => answer.timing.at_us = answer.timing.at_us.wrapping_add(37),
            _ => {}
        }
    }
    let said = |observations: &Observations, findings: Vec<Finding>| -> BTreeSet<String> {
        let run = RunInfo { id: Uuid::nil(), tool_version: String::new() };
        let mut said: BTreeSet<String> =
            roots(&findings).map(|root| format!("{} {:?} {:?}", root.code, root.severity, root.endpoints)).collect();
        let report = Report::new(observations, &Facts::new(observations), findings, run);
        let (verdict, status) = (&report.verdict, exit_status(&report, FailOn::Error));
        said.insert(format!("{:?} {:?} {} {status}", verdict.route, verdict.health, verdict.headline));
        said
    };
    let (before, after) = (said(observations, findings.to_vec()), said(&shuffled, diagnose(&shuffled)));
    if before != after {
        let differs: Vec<&String> = before.symmetric_difference(&after).collect();
        mistakes.push(Mistake::Order(format!("{differs:?}")));
    }
}

/// A world in a few lines, with what the doctor says of it.
pub(super) fn describe(world: &World) -> String {
    let network = world.network();
    let mut text = format!("  {}\n", differences(&world.shape));
    for fault in &world.faults {
        let Fault { kind, name, zone, server, variant } = fault;
        let _ = writeln!(text, "  {kind:?} name={name} zone={} server={server} variant={variant}", suffix(*zone));
    }
    let _ = writeln!(text, "  private expected: {}", private_expected(&network));
    for name in network.names.iter().map(|planned| planned.name).filter(|name| wrong(&network, name)) {
        let _ = writeln!(text, "  wrong: {name} {:?}", fate(&network, name));
    }
    for claim in claims(&world.base(), &world.faults) {
        let _ = writeln!(text, "  right: {} {:?} {:?}", claim.codes.join("|"), claim.severity, claim.names);
    }
    for finding in diagnose(&see(&network)) {
        let cause = finding.caused_by.map(|cause| format!(" <- {cause}")).unwrap_or_default();
        let _ = writeln!(text, "  says: {} {:?}{cause} {}", finding.code, finding.severity, finding.title);
    }
    text
}

/// The values of a shape that are not the plain ones.
fn differences(shape: &Shape) -> String {
    let (own, plain) = (format!("{shape:?}"), format!("{:?}", Shape::default()));
    let differs: Vec<&str> =
        own.split(", ").zip(plain.split(", ")).filter(|(own, plain)| own != plain).map(|(own, _)| own).collect();
    format!("shape: {}", differs.join(", "))
}
