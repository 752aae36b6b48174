//! How a repair is verified: the run's own arguments, and these beside them.

use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, Need, Origin};
use ampls_probes::observation::{ClaimSource, CloudClaim, Observation, ServerRole};

use super::{Health, Report};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Finding, Severity};

/// Answers that servers and agents keep are gone by then.
const PATIENCE: &str = "900";

impl Report {
    /// What to add to the arguments of this run to verify the repair; nothing where nothing is to be repaired, and for a
    /// disk, on which nothing changes while one waits. On the unrepaired machine the run does not succeed with them.
    pub fn verify(&self) -> Vec<String> {
        let words: &[&str] = match self.verdict.health {
            Health::Ok => &[],
            _ if self.observations.asked.files_only => &["--fail-on", "warning"],
            Health::Warning => &["--fail-on", "warning"],
            Health::Error if self.is_led_wrong() => &["--wait", "private", "--for", PATIENCE],
            Health::Error => &["--wait", "healthy", "--for", PATIENCE],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
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
    use super::super::examples::{healthy, mixed};

    #[test]
    fn nothing_is_verified_where_nothing_is_wrong() {
        assert_eq!(healthy().verify(), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_route_is_verified_by_waiting_for_the_right_one() {
        assert_eq!(mixed().verify(), ["--wait", "private", "--for", "900"]);
    }
}
