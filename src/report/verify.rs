//! How a repair is verified: the run's own arguments, and these beside them.

use std::time::Duration;

use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, Need, Origin};
use ampls_probes::observation::{ClaimSource, CloudClaim, Observation, ServerRole};

use super::{Health, Report};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Finding, Severity};

/// How long a verification waits: answers that servers and agents keep are gone by then.
const PATIENCE: Duration = Duration::from_mins(15);

/// What to add to the arguments of a run to verify a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// The arguments.
    pub words: Vec<String>,
    /// How long the run then waits at most; `None` where it looks once.
    pub waits: Option<Duration>,
}

impl Report {
    /// How to verify the repair; `None` where nothing is to be repaired. On a disk nothing changes while one waits. On the unrepaired machine the run does not succeed with them.
    pub fn verify(&self) -> Option<Verify> {
        let wait = |verdict: &str| Verify {
            words: ["--wait", verdict, "--for", &PATIENCE.as_secs().to_string()].map(str::to_owned).into(),
            waits: Some(PATIENCE),
        };
        let once = || Verify { words: ["--fail-on", "warning"].map(str::to_owned).into(), waits: None };
        match self.verdict.health {
            Health::Ok => None,
            _ if self.observations.asked.files_only => Some(once()),
            Health::Warning => Some(once()),
            Health::Error if self.is_led_wrong() => Some(wait("private")),
            Health::Error => Some(wait("healthy")),
        }
    }

    /// Whether an argument of the run decided whom it asked for what, or what it expected of the answers.
    pub fn has_arguments(&self) -> bool {
        let Observations { asked, endpoints, seen, .. } = &self.observations;
        let is_given = |claim: &CloudClaim| claim.source == ClaimSource::Argument;
        asked.expect != Expect::Auto
            || asked.files_only
            || asked.public_roots_given
            || !asked.private_ranges.is_empty()
            || !asked.expected_records.is_empty()
            || asked.clouds.iter().any(is_given)
            || endpoints.iter().any(|endpoint| endpoint.origin == Origin::Argument)
            || seen.iter().any(has_extra_server)
            // With `--proxy` the environment's proxies are not looked at.
            || !seen.iter().any(|seen| matches!(seen, Observation::ProxySettings(_)))
            || !self.run.rules.is_empty()
    }

    /// Required names that an error is about lead to public addresses and should not.
    fn is_led_wrong(&self) -> bool {
        let astray =
            self.endpoints.iter().filter(|endpoint| endpoint.need == Need::Required && self.is_astray(endpoint));
        let wrong: Vec<&str> = astray.map(|endpoint| endpoint.fqdn.as_str()).collect();
        let mut errors = self.roots().filter(|root| root.severity == Severity::Error);
        let is_about = |root: &Finding| root.endpoints.iter().any(|name| wrong.contains(&name.as_str()));
        self.verdict.route != Route::Private && errors.all(is_about)
    }
}

fn has_extra_server(seen: &Observation) -> bool {
    let Observation::Resolver(resolver) = seen else { return false };
    resolver.servers.iter().any(|server| server.roles.contains(&ServerRole::Extra))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ProxySettings, Timing};

    use super::super::examples::{healthy, mixed};
    use super::*;
    use crate::diagnose::levels::Level;

    /// A run that looked at the environment's proxies, as one without `--proxy` does.
    fn plain() -> Report {
        let mut report = healthy();
        let (timing, variables, exempt, platform) = (Timing::default(), Vec::new(), None, Vec::new());
        report.observations.seen.push(Observation::ProxySettings(ProxySettings {
            timing,
            variables,
            exempt,
            platform,
        }));
        report
    }

    #[test]
    fn nothing_is_verified_where_nothing_is_wrong() {
        assert_eq!(healthy().verify(), None);
    }

    #[test]
    fn a_wrong_route_is_verified_by_waiting_for_the_right_one() {
        let verify = mixed().verify().expect("a fault");
        assert_eq!(verify.words, ["--wait", "private", "--for", "900"]);
        assert_eq!(verify.waits, Some(Duration::from_mins(15)));
    }

    #[test]
    fn arguments_that_decided_are_seen_in_what_was_looked_at() {
        let plain = plain();
        assert!(!plain.has_arguments());
        let changes: [fn(&mut Report); 6] = [
            |report| report.observations.asked.expect = Expect::Private,
            |report| report.observations.asked.private_ranges.push("100.64.0.0/10".parse().expect("a network")),
            |report| report.observations.asked.public_roots_given = true,
            |report| report.observations.endpoints[0].origin = Origin::Argument,
            |report| report.observations.seen.retain(|seen| !matches!(seen, Observation::ProxySettings(_))),
            |report| report.run.rules = [("DNS003", Level::Off)].into_iter().collect(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut report = plain.clone();
            change(&mut report);
            assert!(report.has_arguments(), "{index}");
        }
        let mut report = plain;
        for seen in &mut report.observations.seen {
            if let Observation::Resolver(resolver) = seen {
                resolver.servers[0].roles.push(ServerRole::Extra);
            }
        }
        assert!(report.has_arguments(), "a resolver of the run's own");
    }
}
