//! AZR002: this machine's clock is wrong.

use ampls_probes::observation::Validity;
use jiff::SignedDuration;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{ClockOffset, EndpointFacts, Facts};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

/// From here on tokens are at risk: the services allow five minutes.
/// Source: <https://learn.microsoft.com/azure/virtual-machines/linux/time-sync>
const WARNING: SignedDuration = SignedDuration::from_mins(5);
/// From here on onboarding and tokens are refused.
const ERROR: SignedDuration = SignedDuration::from_mins(15);

rule! {
    /// ## What it means
    ///
    /// The services' own answers, over verified connections, carry another time than this machine's clock. The offset is the
    /// median over all answers; half of each round trip is allowed for. It is an error from fifteen minutes on.
    ///
    /// A clock that is wrong by so much that no certificate is valid leaves no verified answer: then TLS004 on all names
    /// points to the clock.
    ///
    /// ## Why it matters
    ///
    /// Tokens and signatures carry times. Services refuse them when they seem expired or not yet valid (`Lifetime validation
    /// failed. The token is expired.`, 403 at onboarding), and records get wrong times.
    ///
    /// ## How to fix
    ///
    /// Repair time synchronisation: on Azure VMs the host's clock is the source (`/dev/ptp_hyperv` with chrony, the Hyper-V
    /// provider of the Windows time service); on premises the servers of the network. Then set the clock once.
    ///
    /// ## How to confirm
    ///
    /// `chronyc tracking` (Linux) or `w32tm /query /status` (Windows) shows a small offset, and this finding is gone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/time-sync>
    /// - <https://learn.microsoft.com/azure/virtual-machines/windows/time-sync>
    /// - <https://www.rfc-editor.org/rfc/rfc9110>
    AZR002 = "clock-skew" {
        layer: Http,
        severity: Warning,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS004"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    draft(facts).into_iter().collect()
}

fn severity(certain: SignedDuration) -> Option<Severity> {
    match certain {
        certain if certain >= ERROR => Some(Severity::Error),
        certain if certain >= WARNING => Some(Severity::Warning),
        _ => None,
    }
}

fn draft(facts: &Facts<'_>) -> Option<Draft> {
    let offset = facts.clock_offset()?;
    // What the error leaves for certain.
    let severity = severity(offset.ahead.abs().checked_sub(offset.error)?)?;
    let direction = if offset.ahead.is_negative() { "behind" } else { "ahead" };
    let amount = spoken(offset.ahead);
    let all = facts.clock_offsets();
    let windows = facts.on_windows();
    Some(
        Draft::new(severity, Owner::Os, Title::plain(format!("this machine's clock is {amount} {direction}")))
            .summary(format!(
                "the median over {} verified answers puts this machine's clock {amount} {direction}; tokens and signatures are refused when clocks differ",
                all.len()
            ))
            .evidence(all.iter().take(3).map(|one| line(facts, one)))
            .arg("ahead_s", offset.ahead.as_secs().to_string())
            .arg("uncertain_ms", offset.error.as_millis().to_string())
            .arg("answers", all.len().to_string())
            .excludes("a service whose clock is wrong: the answers of different services agree in the median")
            .reaching(Reach::Only(made_valid(facts, &offset)))
            .fix([remedy::local::show_clock(windows), remedy::local::set_clock(windows)]),
    )
}

fn line(facts: &Facts<'_>, offset: &ClockOffset) -> String {
    let when = facts.endpoint(&offset.fqdn).and_then(|name| name.exchange).map(|seen| facts.when(&seen.timing));
    let direction = if offset.ahead.is_negative() { "behind" } else { "ahead" };
    format!(
        "{} `{}` answered with a `Date` that puts this machine {} {direction} (±{} ms)",
        when.unwrap_or_default(),
        offset.fqdn,
        spoken(offset.ahead),
        offset.error.as_millis()
    )
}

/// Names whose certificates would be valid by the right time.
fn made_valid(facts: &Facts<'_>, offset: &ClockOffset) -> Vec<String> {
    let names = facts.endpoints().iter().filter(|name| valid_by_the_right_time(facts, name, offset));
    names.map(|name| name.fqdn().to_owned()).collect()
}

fn valid_by_the_right_time(facts: &Facts<'_>, name: &EndpointFacts<'_>, offset: &ClockOffset) -> bool {
    let Some(handshake) = name.handshake else {
        return false;
    };
    let outside = handshake.verification.as_ref().is_some_and(|seen| seen.validity != Validity::Valid);
    let Ok(right) = facts.at(&handshake.timing).checked_sub(offset.ahead) else {
        return false;
    };
    let leaf = name.leaf();
    let span = leaf.and_then(|leaf| leaf.not_before).zip(leaf.and_then(|leaf| leaf.not_after));
    outside && span.is_some_and(|(from, until)| (from..=until).contains(&right))
}

/// `7 min`, `3 h 20 min`, `12 days`.
fn spoken(amount: SignedDuration) -> String {
    let minutes = amount.abs().as_secs().saturating_add(30) / 60;
    match (minutes / 1_440, minutes / 60, minutes) {
        (days, ..) if days >= 2 => format!("{days} days"),
        (_, hours, _) if hours >= 1 && minutes % 60 == 0 => format!("{hours} h"),
        (_, hours, _) if hours >= 1 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AGENTSVC, HANDLER, ODS, OMS, Scene, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    /// A machine whose clock is ahead of all services by so many seconds.
    fn ahead(seconds: i64) -> Scene {
        [HANDLER, ODS, OMS, AGENTSVC].into_iter().fold(private_world(), |scene, name| dated(scene, name, seconds))
    }

    fn dated(scene: Scene, name: &str, seconds: i64) -> Scene {
        let body = if name == HANDLER { "Healthy" } else { "" };
        let scene = says_http(scene, name, 200, body);
        let seen = scene.observations();
        let response = seen.seen.iter().find_map(|seen| match seen {
            ampls_probes::Observation::Exchange(exchange) if exchange.endpoint == name => {
                exchange.outcome.seen().cloned()
            }
            _ => None,
        });
        let mut response = response.expect("an answer");
        response.date = response.received_at.checked_sub(SignedDuration::from_secs(seconds)).ok();
        scene.http(name, ampls_probes::observation::Outcome::Seen(response))
    }

    #[test]
    fn fires_over_five_and_over_fifteen_minutes_in_both_directions() {
        for (seconds, severity) in
            [(360, Severity::Warning), (-360, Severity::Warning), (960, Severity::Error), (-960, Severity::Error)]
        {
            let found = drafts(&AZR002, &ahead(seconds));
            assert_eq!((found.len(), found[0].severity), (1, severity), "{seconds}");
            let said = if seconds > 0 { "ahead" } else { "behind" };
            assert!(found[0].title.text().ends_with(said), "{}", found[0].title.text());
        }
    }

    #[test]
    fn fires_from_five_and_from_fifteen_minutes_on() {
        let milliseconds = |amount: SignedDuration, more| severity(amount + SignedDuration::from_millis(more));
        assert_eq!((milliseconds(WARNING, -1), milliseconds(WARNING, 0)), (None, Some(Severity::Warning)));
        assert_eq!((milliseconds(ERROR, -1), milliseconds(ERROR, 0)), (Some(Severity::Warning), Some(Severity::Error)));
    }

    #[test]
    fn fires_at_six_minutes() {
        assert_eq!(fires_as_declared(&AZR002, &ahead(360)).len(), 1);
    }

    #[test]
    fn fires_by_the_median_not_by_one_odd_answer() {
        assert_eq!(drafts(&AZR002, &dated(private_world(), ODS, 7_200)), []);
        assert_eq!(drafts(&AZR002, &dated(ahead(1_200), ODS, 0)).len(), 1);
    }

    #[test]
    fn fires_and_explains_certificates_that_the_right_time_makes_valid() {
        let mut tls = Tls::good(OMS).verdict(|seen| seen.validity = Validity::NotYetValid);
        let start = private_world().observations().started_at;
        tls.chain[0].not_before = start.checked_add(SignedDuration::from_hours(1)).ok();
        let found = diagnose(&ahead(-86_400).tls(OMS, tls.clone()).observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("AZR002", None), ("TLS004", Some("AZR002"))]);
        let found = diagnose(&ahead(-1_200).tls(OMS, tls).observations());
        assert!(found.iter().all(|seen| seen.caused_by.is_none()), "twenty minutes do not explain it");
    }

    #[test]
    fn silent_within_five_minutes_and_without_verified_answers() {
        for seconds in [0, 299, -299] {
            assert_eq!(drafts(&AZR002, &ahead(seconds)), [], "{seconds}");
        }
        let foreign = [HANDLER, ODS, OMS, AGENTSVC]
            .into_iter()
            .fold(ahead(7_200), |scene, name| scene.tls(name, Tls::intercepted(name, "CN=X", false)));
        assert_eq!(drafts(&AZR002, &foreign), []);
    }
}
