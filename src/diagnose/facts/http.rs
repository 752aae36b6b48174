//! What an HTTP answer over a verified connection means.

use std::fmt::Write as _;
use std::sync::LazyLock;

use ampls_probes::azure::is_redirect_target;
use ampls_probes::catalogue::refusals::{AnswerCause, Refusals};
use ampls_probes::endpoint::Expectation;
use ampls_probes::observation::{Exchange, HttpFailure, HttpResponse};
use url::Url;

use super::evidence::{elapsed, io};
use super::{EndpointFacts, Facts, Outcome};
use crate::text::{escape, quote};

/// A fault of an HTTP answer; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HttpFault {
    /// The service refuses by network isolation.
    DeniedByScope,
    /// A data collection endpoint has to be used.
    EndpointRequired,
    /// 5xx of the service.
    ServiceError,
    /// `/ping` of a handler does not say `Healthy`.
    NotHealthy,
    /// A page for people.
    Page,
    /// A redirect to somebody else.
    RedirectElsewhere,
    /// Silence, a close or garbage.
    NoAnswer,
}

/// Read once: every answer is compared with them.
static REFUSALS: LazyLock<Option<Refusals>> = LazyLock::new(|| Refusals::builtin().ok());
/// The status and code of the control service's answer that names the associated data collection endpoint.
const MISDIRECTED: (u16, &str) = (421, "MisdirectedAgentRequest");
/// What a handler's `/ping` says.
const HEALTHY: &str = "Healthy";

impl EndpointFacts<'_> {
    /// What is wrong with the answer; `None` when there is none to judge, or when it shows that the service was reached.
    pub fn http_fault(&self) -> Option<HttpFault> {
        match &self.exchange?.outcome {
            Outcome::Seen(response) => self.of_response(response),
            Outcome::Failed(_) | Outcome::TimedOut => Some(HttpFault::NoAnswer),
            Outcome::Cancelled | Outcome::Skipped(_) => None,
        }
    }

    /// The answer, if one came.
    pub fn response(&self) -> Option<&HttpResponse> {
        self.exchange.and_then(|exchange| exchange.outcome.seen())
    }

    /// What the text of a refusal proves.
    pub fn refusal(&self) -> Option<AnswerCause> {
        self.response().and_then(refusal)
    }

    fn of_response(&self, response: &HttpResponse) -> Option<HttpFault> {
        match refusal(response) {
            Some(AnswerCause::EndpointRequired) => return Some(HttpFault::EndpointRequired),
            Some(AnswerCause::Closed | AnswerCause::OutsideScope | AnswerCause::Perimeter) => {
                return Some(HttpFault::DeniedByScope);
            }
            None => {}
        }
        if response.status == MISDIRECTED.0
            && (response.config_endpoint.is_some() || says(&response.body, MISDIRECTED.1))
        {
            return None;
        }
        if response.status >= 500 {
            return Some(HttpFault::ServiceError);
        }
        // The service refuses a request without credentials with an empty answer.
        let bare = matches!(response.status, 401 | 403 | 404) && response.body.trim().is_empty();
        if self.endpoint.path == "/ping" && !bare && (response.status != 200 || response.body.trim() != HEALTHY) {
            return Some(HttpFault::NotHealthy);
        }
        let redirected = (300..400).contains(&response.status)
            && response.location.as_deref().is_some_and(|to| elsewhere(to, self.fqdn()));
        if redirected {
            return Some(HttpFault::RedirectElsewhere);
        }
        // Portals and sign-in answer with pages, and error pages of the web server itself come with 4xx.
        let page = (200..300).contains(&response.status) && is_page(response);
        (page && self.endpoint.expected != Expectation::Public).then_some(HttpFault::Page)
    }
}

impl Facts<'_> {
    /// How a request ended.
    pub fn exchange_line(&self, name: &EndpointFacts<'_>, exchange: &Exchange) -> String {
        let when = self.when(&exchange.timing);
        let asked = format!("`GET https://{}{}`", name.fqdn(), exchange.path);
        let what = match &exchange.outcome {
            Outcome::Seen(response) => answer(response),
            Outcome::TimedOut => format!("got no answer within {}", elapsed(&exchange.timing)),
            Outcome::Failed(HttpFailure::Closed(failure)) => format!("got no answer: the peer {}", io(*failure)),
            Outcome::Failed(HttpFailure::Malformed) => "was answered with something that is not HTTP".to_owned(),
            Outcome::Failed(HttpFailure::HeadTooLarge) => "was answered with headers without end".to_owned(),
            Outcome::Cancelled => "had no answer when the run ended".to_owned(),
            Outcome::Skipped(_) => "was not sent".to_owned(),
        };
        format!("{when} {asked} {what}")
    }
}

fn refusal(response: &HttpResponse) -> Option<AnswerCause> {
    let known = REFUSALS.as_ref().filter(|_| response.status >= 400)?;
    known.answer(&response.body)
}

fn answer(response: &HttpResponse) -> String {
    let mut line = format!("was answered `{}`", response.status);
    let parts = [
        ("server", &response.server),
        ("type", &response.content_type),
        ("location", &response.location),
        ("associated endpoint", &response.config_endpoint),
        ("via", &response.via),
        ("request id", &response.request_id),
    ];
    for (what, value) in parts {
        if let Some(value) = value {
            let _ = write!(line, ", {what} {}", quote(value));
        }
    }
    let body = response.body.trim();
    if body.is_empty() {
        line.push_str(", empty body");
    } else {
        let _ = write!(line, ", body `{}`", escape(body, 160));
    }
    line
}

/// The code stands in the text as a word of its own.
fn says(body: &str, code: &str) -> bool {
    body.match_indices(code).any(|(at, _)| {
        let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let before = body.get(..at).and_then(|rest| rest.chars().next_back());
        let after = body.get(at + code.len()..).and_then(|rest| rest.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn is_page(response: &HttpResponse) -> bool {
    let html = response.content_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
    let start: String = response.body.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    html || start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// A target that is neither the same host nor one of Microsoft's; what is not a URL is no service's.
fn elsewhere(location: &str, fqdn: &str) -> bool {
    let own = Url::parse(&format!("https://{fqdn}/"));
    let Ok(target) = own.and_then(|own| own.join(location)) else {
        return true;
    };
    let host = target.host_str().unwrap_or_default().trim_end_matches('.');
    host != fqdn && !is_redirect_target(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_word_of_its_own() {
        assert!(says(r#"{"code":"MisdirectedAgentRequest","message":"…"}"#, MISDIRECTED.1));
        assert!(!says("MisdirectedAgentRequests", MISDIRECTED.1));
        assert!(!says("xMisdirectedAgentRequest", MISDIRECTED.1));
    }

    #[test]
    fn a_redirect_leads_elsewhere_when_the_host_is_neither_the_same_nor_microsofts() {
        for own in [
            "/login",
            "?x",
            "https://api.monitor.azure.com:443/x",
            "https://login.microsoftonline.com/",
            "//portal.azure.com/",
            "HTTPS://API.Monitor.Azure.com./x",
        ] {
            assert!(!elsewhere(own, "api.monitor.azure.com"), "{own}");
        }
        for other in [
            "http://10.0.0.1/block",
            "https://notazure.com/",
            "https://azure.com.evil.example/",
            "https://azure.com@evil.example/",
            "\\\\evil.example/",
            "/\\evil.example/",
            "mailto:nobody@evil.example",
            "https://[evil/",
        ] {
            assert!(elsewhere(other, "api.monitor.azure.com"), "{other}");
        }
    }
}
