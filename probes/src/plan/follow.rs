//! What is asked because of what was answered: a pure function of the plan and of what was heard.
//!
//! There are two rounds. The first follows the last answer for a public name, and asks again where answers contradict each
//! other, for IPv6 addresses where there may be any, and why a server fails. The second comes after all of that and asks for
//! records directly: a cache would otherwise answer for public names from them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::steps::{canary, names};
use super::{Plan, Step};
use crate::addr::{AZURE_DNS, Class, classify};
use crate::azure::{is_authority, is_private_authority, is_within};
use crate::endpoint::{Endpoint, Expect};
use crate::observation::{
    Answer, Authority, DnsFailure, Lookup, Outcome, Purpose, RecordData, RecordKind, Response, ResponseCode, Server,
};
use crate::options::Options;

/// What was heard so far.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The servers.
    pub servers: &'a [Server],
    /// This machine asks with EDNS.
    pub edns0: bool,
    /// Lookups of the operating system.
    pub lookups: &'a [Lookup],
    /// Answers.
    pub answers: &'a [Answer],
}

/// Where an answer leads, as far as that can be told of an answer by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Private,
    Public,
    Nowhere,
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    Code(ResponseCode),
    Malformed,
    Silence,
}

/// The first round.
pub fn open_questions(plan: &Plan, options: &Options, heard: &Heard<'_>) -> Vec<Step> {
    let view = Known::new(plan, options, heard);
    let mut steps = view.again();
    steps.extend(view.other_families());
    steps.extend(view.reasons());
    steps.extend(view.references());
    steps
}

/// The second round: the records behind names that a server does not have private. A zone that Microsoft's public DNS holds
/// there has no other records, unless something here shows a private link: a server may hold a single record.
pub fn records(plan: &Plan, options: &Options, heard: &Heard<'_>) -> Vec<Step> {
    Known::new(plan, options, heard).records()
}

/// The answers, to be asked by server and name.
struct Known<'a> {
    plan: &'a Plan,
    options: &'a Options,
    heard: &'a Heard<'a>,
    of: BTreeMap<(SocketAddr, &'a str, RecordKind), Vec<&'a Answer>>,
    answering: BTreeSet<SocketAddr>,
}

impl<'a> Known<'a> {
    fn new(plan: &'a Plan, options: &'a Options, heard: &'a Heard<'a>) -> Self {
        let mut of: BTreeMap<_, Vec<&Answer>> = BTreeMap::new();
        let mut answering = BTreeSet::new();
        for answer in heard.answers {
            if answer.outcome.seen().is_some() {
                answering.insert(answer.server);
            }
            if answer.purpose == Purpose::Name {
                of.entry((answer.server, answer.name.as_str(), answer.kind)).or_default().push(answer);
            }
        }
        Self { plan, options, heard, of, answering }
    }

    /// Servers that this machine uses.
    fn used(&self) -> impl Iterator<Item = SocketAddr> {
        let uses = |server: &&Server| server.roles.iter().any(|role| role.is_used());
        self.heard.servers.iter().filter(uses).map(|server| server.address)
    }

    fn first(&self, server: SocketAddr, name: &str, kind: RecordKind) -> Option<&'a Answer> {
        self.of.get(&(server, name, kind)).and_then(|tries| tries.first()).copied()
    }

    fn response(&self, server: SocketAddr, name: &str) -> Option<&'a Response> {
        self.first(server, name, RecordKind::A)?.outcome.seen()
    }

    /// Where a server leads a name; `None` where it gave no answer about it.
    fn way(&self, server: SocketAddr, name: &str) -> Option<Way> {
        let response = self.response(server, name)?;
        if !matches!(response.code, ResponseCode::NoError | ResponseCode::NxDomain) {
            return None;
        }
        let owned = response.address_owner(name).is_some_and(|owner| self.is_record(owner));
        Some(self.way_of(&response.addresses(name), owned))
    }

    fn way_of(&self, addresses: &[IpAddr], owned_by_record: bool) -> Way {
        let private =
            |address: &IpAddr| owned_by_record || classify(*address, &self.options.private_ranges) != Class::Public;
        match addresses.first() {
            None => Way::Nowhere,
            Some(_) if addresses.iter().any(private) => Way::Private,
            Some(_) => Way::Public,
        }
    }

    fn is_record(&self, name: &str) -> bool {
        self.plan.zones.iter().any(|zone| is_within(name, zone))
    }

    /// Names that are asked again: DNS019 needs a second answer where the first contradicts the system's own, another server's
    /// or that for another name of the zone on the same server; and a failure may pass.
    fn again(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (name, server) in self.contradicted() {
            for try_number in 1..self.options.repeat.max(1) {
                steps.push(ask(server, name, RecordKind::A, try_number, Purpose::Name));
            }
        }
        steps
    }

    fn contradicted(&self) -> BTreeSet<(&'a str, SocketAddr)> {
        let mut doubtful = BTreeSet::new();
        let names = names(&self.plan.endpoints);
        // One that fails for every name does so for a reason that lasts.
        let answers = |server: &SocketAddr| names.iter().any(|name| self.way(*server, name).is_some());
        let used: Vec<SocketAddr> = self.used().filter(answers).collect();
        for name in &names {
            let ways: Vec<(SocketAddr, Option<Way>)> =
                used.iter().map(|server| (*server, self.way(*server, name))).collect();
            let mut all: BTreeSet<Way> = ways.iter().filter_map(|(_, way)| *way).collect();
            all.extend(self.system_way(name));
            let own = ways.iter().filter(|(_, way)| all.len() > 1 || way.is_none());
            doubtful.extend(own.map(|(server, _)| (*name, *server)));
        }
        for server in &used {
            for zone in &self.plan.zones {
                let of_zone = self.plan.endpoints.iter().filter(|name| name.zone.as_deref() == Some(zone));
                let of_zone: Vec<&Endpoint> = of_zone.filter(|name| name.has_ampls_record()).collect();
                let ways: BTreeSet<Way> = of_zone.iter().filter_map(|name| self.way(*server, &name.fqdn)).collect();
                if ways.len() > 1 {
                    doubtful.extend(of_zone.iter().map(|name| (name.fqdn.as_str(), *server)));
                }
            }
        }
        doubtful
    }

    /// Where the system's own lookup leads a name. Who owns its addresses only servers tell.
    fn system_way(&self, name: &str) -> Option<Way> {
        let found = self.heard.lookups.iter().find(|lookup| lookup.name == name)?.outcome.seen()?;
        let v4: Vec<IpAddr> = found.addresses.iter().copied().filter(IpAddr::is_ipv4).collect();
        let given = |server: &SocketAddr| {
            let response = self.response(*server, name)?;
            let same = response.addresses(name).iter().any(|address| v4.contains(address));
            let owner = response.address_owner(name)?;
            same.then(|| self.is_record(owner))
        };
        let owned = self.used().collect::<Vec<_>>().iter().find_map(given).unwrap_or(false);
        (!v4.is_empty()).then(|| self.way_of(&v4, owned))
    }

    /// IPv6 addresses, where the system found any, where there is no IPv4 address, or where the system took the name from a
    /// file and asked nobody. A private zone holds none.
    fn other_families(&self) -> Vec<Step> {
        let has_ipv6 =
            |lookup: &&Lookup| lookup.outcome.seen().is_some_and(|found| found.addresses.iter().any(IpAddr::is_ipv6));
        let found: BTreeSet<&str> =
            self.heard.lookups.iter().filter(has_ipv6).map(|lookup| lookup.name.as_str()).collect();
        let mut steps = Vec::new();
        for name in names(&self.plan.endpoints) {
            let expected = found.contains(name) || self.is_from_a_file(name);
            for server in self.heard.servers.iter().map(|server| server.address) {
                let empty = self.response(server, name).is_some_and(|response| {
                    response.code == ResponseCode::NoError && response.addresses(name).is_empty()
                });
                if empty || (expected && self.answering.contains(&server)) {
                    steps.push(ask(server, name, RecordKind::Aaaa, 0, Purpose::Name));
                }
            }
        }
        steps
    }

    /// The system found the name under itself where servers lead it over an alias, and tells aliases of other names.
    fn is_from_a_file(&self, name: &str) -> bool {
        let tells = |lookup: &Lookup| lookup.outcome.seen().is_some_and(|found| found.canonical.is_some());
        let found = self.heard.lookups.iter().find(|lookup| lookup.name == name);
        let aliased = |server| self.response(server, name)?.address_owner(name).map(|owner| owner != name);
        found.is_some_and(|lookup| lookup.outcome.seen().is_some() && !tells(lookup))
            && self.heard.lookups.iter().any(tells)
            && self.used().any(|server| aliased(server) == Some(true))
    }

    /// Of each kind of failure of a server, why: the first name stands for all.
    fn reasons(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for server in self.used() {
            let mut known = BTreeSet::new();
            for name in names(&self.plan.endpoints) {
                let failure = self.first(server, name, RecordKind::A).and_then(failure);
                let Some(failure) = failure.filter(|failure| known.insert(*failure)) else { continue };
                let mut also = |purpose| steps.push(ask(server, name, RecordKind::A, 0, purpose));
                if failure == Failure::Code(ResponseCode::ServFail) {
                    also(Purpose::Unchecked);
                }
                match failure {
                    Failure::Silence | Failure::Malformed | Failure::Code(ResponseCode::FormErr)
                        if self.heard.edns0 =>
                    {
                        also(Purpose::WithoutEdns);
                        // Else a server that has come back meanwhile would look as if it dropped EDNS.
                        if !self.answering.contains(&server) {
                            steps.push(ask(server, name, RecordKind::A, 1, Purpose::Name));
                        }
                    }
                    Failure::Code(_) if !self.heard.edns0 => also(Purpose::Reason),
                    _ => {}
                }
            }
        }
        steps
    }

    /// What Azure's own DNS says of a name that nobody has, where another server has an address for it.
    fn references(&self) -> Vec<Step> {
        let asked = self.heard.servers.iter().any(|server| server.address == AZURE_DNS);
        let invented = |zone: &&String| {
            let name = canary(zone);
            self.heard.answers.iter().any(|answer| {
                answer.purpose == Purpose::Canary
                    && answer.name == name
                    && answer.outcome.seen().is_some_and(|response| !response.addresses(&name).is_empty())
            })
        };
        let zones = self.plan.zones.iter().filter(|_| asked).filter(invented);
        zones.map(|zone| ask(AZURE_DNS, &canary(zone), RecordKind::A, 0, Purpose::Canary)).collect()
    }

    fn records(&self) -> Vec<Step> {
        let known: BTreeSet<&str> = names(&self.plan.endpoints).into_iter().collect();
        let shown = self.options.expect == Expect::Private || self.shows_private_link();
        let mut steps = Vec::new();
        let mut asked = BTreeSet::new();
        for name in self.plan.endpoints.iter().filter(|name| name.has_ampls_record()) {
            let Some(alias) = name.alias.as_deref().filter(|alias| !known.contains(alias)) else { continue };
            for server in self.heard.servers.iter().map(|server| server.address) {
                let zone = name.zone.as_deref().unwrap_or_default();
                let public_zone = || self.soa(server, zone).is_some_and(is_microsofts);
                let settled = || public_zone() && (!shown || server == AZURE_DNS);
                if self.answering.contains(&server)
                    && self.way(server, &name.fqdn) != Some(Way::Private)
                    && !settled()
                    && asked.insert((server, alias))
                {
                    steps.push(ask(server, alias, RecordKind::A, 0, Purpose::Record));
                    // A cache may keep the alias of the public chain and answer with it; it keeps no authority of that name.
                    let linked = self.soa(server, zone).is_some_and(is_privates);
                    if linked && server != AZURE_DNS && self.way(server, &name.fqdn) == Some(Way::Public) {
                        steps.push(ask(server, alias, RecordKind::Soa, 0, Purpose::Record));
                    }
                }
            }
        }
        steps
    }

    fn shows_private_link(&self) -> bool {
        let servers = || self.heard.servers.iter().map(|server| server.address);
        let of_scope = || self.plan.endpoints.iter().filter(|name| name.has_ampls_record());
        let denied_privately = |response: &Response| response.authority.as_ref().is_some_and(is_privates);
        let shows = |name: &Endpoint| {
            self.system_way(&name.fqdn) == Some(Way::Private)
                || servers().any(|server| {
                    self.way(server, &name.fqdn) == Some(Way::Private)
                        || self.response(server, &name.fqdn).is_some_and(denied_privately)
                })
        };
        let linked = |zone: &String| servers().any(|server| self.soa(server, zone).is_some_and(is_privates));
        of_scope().any(shows) || self.plan.zones.iter().any(linked)
    }

    /// The authority that a server names for a zone.
    fn soa(&self, server: SocketAddr, zone: &str) -> Option<&'a Authority> {
        let response = self.first(server, zone, RecordKind::Soa)?.outcome.seen()?;
        let own = response.records.iter().find_map(|record| match &record.data {
            RecordData::Soa(soa) => Some(soa),
            _ => None,
        });
        own.or(response.authority.as_ref())
    }
}

fn is_privates(soa: &Authority) -> bool {
    is_private_authority(&soa.mname)
}

fn is_microsofts(soa: &Authority) -> bool {
    !is_privates(soa) && (is_authority(&soa.mname) || is_authority(&soa.rname))
}

fn failure(answer: &Answer) -> Option<Failure> {
    match &answer.outcome {
        Outcome::Seen(response) => match response.code {
            ResponseCode::NoError | ResponseCode::NxDomain => None,
            code => Some(Failure::Code(code)),
        },
        Outcome::Failed(DnsFailure::Malformed) => Some(Failure::Malformed),
        Outcome::TimedOut => Some(Failure::Silence),
        _ => None,
    }
}

fn ask(server: SocketAddr, name: &str, kind: RecordKind, try_number: u32, purpose: Purpose) -> Step {
    Step::Ask { server, name: name.to_owned(), kind, try_number, purpose }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::observation::{Found, Resolver, ResolverConfig, ServerRole, Timing};
    use crate::plan::{Discovered, MetadataState, plan};
    use crate::testing::{API, HANDLER, ODS, OMS, Says, WORKSPACE, ZONES, alias};

    const CUSTOM: &str = "10.1.0.4:53";
    const AZURE: &str = "168.63.129.16:53";
    const PRIVATE: Says = Says::Private("10.0.0.5");
    const PUBLIC: Says = Says::Public("20.1.1.1");

    /// A machine with a custom server, and what it and Azure's own were heard to say.
    struct Scene {
        options: Options,
        servers: Vec<Server>,
        plan: Plan,
        answers: Vec<Answer>,
        lookups: Vec<Lookup>,
        edns0: bool,
    }

    impl Scene {
        /// Every name that may have a record is answered like this, by both servers and by the system.
        fn new(says: &Says) -> Self {
            let options = Options { workspaces: vec![WORKSPACE.parse().expect("a GUID")], ..Options::default() };
            let server = |address: &str, role| Server { address: address.parse().expect("one"), roles: vec![role] };
            let servers = vec![server(CUSTOM, ServerRole::Configured), server(AZURE, ServerRole::Azure)];
            let resolver = Resolver {
                timing: Timing::default(),
                outcome: Outcome::Seen(ResolverConfig::default()),
                servers: servers.clone(),
            };
            let discovered =
                Discovered { resolver: Some(resolver), metadata: MetadataState::Silent, ..Discovered::default() };
            let plan = plan(&Catalogue::builtin().expect("the catalogue"), &options, &discovered);
            let mut scene = Self { options, servers, plan, answers: Vec::new(), lookups: Vec::new(), edns0: false };
            for endpoint in scene.plan.endpoints.clone() {
                let says = if endpoint.has_ampls_record() { says } else { &PUBLIC };
                scene = scene.says(CUSTOM, &endpoint.fqdn, says).says(AZURE, &endpoint.fqdn, says);
                scene = scene.system(&endpoint.fqdn, says);
            }
            let zone = if *says == PRIVATE { Says::PrivateZone } else { Says::PublicZone };
            for name in ZONES {
                scene = scene.zone(CUSTOM, name, &zone).zone(AZURE, name, &zone);
            }
            scene
        }

        fn hear(mut self, server: &str, name: &str, kind: RecordKind, purpose: Purpose, says: &Says) -> Self {
            let server = server.parse().expect("a server");
            self.answers.retain(|known| (known.server, &*known.name, known.kind) != (server, name, kind));
            let outcome = says.answer(name, kind);
            let (name, timing) = (name.to_owned(), Timing::default());
            self.answers.push(Answer { server, name, kind, try_number: 0, purpose, timing, outcome });
            self
        }

        fn says(self, server: &str, name: &str, says: &Says) -> Self {
            self.hear(server, name, RecordKind::A, Purpose::Name, says)
        }

        fn zone(self, server: &str, zone: &str, says: &Says) -> Self {
            self.hear(server, zone, RecordKind::Soa, Purpose::Name, says)
        }

        fn system(mut self, name: &str, says: &Says) -> Self {
            self.lookups.retain(|known| known.name != name);
            let outcome = says.lookup();
            self.lookups.push(Lookup { name: name.to_owned(), timing: Timing::default(), outcome });
            self
        }

        fn asked(&self, round: fn(&Plan, &Options, &Heard<'_>) -> Vec<Step>) -> Vec<String> {
            let heard =
                Heard { servers: &self.servers, edns0: self.edns0, lookups: &self.lookups, answers: &self.answers };
            let word = |step: &Step| match step {
                Step::Ask { server, name, kind, try_number, purpose } => {
                    format!("{server} {name} {kind:?} {try_number} {purpose:?}")
                }
                other => format!("{other:?}"),
            };
            round(&self.plan, &self.options, &heard).iter().map(word).collect()
        }

        fn open(&self) -> Vec<String> {
            self.asked(open_questions)
        }

        fn records(&self) -> Vec<String> {
            self.asked(records)
        }
    }

    #[test]
    fn a_healthy_network_leaves_nothing_open() {
        for says in [PRIVATE, PUBLIC] {
            let scene = Scene::new(&says);
            assert_eq!((scene.open(), scene.records()), (Vec::new(), Vec::new()), "{says:?}");
        }
    }

    #[test]
    fn an_answer_that_differs_from_the_systems_is_asked_for_again() {
        let scene = Scene::new(&PRIVATE).system(ODS, &PUBLIC);
        assert_eq!(scene.open(), [format!("{CUSTOM} {ODS} A 1 Name")]);
        let once = Scene { options: Options { repeat: 1, ..scene.options.clone() }, ..scene };
        assert_eq!(once.open(), Vec::<String>::new());
    }

    #[test]
    fn names_of_a_zone_that_differ_are_asked_for_again_where_they_do() {
        let asked = Scene::new(&PRIVATE).says(CUSTOM, API, &PUBLIC).system(API, &PUBLIC).open();
        assert!(asked.contains(&format!("{CUSTOM} {HANDLER} A 1 Name")), "{asked:?}");
        assert!(!asked.iter().any(|line| line.starts_with(AZURE) || line.contains(ODS)), "{asked:?}");
    }

    #[test]
    fn what_fails_is_asked_for_again_and_once_why() {
        let failing = Scene::new(&PRIVATE).says(CUSTOM, ODS, &Says::ServFail).says(CUSTOM, OMS, &Says::ServFail);
        let asked = failing.open();
        let why: Vec<&String> =
            asked.iter().filter(|line| line.ends_with("Unchecked") || line.ends_with("Reason")).collect();
        assert_eq!(why.len(), 2, "{asked:?}");
        assert!(asked.contains(&format!("{CUSTOM} {ODS} A 1 Name")), "{asked:?}");
        // One that fails for every name does so for a reason that lasts.
        let mut all = Scene::new(&PRIVATE);
        for endpoint in all.plan.endpoints.clone() {
            all = all.says(CUSTOM, &endpoint.fqdn, &Says::ServFail);
        }
        assert!(!all.open().iter().any(|line| line.ends_with("1 Name")), "{:?}", all.open());
    }

    #[test]
    fn silence_is_asked_about_without_edns_where_the_machine_has_it() {
        let scene = Scene::new(&PRIVATE).says(CUSTOM, ODS, &Says::Silence);
        assert!(!scene.open().iter().any(|line| line.ends_with("WithoutEdns")));
        let asked = Scene { edns0: true, ..scene }.open();
        assert!(asked.contains(&format!("{CUSTOM} {ODS} A 0 WithoutEdns")), "{asked:?}");
    }

    #[test]
    fn a_server_that_answers_nothing_is_asked_with_and_without_edns_at_once() {
        let mut scene = Scene::new(&PRIVATE);
        for endpoint in scene.plan.endpoints.clone() {
            scene = scene.says(CUSTOM, &endpoint.fqdn, &Says::Silence);
        }
        for zone in ZONES {
            scene = scene.zone(CUSTOM, zone, &Says::Silence);
        }
        let asked = Scene { edns0: true, ..scene }.open();
        let of_custom: Vec<&str> = asked.iter().filter_map(|line| line.strip_prefix(CUSTOM)).collect();
        let ends = |end: &str| of_custom.iter().filter(|line| line.ends_with(end)).count();
        assert_eq!((of_custom.len(), ends("A 0 WithoutEdns"), ends("A 1 Name")), (2, 1, 1), "{asked:?}");
    }

    #[test]
    fn ipv6_addresses_are_asked_for_where_there_may_be_any() {
        let empty = Scene::new(&PRIVATE).says(CUSTOM, ODS, &Says::Withheld);
        assert!(empty.open().contains(&format!("{CUSTOM} {ODS} Aaaa 0 Name")));
        let mut dual = Scene::new(&PUBLIC);
        for lookup in dual.lookups.iter_mut().filter(|lookup| lookup.name == ODS) {
            let addresses = vec!["20.1.1.1".parse().expect("one"), "2603:1020::1".parse().expect("one")];
            lookup.outcome = Outcome::Seen(Found { addresses, canonical: None, more: 0 });
        }
        let asked = dual.open();
        assert_eq!(asked, [format!("{CUSTOM} {ODS} Aaaa 0 Name"), format!("{AZURE} {ODS} Aaaa 0 Name")]);
    }

    #[test]
    fn a_name_out_of_a_file_is_asked_for_its_ipv6_addresses() {
        let mut scene = Scene::new(&PRIVATE);
        for lookup in scene.lookups.iter_mut().filter(|lookup| lookup.name != ODS) {
            let Outcome::Seen(found) = &mut lookup.outcome else { continue };
            found.canonical = Some(alias(&lookup.name));
        }
        assert_eq!(scene.open(), [format!("{CUSTOM} {ODS} Aaaa 0 Name"), format!("{AZURE} {ODS} Aaaa 0 Name")]);
    }

    #[test]
    fn azure_is_asked_for_what_another_server_invents() {
        let canary = canary(ZONES[0]);
        let scene =
            Scene::new(&PRIVATE).hear(CUSTOM, &canary, RecordKind::A, Purpose::Canary, &Says::Plain("203.0.113.80"));
        assert_eq!(scene.open(), [format!("{AZURE} {canary} A 0 Canary")]);
    }

    #[test]
    fn records_are_asked_for_where_a_name_is_not_private() {
        let record = alias(ODS);
        // The server leads the name past a zone that is linked.
        let past = Scene::new(&PRIVATE).says(CUSTOM, ODS, &PUBLIC);
        assert_eq!(
            past.records(),
            [format!("{CUSTOM} {record} A 0 Record"), format!("{CUSTOM} {record} Soa 0 Record")]
        );
        // Microsoft's public DNS holds the zone there, and something here shows a private link.
        let pinpoint = Scene::new(&PUBLIC).says(CUSTOM, HANDLER, &PRIVATE);
        assert!(pinpoint.records().contains(&format!("{CUSTOM} {record} A 0 Record")));
        assert!(!pinpoint.records().iter().any(|line| line.starts_with(AZURE)));
        // A ruleset: the zones are linked, the names are public.
        let mut ruleset = Scene::new(&PUBLIC);
        for zone in ZONES {
            ruleset = ruleset.zone(AZURE, zone, &Says::PrivateZone);
        }
        assert!(ruleset.records().contains(&format!("{AZURE} {record} A 0 Record")));
    }
}
