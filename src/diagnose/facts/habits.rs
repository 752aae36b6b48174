//! What servers do with all questions alike: whether they invent answers, withhold private ones, and why they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::{AZURE_DNS, Class};
use ampls_probes::observation::{Answer, Authority, ExtendedError, Purpose, RecordKind, Response, ResponseCode};

use super::{EndpointFacts, Facts, View};

impl<'a> Facts<'a> {
    /// The answers to questions of one purpose to one server.
    pub fn further(&self, server: SocketAddr, purpose: Purpose) -> &[&'a Answer] {
        self.further.get(&(server, purpose)).map_or(&[], Vec::as_slice)
    }

    /// Servers that have addresses for names that nobody has, or a private one for a name that is never private; with these
    /// addresses. What Azure's own DNS answers alike is in a zone, as a wildcard record is.
    pub(super) fn find_inventing(&self) -> BTreeMap<SocketAddr, BTreeSet<IpAddr>> {
        let mut inventing: BTreeMap<SocketAddr, BTreeSet<IpAddr>> = BTreeMap::new();
        for server in self.servers().iter().map(|server| server.address).filter(|server| *server != AZURE_DNS) {
            let canaries = self.further(server, Purpose::Canary).iter();
            // A block list holds whole suffixes, and what is below them.
            let blocked = |answer: &&&Answer| {
                let response = answer.outcome.seen();
                let aliases = response.map(|response| response.chain(&answer.name)).unwrap_or_default();
                let aliases: Vec<String> = aliases.into_iter().map(str::to_owned).collect();
                let given = addresses(answer);
                super::filter(&aliases, &given).is_some()
                    || given.iter().any(|address| self.class(*address) == Class::Sinkhole)
            };
            let given = canaries.filter(|answer| !blocked(answer)).flat_map(|answer| {
                let known = self.azures_canary(&answer.name);
                addresses(answer).into_iter().filter(move |address| !known.contains(address))
            });
            let made_up = |address: &IpAddr| matches!(self.class(*address), Class::Private | Class::SharedAddressSpace);
            let controls = self.further(server, Purpose::Control).iter().flat_map(|answer| addresses(answer));
            let invented: BTreeSet<IpAddr> = given.chain(controls.filter(made_up)).collect();
            if !invented.is_empty() {
                inventing.insert(server, invented);
            }
        }
        inventing
    }

    /// Azure's own DNS answered something.
    pub fn azure_answers(&self) -> bool {
        self.asked_of(AZURE_DNS).any(|(answer, _)| answer.outcome.seen().is_some())
    }

    /// What Azure's own DNS says of a name that nobody has.
    fn azures_canary(&self, name: &str) -> Vec<IpAddr> {
        let answers = self.further(AZURE_DNS, Purpose::Canary).iter();
        answers.filter(|answer| answer.name == name).flat_map(|answer| addresses(answer)).collect()
    }

    /// What a server gave for names that nobody has; `None` for a server that does not invent answers.
    pub fn invented_by(&self, server: SocketAddr) -> Option<&BTreeSet<IpAddr>> {
        self.inventing.get(&server)
    }

    /// The answers by which it shows that a server invents answers.
    pub fn inventions(&self, server: SocketAddr) -> Vec<&'a Answer> {
        let Some(invented) = self.invented_by(server) else { return Vec::new() };
        let tells = |answer: &&&Answer| addresses(answer).iter().any(|address| invented.contains(address));
        let all = [Purpose::Canary, Purpose::Control].into_iter().flat_map(|purpose| self.further(server, purpose));
        all.filter(tells).copied().collect()
    }

    /// The names whose private addresses a server withholds: it says that they exist, gives no address and nobody's authority for
    /// that, and another view has them private.
    pub fn withheld(&self, server: SocketAddr) -> Vec<&EndpointFacts<'a>> {
        self.endpoints().iter().filter(|name| self.withholds(name, server)).collect()
    }

    /// The server's answer about IPv4 addresses is neither one nor a denial that anybody signs.
    fn is_withheld(&self, name: &str, server: SocketAddr) -> bool {
        let answers = self.answers(server, name, RecordKind::A);
        let mut responses = answers.iter().filter_map(|answer| answer.outcome.seen()).peekable();
        responses.peek().is_some() && responses.all(|response| is_empty_and_unsigned(response, name))
    }

    /// Whether a server withholds the private addresses of a name.
    pub fn withholds(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> bool {
        self.is_withheld(name.fqdn(), server)
            && (name.views.iter().any(|view| view.server != Some(server) && view.is_private())
                || name.record_views().any(|(other, view)| other != server && view.is_private()))
    }

    /// Whether a view gives an address that its server made up.
    pub fn is_invented(&self, view: &View) -> bool {
        let invented = view.server.and_then(|server| self.invented_by(server));
        invented.is_some_and(|invented| view.addresses.iter().any(|address| invented.contains(address)))
    }

    /// Why a server fails, in its own words (RFC 8914), each once.
    pub fn own_words(&self, server: SocketAddr) -> Vec<&'a ExtendedError> {
        let mut words: Vec<&ExtendedError> = Vec::new();
        for error in self.failures(server).flat_map(|response| &response.extended) {
            if !words.contains(&error) {
                words.push(error);
            }
        }
        words.sort_by(|one, other| (one.code, &one.text).cmp(&(other.code, &other.text)));
        words
    }

    /// The response policy that signs answers of a server that fails.
    pub fn policy_of(&self, server: SocketAddr) -> Option<&'a Authority> {
        self.failures(server).filter_map(|response| response.policy.as_ref()).min_by_key(|policy| &policy.zone)
    }

    fn failures(&self, server: SocketAddr) -> impl Iterator<Item = &'a Response> {
        let own = self.answers_of.get(&server).into_iter().flatten().copied();
        let further =
            [Purpose::Reason, Purpose::Unchecked].into_iter().flat_map(move |it| self.further(server, it)).copied();
        let failed = |response: &&Response| !matches!(response.code, ResponseCode::NoError | ResponseCode::NxDomain);
        own.chain(further).filter_map(|answer| answer.outcome.seen()).filter(failed)
    }

    /// A question of this purpose to the server was answered with addresses or with a denial.
    pub fn answered_otherwise(&self, server: SocketAddr, purpose: Purpose) -> Option<&'a Answer> {
        let answered = |answer: &&&Answer| {
            let codes = [ResponseCode::NoError, ResponseCode::NxDomain];
            answer.outcome.seen().is_some_and(|response| codes.contains(&response.code))
        };
        self.further(server, purpose).iter().find(answered).copied()
    }

    /// The server answers from a cache: the record of a name lives shorter there than Azure's own DNS gives it.
    pub fn from_cache(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<(u32, u32)> {
        let of = |view: Option<&View>| view.filter(|view| view.is_private()).and_then(|view| view.ttl);
        let (own, azures) = (of(name.view_of(server))?, of(name.azure())?);
        (own < azures).then_some((own, azures))
    }
}

fn addresses(answer: &Answer) -> Vec<IpAddr> {
    answer.outcome.seen().map(|response| response.addresses(&answer.name)).unwrap_or_default()
}

/// No address, no denial, and no SOA of a zone that has none.
pub(super) fn is_empty_and_unsigned(response: &Response, name: &str) -> bool {
    response.code == ResponseCode::NoError && response.addresses(name).is_empty() && response.authority.is_none()
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Observation, Outcome};
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, private_world};

    use super::*;

    /// What is left of the record's life at the custom server, where it lives `whole` seconds at Azure's.
    fn cached(left: u32, whole: u32) -> Option<(u32, u32)> {
        let [custom, azure] = [CUSTOM, AZURE].map(|server| server.parse::<SocketAddr>().expect("an address"));
        let mut seen = private_world().observations();
        for step in &mut seen.seen {
            if let Observation::Answer(answer) = step
                && let Outcome::Seen(response) = &mut answer.outcome
            {
                let ttl = if answer.server == azure { whole } else { left };
                response.records.iter_mut().for_each(|record| record.ttl = ttl);
            }
        }
        let facts = Facts::new(&seen);
        facts.from_cache(facts.endpoint(ODS).expect("it was planned"), custom)
    }

    #[test]
    fn a_record_that_lives_shorter_than_at_azure_comes_from_a_cache() {
        assert_eq!(cached(3, 10), Some((3, 10)));
        assert_eq!(cached(10, 10), None);
        assert_eq!(cached(11, 10), None);
    }
}
