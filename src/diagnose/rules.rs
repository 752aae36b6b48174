//! All rules, in code order.

use super::rule::Rule;

mod agt001_agent_below_minimum;
mod agt002_no_agent;
mod agt003_agent_retired;
mod agt004_agent_not_running;
mod agt005_rule_without_endpoint;
mod agt006_two_agents;
mod agt007_workspace_not_reported_to;
mod agt008_agent_was_refused;
mod agt009_nothing_delivered;
mod azr001_metadata_silent;
mod azr002_clock_skew;
mod azr003_azure_dns_silent;
mod azr004_cloud_mismatch;
mod azr005_metadata_access_denied;
mod azr006_cloud_unknown;
mod azr007_no_rule_associated;
mod azr008_no_identity;
mod azr009_control_service_refuses;
mod brw001_secure_dns_forced;
mod brw002_secure_dns_preferred;
mod brw003_local_network_blocked;
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
mod dns018_system_encrypted_dns;
mod dns019_answer_flaps;
mod dns020_forwarder_incomplete;
mod dns021_local_zone_shadows;
mod dns022_search_domain_answer;
mod dns023_unexpected_private_route;
mod dns024_private_answers_filtered;
mod dns025_answers_invented;
mod htp001_access_denied_by_scope;
mod htp002_unexpected_answer;
mod htp003_endpoint_association_required;
mod htp004_service_error;
mod htp005_no_http_answer;
mod net001_connect_timeout;
mod net002_connect_refused;
mod net003_no_route;
mod net004_some_addresses_dead;
mod net005_no_outbound_access;
mod net006_path_mtu_black_hole;
mod prx001_proxy_takes_private_route;
mod prx002_proxy_wants_credentials;
mod prx003_proxy_unreachable;
mod prx004_proxy_refuses;
mod prx005_proxy_catches_metadata;
mod run001_not_finished;
mod run002_not_permitted;
mod run003_unexplained_failure;
mod run004_not_looked_at;
mod tls001_intercepted;
mod tls002_issuer_not_trusted;
mod tls003_wrong_name;
mod tls004_not_valid_now;
mod tls005_protocol_too_old;
mod tls006_handshake_reset;
mod tls007_handshake_stalled;
mod tls008_not_tls;
mod tls009_chain_incomplete;
mod tls010_system_tls_off;

/// Every diagnosis, one line a rule, in code order.
pub const RULES: &[&Rule] = &[
    &agt001_agent_below_minimum::AGT001,
    &agt002_no_agent::AGT002,
    &agt003_agent_retired::AGT003,
    &agt004_agent_not_running::AGT004,
    &agt005_rule_without_endpoint::AGT005,
    &agt006_two_agents::AGT006,
    &agt007_workspace_not_reported_to::AGT007,
    &agt008_agent_was_refused::AGT008,
    &agt009_nothing_delivered::AGT009,
    &azr001_metadata_silent::AZR001,
    &azr002_clock_skew::AZR002,
    &azr003_azure_dns_silent::AZR003,
    &azr004_cloud_mismatch::AZR004,
    &azr005_metadata_access_denied::AZR005,
    &azr006_cloud_unknown::AZR006,
    &azr007_no_rule_associated::AZR007,
    &azr008_no_identity::AZR008,
    &azr009_control_service_refuses::AZR009,
    &brw001_secure_dns_forced::BRW001,
    &brw002_secure_dns_preferred::BRW002,
    &brw003_local_network_blocked::BRW003,
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
    &dns018_system_encrypted_dns::DNS018,
    &dns019_answer_flaps::DNS019,
    &dns020_forwarder_incomplete::DNS020,
    &dns021_local_zone_shadows::DNS021,
    &dns022_search_domain_answer::DNS022,
    &dns023_unexpected_private_route::DNS023,
    &dns024_private_answers_filtered::DNS024,
    &dns025_answers_invented::DNS025,
    &htp001_access_denied_by_scope::HTP001,
    &htp002_unexpected_answer::HTP002,
    &htp003_endpoint_association_required::HTP003,
    &htp004_service_error::HTP004,
    &htp005_no_http_answer::HTP005,
    &net001_connect_timeout::NET001,
    &net002_connect_refused::NET002,
    &net003_no_route::NET003,
    &net004_some_addresses_dead::NET004,
    &net005_no_outbound_access::NET005,
    &net006_path_mtu_black_hole::NET006,
    &prx001_proxy_takes_private_route::PRX001,
    &prx002_proxy_wants_credentials::PRX002,
    &prx003_proxy_unreachable::PRX003,
    &prx004_proxy_refuses::PRX004,
    &prx005_proxy_catches_metadata::PRX005,
    &run001_not_finished::RUN001,
    &run002_not_permitted::RUN002,
    &run003_unexplained_failure::RUN003,
    &run004_not_looked_at::RUN004,
    &tls001_intercepted::TLS001,
    &tls002_issuer_not_trusted::TLS002,
    &tls003_wrong_name::TLS003,
    &tls004_not_valid_now::TLS004,
    &tls005_protocol_too_old::TLS005,
    &tls006_handshake_reset::TLS006,
    &tls007_handshake_stalled::TLS007,
    &tls008_not_tls::TLS008,
    &tls009_chain_incomplete::TLS009,
    &tls010_system_tls_off::TLS010,
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
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use ampls_probes::testing::Scene;

    use super::*;
    use crate::diagnose::draft::Draft;
    use crate::diagnose::facts::Facts;
    use crate::diagnose::rule::HEADINGS;
    use crate::diagnose::severity::lowered;

    /// The scene, with this answer to the request to a name.
    pub(crate) fn says_http(scene: Scene, name: &str, status: u16, body: &str) -> Scene {
        let now = scene.observations().started_at;
        let kind = if body.starts_with('<') { "text/html" } else { "text/plain" };
        let response = ampls_probes::observation::HttpResponse {
            status,
            server: None,
            request_id: None,
            content_type: Some(kind.to_owned()),
            location: None,
            config_endpoint: None,
            via: None,
            authenticate: None,
            date: Some(now),
            received_at: now,
            body: body.to_owned(),
            body_truncated: false,
        };
        scene.http(name, ampls_probes::observation::Outcome::Seen(response))
    }

    /// What one rule makes of a scene.
    pub(crate) fn drafts(rule: &Rule, scene: &Scene) -> Vec<Draft> {
        (rule.check)(&Facts::new(&scene.observations()))
    }

    /// What one rule makes of a scene in which it fires as it usually does: one statement at least comes out, after what
    /// depends on its endpoints, with the declared severity and the declared owner.
    pub(crate) fn fires_as_declared(rule: &Rule, scene: &Scene) -> Vec<Draft> {
        let seen = scene.observations();
        let facts = Facts::new(&seen);
        let made = (rule.check)(&facts);
        let weighed: Vec<_> = made.iter().map(|draft| (lowered(&facts, rule, draft), draft.owner)).collect();
        assert!(weighed.contains(&(rule.severity, rule.owner)), "{} declares otherwise: {weighed:?}", rule.code);
        made
    }

    #[test]
    fn every_rule_is_tested_against_what_it_declares() {
        for rule in RULES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(rule.file);
            let source = fs::read_to_string(&path).expect("the source of a rule");
            let call = format!("fires_as_declared(&{}, ", rule.code);
            let fires = source.split("#[test]").filter(|test| test.trim_start().starts_with("fn fires_"));
            assert!(
                fires.into_iter().any(|test| test.contains(&call)),
                "no test fires_… of {} calls {call}…)",
                rule.code
            );
        }
    }

    #[test]
    fn codes_and_names_are_unique_and_codes_in_order() {
        assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code));
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn a_file_is_named_for_its_code_and_fault() {
        for rule in RULES {
            let wanted = format!("{}_{}.rs", rule.code.to_lowercase(), rule.name.replace('-', "_"));
            assert!(
                rule.file.replace('\\', "/").ends_with(&format!("rules/{wanted}")),
                "{} in {}",
                rule.code,
                rule.file
            );
        }
    }

    #[test]
    fn every_page_has_the_five_headings_in_order() {
        for rule in RULES {
            let page = rule.page_markdown();
            let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
            assert_eq!(headings, HEADINGS, "{}", rule.code);
        }
    }

    #[test]
    fn every_page_says_something_under_each_heading() {
        for rule in RULES {
            let page = rule.page_markdown();
            for section in page.split("## ").skip(1) {
                let text = section.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).count();
                assert!(text > 0, "{} says nothing under {:?}", rule.code, section.lines().next());
            }
            let lines = page.lines().count();
            assert!((25..=70).contains(&lines), "{} has {lines} lines", rule.code);
            assert!(rule.link().starts_with("https://"), "{}", rule.code);
        }
    }

    #[test]
    fn what_a_rule_explains_exists() {
        for rule in RULES {
            for code in rule.explains {
                assert!(of_code(code).is_some(), "{} explains {code}", rule.code);
                assert_ne!(*code, rule.code);
            }
        }
    }

    #[test]
    fn no_rules_explain_each_other() {
        for rule in RULES {
            let mut reached: BTreeSet<&str> = BTreeSet::new();
            let mut next: Vec<&str> = rule.explains.to_vec();
            while let Some(code) = next.pop() {
                if reached.insert(code) {
                    next.extend(of_code(code).iter().flat_map(|rule| rule.explains));
                }
            }
            assert!(!reached.contains(rule.code), "{} explains itself", rule.code);
        }
    }

    #[test]
    fn pages_are_found_by_code_and_name_in_any_case() {
        assert_eq!(explain_page("dns003").map(|rule| rule.code), Some("DNS003"));
        assert_eq!(explain_page("Zone-Not-Linked").map(|rule| rule.code), Some("DNS003"));
        assert!(explain_page("DNS999").is_none());
    }
}
