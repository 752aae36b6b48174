//! DNS servers that are not Azure's: what they have to forward.

use super::{Right, zone};
use crate::diagnose::command::{Address, Command, Zone, command};
use crate::diagnose::finding::{BlastRadius, Fix};
use crate::diagnose::need::{Zones, borrowed};

/// Forwards the public zone of each AMPLS zone that this machine needs to Azure's DNS, and forgets what the server kept.
pub(in crate::diagnose) fn forward(zones: &Zones, server: &str) -> Vec<Fix> {
    let publics: Vec<Option<Zone>> = zones.now.iter().map(|zone| Zone::new(zone).map(|zone| zone.public())).collect();
    let each = |line: &dyn Fn(Option<Zone>) -> Command| publics.iter().cloned().map(line).collect::<Vec<_>>();
    let address = || Address::new(server);
    let mut effects = format!(
        "168.63.129.16 answers only servers inside Azure: elsewhere forward to the inbound endpoint of a DNS Private Resolver; where `IsDsIntegrated` is true a forwarder replicates, also to servers outside Azure, where it breaks the name; {}",
        zone::side_effects(&borrowed(&zones.now))
    );
    if !zones.optional().is_empty() {
        effects.push_str("; not now: the optional zones (`agentsvc` and `blob` serve the Log Analytics agent only, and `blob` moves every storage account that has a private endpoint)");
    }
    let mut windows = each(&|zone| {
        command!(
            PowerShell,
            "Add-DnsServerConditionalForwarderZone -ComputerName {} -Name {} -MasterServers 168.63.129.16",
            address(),
            zone
        )
    });
    windows.push(command!(PowerShell, "Clear-DnsServerCache -ComputerName {} -Force", address()));
    // Where a zone of another kind stood before, the forwarder was refused, and that zone stays.
    let windows_undo = each(&|zone| {
        command!(
            PowerShell,
            "if ((Get-DnsServerZone -ComputerName {} -Name {}).ZoneType -eq 'Forwarder') { Remove-DnsServerZone -ComputerName {} -Name {} -Force }",
            address(),
            zone.clone(),
            address(),
            zone
        )
    });
    let mut bind = each(&|zone| {
        command!(Bind, "zone \"{}\" { type forward; forward only; forwarders { 168.63.129.16; }; };", zone)
    });
    bind.push(command!(Sh, "sudo rndc reconfig"));
    bind.extend(each(&|zone| command!(Sh, "sudo rndc flushtree {}", zone)));
    vec![
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("on `{server}` (Windows DNS) forward the public zones, not the `privatelink` ones, to Azure's DNS, and clear its cache; where Application Insights is used, forward `applicationinsights.azure.com` and `services.visualstudio.com` too"),
        )
        .under(Right::DNS_SERVER)
        .with(windows)
        .after_looking(
            effects.clone(),
            [command!(
                PowerShell,
                "Get-DnsServerZone -ComputerName {} | Where-Object ZoneType -eq Forwarder | Format-Table ZoneName, IsDsIntegrated, ReplicationScope, MasterServers",
                address()
            )],
        )
        .undone_with("", windows_undo),
        Fix::change(BlastRadius::EveryNetworkOnThisDns, format!("the same on `{server}` with BIND: add these lines to its named.conf, then reload it and clear its cache"))
            .under(Right::DNS_SERVER)
            .instead()
            .with(bind)
            .after_looking(effects, [command!(Sh, "named-checkconf -p | grep -A3 'type forward'")])
            .undone_with("remove these lines, then reload the configuration", [command!(Sh, "sudo rndc reconfig")]),
    ]
}
