//! Whether a rule could be judged at all: a test that was not made is no test that passed.

use crate::diagnose::facts::{Status, View};
use crate::diagnose::levels::Level;
use crate::diagnose::rule::{Layer, Rule};
use crate::report::{EndpointReport, Report, StepOutcome, TcpReport};
use ampls_probes::observation::{SourceName, SourceOutcome};

/// Why nothing can be said of a rule that found nothing; `None` where what it looks at was seen.
pub(super) fn unjudged(report: &Report, rule: &Rule) -> Option<String> {
    if report.run.rules.of(rule.code) == Some(Level::Off) {
        return Some("switched off with --rule".to_owned());
    }
    let any = |seen: fn(&EndpointReport) -> bool| report.endpoints.iter().any(seen);
    let (judged, why) = match rule.layer {
        Layer::Metadata => (report.host.azure.is_some(), "the metadata service gave nothing"),
        Layer::Dns => (any(|endpoint| endpoint.views.iter().any(answered)), "no DNS server answered"),
        Layer::Tcp => (any(|endpoint| endpoint.tcp.iter().flatten().any(tried)), "no connection was tried"),
        Layer::Tls => (any(|endpoint| endpoint.tls.is_some()), "no TLS handshake was made"),
        Layer::Http => (any(|endpoint| endpoint.http.is_some()), "no HTTP request was sent"),
        Layer::Proxy => (!report.proxies.is_empty(), "no proxy is set"),
        Layer::Agent => return missing(report, SourceName::Agents, report.agents.is_empty(), "no agent is installed"),
        Layer::Browser => {
            return missing(report, SourceName::Browsers, report.browsers.is_empty(), "no browser is set up");
        }
        Layer::Run => (true, ""),
    };
    (!judged).then(|| why.to_owned())
}

/// Why there is nothing of this source: it was not looked at, or it holds nothing.
fn missing(report: &Report, source: SourceName, empty: bool, nothing: &str) -> Option<String> {
    if !empty {
        return None;
    }
    let looked = report.sources.iter().find(|looked| looked.source == source);
    let because = looked.filter(|looked| !matches!(looked.outcome, SourceOutcome::Seen | SourceOutcome::Absent));
    Some(because.and_then(|looked| looked.because.clone()).unwrap_or_else(|| nothing.to_owned()))
}

fn answered(view: &View) -> bool {
    !matches!(view.status, Status::Timeout | Status::Unreachable | Status::Failed | Status::Cancelled | Status::Skipped)
}

fn tried(tcp: &TcpReport) -> bool {
    !matches!(tcp.outcome, StepOutcome::Skipped | StepOutcome::Cancelled)
}
