//! Commands with what Azure holds in the place of their placeholders, and notes with their answers.
//!
//! A placeholder stays where the file holds nothing for it, or several things of which none is shown to be this machine's.

use std::net::IpAddr;

use ampls_probes::azure::ResourceId;

use super::{Held, moment, named, only};
use crate::diagnose::command::{self, Address, ArmName, Command, Guid, Subnet, Word};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Finding, Fix};
use crate::facts_file::{Mode, Network, PrivateEndpoint, Scope};
use crate::report::note::{Note, Question};
use crate::text::list;

/// Names shown of what a scope holds.
const NAMED: usize = 5;

/// What the commands of one finding are about.
#[derive(Clone, Copy, Default)]
struct About<'h> {
    /// The network that a link is for.
    network: Option<&'h Network>,
    endpoint: Option<&'h PrivateEndpoint>,
}

/// What the commands of one step are about.
#[derive(Clone, Default)]
struct Step {
    zone: Option<String>,
    resource: Option<ResourceId>,
    host: Option<String>,
}

impl<'h> Held<'h> {
    /// Fills in the commands of findings.
    pub(super) fn fill(&self, findings: &mut [Finding]) {
        if !self.is_placed() {
            return;
        }
        for finding in findings {
            let about = self.about(finding);
            for fix in &mut finding.fix {
                let commands: Vec<&Command> = fix.all_commands().collect();
                let step = self.step(&commands);
                fix.each_command(|command| *command = self.filled(command, about, &step));
            }
        }
    }

    /// A look-up shows by what it asks for which network and which private endpoint are meant.
    fn about(&self, finding: &Finding) -> About<'h> {
        let commands = || finding.fix.iter().flat_map(Fix::all_commands);
        let address = |command: &Command| command.value("ADDRESS").and_then(|text| text.parse::<IpAddr>().ok());
        let by_look = |name: &str| commands().find(|command| command.gives().contains(name));
        let network = match by_look("VNET_ID").map(address) {
            Some(Some(server)) => self.network_with(server),
            Some(None) => self.network,
            None => only(self.networks().into_iter()),
        };
        let with = |address: IpAddr| {
            only(self.holdings.endpoints.iter().filter(|it| self.addresses_of(it).contains(&address)))
        };
        let endpoint = match by_look("PRIVATE_ENDPOINT_ID").map(address) {
            Some(Some(address)) => with(address),
            _ => self.endpoint,
        };
        About { network, endpoint }
    }

    fn step(&self, commands: &[&Command]) -> Step {
        let mut zones = commands.iter().filter_map(|command| command.value("ZONE_NAME"));
        let zone = zones.next().filter(|first| zones.all(|zone| zone == *first));
        let look = || commands.iter().filter(|command| command.gives().contains("RESOURCE_ID"));
        let workspace = look().find_map(|command| command.value("WORKSPACE_ID"));
        let of_workspace = workspace.and_then(|id| {
            self.holdings.workspaces.iter().find(|it| it.workspace.to_string() == id.to_ascii_lowercase())
        });
        let host = look().find_map(|command| command.value("HOST_NAME"));
        let of_host = host.and_then(|host| {
            let start = format!("{host}.");
            let is_it = |known: &String| known == host || known.starts_with(&start);
            only(self.holdings.collection_endpoints.iter().filter(|it| it.hosts.iter().any(is_it)))
        });
        let named = commands.iter().filter(|command| command.gives().contains("PRIVATE_ENDPOINT_ADDRESS"));
        Step {
            zone: zone.map(str::to_owned),
            resource: of_workspace.map(|it| it.id.clone()).or_else(|| of_host.map(|it| it.id.clone())),
            host: named.into_iter().find_map(|command| command.value("HOST_NAME")).map(str::to_owned),
        }
    }

    fn filled(&self, command: &Command, about: About<'h>, step: &Step) -> Command {
        let zone = command.value("ZONE_NAME").map(str::to_owned).or_else(|| step.zone.clone());
        command.filled(&|name| self.word(name, zone.as_deref(), about, step))
    }

    fn word(&self, name: &str, zone: Option<&str>, about: About<'h>, step: &Step) -> Option<Word> {
        let id = |id: &ResourceId| command::ResourceId::new(id.as_str()).map(Word::from);
        let group = |id: &ResourceId| ArmName::new(id.group()).map(Word::from);
        let own = |id: &ResourceId| ArmName::new(id.name()).map(Word::from);
        let subscription = |id: &ResourceId| Guid::new(id.subscription()).map(Word::from);
        let zone = || zone.and_then(|zone| self.zone(zone));
        let endpoint = about.endpoint;
        match name {
            "DNS_SUBSCRIPTION" => subscription(&zone()?.id),
            "DNS_RESOURCE_GROUP" => group(&zone()?.id),
            "VNET_ID" => id(&about.network?.id),
            "LINK_NAME" => {
                let (zone, network) = (zone()?, about.network?);
                if let Some(link) = zone.links.iter().find(|link| link.network == network.id) {
                    return ArmName::new(&link.name).map(Word::from);
                }
                let new = format!("{}-link", network.id.name());
                let is_taken = zone.links.iter().any(|link| link.name.eq_ignore_ascii_case(&new));
                ArmName::new(&new).filter(|_| !is_taken).map(Word::from)
            }
            "ENDPOINT_SUBSCRIPTION" => subscription(&endpoint?.id),
            "ENDPOINT_RESOURCE_GROUP" => group(&endpoint?.id),
            "PRIVATE_ENDPOINT" => own(&endpoint?.id),
            "PRIVATE_ENDPOINT_ID" => id(&endpoint?.id),
            "NEW_PRIVATE_ENDPOINT" => ArmName::new(&format!("{}-2", endpoint?.id.name())).map(Word::from),
            "ENDPOINT_SUBNET_ID" => id(endpoint?.subnet.as_ref()?),
            "ENDPOINT_SUBNET_PREFIX" => {
                let subnet = endpoint?.subnet.as_ref()?;
                let known = self.network_of(Some(subnet))?.subnets.iter().find(|it| it.id == *subnet)?;
                Subnet::new(&known.prefixes.first()?.to_string()).map(Word::from)
            }
            "ZONE_GROUP" => ArmName::new(&only(endpoint?.zone_groups.iter())?.name).map(Word::from),
            "SCOPE_ID" => id(&endpoint?.scope),
            "SCOPE_SUBSCRIPTION" => subscription(&endpoint?.scope),
            "SCOPE_RESOURCE_GROUP" => group(&endpoint?.scope),
            "SCOPE_NAME" => own(&endpoint?.scope),
            "RESOURCE_ID" => id(step.resource.as_ref()?),
            "SCOPED_RESOURCE_NAME" => own(step.resource.as_ref()?),
            "PRIVATE_ENDPOINT_ADDRESS" => {
                let host = step.host.as_ref()?;
                let interfaces = self.holdings.interfaces.iter();
                let own = interfaces
                    .filter(|it| it.endpoint.as_ref().is_some_and(|it| Some(it) == endpoint.map(|it| &it.id)));
                let configurations = own.flat_map(|interface| &interface.configurations);
                let address = only(configurations.filter(|it| it.names.contains(host)))?.address;
                Address::new(&address.to_string()).map(Word::from)
            }
            "DCE_RESOURCE_ID" => id(self.collection_endpoint(endpoint)?),
            "RULESET_ID" => {
                let network = self.network?;
                let linked = self.holdings.rulesets.iter().filter(|it| it.networks.contains(&network.id));
                id(&only(linked)?.id)
            }
            "NIC_ID" => id(&self.interface?.id),
            "VM_SUBNET_ID" => id(&self.subnet?.id),
            _ => None,
        }
    }

    /// The data collection endpoint of this machine's region that its scope holds.
    fn collection_endpoint(&self, endpoint: Option<&PrivateEndpoint>) -> Option<&'h ResourceId> {
        let region = self.network?.region.as_ref()?;
        let resources = self.scope(endpoint?)?.resources.as_ref()?;
        let near = self.holdings.collection_endpoints.iter().filter(|it| it.region.as_ref() == Some(region));
        only(near.filter(|it| resources.contains(&it.id))).map(|it| &it.id)
    }

    fn scope(&self, endpoint: &PrivateEndpoint) -> Option<&'h Scope> {
        self.holdings.scopes.iter().find(|scope| scope.id == endpoint.scope)
    }

    /// Notes with their answers first; those that the file does not answer stay, with what it holds filled in.
    pub(super) fn notes(&self, facts: &Facts<'_>, notes: Vec<Note>) -> Vec<Note> {
        let mut answered = vec![self.place_note()];
        answered.extend(self.recent_changes(facts));
        if !self.holdings.not_read.is_empty() {
            let text = format!("not read when the facts were collected: {}", list(&self.holdings.not_read, NAMED));
            answered.push(Note::answer(text));
        }
        let mut open = Vec::new();
        let about = About { network: self.network, endpoint: self.endpoint };
        for mut note in notes {
            if let Some(text) = self.answer(note.question, facts) {
                answered.push(Note::answer(text));
                continue;
            }
            if self.is_placed() {
                note.command = note.command.map(|it| self.filled(&it, about, &Step::default()));
            }
            open.push(note);
        }
        let graph = |note: &Note| note.command.as_ref().is_some_and(|it| it.as_str().starts_with("az graph"));
        if !open.iter().any(graph) {
            open.retain(|note| note.question != Question::Extension);
        }
        answered.into_iter().chain(open).collect()
    }

    fn place_note(&self) -> Note {
        let at = moment(self.holdings.collected_at);
        if !self.is_placed() {
            let why = self.unplaced.as_deref().unwrap_or("this machine's network is not in the file");
            return Note::answer(format!("Azure facts of {at} are not used: {why}"));
        }
        let place = match (self.network, self.subnet) {
            (Some(network), Some(subnet)) => {
                format!("this machine is in subnet {} of virtual network {}", named(&subnet.id), named(&network.id))
            }
            (Some(network), None) => format!("this machine is in virtual network {}", named(&network.id)),
            _ => self.unplaced.clone().unwrap_or_else(|| "this machine's network is not in the file".to_owned()),
        };
        let servers = self.resolving.iter().map(|(server, network)| match network {
            Some(network) => format!("`{}` resolves in {}", server.ip(), named(&network.id)),
            None => format!("where `{}` resolves is not in the file", server.ip()),
        });
        let parts: Vec<String> = std::iter::once(format!("Azure facts of {at}: {place}")).chain(servers).collect();
        Note::answer(parts.join("; "))
    }

    /// The answer to a question that a machine cannot see; `None` where the file does not hold it.
    fn answer(&self, question: Question, facts: &Facts<'_>) -> Option<String> {
        if !self.is_placed() {
            return None;
        }
        let word = |mode: Option<Mode>| mode.map_or("not known", Mode::as_str);
        match question {
            Question::AccessModes => {
                let scope = self.scope(self.endpoint?)?;
                scope.ingestion.or(scope.queries)?;
                let (ingestion, queries) = (word(scope.ingestion), word(scope.queries));
                Some(format!("access modes of scope {}: ingestion {ingestion}, queries {queries}", named(&scope.id)))
            }
            Question::ScopeMembers => {
                let scope = self.scope(self.endpoint?)?;
                let names: Vec<&str> = scope.resources.as_ref()?.iter().map(ResourceId::name).collect();
                let held = if names.is_empty() { "nothing".to_owned() } else { list(&names, NAMED) };
                Some(format!("scope {} holds {held}", named(&scope.id)))
            }
            Question::EndpointOf(address) => {
                let endpoint =
                    only(self.holdings.endpoints.iter().filter(|it| self.addresses_of(it).contains(&address)))?;
                let state = endpoint.status.as_deref().unwrap_or("not known");
                Some(format!(
                    "`{address}` belongs to private endpoint {}; its connection is {state}",
                    named(&endpoint.id)
                ))
            }
            Question::Workspace(id) => {
                let workspace =
                    self.holdings.workspaces.iter().find(|it| it.workspace.to_string() == id.to_string())?;
                let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "Enabled".to_owned());
                let scope = self.endpoint.and_then(|endpoint| self.scope(endpoint));
                let scoped =
                    scope.and_then(|scope| Some((scope, scope.resources.as_ref()?))).map(|(scope, resources)| {
                        let is = if resources.contains(&workspace.id) { "in" } else { "not in" };
                        format!("; it is {is} scope {}", named(&scope.id))
                    });
                Some(format!(
                    "workspace `{id}` ({}): ingestion from public networks {}, queries {}{}",
                    named(&workspace.id),
                    word(&workspace.ingestion),
                    word(&workspace.queries),
                    scoped.unwrap_or_default()
                ))
            }
            Question::Association => {
                let machine = super::machine_id(facts.instance())?;
                let all = self.holdings.associations.as_ref()?;
                let own: Vec<_> = all.iter().filter(|it| it.machine == machine).collect();
                let names = |ids: Vec<&ResourceId>| {
                    let names: Vec<&str> = ids.into_iter().map(ResourceId::name).collect();
                    if names.is_empty() { "none".to_owned() } else { list(&names, NAMED) }
                };
                let rules = names(own.iter().filter_map(|it| it.rule.as_ref()).collect());
                let endpoints = names(own.iter().filter_map(|it| it.endpoint.as_ref()).collect());
                Some(format!(
                    "associated with this machine: data collection rules {rules}; configuration endpoint {endpoints}"
                ))
            }
            Question::Extension | Question::Other => None,
        }
    }
}
