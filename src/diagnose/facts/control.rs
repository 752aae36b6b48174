//! What the control service answered to this machine's own identity.

use ampls_probes::observation::{
    Control, ControlFailure, ControlQuestion, ControlReply, ControlRequest, Observation, TokenFailure,
};

use super::{Facts, Outcome};
use crate::text::{list, quote};

/// The code of a refusal for want of an associated data collection endpoint.
const NO_ENDPOINT: &str = "InvalidAccess";
/// Rules and hosts named in one line; the rest is counted.
const NAMED: usize = 3;

/// The dialogue, as far as it came.
pub struct Dialogue<'a> {
    /// The last question about rules that was answered.
    pub last: &'a ControlRequest,
    /// Its answer.
    pub reply: &'a ControlReply,
}

impl Dialogue<'_> {
    /// Refused: over a private link an endpoint has to be used, and none is associated.
    pub fn lacks_endpoint(&self) -> bool {
        self.reply.status == 403 && self.reply.code.as_deref() == Some(NO_ENDPOINT)
    }

    /// No rule is associated with this machine.
    pub fn lacks_rules(&self) -> bool {
        self.reply.status == 200 && self.reply.rules.is_empty()
    }
}

impl<'a> Facts<'a> {
    /// The control service, where it was asked.
    pub fn control(&self) -> Option<&'a Control> {
        control(self.observations())
    }

    /// How the dialogue about rules ended, where the last question was answered.
    pub fn dialogue(&self) -> Option<Dialogue<'a>> {
        let last = self.control()?.asked.iter().rev().find(|request| request.about == ControlQuestion::Rules)?;
        Some(Dialogue { last, reply: last.outcome.seen()? })
    }

    /// The agent gets no rules for want of an identity, or because the service refuses: an endpoint would not help.
    pub fn is_refused_rules(&self) -> bool {
        let no_identity = |control: &Control| {
            matches!(control.token, Outcome::Failed(TokenFailure::NoIdentity | TokenFailure::SeveralIdentities))
        };
        self.control().is_some_and(no_identity)
            || self.dialogue().is_some_and(|dialogue| dialogue.reply.refuses() && !dialogue.lacks_endpoint())
    }

    /// One question to the control service, and what came of it.
    pub fn control_line(&self, request: &ControlRequest) -> String {
        format!("{} {}; request id `{}`", self.when(&request.timing), said(request), request.request_id)
    }
}

/// Who was asked, and what came of it.
fn said(request: &ControlRequest) -> String {
    let what = match &request.outcome {
        Outcome::Seen(reply) => answer(reply),
        Outcome::TimedOut => "gave no answer in its time".to_owned(),
        Outcome::Cancelled => "had not answered when the run ended".to_owned(),
        Outcome::Failed(failure) => failed(failure).to_owned(),
        Outcome::Skipped(_) => "was not asked".to_owned(),
    };
    format!("{} {what}", quote(&request.host))
}

/// What came of the last question about rules.
pub(super) fn last_said(observations: &ampls_probes::Observations) -> Option<String> {
    let asked = &control(observations)?.asked;
    asked.iter().rev().find(|request| request.about == ControlQuestion::Rules).map(said)
}

/// The last of the observations.
pub fn control(observations: &ampls_probes::Observations) -> Option<&Control> {
    observations.seen.iter().rev().find_map(|seen| match seen {
        Observation::Control(control) => Some(control),
        _ => None,
    })
}

fn answer(reply: &ControlReply) -> String {
    let status = reply.status;
    if let Some(host) = &reply.associated {
        return format!("answered {status}: the associated endpoint is {}", quote(host));
    }
    if status == 200 {
        let rules: Vec<&str> = reply.rules.iter().map(|rule| rule.id.as_str()).collect();
        return match rules.len() {
            0 => "answered 200: no rule is associated with this machine".to_owned(),
            _ => format!("answered 200: {}", list(&rules, NAMED)),
        };
    }
    match (&reply.code, &reply.message) {
        (Some(code), Some(message)) => format!("answered {status} {}: {}", quote(code), quote(message)),
        (Some(code), None) => format!("answered {status} {}", quote(code)),
        _ => format!("answered {status}"),
    }
}

fn failed(failure: &ControlFailure) -> &'static str {
    match failure {
        ControlFailure::NoAddress => "has no address",
        ControlFailure::Connect(_) => "could not be connected to",
        ControlFailure::Proxy(_) => "could not be reached through the agent's own proxy",
        ControlFailure::NotVerified => "is not vouched for by both trust stores: no token was sent",
        ControlFailure::Http(_) => "gave no HTTP answer",
        ControlFailure::ForeignHost => "is not a host of the control service: no token was sent",
        ControlFailure::Malformed => "answered with something else than the document",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ampls_probes::observation::{HttpFailure, IoFailure, TunnelFailure};

    use super::*;

    fn reply(status: u16, code: Option<&str>, message: Option<&str>) -> ControlReply {
        let (code, message) = (code.map(str::to_owned), message.map(str::to_owned));
        ControlReply { status, code, message, request_id: None, associated: None, rules: Vec::new() }
    }

    #[test]
    fn an_answer_is_told_with_all_that_it_says() {
        assert_eq!(
            answer(&reply(403, Some("InvalidAccess"), Some("use it"))),
            "answered 403 `InvalidAccess`: `use it`"
        );
        assert_eq!(answer(&reply(403, Some("InvalidAccess"), None)), "answered 403 `InvalidAccess`");
        assert_eq!(answer(&reply(500, None, Some("oh"))), "answered 500");
        assert_eq!(answer(&reply(200, None, None)), "answered 200: no rule is associated with this machine");
    }

    #[test]
    fn every_failure_says_whether_a_token_was_sent_or_nothing_came() {
        let failures = [
            ControlFailure::NoAddress,
            ControlFailure::Connect(IoFailure::Refused),
            ControlFailure::Proxy(TunnelFailure::Status(403)),
            ControlFailure::NotVerified,
            ControlFailure::Http(HttpFailure::Malformed),
            ControlFailure::ForeignHost,
            ControlFailure::Malformed,
        ];
        let said: BTreeSet<&str> = failures.iter().map(failed).collect();
        assert_eq!(said.len(), failures.len(), "each in words of its own");
        let unsent = said.iter().filter(|said| said.ends_with("no token was sent")).count();
        assert_eq!(unsent, 2);
    }
}
