//! Remedies that several rules share, as commands for somebody else's production.
//!
//! Every changing command says what else it affects, what to look at first and how to take it back. What was not observed
//! stays `‹…›`.

use ampls_probes::observation::Instance;

use super::facts::{EndpointFacts, Facts, is_blob_zone};
use super::finding::{BlastRadius, Fix};

/// The zone that holds names shared by everybody who uses Azure Monitor.
fn is_shared_zone(zone: &str) -> bool {
    zone.starts_with("privatelink.monitor.")
}

/// What linking or forwarding a zone changes for everybody else.
fn side_effect(zone: &str) -> &'static str {
    if is_shared_zone(zone) {
        return "this zone holds names that every machine shares: an agent without a data collection endpoint of this scope is refused (403) once they are private";
    }
    if is_blob_zone(zone) {
        return "this zone holds the names of all storage accounts with a private endpoint: do it last and separately, and look for accounts whose records it lacks";
    }
    "machines that use workspaces outside this scope lose those names where fallback to internet is off"
}

/// Where a zone of that name exists.
pub(super) fn find_zone(zone: &str) -> Fix {
    Fix::look(
        format!(
            "look whether a zone `{zone}` exists, and where: a second one of that name cannot be linked to the same network"
        ),
        format!(
            "az network private-dns zone list --query \"[?name=='{zone}'].{{group:resourceGroup, records:numberOfRecordSets, id:id}}\" -o table"
        ),
    )
}

/// The links of a zone.
pub(super) fn list_links(zone: &str) -> Fix {
    Fix::look(
        format!("list the networks that `{zone}` is linked to"),
        format!("az network private-dns link vnet list -g ‹dns-resource-group› -z {zone} -o table"),
    )
}

/// Links a zone to the network whose DNS resolves.
pub(super) fn link_zone(zone: &str, network: &str) -> Fix {
    Fix::change(BlastRadius::Vnet, format!("link `{zone}` to {network}"))
        .with(format!(
            "az network private-dns link vnet create -g ‹dns-resource-group› -z {zone} -n ‹link-name› -v ‹vnet-id› --registration-enabled false"
        ))
        .after_looking(
            &format!("an empty zone breaks every name in it; {}", side_effect(zone)),
            format!("az network private-dns record-set a list -g ‹dns-resource-group› -z {zone} -o table"),
        )
        .undone_with("", format!("az network private-dns link vnet delete -g ‹dns-resource-group› -z {zone} -n ‹link-name›"))
}

/// Adds zones to the private endpoint's zone group, so that Azure keeps their records.
pub(super) fn complete_zone_group(zone: &str) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        format!("add `{zone}` to the zone group of the private endpoint, which then keeps its records (`add`: `create` on an existing group replaces its list)"),
    )
    .with(format!(
        "az network private-endpoint dns-zone-group add -g ‹endpoint-resource-group› --endpoint-name ‹private-endpoint› -n ‹zone-group› --private-dns-zone ‹zone-id› --zone-name {}",
        zone.replace('.', "-")
    ))
    .after_looking(
        side_effect(zone),
        "az network private-endpoint dns-zone-group list -g ‹endpoint-resource-group› --endpoint-name ‹private-endpoint› -o json",
    )
    .undone_with("", format!(
        "az network private-endpoint dns-zone-group remove -g ‹endpoint-resource-group› --endpoint-name ‹private-endpoint› -n ‹zone-group› --zone-name {}",
        zone.replace('.', "-")
    ))
}

/// Makes the private endpoint anew, so that it holds the names that Microsoft has added since it was made.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
pub(super) fn make_endpoint_anew(zone: &str) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        "where its network interface does not hold the name, make the private endpoint anew, and its zone group with all its zones: an older one lacks the names that Microsoft added later",
    )
    .with(format!(
        "az network private-endpoint delete -g ‹endpoint-resource-group› -n ‹private-endpoint›\naz network private-endpoint create -g ‹endpoint-resource-group› -n ‹private-endpoint› --subnet ‹subnet-id› --private-connection-resource-id ‹scope-id› --group-id azuremonitor --connection-name ‹connection›\naz network private-endpoint dns-zone-group create -g ‹endpoint-resource-group› --endpoint-name ‹private-endpoint› -n ‹zone-group› --private-dns-zone ‹zone-id› --zone-name {}",
        zone.replace('.', "-")
    ))
    .after_looking(
        "keep both outputs; until it is made, every name of the scope fails, and its addresses may change",
        "az network private-endpoint show -g ‹endpoint-resource-group› -n ‹private-endpoint› -o json\naz network private-endpoint dns-zone-group list -g ‹endpoint-resource-group› --endpoint-name ‹private-endpoint› -o json",
    )
    .undone_by("not possible: the new endpoint stays, and holds what the former one held")
}

/// Which names the private endpoint holds an address for.
pub(super) fn names_of_endpoint() -> Fix {
    Fix::look("look which names the private endpoint holds, and with which address", NAMES_OF_ENDPOINT)
}

/// See [`names_of_endpoint`].
pub(super) const NAMES_OF_ENDPOINT: &str = "az network nic show -g ‹endpoint-resource-group› -n ‹nic-of-the-private-endpoint› --query \"ipConfigurations[].[privateIPAddress,privateLinkConnectionProperties.fqdns]\"";

/// Adds a workspace, component or data collection endpoint to the scope.
pub(super) fn add_to_scope(resource: &str) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        format!("add {resource} to the Azure Monitor Private Link Scope; its records appear in the zones of the zone group"),
    )
    .with("az monitor private-link-scope scoped-resource create -g ‹scope-resource-group› --scope-name ‹scope› -n ‹name› --linked-resource ‹resource-id›")
    .after_looking(
        "every network that shares this DNS then reaches the resource privately or not at all",
        "az monitor private-link-scope scoped-resource list -g ‹scope-resource-group› --scope-name ‹scope› -o table",
    )
    .undone_with("", "az monitor private-link-scope scoped-resource delete -g ‹scope-resource-group› --scope-name ‹scope› -n ‹name›")
}

/// Forwards the public zone of each AMPLS zone to Azure's DNS.
pub(super) fn forward(zones: &[String], server: &str) -> Vec<Fix> {
    let mut ordered: Vec<&String> = zones.iter().filter(|zone| !is_blob_zone(zone)).collect();
    ordered.extend(zones.iter().filter(|zone| is_blob_zone(zone)));
    let publics: Vec<&str> = ordered.iter().map(|zone| zone.strip_prefix("privatelink.").unwrap_or(zone)).collect();
    let effects = "168.63.129.16 answers only servers inside Azure: elsewhere forward to the inbound endpoint of a DNS Private Resolver; do not let the forwarders replicate to servers outside Azure; `monitor` changes names that all machines on this DNS share (an agent without a data collection endpoint of this scope gets 403), `blob` moves all storage names (last, separately)";
    let windows = lines(&publics, |zone| {
        format!(
            "Add-DnsServerConditionalForwarderZone -ComputerName {server} -Name {zone} -MasterServers 168.63.129.16"
        )
    });
    let windows_undo = lines(&publics, |zone| format!("Remove-DnsServerZone -ComputerName {server} -Name {zone}"));
    let bind = lines(&publics, |zone| {
        format!("zone \"{zone}\" {{ type forward; forward only; forwarders {{ 168.63.129.16; }}; }};")
    });
    vec![
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("on `{server}` forward the public zones (not the `privatelink` ones) to Azure's DNS; where Application Insights is used, `applicationinsights.azure.com` and `services.visualstudio.com` too (Windows DNS)"),
        )
        .with(windows)
        .after_looking(
            effects,
            format!("Get-DnsServerZone -ComputerName {server} | Where-Object ZoneType -eq Forwarder"),
        )
        .undone_with("", windows_undo),
        Fix::change(BlastRadius::EveryNetworkOnThisDns, format!("the same on `{server}` with BIND: add these lines to its named.conf, then `rndc reconfig`"))
            .instead()
            .with(bind)
            .after_looking(effects, "named-checkconf -p | grep -A3 'type forward'")
            .undone_with("remove these lines, then read the configuration anew", "rndc reconfig"),
    ]
}

fn lines(zones: &[&str], line: impl Fn(&str) -> String) -> String {
    zones.iter().map(|zone| line(zone)).collect::<Vec<_>>().join("\n")
}

/// A name as it may stand in a command that is pasted into a shell: DNS carries any byte (RFC 2181 11).
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Which private endpoint holds an address, and whether its connection is approved.
pub(super) fn find_private_endpoint(address: &str) -> Vec<Fix> {
    vec![
        Fix::look(
            format!("find the private endpoint that holds `{address}`; none means that the record is stale"),
            format!(
                "az network nic list --query \"[?ipConfigurations[?privateIPAddress=='{address}']].{{nic:name, endpoint:privateEndpoint.id}}\" -o table"
            ),
        ),
        Fix::look(
            "look whether its connection is `Approved`: only then it carries traffic",
            "az network private-endpoint show -g ‹endpoint-resource-group› -n ‹private-endpoint› --query \"privateLinkServiceConnections[].privateLinkServiceConnectionState\"",
        ),
    ]
}

/// What the platform applies to this machine's interface; `service` is transport and port, like `TCP 443`. Only where
/// silence was seen: a network security group drops and never answers.
/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
pub(super) fn effective_rules(destination: &str, service: &str) -> Vec<Fix> {
    vec![
        Fix::look(
            format!("look for a rule that denies {service} to `{destination}`"),
            "az network nic list-effective-nsg -g ‹vm-resource-group› -n ‹nic›",
        ),
        effective_route(destination),
    ]
}

/// Which way the platform sends what goes to an address.
pub(super) fn effective_route(destination: &str) -> Fix {
    Fix::look(
        format!("look which route leads to `{destination}` (peering, firewall, gateway)"),
        "az network nic show-effective-route-table -g ‹vm-resource-group› -n ‹nic› -o table",
    )
}

/// Allows an endpoint's port, to its service tag where that is known: names of one tag need one rule.
pub(super) fn allow_service(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Fix {
    let port = name.endpoint.port;
    let Some(tag) = name.endpoint.service_tag.as_deref().filter(|tag| is_plain(tag)) else {
        let fix = allow_tcp(port, &format!("`{}`", name.fqdn()), "‹service-tag›", "allow-azure-monitor");
        return mind(
            fix,
            "the rule holds for every machine behind this group; a tag opens the addresses of all customers of its service",
        );
    };
    let region = facts.instance().and_then(|instance| instance.location.as_deref());
    if let (STORAGE, Some(region)) = (tag, region.filter(|region| is_plain(region))) {
        let tag = format!("{STORAGE}.{region}");
        let fix = allow_tcp(port, &format!("the service tag `{tag}`"), &tag, &format!("allow-{tag}"));
        return mind(
            fix,
            &format!(
                "the rule holds for every machine behind this group; `{tag}` opens every storage account of the region, whoever owns it, and none of another region"
            ),
        );
    }
    let fix = allow_tcp(port, &format!("the service tag `{tag}`"), tag, &format!("allow-{tag}"));
    mind(
        fix,
        &format!(
            "the rule holds for every machine behind this group; `{tag}` opens the addresses of all customers of that service, in every region"
        ),
    )
}

/// Regional tags exist for it: <https://learn.microsoft.com/azure/virtual-network/service-tags-overview>
const STORAGE: &str = "Storage";

fn mind(fix: Fix, sentence: &str) -> Fix {
    fix.after_looking(sentence, LIST_RULES)
}

const LIST_RULES: &str = "az network nsg rule list -g ‹nsg-resource-group› --nsg-name ‹nsg› -o table";

/// Allows a port to the subnet of the private endpoint.
pub(super) fn allow_private_endpoint(port: u16) -> Fix {
    allow_tcp(port, "the subnet of the private endpoint", "‹endpoint-subnet-prefix›", "allow-private-endpoint")
}

/// Allows a port of TCP in a network security group. A rule of the same name would be replaced.
fn allow_tcp(port: u16, destination: &str, prefix: &str, rule: &str) -> Fix {
    Fix::change(BlastRadius::Vnet, format!("allow TCP {port} to {destination} where it is denied (network security group, firewall)"))
        .with(format!(
            "az network nsg rule create -g ‹nsg-resource-group› --nsg-name ‹nsg› -n {rule}-{port} --priority ‹priority› --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {port} --destination-address-prefixes {prefix}"
        ))
        .after_looking(
            "the rule holds for every machine behind this group",
            LIST_RULES,
        )
        .undone_with("", format!("az network nsg rule delete -g ‹nsg-resource-group› --nsg-name ‹nsg› -n {rule}-{port}"))
}

/// Shows the chain that a peer presents for a name.
pub(super) fn show_chain(address: &str, fqdn: &str) -> Fix {
    Fix::look(
        "look at the chain by hand, by the public name",
        format!("openssl s_client -connect {address} -servername {fqdn} -showcerts </dev/null"),
    )
}

/// Associates this machine with a data collection endpoint for its configuration.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
pub(super) fn associate_endpoint(instance: Option<&Instance>) -> Vec<Fix> {
    let machine = instance.and_then(|instance| instance.resource_id.as_deref()).and_then(resource_id);
    let machine = machine.unwrap_or("‹vm-resource-id›");
    vec![
        Fix::look(
            "look which rules and endpoints this machine is associated with",
            format!("az monitor data-collection rule association list --resource {machine} -o table"),
        ),
        Fix::change(BlastRadius::Machine, "associate this machine with a data collection endpoint of its region")
            .with(format!("az monitor data-collection rule association create --name configurationAccessEndpoint --resource {machine} --data-collection-endpoint-id ‹dce-resource-id›"))
            .after_looking(
                "an association of the name `configurationAccessEndpoint` in the list above is replaced, so keep its endpoint; the new endpoint has to be in the scope",
                "az monitor private-link-scope scoped-resource list -g ‹scope-resource-group› --scope-name ‹scope› -o table",
            )
            .undone_with(
                "or create it again with the endpoint it had",
                format!("az monitor data-collection rule association delete --name configurationAccessEndpoint --resource {machine}"),
            ),
    ]
}

/// What the metadata service told, if it can stand in a command line as it is.
fn resource_id(text: &str) -> Option<&str> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/-_.".contains(character);
    let harmless = text.starts_with('/') && text.chars().all(plain);
    harmless.then_some(text)
}

/// Where proxies are set, without showing passwords.
pub(super) fn show_proxies(windows: bool) -> &'static str {
    if windows {
        return "netsh winhttp show proxy; Get-ChildItem env:*_proxy | ForEach-Object { $_.Name + '=' + ($_.Value -replace '//[^@/]*@', '//…@') }";
    }
    "env | grep -i _proxy | sed 's#//[^@/]*@#//…@#'; sudo grep -his proxy /etc/environment /etc/default/azuremonitoragent | sed 's#//[^@/]*@#//…@#'"
}

/// Adds names or addresses to what the environment exempts from its proxy.
pub(super) fn exempt_from_proxy(facts: &Facts<'_>, names: &[&str]) -> Fix {
    let known = facts.proxy_settings().and_then(|settings| settings.exempt.as_ref());
    // What stands in a command line has to be harmless there.
    let harmless = |character: char| character.is_ascii_alphanumeric() || ".,:-_*/ ".contains(character);
    let former = known.map(|exempt| exempt.names.as_str());
    let shown = match former {
        None => String::new(),
        Some(former) if former.chars().all(harmless) => former.replace(' ', ""),
        Some(_) => "‹former-value›".to_owned(),
    };
    let all = [shown.as_str()].into_iter().chain(names.iter().copied()).filter(|part| !part.is_empty());
    let all = all.collect::<Vec<_>>().join(",");
    let fix = Fix::change(
        BlastRadius::Machine,
        if facts.on_windows() {
            "exempt them from the proxy in the environment of this machine; services read it when they start, and an agent has its own setting"
        } else {
            "exempt them from the proxy for the programs of the shell in which this is run; services take it from their unit or `/etc/environment`, an agent from its own setting"
        },
    )
    .after_looking("look whether the direct path is open", "ampls-doctor check --proxy none");
    let former =
        if shown.is_empty() { "its former value (none)".to_owned() } else { format!("its former value, `{shown}`") };
    if facts.on_windows() {
        return fix
            .with(format!("[Environment]::SetEnvironmentVariable('NO_PROXY', '{all}', 'Machine')"))
            .undone_by(format!("set `NO_PROXY` to {former}"));
    }
    fix.with(format!("export NO_PROXY='{all}' no_proxy='{all}'")).undone_by(format!("set `NO_PROXY` to {former}"))
}

/// Steps the clock to its time source.
pub(super) fn set_clock(windows: bool) -> Fix {
    let fix = Fix::change(BlastRadius::Machine, "step the clock to its time source, once that is right")
        .undone_by("not needed: the time source keeps the clock from then on");
    if windows {
        return fix.with("w32tm /resync /force").after_looking(
            "look at the source and the offset; databases and clusters may mind a clock that jumps",
            "w32tm /query /status",
        );
    }
    fix.with("sudo chronyc makestep").after_looking(
        "a source has to be selected, Azure's is /dev/ptp_hyperv; databases and clusters may mind a clock that jumps",
        "chronyc sources -v",
    )
}

/// Shows the clock beside its time source.
pub(super) fn show_clock(windows: bool) -> Fix {
    let command = if windows { "w32tm /query /status" } else { "timedatectl; chronyc tracking" };
    Fix::look("compare this machine's clock with its time source", command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_id_that_could_act_in_a_shell_is_left_out() {
        assert_eq!(resource_id("/subscriptions/x/resourceGroups/rg-1"), Some("/subscriptions/x/resourceGroups/rg-1"));
        for hostile in ["/x; rm -rf /", "/x$(y)", "x", "/a`b`"] {
            assert_eq!(resource_id(hostile), None, "{hostile}");
        }
    }
}
