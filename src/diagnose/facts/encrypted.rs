//! What the resolvers answer that browsers and the system ask encrypted (`--view encrypted`).

use ampls_probes::observation::{
    Answer, BrowserSetting, DnsFailure, EncryptedAnswer, EncryptedFailure, EncryptedView, IoFailure, Observation,
    Outcome, Purpose, RecordKind,
};

use super::{Endpoint, EndpointFacts, Facts, SocketAddr, View, ViewKind};
use crate::text::{list, quote};

/// Names and addresses of one line; the rest is counted.
const NAMED: usize = 3;

/// What the resolvers of one user were heard to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Names that they give public addresses, or none, and that are private here.
    pub astray: Vec<String>,
    /// Names that they give private addresses.
    pub private: Vec<String>,
    /// Names that were answered.
    pub answered: usize,
    /// Resolvers that were to be asked and gave no answer.
    pub silent: usize,
    /// What was heard, a line a resolver.
    pub lines: Vec<String>,
}

impl Answers {
    /// Some name leads past the private link there.
    pub fn leads_past(&self) -> bool {
        !self.astray.is_empty()
    }

    /// Every name that was answered has private addresses there.
    pub fn is_private(&self) -> bool {
        self.answered > 0 && self.private.len() == self.answered
    }

    /// None of the resolvers answered.
    pub fn is_silent(&self) -> bool {
        self.silent > 0 && self.answered == 0
    }
}

impl<'a> Facts<'a> {
    fn encrypted(&self) -> impl Iterator<Item = &'a EncryptedView> {
        self.observations().seen.iter().filter_map(|seen| match seen {
            Observation::EncryptedView(view) => Some(view),
            _ => None,
        })
    }

    /// The views of a name by resolvers that are asked encrypted, and answered.
    pub(super) fn encrypted_views(&self, endpoint: &Endpoint) -> Vec<View> {
        self.encrypted().filter_map(|seen| self.encrypted_view(seen, &endpoint.fqdn)).collect()
    }

    fn encrypted_view(&self, seen: &EncryptedView, name: &str) -> Option<View> {
        let server = seen.address?;
        let answers = seen.answers().iter().filter(|answer| answer.name == name);
        let answers: Vec<Answer> = answers.map(|answer| plain(answer, server)).collect();
        if answers.is_empty() {
            return None;
        }
        let of = |kind: RecordKind| answers.iter().filter(|answer| answer.kind == kind).collect::<Vec<_>>();
        Some(self.view_from(ViewKind::Encrypted, server, name, &of(RecordKind::A), &of(RecordKind::Aaaa)))
    }

    /// What the resolvers of a browser answer for the names that it asks them.
    pub fn answers_to_browser(&self, setting: &BrowserSetting, names: &[&EndpointFacts<'_>]) -> Answers {
        let is_its_own = |seen: &EncryptedView| {
            let templates = setting.template.as_deref();
            seen.browsers.contains(&setting.id)
                && templates.is_none_or(|templates| templates.split_whitespace().any(|one| one == seen.url))
        };
        self.answers_of(is_its_own, names)
    }

    /// What the resolvers of a service of the system answer.
    pub fn answers_to_service(&self, service: &str) -> Answers {
        let names: Vec<&EndpointFacts<'_>> = self.ampls_endpoints().collect();
        self.answers_of(|seen| seen.services.iter().any(|name| name == service), &names)
    }

    fn answers_of(&self, is_asked: impl Fn(&EncryptedView) -> bool, names: &[&EndpointFacts<'_>]) -> Answers {
        let here: Vec<&str> = self.private_here().map(EndpointFacts::fqdn).collect();
        let mut found = Answers::default();
        for seen in self.encrypted().filter(|seen| is_asked(seen)) {
            if !seen.answered() {
                found.silent += 1;
                found.lines.push(unheard(seen));
                continue;
            }
            let views = names.iter().filter_map(|name| Some((name.fqdn(), self.encrypted_view(seen, name.fqdn())?)));
            for (name, view) in views.filter(|(_, view)| view.answered()) {
                let (name, private) = (name.to_owned(), view.is_private());
                found.answered += 1;
                if private {
                    found.private.push(name.clone());
                }
                let addresses: Vec<String> = view.addresses.iter().map(ToString::to_string).collect();
                let what = if addresses.is_empty() {
                    "with no address".to_owned()
                } else {
                    format!("with {}", list(&addresses, NAMED))
                };
                found.lines.push(format!("{} answers {} {what}", quote(&seen.url), quote(&name)));
                if !private && here.contains(&name.as_str()) {
                    found.astray.push(name);
                }
            }
        }
        found
    }
}

/// The answer as one of plain DNS, which is looked at in the same way.
fn plain(answer: &EncryptedAnswer, server: SocketAddr) -> Answer {
    let outcome = match &answer.outcome {
        Outcome::Seen(response) => Outcome::Seen(response.clone()),
        Outcome::Failed(EncryptedFailure::Malformed | EncryptedFailure::Status(_)) => {
            Outcome::Failed(DnsFailure::Malformed)
        }
        Outcome::Failed(_) => Outcome::Failed(DnsFailure::Unreachable(IoFailure::Closed)),
        Outcome::TimedOut => Outcome::TimedOut,
        Outcome::Cancelled => Outcome::Cancelled,
        Outcome::Skipped(why) => Outcome::Skipped(why.clone()),
    };
    let (name, kind, timing) = (answer.name.clone(), answer.kind, answer.timing);
    Answer { server, name, kind, try_number: 0, purpose: Purpose::Name, timing, outcome }
}

/// Why nothing was heard of a resolver.
fn unheard(seen: &EncryptedView) -> String {
    let first = seen.answers().first().map(|answer| &answer.outcome);
    let failure = match (&seen.outcome, first) {
        (Outcome::Failed(failure), _) | (_, Some(Outcome::Failed(failure))) => said(failure),
        (Outcome::TimedOut, _) | (_, Some(Outcome::TimedOut)) => "does not answer".to_owned(),
        (Outcome::Seen(_), None) => "is asked for none of the names that many customers share".to_owned(),
        _ => "had not answered when the run ended".to_owned(),
    };
    format!("{} {failure}", quote(&seen.url))
}

fn said(failure: &EncryptedFailure) -> String {
    match failure {
        EncryptedFailure::Unknown => "was not asked: the settings do not say where it is".to_owned(),
        EncryptedFailure::NoAddress => "has no address here".to_owned(),
        EncryptedFailure::Connect(_) => "cannot be connected to".to_owned(),
        EncryptedFailure::Tls(_) => "ends the handshake".to_owned(),
        EncryptedFailure::NotVerified => "was not asked: this machine does not trust its certificate".to_owned(),
        EncryptedFailure::Closed(_) => "closes the connection without an answer".to_owned(),
        EncryptedFailure::Http(_) => "gives no HTTP answer".to_owned(),
        EncryptedFailure::Status(status) => format!("answers with status {status}"),
        EncryptedFailure::Malformed => "answers with something other than DNS".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{CUSTOM, ODS, Says, private_world};

    use super::super::Status;
    use super::*;

    /// A resolver of Chrome's that was heard, or was not.
    fn resolver(outcome: Outcome<Vec<EncryptedAnswer>, EncryptedFailure>) -> EncryptedView {
        let seen = private_world().observations();
        let timing = seen.seen.iter().find_map(|step| match step {
            Observation::Answer(answer) => Some(answer.timing),
            _ => None,
        });
        EncryptedView {
            url: "https://dns.example/dns-query".to_owned(),
            browsers: vec!["chrome".to_owned()],
            services: Vec::new(),
            protocol: None,
            address: CUSTOM.parse().ok(),
            timing: timing.expect("an answer"),
            outcome,
        }
    }

    fn answers(kinds: &[(RecordKind, Option<EncryptedFailure>)]) -> Vec<EncryptedAnswer> {
        let seen = private_world().observations();
        let known = |kind| {
            let found = seen.seen.iter().find_map(|step| match step {
                Observation::Answer(answer) if answer.name == ODS && answer.kind == kind => Some(answer.clone()),
                _ => None,
            });
            found.expect("the name was asked for")
        };
        let answer = |(kind, failure): &(RecordKind, Option<EncryptedFailure>)| {
            let plain = known(*kind);
            let seen = || Outcome::Seen(plain.outcome.seen().expect("it was answered").clone());
            let outcome = failure.clone().map_or_else(seen, Outcome::Failed);
            EncryptedAnswer { name: ODS.to_owned(), kind: *kind, timing: plain.timing, outcome }
        };
        kinds.iter().map(answer).collect()
    }

    #[test]
    fn an_ipv4_address_is_looked_at_as_that_of_plain_dns_whatever_became_of_ipv6() {
        let answers = answers(&[(RecordKind::A, None), (RecordKind::Aaaa, Some(EncryptedFailure::Malformed))]);
        let mut seen = private_world().observations();
        seen.seen.push(Observation::EncryptedView(resolver(Outcome::Seen(answers))));
        let facts = Facts::new(&seen);
        let name = facts.endpoint(ODS).expect("it was planned");
        let [view] = name.encrypted.as_slice() else { panic!("{:?}", name.encrypted) };
        let plain = name.view_of(CUSTOM.parse().expect("an address")).expect("the server was asked");
        assert_eq!((view.status, view.route, &view.addresses), (Status::Ok, plain.route, &plain.addresses));
    }

    #[test]
    fn whose_zone_denies_is_told_by_the_question_for_ipv4() {
        let of = |says: &Says, kind| {
            let seen = private_world().says(CUSTOM, ODS, says).observations();
            let found = seen.seen.iter().find_map(|step| match step {
                Observation::Answer(it) if it.name == ODS && it.kind == kind && it.server.to_string() == CUSTOM => {
                    Some(it.clone())
                }
                _ => None,
            });
            let plain = found.expect("the name was asked for");
            let outcome = Outcome::Seen(plain.outcome.seen().expect("it was answered").clone());
            EncryptedAnswer { name: ODS.to_owned(), kind, timing: plain.timing, outcome }
        };
        let denied = vec![of(&Says::DeniedByPrivateZone, RecordKind::A), of(&Says::NoData, RecordKind::Aaaa)];
        let mut seen = private_world().observations();
        seen.seen.push(Observation::EncryptedView(resolver(Outcome::Seen(denied))));
        let facts = Facts::new(&seen);
        let view = &facts.endpoint(ODS).expect("it was planned").encrypted[0];
        assert!(facts.denied_by_private_zone(view), "{view:?}");
    }

    #[test]
    fn why_nothing_was_heard_is_told() {
        let refused = answers(&[(RecordKind::A, Some(EncryptedFailure::Status(403)))]);
        let table = [
            (Outcome::Failed(EncryptedFailure::NoAddress), "has no address here"),
            (Outcome::Seen(refused), "answers with status 403"),
            (Outcome::TimedOut, "does not answer"),
            (Outcome::Seen(Vec::new()), "is asked for none of the names that many customers share"),
            (Outcome::Cancelled, "had not answered when the run ended"),
        ];
        for (outcome, said) in table {
            assert_eq!(unheard(&resolver(outcome)), format!("`https://dns.example/dns-query` {said}"));
        }
    }
}
