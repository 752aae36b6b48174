//! What the SOA of an AMPLS zone says about a server's links.

use super::view::authority;
use super::{Facts, Linked, RecordKind, SocketAddr, Status, View, ZoneFact};

use ampls_probes::azure::{is_authority, is_private_authority};
use ampls_probes::observation::Authority;

impl Facts<'_> {
    pub(super) fn build_zones(&self) -> Vec<ZoneFact> {
        let mut facts = Vec::new();
        for zone in &self.observations().zones {
            for server in self.servers() {
                facts.push(self.zone_at(zone, server.address));
            }
        }
        facts
    }

    /// Whether a zone is linked where a server resolves.
    pub fn linked(&self, zone: &str, server: SocketAddr) -> Linked {
        self.links.get(zone).and_then(|links| links.get(&server)).copied().unwrap_or(Linked::Unknown)
    }

    fn zone_at(&self, zone: &str, server: SocketAddr) -> ZoneFact {
        let soa = authority(zone, self.answers(server, zone, RecordKind::Soa));
        let linked = soa.as_ref().map_or(Linked::Unknown, |soa| judge(zone, soa));
        ZoneFact { zone: zone.to_owned(), server, soa: soa.map(|soa| soa.mname), linked }
    }

    /// A private zone lacks the name in this view: behind its AMPLS alias, and not by Microsoft's public servers.
    ///
    /// In public DNS the alias always goes on with a CNAME, so a denial of the alias itself comes from a zone of that name
    /// even where the server leaves out who denied it.
    pub fn denied_by_private_zone(&self, view: &View) -> bool {
        if !view.denied() || view.blocked_by_policy() {
            return false;
        }
        let behind_alias = view.cname.last().is_some_and(|alias| self.is_ampls_name(alias));
        match &view.authority {
            Some(soa) if is_private(soa) => {
                behind_alias || self.observations().zones.contains(&soa.zone) || self.is_ampls_name(&soa.zone)
            }
            Some(soa) if is_microsoft(soa) => false,
            // An answer without records and without SOA is what a filter leaves of one: it denies nothing.
            None if view.status == Status::NoData => false,
            _ => behind_alias,
        }
    }
}

fn judge(zone: &str, soa: &Authority) -> Linked {
    if soa.zone == zone {
        return match soa {
            soa if is_private(soa) => Linked::Yes,
            soa if is_microsoft(soa) => Linked::No,
            _ => Linked::Local,
        };
    }
    // The SOA of a parent: nobody here holds a zone of that name. A parent that is not Microsoft's is somebody's own.
    match soa {
        soa if is_microsoft(soa) || is_root(soa) => Linked::No,
        _ => Linked::Local,
    }
}

/// The SOA of an Azure private zone.
pub(super) fn is_private(soa: &Authority) -> bool {
    is_private_authority(&soa.mname)
}

/// Microsoft's public SOA.
pub(super) fn is_microsoft(soa: &Authority) -> bool {
    !is_private(soa) && (is_authority(&soa.mname) || is_authority(&soa.rname))
}

fn is_root(soa: &Authority) -> bool {
    soa.zone.is_empty() || soa.zone == "."
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{CUSTOM, Says, ZONES, private_world};

    use super::super::{BLOCK_POLICY, Route, ViewKind};
    use super::*;

    const ZONE: &str = "privatelink.ods.opinsights.azure.com";

    fn soa(zone: &str, mname: &str, rname: &str) -> Authority {
        Authority { zone: zone.to_owned(), mname: mname.to_owned(), rname: rname.to_owned() }
    }

    #[test]
    fn the_soa_of_a_private_zone_shows_the_link() {
        let private = soa(ZONE, "azureprivatedns.net", "azureprivatedns-host.microsoft.com");
        assert_eq!(judge(ZONE, &private), Linked::Yes);
    }

    #[test]
    fn microsofts_public_soa_shows_that_no_zone_is_linked() {
        let public = soa(ZONE, "ns1-07.azure-dns.com", "azuredns-hostmaster.microsoft.com");
        assert_eq!(judge(ZONE, &public), Linked::No);
        let parent = soa("ods.opinsights.azure.com", "ns1-07.azure-dns.com", "azuredns-hostmaster.microsoft.com");
        assert_eq!(judge(ZONE, &parent), Linked::No);
    }

    #[test]
    fn any_other_soa_is_a_local_zone() {
        assert_eq!(judge(ZONE, &soa(ZONE, "dc01.corp.example", "hostmaster.corp.example")), Linked::Local);
        assert_eq!(judge(ZONE, &soa("azure.com", "dc01.corp.example", "hostmaster.corp.example")), Linked::Local);
    }

    #[test]
    fn a_name_that_only_ends_alike_is_not_microsofts() {
        assert!(!is_microsoft(&soa(ZONE, "ns1.notmicrosoft.com", "x.notmicrosoft.com")));
    }

    #[test]
    fn a_server_or_a_mailbox_of_microsofts_is_enough() {
        assert!(is_microsoft(&soa(ZONE, "ns1-07.azure-dns.com", "hostmaster.example.com")));
        assert!(is_microsoft(&soa(ZONE, "ns1.example.com", "azuredns-hostmaster.microsoft.com")));
        assert!(!is_microsoft(&soa(ZONE, "azureprivatedns.net", "azureprivatedns-host.microsoft.com")));
    }

    #[test]
    fn the_soa_of_the_root_shows_that_no_zone_is_linked() {
        for root in ["", "."] {
            let soa = soa(root, "a.root-servers.net", "nstld.verisign-grs.com");
            assert_eq!(judge(ZONE, &soa), Linked::No, "{root:?}");
        }
    }

    #[test]
    fn another_zone_is_linked_only_where_it_is_not_this_one() {
        let asks_another = |linked: &[&str]| {
            let unlinked = ZONES.iter().filter(|zone| !linked.contains(zone));
            let scene = unlinked.fold(private_world(), |scene, zone| scene.soa(CUSTOM, zone, &Says::PublicZone));
            let seen = scene.observations();
            Facts::new(&seen).asks_another_zone(ZONE, CUSTOM.parse().expect("an address"))
        };
        assert!(!asks_another(&[ZONE]));
        assert!(!asks_another(&[ZONE, "privatelink.blob.core.windows.net"]), "which every storage account has");
        assert!(asks_another(&["privatelink.monitor.azure.com"]));
    }

    #[test]
    fn a_private_zone_denies_behind_its_alias_or_a_name_of_its_own() {
        let seen = private_world().observations();
        let facts = Facts::new(&seen);
        let denied = |alias: Option<&str>, status, authority: Option<Authority>| {
            facts.denied_by_private_zone(&View {
                view: ViewKind::Server,
                server: None,
                status,
                route: Route::None,
                addresses: Vec::new(),
                cname: alias.into_iter().map(str::to_owned).collect(),
                ttl: None,
                elapsed_ms: 0,
                authority,
            })
        };
        let alias = Some("w.privatelink.ods.opinsights.azure.com");
        let private = |zone: &str| Some(soa(zone, "azureprivatedns.net", "azureprivatedns-host.microsoft.com"));
        let public = Some(soa("opinsights.azure.com", "ns1-38.azure-dns.com", "msnhst.microsoft.com"));
        let local = Some(soa("azure.com", "dc01.corp.example", "hostmaster.corp.example"));
        let table = [
            (alias, Status::NxDomain, private(ZONE), true),
            (alias, Status::NxDomain, private("corp.example"), true),
            (None, Status::NxDomain, private(ZONE), true),
            (None, Status::NxDomain, private(&format!("sub.{ZONE}")), true),
            (None, Status::NxDomain, private("corp.example"), false),
            (alias, Status::NxDomain, public.clone(), false),
            (None, Status::NxDomain, public, false),
            (alias, Status::NxDomain, local.clone(), true),
            (None, Status::NxDomain, local, false),
            (alias, Status::NxDomain, None, true),
            (alias, Status::NoData, None, false),
            (alias, Status::NoData, private(ZONE), true),
            (alias, Status::ServFail, private(ZONE), false),
            (Some(BLOCK_POLICY), Status::NxDomain, private(ZONE), false),
        ];
        for (alias, status, authority, expected) in table {
            assert_eq!(denied(alias, status, authority.clone()), expected, "{alias:?} {status:?} {authority:?}");
        }
    }
}
