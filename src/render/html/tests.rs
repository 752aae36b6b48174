//! The page as text; `tests/page.rs` looks at it in a browser.

use ampls_probes::catalogue::Need;
use base64::Engine;
use sha2::{Digest, Sha256};

use super::*;
use crate::diagnose::finding::{BlastRadius, Fix, Severity};
use crate::report::{crowded, healthy, hostile, mixed};

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, 1, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_policy_names_the_style_by_its_hash() {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    assert_eq!(STYLE_HASH, format!("sha256-{hash}"));
}

#[test]
fn paper_is_not_taken_for_a_telephone() {
    let narrow: Vec<&str> =
        STYLE.lines().filter(|line| line.contains("max-width:") && line.contains("@media")).collect();
    assert!(!narrow.is_empty() && narrow.iter().all(|line| line.contains("@media screen and")), "{narrow:?}");
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    for report in [healthy(), mixed(), hostile(), crowded(9, 9, true)] {
        let page = page(&report).to_lowercase();
        for banned in ["<script", "<img", "<iframe", "<form", "javascript:", " src=", " style=", "@import", "url("] {
            assert!(!page.contains(banned), "{banned}");
        }
        assert!(!page.contains(" onload=") && !page.contains(" onerror=") && !page.contains(" onclick="));
    }
}

#[test]
fn hostile_text_is_text() {
    let mut report = mixed();
    let evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
    report.host.name = evil.to_owned();
    report.verdict.headline = evil.to_owned();
    report.findings[0].title = evil.to_owned();
    report.findings[0].link = "javascript:alert(1)".to_owned();
    report.findings[0].fix[0].command = Some(evil.to_owned());
    report.endpoints[0].fqdn = evil.to_owned();
    report.endpoints[0].views[1].cname = vec![evil.to_owned()];
    let page = page(&report);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("\"javascript:"));
    assert!(!page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn every_finding_is_there_with_its_fixes_and_evidence() {
    let report = mixed();
    let page = page(&report);
    for finding in &report.findings {
        assert!(page.contains(&prose(&finding.title)), "{}", finding.title);
        assert!(finding.evidence.iter().all(|seen| page.contains(&prose(seen))));
        assert!(finding.fix.iter().all(|fix| page.contains(&prose(&fix.text))));
        assert!(finding.fix.iter().filter_map(|fix| fix.command.as_ref()).all(|it| page.contains(&safe(it))));
    }
    assert!(page.contains("class=\"bad\"><span class=\"role\">"), "a hop that failed");
}

#[test]
fn every_command_can_be_copied_as_it_is() {
    for command in
        ["zone \"a\" { };\nzone \"b\" { };", "export NO_PROXY='a'", "for i in 1 2; do dig a; done", "a -l; df -h"]
    {
        let mut report = mixed();
        report.findings[0].fix[0] = Fix::change(BlastRadius::Vnet, "mend it")
            .with(command)
            .after_looking("mind this (and that)", command)
            .undone_with("", command);
        let page = page(&report);
        let block = format!("<pre><code>{}</code></pre>", escaped(command));
        assert_eq!(page.matches(&block).count(), 3, "{command}");
        assert!(page.contains("<p>mind this (and that)</p>"));
    }
}

#[test]
fn an_alternative_is_told_from_what_is_needed_too() {
    let mut report = mixed();
    let change = |text: &str| Fix::change(BlastRadius::Vnet, text);
    report.findings[0].fix = vec![change("link a"), change("add a").instead(), change("link b")];
    let page = page(&report);
    for said in ["<p>link a ", "<span class=\"joins\">or</span> add a ", "<span class=\"joins\">and</span> link b "] {
        assert!(page.contains(said), "{said}");
    }
}

/// The heads over the pictures of paths, and the tones of the stations of this name.
fn picture<'a>(page: &'a str, fqdn: &str) -> (Vec<&'a str>, Vec<&'a str>) {
    let part = page.split("<section><h2 id=\"zones\">").next().unwrap();
    let heads = part.split("<h2>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    let path = part.split("<div class=\"path\">").find(|path| path.starts_with(&format!("<h3>{fqdn}:"))).unwrap();
    (heads, path.split("<li class=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect())
}

#[test]
fn the_picture_is_as_bad_as_the_findings() {
    for (severity, heads, tone) in [
        (Severity::Error, vec!["Paths that fail"], "bad"),
        (Severity::Warning, vec!["Paths with warnings"], "warn"),
        (Severity::Info, vec!["Paths"], "off"),
    ] {
        let mut report = healthy();
        let optional = report.endpoints.iter_mut().find(|endpoint| endpoint.need == Need::Optional).unwrap();
        optional.reachable = Some(false);
        let mut blocked = mixed().findings[0].clone();
        blocked.code = "NET001".to_owned();
        blocked.severity = severity;
        let fqdn = optional.fqdn.clone();
        blocked.endpoints = vec![fqdn.clone()];
        report.findings = vec![blocked];
        let page = page(&report);
        let (shown, tones) = picture(&page, &fqdn);
        assert_eq!(shown, heads);
        assert_eq!(tones.split_last(), Some((&tone, ["ok", "ok", "off", "ok"].as_slice())));
        assert!(page.contains(&format!("<span class=\"tag {tone}\">no</span>")), "{severity:?}");
    }
}

#[test]
fn a_station_names_the_root_and_not_what_follows_from_it() {
    let mut report = healthy();
    let fqdn = report.endpoints[0].fqdn.clone();
    let (mut root, mut symptom) = (mixed().findings[0].clone(), mixed().findings[0].clone());
    (root.id, root.code, root.name) = ("TLS001".to_owned(), "TLS001".to_owned(), "intercepted".to_owned());
    (symptom.id, symptom.code, symptom.name) = ("TLS004".to_owned(), "TLS004".to_owned(), "not-valid-now".to_owned());
    symptom.caused_by_id = Some("TLS001".to_owned());
    symptom.caused_by.clone_from(&symptom.caused_by_id);
    for (of_root, of_symptom) in [(&fqdn, &fqdn), (&"elsewhere".to_owned(), &fqdn)] {
        (root.endpoints, symptom.endpoints) = (vec![of_root.clone()], vec![of_symptom.clone()]);
        report.findings = vec![root.clone(), symptom.clone()];
        assert!(page(&report).contains("<div class=\"why\">TLS001 intercepted</div>"), "{of_root}");
    }
}

#[test]
fn tables_and_links_can_be_heard() {
    let page = page(&mixed());
    for table in page.split("<table").skip(1).map(|rest| rest.split("</table>").next().unwrap()) {
        let label = table.split("aria-labelledby=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(page.contains(&format!("<h2 id=\"{label}\">")), "{label}");
        assert!(table.contains("<th scope=\"col\""), "{label}");
    }
    assert!(page.contains(">Read on about DNS003</a>"));
}
