//! How a repair is verified: the run's own arguments, and these beside them.

use ampls_probes::endpoint::Need;

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
