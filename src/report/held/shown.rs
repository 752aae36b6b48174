//! What Azure holds of the way of a finding's packets and of whom its scope lets in: it stands beside what the machine saw, names
//! the cause where the file shows it, and decides nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::Class;
use ampls_probes::azure::ResourceId;

use super::{Held, machine_id, named};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::Finding;
use crate::facts_file::{Mode, Route, RouteTable};
use crate::text::{list, quote};

/// Lines that begin so are Azure's.
const IN_AZURE: &str = "in Azure: ";
/// Lines of one kind, and names in one line.
const NAMED: usize = 5;

/// Findings about packets that get no answer.
const WAY: [&str; 8] = ["NET001", "NET002", "NET003", "NET004", "NET005", "TLS001", "TLS007", "HTP005"];
/// Findings of refusals, and of data that does not arrive.
const ADMISSION: [&str; 5] = ["HTP001", "HTP003", "AGT008", "AGT009", "AZR009"];
/// Findings that come of whom a machine asks.
const ASKED: [&str; 9] = ["DNS001", "DNS002", "DNS003", "DNS004", "DNS005", "DNS008", "DNS009", "DNS017", "DNS020"];
/// Findings of an agent without its rules.
const RULES: [&str; 5] = ["HTP003", "AGT005", "AGT008", "AGT009", "AZR009"];

/// States in which a workspace takes no data: over its daily cap, switched off, or in a suspended subscription.
///
/// Source: <https://learn.microsoft.com/rest/api/loganalytics/workspaces/get>
const TAKES_NO_DATA: [&str; 3] = ["OverQuota", "ForceOff", "SubscriptionSuspended"];

impl Held<'_> {
    /// Adds to the evidence of findings what the file shows of their causes.
    pub(super) fn add_shown(&self, facts: &Facts<'_>, findings: &mut [Finding]) {
        if !self.is_placed() {
            return;
        }
        for finding in findings {
            let is_of = |codes: &[&str]| codes.contains(&finding.code.as_str());
            let mut lines = Vec::new();
            if is_of(&WAY) {
                let addresses = addresses(facts, finding);
                lines.extend(self.routes(facts, &addresses));
                lines.extend(self.outbound(facts, &addresses));
            }
            if is_of(&WAY) || is_of(&ADMISSION) || is_of(&ASKED) {
                lines.extend(self.connection());
            }
            if is_of(&ADMISSION) {
                lines.extend(self.admission(facts));
            }
            if is_of(&ASKED) {
                lines.extend(self.servers(facts));
            }
            if is_of(&RULES) {
                lines.extend(self.associated(facts));
            }
            finding.evidence.extend(lines.into_iter().map(|line| format!("{IN_AZURE}{line}")));
        }
    }

    /// Everything was read when the file was collected, and is in it: only then is what it does not hold not there.
    fn is_whole(&self) -> bool {
        self.holdings.not_read.is_empty() && self.holdings.left_out.is_empty()
    }

    /// Routes of the subnet that decide where packets for these addresses go.
    fn routes(&self, facts: &Facts<'_>, addresses: &BTreeSet<IpAddr>) -> Vec<String> {
        let own = self.subnet.and_then(|subnet| subnet.route_table.as_ref());
        let Some(table) = self.holdings.route_tables.iter().find(|table| Some(&table.id) == own) else {
            return Vec::new();
        };
        let mut lines: Vec<String> =
            addresses.iter().filter_map(|address| Some(line(table, deciding(facts, table, *address)?))).collect();
        lines.sort();
        lines.dedup();
        lines.truncate(NAMED);
        lines
    }

    /// A subnet whose packets have no way to public addresses.
    ///
    /// Source: <https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access>
    fn outbound(&self, facts: &Facts<'_>, addresses: &BTreeSet<IpAddr>) -> Option<String> {
        let subnet = self.subnet.filter(|subnet| subnet.outbound == Some(false) && !subnet.nat)?;
        addresses.iter().any(|address| is_public(facts, *address)).then(|| {
            format!(
                "subnet {} has no default outbound access and no NAT gateway; a public address or a load balancer of its \
                 machines is not in the file",
                named(&subnet.id)
            )
        })
    }

    /// A private endpoint passes nothing on before the owner of the scope approves it.
    ///
    /// Source: <https://learn.microsoft.com/azure/private-link/manage-private-endpoint>
    fn connection(&self) -> Option<String> {
        let endpoint = self.endpoint?;
        let status = endpoint.status.as_deref().filter(|status| !status.eq_ignore_ascii_case("Approved"))?;
        Some(format!(
            "the connection of private endpoint {} to scope {} is {}, not Approved",
            named(&endpoint.id),
            named(&endpoint.scope),
            quote(status)
        ))
    }

    /// Whom the scope and the workspaces of this machine let in.
    ///
    /// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-design>
    fn admission(&self, facts: &Facts<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        let scope = self.endpoint.and_then(|endpoint| self.holdings.scopes.iter().find(|it| it.id == endpoint.scope));
        if let Some(scope) = scope {
            for (what, mode) in [("ingestion", scope.ingestion), ("queries", scope.queries)] {
                if mode == Some(Mode::PrivateOnly) {
                    let only = "only what the scope holds is reached over its private endpoints";
                    lines.push(format!("scope {} has access mode PrivateOnly for {what}: {only}", named(&scope.id)));
                }
            }
        }
        let names: BTreeSet<String> = facts
            .endpoints()
            .iter()
            .filter_map(|it| it.fqdn().split('.').next())
            .map(str::to_ascii_lowercase)
            .collect();
        for workspace in self.holdings.workspaces.iter().filter(|it| names.contains(&it.workspace.to_string())) {
            let name = named(&workspace.id);
            let resources = scope.and_then(|scope| Some((scope, scope.resources.as_ref()?)));
            let outside = |resources: &[ResourceId]| self.is_whole() && !resources.contains(&workspace.id);
            if let Some((scope, _)) = resources.filter(|(_, resources)| outside(resources)) {
                lines.push(format!("workspace {name} is not in scope {}", named(&scope.id)));
            }
            let status = workspace.ingestion_status.as_deref();
            if let Some(word) = status.filter(|word| TAKES_NO_DATA.iter().any(|it| it.eq_ignore_ascii_case(word))) {
                lines.push(format!("workspace {name} takes no data: its ingestion status is {}", quote(word)));
            }
            for (what, word) in [("ingestion", &workspace.ingestion), ("queries", &workspace.queries)] {
                if let Some(word) = word.as_deref().filter(|word| !word.eq_ignore_ascii_case("Enabled")) {
                    lines.push(format!("workspace {name} has {what} from public networks {}", quote(word)));
                }
            }
        }
        lines
    }

    /// Servers that the network is set to and the machine does not ask, or the other way round.
    fn servers(&self, facts: &Facts<'_>) -> Option<String> {
        let network = self.network?;
        let asked: BTreeSet<IpAddr> =
            facts.resolving_servers().into_iter().map(|server| server.ip()).filter(|it| !it.is_loopback()).collect();
        let set: BTreeSet<IpAddr> = network.dns.iter().copied().collect();
        let is_azure = |address: &IpAddr| Facts::is_azure_dns(SocketAddr::new(*address, 53));
        let same = if set.is_empty() { asked.iter().all(is_azure) } else { set == asked };
        if asked.is_empty() || same {
            return None;
        }
        let listed = |servers: &BTreeSet<IpAddr>| {
            let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
            list(&servers, NAMED)
        };
        let set = if set.is_empty() { "Azure's own DNS".to_owned() } else { listed(&set) };
        let name = named(&network.id);
        Some(format!("virtual network {name} is set to the DNS servers {set}; this machine asks {}", listed(&asked)))
    }

    /// What is missing for an agent that comes over a private link.
    ///
    /// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-private-link>
    fn associated(&self, facts: &Facts<'_>) -> Vec<String> {
        let (Some(machine), Some(all)) = (machine_id(facts.instance()), self.holdings.associations.as_ref()) else {
            return Vec::new();
        };
        if !self.is_whole()
            || !self.holdings.subscriptions.iter().any(|it| it.eq_ignore_ascii_case(machine.subscription()))
        {
            return Vec::new();
        }
        let own = || all.iter().filter(|it| it.machine == machine);
        let mut lines = Vec::new();
        if !own().any(|it| it.rule.is_some()) {
            lines.push("no data collection rule is associated with this machine".to_owned());
        }
        if !own().any(|it| it.endpoint.is_some()) {
            lines.push("no data collection endpoint is associated with this machine".to_owned());
        }
        lines
    }
}

/// The addresses of the names that a finding is about.
fn addresses(facts: &Facts<'_>, finding: &Finding) -> BTreeSet<IpAddr> {
    let names = finding.endpoints.iter().flat_map(|name| facts.endpoints_named(name));
    names.flat_map(|name| name.addresses().iter().copied()).collect()
}

/// The route of the longest prefix. A private endpoint has a route of its own that a wider one does not replace, unless the subnet
/// of the endpoint says otherwise, which the file does not hold.
///
/// Source: <https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy>
fn deciding<'t>(facts: &Facts<'_>, table: &'t RouteTable, address: IpAddr) -> Option<&'t Route> {
    let with = table.routes.iter().filter_map(|route| Some((route.prefix?, route)));
    let longest = with.filter(|(prefix, _)| prefix.contains(&address)).max_by_key(|(prefix, _)| prefix.prefix_len());
    let (prefix, route) = longest?;
    let whole = prefix.prefix_len() == prefix.max_prefix_len();
    let leads_on =
        !route.next_hop.eq_ignore_ascii_case("Internet") && !route.next_hop.eq_ignore_ascii_case("VnetLocal");
    (leads_on && (whole || is_public(facts, address))).then_some(route)
}

fn line(table: &RouteTable, route: &Route) -> String {
    let prefix = route.prefix.map(|prefix| format!("`{prefix}`")).unwrap_or_default();
    let table = named(&table.id);
    if route.next_hop.eq_ignore_ascii_case("None") {
        return format!("route table {table} drops what goes to {prefix} (next hop None)");
    }
    let address = route.address.map(|address| format!(" `{address}`")).unwrap_or_default();
    format!("route table {table} leads {prefix} to {}{address}", quote(&route.next_hop))
}

fn is_public(facts: &Facts<'_>, address: IpAddr) -> bool {
    facts.class(address) == Class::Public
}
