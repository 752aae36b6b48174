//! Many machines in each format: what each must hold, and that nothing a report says acts in any of them.

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::*;
use crate::diagnose::rules;
use crate::fleet::{Fleet, Read, Sighting, read, schema};
use crate::render::page::Detail;
use crate::report::{Digest, Report, healthy, hostile, mixed, on_a_vm};
use crate::text::acts_on_output;

/// A machine of this name with the rest of a report.
fn named(mut report: Report, name: &str) -> Report {
    report.host.azure = None;
    report = on_a_vm(report);
    let azure = report.host.azure.as_mut().expect("a VM");
    azure.vm_id = None;
    azure.resource_id =
        Some(format!("/subscriptions/0-1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}"));
    name.clone_into(&mut report.host.name);
    report
}

fn add(fleet: &mut Fleet, report: &Report) {
    let text = serde_json::to_string(report).expect("JSON");
    let document = ampls_extract::document(text.as_bytes()).expect("a document");
    let Ok(Read::Sighting(sighting)) = read(document, text.as_bytes(), None) else { panic!("no sighting") };
    fleet.add(sighting);
}

fn some() -> Whole {
    let mut fleet = Fleet::default();
    for number in 0..4 {
        add(&mut fleet, &named(healthy(), &format!("good-{number}")));
        add(&mut fleet, &named(mixed(), &format!("bad-{number}")));
    }
    fleet.add_broken("x.json", "is cut off");
    let mut whole = fleet.whole("0.1.0", Some(crate::fleet::Dimension::Region), Some(Fleet::default()));
    whole.picture.groups[0].advise(&named(mixed(), "bad-0"));
    whole
}

/// Machines whose every text tries to act.
fn evil() -> Whole {
    let mut fleet = Fleet::default();
    for text in [
        "=cmd|' /C calc'!A0",
        "a;=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "\u{1b}[2J\u{202e}",
        "a`b|c\r\n# d",
        "\"},\"x\":{",
        "@SUM(1)",
        "</script><b>",
    ] {
        let mut report = named(hostile(), text);
        report.findings[0]
            .args
            .insert("issuer".to_owned(), crate::diagnose::finding::Argument::Many(vec![text.to_owned()]));
        report.findings[0].code = format!("TLS001{text}");
        let azure = report.host.azure.as_mut().expect("a VM");
        azure.region = Some(text.to_owned());
        azure.subnet = Some(text.to_owned());
        add(&mut fleet, &report);
        report.host.name = format!("2{text}");
        report.host.azure = None;
        add(&mut fleet, &report);
    }
    fleet.add_broken("\u{1b}]0;x\u{7}", "</style><script>");
    fleet.whole("0.1.0", Some(crate::fleet::Dimension::Subnet), None)
}

fn text(format: Format, whole: &Whole) -> String {
    let mut out = Vec::new();
    write(format, whole, &Style { detail: Detail::More, ..Style::default() }, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

const FORMATS: [Format; 7] =
    [Format::Table, Format::Json, Format::Ndjson, Format::Csv, Format::Markdown, Format::Html, Format::Metrics];

#[test]
fn the_table_is_one_screen_with_the_largest_cause_first() {
    let mut out = Vec::new();
    write(Format::Table, &some(), &Style { width: Some(80), ..Style::default() }, &mut out).expect("memory");
    let text = String::from_utf8(out).expect("UTF-8");
    insta::assert_snapshot!(text);
    assert!(text.lines().count() <= 40, "{text}");
}

#[test]
fn machines_that_no_report_names_are_counted_where_azure_holds_them() {
    let around =
        InAzure { collected_at: jiff::Timestamp::UNIX_EPOCH, machines: 9, not_named: 4, not_named_first: Vec::new() };
    let mut whole = some();
    for format in [Format::Table, Format::Markdown, Format::Html] {
        assert!(!text(format, &whole).contains("Azure facts hold"));
    }
    whole.picture.in_azure = Some(around);
    for format in [Format::Table, Format::Markdown, Format::Html] {
        let text = text(format, &whole).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("of 9 that the Azure facts hold on these networks, no report names 4"), "{text}");
    }
}

#[test]
fn every_format_names_the_cause_and_how_many_machines_have_it() {
    let whole = some();
    for (format, wanted) in [
        (Format::Table, "4  50.0 %  DNS003  zone not linked, or not forwarded"),
        (Format::Json, "\"machines\": 4,"),
        (Format::Ndjson, "\"code\":\"DNS003\""),
        (Format::Csv, ",DNS003,error,likely,dns,"),
        (Format::Markdown, "| 4 | 50.0 % | `DNS003` | ERROR | your DNS team |"),
        (Format::Html, "data-code=\"DNS003\" data-machines=\"4\""),
        (
            Format::Metrics,
            "ampls_doctor_fleet_cause_machines{code=\"DNS003\",name=\"zone-not-linked\",severity=\"error\",owner=\"dns\"",
        ),
    ] {
        let text = text(format, &whole);
        assert!(text.contains(wanted), "{format:?}: {text}");
    }
}

#[test]
fn the_fix_stands_in_the_formats_that_people_read() {
    let whole = some();
    for format in [Format::Table, Format::Markdown, Format::Html, Format::Json] {
        let text = text(format, &whole).split_whitespace().collect::<Vec<_>>().join(" ");
        // With what is to be known before it, the right that it takes and how to take it back.
        for wanted in [
            "link vnet create",
            "an empty zone breaks",
            "link vnet delete",
            "Private DNS Zone Contributor",
            "a landing zone may refuse",
        ] {
            assert!(text.contains(wanted), "{format:?}, {wanted}: {text}");
        }
    }
}

#[test]
fn what_could_not_be_examined_is_not_shown_as_good() {
    let mut fleet = Fleet::default();
    fleet.add(Sighting::from(&Digest::new(&healthy(), 3)));
    let whole = fleet.whole("0.1.0", None, None);
    let page = text(Format::Html, &whole);
    assert!(page.contains("card verdict warn") && page.contains("1 machine: 1 not examined"), "{page}");
    let mut out = Vec::new();
    write(Format::Table, &whole, &Style { colour: true, ..Style::default() }, &mut out).expect("memory");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.starts_with("\u{1b}[1;33m"), "{text:?}");
}

#[test]
fn the_document_is_as_its_schema_says() {
    for whole in [some(), evil(), Fleet::default().whole("0.1.0", None, None)] {
        let document: Value = serde_json::from_str(&text(Format::Json, &whole)).expect("JSON");
        let validator = jsonschema::draft202012::new(&schema()).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        let row = jsonschema::draft202012::new(&crate::fleet::row_schema()).expect("a schema");
        for line in text(Format::Ndjson, &whole).lines() {
            assert!(row.is_valid(&serde_json::from_str(line).expect("JSON")), "{line}");
        }
    }
}

#[test]
fn nothing_that_a_report_says_acts() {
    let whole = evil();
    for format in FORMATS {
        let text = text(format, &whole);
        assert!(!text.contains(|c| c != '\n' && acts_on_output(c)), "{format:?}: {text:?}");
    }
    let page = text(Format::Markdown, &whole);
    let shown = pulldown_cmark::Parser::new_ext(&page, pulldown_cmark::Options::all());
    for event in shown {
        let acts = match &event {
            pulldown_cmark::Event::InlineHtml(html) => html.as_ref() != "<!-- -->",
            pulldown_cmark::Event::Html(_) => true,
            pulldown_cmark::Event::Start(tag) => {
                matches!(tag, pulldown_cmark::Tag::Link { .. } | pulldown_cmark::Tag::Image { .. })
            }
            _ => false,
        };
        assert!(!acts, "{event:?}");
    }
    let csv = text(Format::Csv, &whole);
    let mut lines = ::csv::Reader::from_reader(csv.as_bytes());
    for record in lines.records() {
        let record = record.expect("a record");
        assert_eq!(record.len(), 22);
        let mut cells = record.iter().flat_map(|cell| cell.split(';'));
        assert!(!cells.any(|cell| cell.trim_start().starts_with(['=', '+', '-', '@'])), "{record:?}");
    }
    let page = text(Format::Html, &whole);
    assert_eq!(page.matches("<script").count(), 2, "{page}");
    assert_eq!(page.matches("</script").count(), 2);
    let start = page.find("id=\"data\">").expect("the data") + "id=\"data\">".len();
    let data = page[start..].split("</script").next().expect("its end");
    assert_eq!(serde_json::from_str::<Value>(data).expect("JSON")["machines"].as_array().expect("machines").len(), 16);
    let metrics = text(Format::Metrics, &whole);
    let samples: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    let series: BTreeSet<&str> = samples.iter().map(|line| line.rsplit_once(' ').expect("a value").0).collect();
    assert_eq!(series.len(), samples.len());
}

#[test]
fn a_code_of_a_report_is_no_command_unless_it_has_a_page_here() {
    let whole = evil();
    for format in FORMATS {
        let text = text(format, &whole);
        for typed in text.split("doctor explain ").skip(1) {
            let code: String = typed.chars().take_while(|c| !matches!(c, '`' | '<' | '\n')).collect();
            assert!(rules::of_code(&code).is_some(), "{format:?}: {code}");
        }
    }
    assert!(text(Format::Table, &some()).contains("ampls-doctor explain DNS003"));
}

#[test]
fn the_policy_of_the_page_knows_its_script() {
    let script = include_str!("page.js");
    let sum = digest(&SHA256, script.as_bytes());
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: Vec<u8> = sum.as_ref().iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let digit =
        |bits: &[u8]| alphabet[(0..6).fold(0, |sum, place| sum * 2 + usize::from(*bits.get(place).unwrap_or(&0)))];
    let base64: String = bits.chunks(6).map(digit).collect();
    let page = text(Format::Html, &some());
    assert!(page.contains(&format!("script-src 'sha256-{base64}='")), "{base64}");
    assert!(page.contains(script), "the script stands in it as it is");
}
