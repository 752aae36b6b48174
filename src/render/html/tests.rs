//! The page as text; `tests/page.rs` looks at it in a browser.

use base64::Engine;
use sha2::{Digest, Sha256};

use super::*;
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
