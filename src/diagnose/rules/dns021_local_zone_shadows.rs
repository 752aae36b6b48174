//! DNS021: somebody's own zone denies a name that exists.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::azure::is_within;
use ampls_probes::endpoint::Group;
use ampls_probes::observation::Authority;

use crate::diagnose::command::{Host, Placeholder, Word, Zone, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{Authorities, EndpointFacts, Facts, Status, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::need::Zones;
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A DNS server of this machine denies a public name, and the denial comes neither from Microsoft's public DNS nor from an
    /// Azure private zone: the server has a zone of its own (split-brain DNS) whose name covers this one, and the name is not in
    /// it. Where the server does not say who denies the name, another server that resolves it shows it.
    ///
    /// It is a warning when this machine still resolves the name by another server.
    ///
    /// ## Why it matters
    ///
    /// A zone `azure.com` or `opinsights.azure.com` on a company's server, made for a handful of records, hides all other names
    /// below it: agents cannot resolve their service, whatever is linked in Azure.
    ///
    /// ## How to fix
    ///
    /// A zone above Microsoft's public suffixes (the root zone of a closed network, `com`, `azure.com`) stays: forward the public
    /// suffixes on that server (Windows DNS does so only where that zone delegates them), or take the server off the list of
    /// machines that need names outside.
    ///
    /// In a zone of the suffix itself nobody loses anything when the missing record is added; it holds until the private endpoint
    /// is recreated. What lasts is to replace that zone by a forwarder to Azure's DNS, so that public names and private zones are found: first
    /// make sure that everything it holds is known there. A Windows DNS server cannot have a zone and a forwarder of the same
    /// name, and forwards what lies below a zone of its own only where that zone delegates it.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name> <server>` gives an address, and the SOA of the name is Microsoft's.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/windows-server/networking/dns/deploy/split-brain-dns-deployment>
    /// - <https://www.rfc-editor.org/rfc/rfc2308>
    DNS021 = "local-zone-shadows" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Alias],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS005", "DNS007", "DNS015", "DNS023"], NOT_DELIVERED],
    }
}

/// Fires for a name on a resolving server when all hold:
///
/// 1. The server denies the name.
/// 2. No DNS security policy does it.
/// 3. No `privatelink` alias of an AMPLS is in the chain.
/// 4. The authority is neither an Azure private zone nor Microsoft's public DNS.
/// 5. The authority's zone covers the name, which is not a name of the customer's own; or another server resolves the name.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| shadowed(facts, name)).collect()
}

fn shadowed(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let own = name.server_views().filter(|view| view.server.is_some_and(|server| facts.resolves(server)));
    let views: Vec<&View> = own.filter(|view| is_shadow(facts, name, view)).collect();
    let first = views.first()?;
    let server = first.server?;
    let denying: Vec<SocketAddr> = views.iter().filter_map(|view| view.server).collect();
    let turns = facts.in_turn(&denying);
    let resolves = turns.is_empty()
        && name.system().is_some_and(|view| view.status == Status::Ok)
        && facts.answered_by_search(name).is_none();
    let (zone, mname) = first.authority.as_ref().map_or(("", ""), |soa| (soa.zone.as_str(), soa.mname.as_str()));
    let who = if zone.is_empty() {
        "a zone that it does not name".to_owned()
    } else {
        format!("its zone {} (primary server {})", quote(zone), quote(mname))
    };
    let elsewhere = name.views.iter().filter(|view| view.status == Status::Ok && view.server.is_some());
    let severity = if resolves { Severity::Warning } else { Severity::Error };
    let signed = views.iter().any(|view| view.authority.as_ref().is_some_and(|soa| covers(&soa.zone, name.fqdn())));
    let draft =
        Draft::new(severity, Owner::Dns, Title::list(&format!("a local zone on `{server}` hides "), [name.fqdn()], ""))
            .about([name.fqdn()])
            .group(format!("{server} {zone}"))
            .summary(format!(
                "`{server}` denies the public name by {who}: not Microsoft's public DNS and not an Azure private zone, but a zone of somebody's own that lacks the name{turns}"
            ))
            .evidence(views.iter().map(|view| facts.view_line(name, view)))
            .evidence(elsewhere.map(|view| facts.view_line(name, view)))
            .list("server", [server.to_string()])
            .list("zone", [zone])
            .arg("primary", mname)
            .excludes("a deleted workspace: the denial is not Microsoft's")
            .excludes("a private zone without the record: there is no `privatelink` alias, and the zone is not Azure's")
            .fix(fixes(facts, name, server, zone));
    // Nobody says who denies it: a filter may do it as well as a zone.
    Some(if signed { draft } else { draft.likely() })
}

fn is_shadow(facts: &Facts<'_>, name: &EndpointFacts<'_>, view: &View) -> bool {
    let by_authority = |belongs: &dyn Fn(&Authority) -> bool| view.authority.as_ref().is_some_and(belongs);
    let has_ampls_alias = || view.cname.iter().any(|alias| facts.is_ampls_name(alias));
    let by_microsoft = || by_authority(&|soa| Authorities::private_zone(soa) || Authorities::microsoft(soa));
    // A name of the customer's own is rightly denied by the server that holds its zone.
    let customers_own = || name.endpoint.group == Group::Extra && name.endpoint.zone.is_none();
    // What a filter leaves of a private answer denies nothing.
    let filtered = || view.server.is_some_and(|server| facts.withholds(name, server));
    let by_covering_zone = || !customers_own() && by_authority(&|soa| covers(&soa.zone, name.fqdn()));
    let other_server = |other: &View| other.server.is_some() && other.server != view.server;
    let resolved_elsewhere = || name.views.iter().any(|other| other_server(other) && other.status == Status::Ok);

    view.denied()
        && !view.blocked_by_policy()
        && !has_ampls_alias()
        && !by_microsoft()
        && !filtered()
        && (by_covering_zone() || resolved_elsewhere())
}

/// A zone with at least two labels: a denial by the root or a top-level domain is nobody's own.
fn covers(zone: &str, fqdn: &str) -> bool {
    let below = fqdn == zone || fqdn.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    below && zone.trim_matches('.').contains('.')
}

/// What stands for an address that nobody gave.
const ADDRESS: Placeholder = Placeholder::new("PRIVATE_ENDPOINT_ADDRESS");

/// The address that another server gives for the name, a private one before others.
fn seen_elsewhere(name: &EndpointFacts<'_>) -> Option<IpAddr> {
    let mut given = name.views.iter().filter(|view| view.server.is_some() && view.status == Status::Ok);
    let private = given.clone().find(|view| view.is_private());
    let view = private.or_else(|| given.next())?;
    view.addresses.iter().copied().find(IpAddr::is_ipv4)
}

fn fixes(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr, zone: &str) -> Vec<Fix> {
    let [look, record, replace] = of_the_zone(name, server.ip(), zone);
    let suffix = name.endpoint.zone.as_deref().map(|own| own.strip_prefix("privatelink.").unwrap_or(own));
    if !suffix.is_some_and(|suffix| is_above(zone, suffix)) {
        return vec![look, record, replace];
    }
    // Such a zone is there for more than these names: it stays.
    let hidden = facts.ampls_endpoints().filter(|other| {
        let by_it = |view: &View| view.denied() && view.authority.as_ref().is_some_and(|soa| soa.zone == zone);
        other.fqdn() == name.fqdn() || other.view_of(server).is_some_and(by_it)
    });
    let zones = Zones::of(facts, hidden.filter_map(|other| other.endpoint.zone.as_deref()));
    let off = Fix::change(
        BlastRadius::Vnet,
        format!("take `{}` off the list of this machine's DNS servers: it is not there for names outside", server.ip()),
    )
    .under(remedy::Right::NETWORK_DNS)
    .instead()
    .after_looking(
        "machines that use it for names of its own no longer resolve those, unless the other servers forward them to it; there is no second try after a denial, so servers of two kinds do not mix",
        remedy::machine::dns_settings(facts),
    )
    .undone_by("put the server back on the list");
    let record = zone.contains('.').then(|| record.instead());
    [look]
        .into_iter()
        .chain(remedy::server::forward(&zones, &server.ip().to_string()))
        .chain([remedy::predict::forward(&zones, &server.ip().to_string())])
        .chain([off])
        .chain(record)
        .collect()
}

/// The zone lies above a public suffix, up to the root.
fn is_above(zone: &str, suffix: &str) -> bool {
    let zone = zone.trim_matches('.');
    zone.is_empty() || (zone != suffix && is_within(suffix, zone))
}

/// The look, the missing record, and the forwarder in place of the zone.
fn of_the_zone(name: &EndpointFacts<'_>, server: IpAddr, zone: &str) -> [Fix; 3] {
    let known = || Zone::over(zone, name.fqdn());
    let zone = known();
    let zone = zone.as_ref().map_or("ZONE_NAME", Zone::as_str);
    let record = || known().and_then(|zone| zone.record(name.fqdn()));
    let address = || seen_elsewhere(name).map_or(Word::placeholder(ADDRESS), Word::from);
    [
        Fix::look(
            format!("check who created the zone on `{server}`, and what it holds"),
            [
                command!(PowerShell, "Get-DnsServerZone -ComputerName {}", server),
                command!(PowerShell, "Get-DnsServerResourceRecord -ComputerName {} -ZoneName {}", server, known()),
                command!(Any, "nslookup -type=SOA {} {}", Host::new(name.fqdn()), server),
            ],
        ),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("add the missing record to the zone `{zone}` on `{server}`, with the address that belongs to the name (Windows DNS); it goes stale when that address changes"),
        )
        .under(remedy::Right::DNS_SERVER)
        .with([command!(
            PowerShell,
            "Add-DnsServerResourceRecordA -ComputerName {} -ZoneName {} -Name {} -IPv4Address {}",
            server, known(), record(), address()
        )])
        .after_looking(
            "everyone who asks this server gets that address; an existing record stays",
            [command!(PowerShell, "Get-DnsServerResourceRecord -ComputerName {} -ZoneName {}", server, known())],
        )
        .undone_with("", [command!(
            PowerShell,
            "Remove-DnsServerResourceRecord -ComputerName {} -ZoneName {} -Name {} -RRType A -RecordData {}",
            server, known(), record(), address()
        )]),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("replace the zone `{zone}` on `{server}` by a conditional forwarder of that name to 168.63.129.16 (outside Azure: to the inbound endpoint of a DNS Private Resolver); Windows DNS cannot have a zone and a forwarder of one name"),
        )
        .under(remedy::Right::DNS_SERVER)
        .instead()
        .with([command!(
            PowerShell,
            "if ((Get-DnsServerZone -ComputerName {} -Name {}).ZoneType -eq 'Primary') { Export-DnsServerZone -ComputerName {} -Name {} -FileName {}.before.txt -ErrorAction Stop; Remove-DnsServerZone -ComputerName {} -Name {} -ErrorAction Stop; Add-DnsServerConditionalForwarderZone -ComputerName {} -Name {} -MasterServers 168.63.129.16 }",
            server, known(), server, known(), known(), server, known(), server, known()
        )])
        .after_looking(
            "everybody who uses its records loses them: check that Azure's DNS or public DNS knows each of them; where `IsDsIntegrated` is true, the removal replicates to every domain controller of the replication scope (keep it for the undo), and each of them needs the forwarder; the export keeps the records in a file on that server",
            [
                command!(PowerShell, "Get-DnsServerResourceRecord -ComputerName {} -ZoneName {}", server, known()),
                command!(
                    PowerShell,
                    "Get-DnsServerZone -ComputerName {} -Name {} | Format-List IsDsIntegrated, @{l='REPLICATION_SCOPE';e='ReplicationScope'}, DynamicUpdate",
                    server,
                    known()
                ),
            ],
        )
        .undone_with(
            "the last command only for a zone that was in Active Directory: without it the zone comes back on this server alone",
            [
                command!(
                    PowerShell,
                    "if ((Get-DnsServerZone -ComputerName {} -Name {}).ZoneType -eq 'Forwarder') { Remove-DnsServerZone -ComputerName {} -Name {} -ErrorAction Stop; Add-DnsServerPrimaryZone -ComputerName {} -Name {} -ZoneFile {}.before.txt -LoadExisting }",
                    server, known(), server, known(), server, known(), known()
                ),
                command!(
                    PowerShell,
                    "ConvertTo-DnsServerPrimaryZone -ComputerName {} -Name {} -ReplicationScope REPLICATION_SCOPE -Force",
                    server,
                    known()
                ),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::ServerRole;
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_somebodys_own_zone_denies() {
        let found = fires_as_declared(&DNS021, &private_world().everywhere(ODS, &Says::DeniedLocally));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!((found[0].lists["server"][0].as_str(), found[0].lists["zone"][0].as_str()), (CUSTOM, "azure.com"));
    }

    #[test]
    fn fires_without_taking_the_zone_away_first() {
        let azure = private_world().everywhere(ODS, &Says::DeniedLocally).says(AZURE, ODS, &Says::Private("10.0.0.6"));
        let found = drafts(&DNS021, &azure);
        let changes: Vec<&Fix> = found[0].fix.iter().filter(|fix| !fix.read_only).collect();
        // The zone is `azure.com`, above the suffix: it stays, and its suffixes are forwarded.
        assert!(changes[0].lines().contains("-Name ods.opinsights.azure.com -MasterServers"), "{}", changes[0].lines());
        let record = changes.iter().find(|fix| fix.lines().contains("Add-DnsServerResourceRecordA"));
        assert!(record.is_some_and(|fix| fix.alternative && fix.lines().contains("10.0.0.6")), "{changes:?}");
        let of_the_zone =
            |fix: &&Fix| fix.lines().contains("-Name azure.com") && fix.lines().contains("Remove-DnsServerZone");
        assert!(!changes.iter().any(of_the_zone), "{changes:?}");
    }

    #[test]
    fn zone_above_a_suffix_reaches_up_to_the_root() {
        for (zone, above) in [
            ("", true),
            (".", true),
            ("com", true),
            ("azure.com", true),
            ("ods.opinsights.azure.com", false),
            ("w.ods.opinsights.azure.com", false),
            ("corp.example", false),
            ("re.com", false),
        ] {
            assert_eq!(is_above(zone, "ods.opinsights.azure.com"), above, "{zone}");
        }
    }

    #[test]
    fn a_zone_covers_what_is_below_it_and_is_nobodys_own_at_the_top() {
        for (zone, covered) in [
            ("w.ods.opinsights.azure.com", true),
            ("azure.com", true),
            ("re.com", false),
            ("com", false),
            ("", false),
            ("corp.example", false),
        ] {
            assert_eq!(covers(zone, "w.ods.opinsights.azure.com"), covered, "{zone}");
        }
    }

    #[test]
    fn fires_as_warning_while_the_system_resolves_it() {
        let scene = private_world().says(CUSTOM, ODS, &Says::DeniedLocally);
        assert_eq!(drafts(&DNS021, &scene)[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_error_where_the_servers_take_turns() {
        let scene = private_world()
            .server("10.1.0.5:53", &[ServerRole::Configured])
            .says("10.1.0.5:53", ODS, &Says::Private("10.0.0.6"))
            .says(CUSTOM, ODS, &Says::DeniedLocally);
        assert_eq!(drafts(&DNS021, &scene)[0].severity, Severity::Warning);
        let found = drafts(&DNS021, &scene.rotate());
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].summary.contains(&format!("those that go to `{CUSTOM}` first")), "{}", found[0].summary);
    }

    #[test]
    fn fires_for_an_unsigned_denial_only_when_another_view_resolves() {
        let denied = Says::Unsigned;
        let scene = private_world().everywhere(ODS, &denied);
        assert_eq!(drafts(&DNS021, &scene), []);
        assert_eq!(drafts(&DNS021, &scene.says(AZURE, ODS, &Says::Private("10.0.0.6"))).len(), 1);
    }

    #[test]
    fn silent_about_microsofts_and_private_zones_denials() {
        for says in
            [Says::NoSuchName, Says::DeniedByPrivateZone, Says::DeniedAnonymously, Says::BlockedByPolicy, Says::NoData]
        {
            assert_eq!(drafts(&DNS021, &public_world().everywhere(ODS, &says)), [], "{says:?}");
        }
    }

    #[test]
    fn silent_about_what_only_azure_says() {
        assert_eq!(drafts(&DNS021, &private_world().says(AZURE, ODS, &Says::DeniedLocally)), []);
    }
}
