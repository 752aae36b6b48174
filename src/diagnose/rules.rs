//! All rules, in code order.

use super::rule::Rule;

mod dns001_no_private_route;
mod dns002_forwarder_bypasses_azure_dns;
mod dns003_zone_not_linked;
mod dns004_record_missing;
mod dns005_servers_disagree;
mod dns006_hosts_file_override;
mod dns007_stale_answer;
mod dns008_server_silent;
mod dns009_server_fails;
mod dns010_dns_tcp_blocked;
mod dns011_ipv6_bypass;
mod dns012_sinkholed;
mod dns013_no_such_name;
mod dns014_scopes_collide;
mod dns015_unexpected_address;
mod dns016_slow_resolution;
mod dns017_public_zone_shadowed;
mod dns019_answer_flaps;
mod dns020_forwarder_incomplete;
mod dns021_local_zone_shadows;
mod dns022_search_domain_answer;

/// Every diagnosis, one line a rule, in code order.
pub const RULES: &[&Rule] = &[
    &dns001_no_private_route::DNS001,
    &dns002_forwarder_bypasses_azure_dns::DNS002,
    &dns003_zone_not_linked::DNS003,
    &dns004_record_missing::DNS004,
    &dns005_servers_disagree::DNS005,
    &dns006_hosts_file_override::DNS006,
    &dns007_stale_answer::DNS007,
    &dns008_server_silent::DNS008,
    &dns009_server_fails::DNS009,
    &dns010_dns_tcp_blocked::DNS010,
    &dns011_ipv6_bypass::DNS011,
    &dns012_sinkholed::DNS012,
    &dns013_no_such_name::DNS013,
    &dns014_scopes_collide::DNS014,
    &dns015_unexpected_address::DNS015,
    &dns016_slow_resolution::DNS016,
    &dns017_public_zone_shadowed::DNS017,
    &dns019_answer_flaps::DNS019,
    &dns020_forwarder_incomplete::DNS020,
    &dns021_local_zone_shadows::DNS021,
    &dns022_search_domain_answer::DNS022,
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
