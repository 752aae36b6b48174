//! The property of a redacted run: no original value survives, in any format.

use ampls_probes::endpoint::Need;
use ampls_probes::testing::{CUSTOM, ODS, Says, Tls, private_world};
use ampls_probes::{Catalogue, Observations};
use proptest::prelude::*;
use uuid::Uuid;

use super::page::{Detail, Style};
use super::{Format, write};
use crate::diagnose::diagnose_facts;
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::Owner;
use crate::report::{FailOn, Report, RunInfo, redact};

const FORMATS: [Format; 9] = [
    Format::Table,
    Format::Json,
    Format::Ndjson,
    Format::Compact,
    Format::Html,
    Format::Markdown,
    Format::Ticket(Owner::Dns),
    Format::Junit,
    Format::Metrics,
];

fn outputs(seen: &Observations, key: [u8; 16]) -> Vec<(Format, String)> {
    let (seen, redacted) = redact(seen, &Catalogue::builtin().unwrap(), key).unwrap();
    let facts = Facts::new(&seen);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.1.0".to_owned() };
    let mut report = Report::new(&seen, &facts, diagnose_facts(&facts), run);
    report.redacted = Some(redacted);
    let style = Style { detail: Detail::Everything, ..Style::default() };
    FORMATS
        .iter()
        .map(|format| {
            let mut out = Vec::new();
            write(*format, &report, FailOn::Error, &style, &mut out).unwrap();
            (*format, String::from_utf8(out).unwrap())
        })
        .collect()
}

/// Whether a value stands in a text by itself, not as a part of a longer one.
fn survives(text: &str, value: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(value).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + value.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_original_value_survives_in_any_format(
        key: [u8; 16],
        workspace: u128,
        host in "[a-z]{3}x[a-z0-9]{3,9}",
        domain in "q[a-z]{5,9}",
        private in 0x0a00_0100_u32..0x0aff_ff00,
        public in 0x1401_0100_u32..0x14ff_ff00,
    ) {
        let workspace = Uuid::from_u128(workspace | 1 << 77).to_string();
        let (private, public) = (std::net::Ipv4Addr::from_bits(private), std::net::Ipv4Addr::from_bits(public));
        let name = format!("{workspace}.ods.opinsights.azure.com");
        let own = format!("{host}.{domain}.corp");
        let issuer = format!("CN={host} root,O={domain},DC={domain}");
        let seen = private_world()
            .without(ODS)
            .name(&name, Need::Required)
            .name(&own, Need::Required)
            .says(CUSTOM, &name, &Says::Public(Box::leak(public.to_string().into_boxed_str())))
            .system(&name, &Says::Private(Box::leak(private.to_string().into_boxed_str())))
            .tls(&name, Tls::intercepted(&name, &issuer, false))
            .hosts(&private.to_string(), &own)
            .interface(&format!("{private}/24"))
            .edit(|seen| seen.machine.name.clone_from(&own))
            .observations();
        let originals = [workspace, host, domain, private.to_string(), public.to_string()];
        let plain = serde_json::to_string(&seen).unwrap();
        prop_assert!(originals.iter().all(|original| survives(&plain, original)), "{plain}");
        for (format, text) in outputs(&seen, key) {
            for original in &originals {
                prop_assert!(!survives(&text, original), "{format:?} holds {original}");
            }
        }
    }
}

#[test]
fn a_redacted_report_says_so_in_every_format() {
    for (format, text) in outputs(&private_world().observations(), [3; 16]) {
        let mark = if format == Format::Metrics { "\nampls_doctor_report_redacted 1\n" } else { "redacted" };
        assert!(text.contains(mark), "{format:?}: {text}");
    }
}

#[test]
fn a_value_that_survives_is_found() {
    assert!(survives("a 10.0.0.5, b", "10.0.0.5"));
    assert!(!survives("a 10.0.0.53", "10.0.0.5"));
}
