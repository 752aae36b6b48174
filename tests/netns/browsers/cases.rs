//! The configurations, each with the file contents that make it.

use super::{Asks, Browser, Case, DOH, KNOWN, OWN, json};

/// A name that the machine's DNS server denies.
pub(super) fn denied(case: &Case) -> &'static str {
    if case.name.contains("canary") { "use-application-dns.net" } else { "-" }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = chromium();
    cases.extend(firefox());
    cases
}

fn case(name: &'static str, browser: Browser, asks: Asks) -> Case {
    Case { name, browser, server: OWN, machine: Vec::new(), profile: Vec::new(), late: false, silent: false, asks }
}

fn chromium() -> Vec<Case> {
    let of = |name, asks| case(name, Browser::Chromium, asks);
    let user = |mode: &str| json!({"dns_over_https": {"mode": mode, "templates": DOH}}).to_string();
    let policy = |mode: &str| json!({"DnsOverHttpsMode": mode, "DnsOverHttpsTemplates": DOH}).to_string();
    let managed = "chromium/policies/managed/lab.json";
    let state = |text: String| vec![("Local State", text)];
    vec![
        of("chromium: nothing set", Asks::System),
        Case { machine: vec![(managed, policy("secure"))], ..of("chromium: policy secure", Asks::EncryptedOnly) },
        Case {
            machine: vec![(managed, json!({"DnsOverHttpsMode": "off"}).to_string())],
            profile: state(user("secure")),
            ..of("chromium: policy off over user secure", Asks::System)
        },
        Case {
            machine: vec![(managed, policy("automatic"))],
            late: true,
            ..of("chromium: policy automatic with a template", Asks::EncryptedFirst)
        },
        Case { profile: state(user("secure")), ..of("chromium: user secure", Asks::EncryptedOnly) },
        Case {
            machine: vec![(managed, json!({"BookmarkBarEnabled": true}).to_string())],
            profile: state(user("secure")),
            ..of("chromium: any other policy over user secure", Asks::System)
        },
        Case {
            machine: vec![("chromium/policies/recommended/lab.json", policy("secure"))],
            ..of("chromium: recommended secure", Asks::System)
        },
        Case { server: KNOWN, late: true, ..of("chromium: nothing set, known server", Asks::EncryptedFirst) },
        Case {
            machine: vec![(managed, json!({"DnsOverHttpsMode": "secure"}).to_string())],
            silent: true,
            ..of("chromium: policy secure without a template", Asks::EncryptedOnly)
        },
        Case {
            machine: vec![(managed, json!({"DnsOverHttpsMode": "secure"}).to_string())],
            silent: true,
            profile: state(user("automatic")),
            ..of("chromium: policy secure over a user's template", Asks::EncryptedOnly)
        },
        Case {
            machine: vec![(managed, json!({"DnsOverHttpsMode": "automatic"}).to_string())],
            profile: state(user("secure")),
            late: true,
            ..of("chromium: policy automatic over a user's template", Asks::EncryptedFirst)
        },
    ]
}

fn firefox() -> Vec<Case> {
    let of = |name, asks| case(name, Browser::Firefox, asks);
    let prefs = |mode: u8| {
        let text = format!(
            "user_pref(\"network.trr.uri\", \"{DOH}\"); user_pref(\"network.trr.mode\", {mode});\n\
             user_pref(\"datareporting.policy.dataSubmissionEnabled\", false);\n"
        );
        // The folder of the installation tells which Firefox used the profile last.
        vec![
            ("prefs.js", text),
            ("compatibility.ini", "[Compatibility]\nLastPlatformDir=/usr/lib/firefox-esr\n".to_owned()),
        ]
    };
    let enabled = "user_pref(\"doh-rollout.enabled\", true);\nuser_pref(\"doh-rollout.home-region\", \"US\");\n";
    let rollout = |more: &str| {
        let mode = "user_pref(\"doh-rollout.mode\", 2);\nuser_pref(\"doh-rollout.home-region\", \"US\");\n";
        let text = format!("{mode}{more}user_pref(\"doh-rollout.uri\", \"{DOH}\");\n");
        vec![("prefs.js", text), compatibility()]
    };
    let policy = |doh: serde_json::Value| {
        vec![("distribution/policies.json", json!({"policies": {"DNSOverHTTPS": doh}}).to_string())]
    };
    vec![
        Case { profile: prefs(0), ..of("firefox: mode 0", Asks::System) },
        Case { profile: prefs(2), ..of("firefox: mode 2", Asks::EncryptedFirst) },
        Case { profile: prefs(3), ..of("firefox: mode 3", Asks::EncryptedOnly) },
        Case { profile: prefs(5), ..of("firefox: mode 5", Asks::System) },
        Case {
            profile: prefs(3),
            machine: policy(json!({"Enabled": false, "Locked": true})),
            ..of("firefox: policy locked off over mode 3", Asks::System)
        },
        Case {
            profile: prefs(3),
            machine: policy(json!({"Enabled": false})),
            ..of("firefox: mode 3 over a policy that is not locked", Asks::EncryptedOnly)
        },
        Case {
            profile: prefs(5),
            machine: policy(json!({"Enabled": true, "Fallback": false, "ProviderURL": DOH, "Locked": true})),
            ..of("firefox: policy locked strict over mode 5", Asks::EncryptedOnly)
        },
        Case { profile: prefs(2), ..of("firefox: mode 2 whatever the canary says", Asks::EncryptedFirst) },
        Case { profile: rollout(""), ..of("firefox: mode left by the rollout", Asks::EncryptedFirst) },
        Case {
            profile: rollout("user_pref(\"doh-rollout.enabled\", true);\n"),
            ..of("firefox: mode left by the rollout, canary denied since", Asks::EncryptedFirst)
        },
        Case {
            profile: vec![("prefs.js", enabled.to_owned()), compatibility()],
            late: true,
            ..of("firefox: rollout on, canary denied", Asks::System)
        },
    ]
}

/// The folder of the installation tells which Firefox used the profile last.
fn compatibility() -> (&'static str, String) {
    ("compatibility.ini", "[Compatibility]\nLastPlatformDir=/usr/lib/firefox-esr\n".to_owned())
}
