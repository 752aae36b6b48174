//! All rules, in code order.

use super::rule::Rule;

mod dns001_no_private_route;
mod dns002_forwarder_bypasses_azure_dns;
mod dns003_zone_not_linked;
mod dns004_record_missing;
mod dns006_hosts_file_override;
mod dns008_server_silent;
mod dns009_server_fails;
mod dns012_sinkholed;
mod dns013_no_such_name;
mod net001_connect_timeout;
mod net002_connect_refused;
mod net003_no_route;
mod run001_not_finished;
mod tls001_intercepted;
mod tls002_issuer_not_trusted;
mod tls003_wrong_name;
mod tls004_not_valid_now;
mod tls006_handshake_reset;
mod tls007_handshake_stalled;
mod tls009_chain_incomplete;

/// Every diagnosis, one line a rule, in code order.
pub const RULES: &[&Rule] = &[
    &dns001_no_private_route::DNS001,
    &dns002_forwarder_bypasses_azure_dns::DNS002,
    &dns003_zone_not_linked::DNS003,
    &dns004_record_missing::DNS004,
    &dns006_hosts_file_override::DNS006,
    &dns008_server_silent::DNS008,
    &dns009_server_fails::DNS009,
    &dns012_sinkholed::DNS012,
    &dns013_no_such_name::DNS013,
    &net001_connect_timeout::NET001,
    &net002_connect_refused::NET002,
    &net003_no_route::NET003,
    &run001_not_finished::RUN001,
    &tls001_intercepted::TLS001,
    &tls002_issuer_not_trusted::TLS002,
    &tls003_wrong_name::TLS003,
    &tls004_not_valid_now::TLS004,
    &tls006_handshake_reset::TLS006,
    &tls007_handshake_stalled::TLS007,
    &tls009_chain_incomplete::TLS009,
];

/// The rule with this code.
pub fn of_code(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == code)
}

/// The rule with this code or name, in any case.
pub fn explain_page(code_or_name: &str) -> Option<&'static Rule> {
    let wanted = code_or_name.trim();
    let matches = |rule: &&&Rule| rule.code.eq_ignore_ascii_case(wanted) || rule.name.eq_ignore_ascii_case(wanted);
    RULES.iter().find(matches).copied()
}

#[cfg(test)]
pub(crate) mod tests {
    use ampls_probes::testing::Scene;

    use crate::diagnose::draft::Draft;
    use crate::diagnose::facts::Facts;
    use crate::diagnose::rule::Rule;

    /// What one rule makes of a scene.
    pub(crate) fn drafts(rule: &Rule, scene: &Scene) -> Vec<Draft> {
        (rule.check)(&Facts::new(&scene.observations()))
    }
}
