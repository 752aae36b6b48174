//! The names of a run: which of the catalogue's follow, with which need, and which wait.

use std::collections::BTreeSet;

use super::{Discovered, MetadataState};
use crate::azure::{AgentsSeen, Cloud, Dce, DceHost, LegacyAgent, Region, WorkspaceId};
use crate::catalogue::{Catalogue, CloudNames, Condition, Entry, Parameter, Pattern, Recognised, Rule, Values};
use crate::endpoint::{Endpoint, Expectation, Group, Need, Origin};
use crate::options::{AppInsightsRole, Options, StepKind};

/// Where this machine is, as far as it is known, and how that is known.
pub(super) struct Place {
    pub(super) cloud: Option<(Cloud, Origin)>,
    pub(super) region: Option<(Region, Origin)>,
    /// The strongest source names a cloud that this version does not know.
    pub(super) unknown: bool,
}

impl Place {
    /// An argument counts before the agents' configuration, that before the metadata service.
    pub(super) fn of(catalogue: &Catalogue, options: &Options, discovered: &Discovered) -> Self {
        let agents = &discovered.agents;
        let instance = match &discovered.metadata {
            MetadataState::Answered(instance) => Some(instance),
            MetadataState::Pending | MetadataState::Silent => None,
        };
        let named = options.named_region().map(|region| (region.clone(), Origin::Argument));
        let configured = agents.region.as_ref().or_else(|| agents.dces.first().map(|dce| &dce.region));
        let located = instance.and_then(|instance| instance.location.as_deref()?.parse::<Region>().ok());
        let region = named
            .or_else(|| configured.map(|region| (region.clone(), Origin::Configuration)))
            .or_else(|| located.clone().map(|region| (region, Origin::Metadata)));

        let configured = agents
            .cloud
            .or_else(|| agents.dces.first().map(|dce| dce.cloud))
            .or_else(|| agents.region.as_ref().map(Region::cloud));
        let environment =
            instance.and_then(|instance| catalogue.cloud_of_environment(instance.environment.as_deref()?));
        let named = options.named_cloud();
        // A region whose name is that of no sovereign cloud says nothing beside a source that names a cloud.
        let unknown = named.is_none()
            && match (agents.cloud, &agents.unknown_cloud) {
                (Some(_), _) => false,
                (None, Some(_)) => true,
                (None, None) => agents.dces.is_empty() && unknown_environment(catalogue, discovered).is_some(),
            };
        if unknown {
            return Self { cloud: None, region, unknown };
        }
        let by_metadata =
            environment.or_else(|| located.as_ref().map(Region::cloud)).map(|cloud| (cloud, Origin::Metadata));
        let may_still_answer = discovered.metadata == MetadataState::Pending && options.takes(StepKind::Imds);
        let cloud = named
            .map(|cloud| (cloud, Origin::Argument))
            .or_else(|| configured.map(|cloud| (cloud, Origin::Configuration)))
            .or(by_metadata)
            .or_else(|| (!may_still_answer).then_some((Cloud::Public, Origin::Default)));
        Self { cloud, region, unknown }
    }
}

/// What the metadata service calls a cloud that this version does not know.
pub(crate) fn unknown_environment<'d>(catalogue: &Catalogue, discovered: &'d Discovered) -> Option<&'d str> {
    let MetadataState::Answered(instance) = &discovered.metadata else { return None };
    let environment = instance.environment.as_deref().filter(|environment| !environment.is_empty())?;
    catalogue.cloud_of_environment(environment).is_none().then_some(environment)
}

/// What [`names`] gives.
pub(super) struct Names {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) waiting: Vec<String>,
    pub(super) patterns: Vec<Pattern>,
}

/// The endpoints in catalogue order, those outside the catalogue last.
pub(super) fn names(catalogue: &Catalogue, options: &Options, discovered: &Discovered, place: &Place) -> Names {
    let subjects = Subjects::of(options, &discovered.agents);
    let mut collected = Collected::default();
    match place.cloud.and_then(|(cloud, _)| catalogue.cloud(cloud)) {
        None if place.unknown => {}
        Some(names) => from_catalogue(names, options, &discovered.agents, &subjects, place, &mut collected),
        None => all_wait(catalogue, options, &discovered.agents, &subjects, &mut collected),
    }
    from_connection_strings(catalogue, options, &mut collected);
    from_extra(catalogue, options, &mut collected);
    collected.finish()
}

/// The values of the parameters that make one name many, and who named them.
struct Subjects {
    workspaces: Vec<(WorkspaceId, Origin)>,
    dces: Vec<(Dce, Origin)>,
}

impl Subjects {
    /// What an argument names replaces what was found.
    fn of(options: &Options, agents: &AgentsSeen) -> Self {
        let workspaces = named_or_seen(&options.workspaces, &agents.workspaces);
        let mut dces: Vec<(Dce, Origin)> = Vec::new();
        for (dce, origin) in named_or_seen(&options.dces, &agents.dces) {
            match dces.iter_mut().find(|(known, _)| known.stem() == dce.stem() && known.cloud == dce.cloud) {
                Some((known, _)) => known.hosts.extend(dce.hosts),
                None => dces.push((dce, origin)),
            }
        }
        Self { workspaces, dces }
    }
}

fn named_or_seen<T: Clone + PartialEq>(named: &[T], seen: &[T]) -> Vec<(T, Origin)> {
    let (values, origin) = if named.is_empty() { (seen, Origin::Configuration) } else { (named, Origin::Argument) };
    let mut unique: Vec<(T, Origin)> = Vec::new();
    for value in values {
        if !unique.iter().any(|(known, _)| known == value) {
            unique.push((value.clone(), origin));
        }
    }
    unique
}

/// One use of a catalogue entry: the values of its parameters (all but the region) and where they are from.
struct Use<'a> {
    values: Values,
    origin: Origin,
    dce: Option<&'a Dce>,
}

fn uses<'a>(entry: &Entry, options: &Options, subjects: &'a Subjects, cloud: Option<Cloud>) -> Vec<Use<'a>> {
    let one = |parameter, value: String, origin| Use { values: Values::from([(parameter, value)]), origin, dce: None };
    let subject = entry.name.parameters().find(|parameter| *parameter != Parameter::Region);
    match subject {
        None => vec![Use { values: Values::new(), origin: Origin::Default, dce: None }],
        Some(Parameter::Workspace) => {
            let of = |(id, origin): &(WorkspaceId, Origin)| one(Parameter::Workspace, id.to_string(), *origin);
            subjects.workspaces.iter().map(of).collect()
        }
        Some(Parameter::Dce) => {
            let of_cloud = subjects.dces.iter().filter(|(dce, _)| cloud.is_none_or(|cloud| dce.cloud == cloud));
            of_cloud.map(|(dce, origin)| Use { dce: Some(dce), ..one(Parameter::Dce, dce.stem(), *origin) }).collect()
        }
        Some(Parameter::Storage) => {
            let accounts = options.storage.iter();
            accounts.map(|account| one(Parameter::Storage, account.to_string(), Origin::Argument)).collect()
        }
        // Nothing on the machine or the command line names these; whole names are given with `--endpoint`, those of
        // regional ingestion come from connection strings.
        Some(
            Parameter::Stamp
            | Parameter::Account
            | Parameter::RegionCode
            | Parameter::MonitorWorkspace
            | Parameter::Region,
        ) => Vec::new(),
    }
}

fn need(entry: &Entry, usage: &Use<'_>, options: &Options, agents: &AgentsSeen) -> Option<Need> {
    let named = usage.origin == Origin::Argument;
    let legacy = agents.legacy != LegacyAgent::Absent;
    let none = !agents.ama && !legacy;
    let holds = |rule: &&Rule| {
        let group = rule.group.is_none_or(|group| options.wants(group) || (named && group == entry.group));
        let condition = match rule.condition {
            Condition::Always => true,
            Condition::Ama => agents.ama,
            Condition::AmaOrNoAgent => agents.ama || none,
            Condition::OnlyAma => agents.ama && !legacy,
            Condition::LegacyOrNoAgent => legacy || none,
            Condition::LegacyWithWorkspaceOrNoAgent => agents.legacy == LegacyAgent::WithWorkspace || none,
            Condition::MeChannel => agents.me_channel,
            Condition::Named => named,
            Condition::HostInUse => host_in_use(entry.dce_host, usage.dce),
        };
        group && condition
    };
    entry.include.iter().filter(holds).map(|rule| rule.need).max()
}

fn host_in_use(host: Option<DceHost>, dce: Option<&Dce>) -> bool {
    host.zip(dce).is_some_and(|(host, dce)| dce.hosts.contains(&host))
}

fn from_catalogue(
    names: &CloudNames,
    options: &Options,
    agents: &AgentsSeen,
    subjects: &Subjects,
    place: &Place,
    collected: &mut Collected,
) {
    for (index, entry) in names.entries.iter().enumerate() {
        for usage in uses(entry, options, subjects, Some(names.cloud)) {
            let Some(need) = need(entry, &usage, options, agents) else {
                continue;
            };
            let mut values = usage.values;
            let mut origin = usage.origin;
            if entry.name.parameters().any(|parameter| parameter == Parameter::Region)
                && let Some((region, from)) = &place.region
            {
                values.insert(Parameter::Region, region.to_string());
                origin = origin.max(*from);
            }
            match endpoint(entry, &values, need, origin) {
                Some(endpoint) => {
                    collected.add(index, endpoint);
                }
                None => collected.wait(entry.name.fill_known(&values)),
            }
        }
    }
    let wanted = names.patterns.iter().filter(|pattern| options.wants(pattern.group));
    collected.patterns.extend(wanted.cloned());
}

/// The cloud is not known: every name of the catalogue waits. The names of the public cloud stand for them.
fn all_wait(
    catalogue: &Catalogue,
    options: &Options,
    agents: &AgentsSeen,
    subjects: &Subjects,
    collected: &mut Collected,
) {
    let Some(names) = catalogue.cloud(Cloud::Public) else {
        return;
    };
    for entry in &names.entries {
        for usage in uses(entry, options, subjects, None) {
            if need(entry, &usage, options, agents).is_some() {
                collected.wait(entry.name.fill_known(&usage.values));
            }
        }
    }
}

/// A name that an argument gives in full.
#[derive(Clone, Copy)]
struct Named<'a> {
    host: &'a str,
    port: u16,
    need: Need,
    group: Group,
    purpose: &'a str,
}

/// Hosts of connection strings: what applications on this machine are set to use.
fn from_connection_strings(catalogue: &Catalogue, options: &Options, collected: &mut Collected) {
    for target in options.app_insights.iter().flat_map(|string| &string.endpoints) {
        let need = if target.role == AppInsightsRole::Ingestion { Need::Required } else { Need::Optional };
        collected.named(
            catalogue,
            &Named {
                host: &target.host,
                port: target.port,
                need,
                group: Group::AppInsights,
                purpose: "Application Insights, as the connection string names it",
            },
        );
    }
}

fn from_extra(catalogue: &Catalogue, options: &Options, collected: &mut Collected) {
    for extra in &options.endpoints {
        let endpoint = collected.named(
            catalogue,
            &Named {
                host: &extra.host,
                port: extra.port,
                need: Need::Required,
                group: Group::Extra,
                purpose: "named with `--endpoint`",
            },
        );
        // Names of two clouds may be given, and the cloud may not be known yet: an id of the catalogue might be used twice.
        endpoint.id = id_of_named(&extra.host, extra.port);
        endpoint.expected = extra.expected.unwrap_or(endpoint.expected);
    }
}

fn id_of_named(host: &str, port: u16) -> String {
    format!("endpoint:{host}:{port}")
}

fn endpoint(entry: &Entry, values: &Values, need: Need, origin: Origin) -> Option<Endpoint> {
    let alias = match &entry.alias {
        Some(alias) => Some(alias.fill(values)?),
        None => None,
    };
    Some(Endpoint {
        id: entry.id.fill(values)?,
        fqdn: entry.name.fill(values)?,
        port: entry.port,
        group: entry.group,
        zone: entry.zone.clone(),
        alias,
        expected: entry.expected,
        need,
        path: entry.path.clone(),
        purpose: entry.purpose.clone(),
        service_tag: entry.service_tag.clone(),
        origin,
    })
}

/// Endpoints on their way: one for each name and port, with the highest need and the strongest origin.
#[derive(Default)]
struct Collected {
    endpoints: Vec<(usize, Endpoint)>,
    waiting: Vec<String>,
    patterns: Vec<Pattern>,
}

impl Collected {
    /// Adds an endpoint at its place in the catalogue, or merges it with the one of the same name and port.
    fn add(&mut self, index: usize, endpoint: Endpoint) -> &mut Endpoint {
        let same = |(_, known): &(usize, Endpoint)| known.fqdn == endpoint.fqdn && known.port == endpoint.port;
        let place = self.endpoints.iter().position(same).unwrap_or(self.endpoints.len());
        let (need, origin) = (endpoint.need, endpoint.origin);
        if place == self.endpoints.len() {
            self.endpoints.push((index, endpoint));
        }
        let (_, known) = &mut self.endpoints[place];
        known.need = known.need.max(need);
        known.origin = known.origin.max(origin);
        known
    }

    fn wait(&mut self, template: String) {
        if !self.waiting.contains(&template) {
            self.waiting.push(template);
        }
    }

    /// Adds a name that an argument gives, with what the catalogue knows of it.
    fn named(&mut self, catalogue: &Catalogue, name: &Named<'_>) -> &mut Endpoint {
        let Named { host, port, need, group, purpose } = *name;
        let known = catalogue.recognise(host).filter(|known| known.entry.port == port);
        let from_catalogue = known.and_then(|Recognised { entry, index, values, .. }| {
            Some((index, endpoint(entry, &values, need, Origin::Argument)?))
        });
        let (index, endpoint) = from_catalogue.unwrap_or_else(|| {
            let endpoint = Endpoint {
                id: id_of_named(host, port),
                fqdn: host.to_owned(),
                port,
                group,
                zone: None,
                alias: None,
                expected: Expectation::Any,
                need,
                path: String::from("/"),
                purpose: purpose.to_owned(),
                service_tag: None,
                origin: Origin::Argument,
            };
            (usize::MAX, endpoint)
        });
        self.add(index, endpoint)
    }

    fn finish(mut self) -> Names {
        // Stable: names of one entry keep the order in which they were named.
        self.endpoints.sort_by_key(|(index, _)| *index);
        let endpoints: Vec<Endpoint> = self.endpoints.into_iter().map(|(_, endpoint)| endpoint).collect();
        let planned: BTreeSet<&str> = endpoints.iter().map(|endpoint| endpoint.fqdn.as_str()).collect();
        let waiting = self.waiting.into_iter().filter(|name| !planned.contains(name.as_str())).collect();
        Names { endpoints, waiting, patterns: self.patterns }
    }
}
