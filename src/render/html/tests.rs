//! The page as text; `tests/page.rs` looks at it in a browser.

use ampls_probes::endpoint::{Expect, Need};
use ampls_probes::observation::{Hosts, HostsEntry, HostsFile, Observation, Outcome, Timing};

use super::*;
use crate::diagnose::command::{Command, command};
use crate::diagnose::facts::{Status, ViewKind};
use crate::diagnose::finding::{BlastRadius, Fix, Severity};
use crate::report::{EndpointReport, crowded, healthy, hostile, mixed, on_a_vm};

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, 1, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The markup of a text, as the page writes it.
fn shown(text: &str) -> String {
    visible(&prose(text).into_string())
}

#[test]
fn the_policy_allows_the_style_in_the_page_and_nothing_else() {
    let page = page(&mixed());
    let head = page.split("</head>").next().unwrap();
    assert!(head.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "), "{head}");
    assert_eq!(page.matches("<style>").count(), 1);
}

#[test]
fn the_head_names_the_machine_the_run_and_how_many_errors_there_are() {
    let report = on_a_vm(mixed());
    let page = page(&report);
    assert!(page.contains(&format!("<title>{}: MIXED", report.host.name)), "{page}");
    let header = &page[page.find("<header").unwrap()..page.find("</header>").unwrap()];
    let id = report.host.azure.as_ref().unwrap().resource_id.clone().unwrap();
    for wanted in [id.as_str(), &report.run.id.to_string(), &report.tool.version, ">1 error<"] {
        assert!(header.contains(wanted), "{wanted}: {header}");
    }
}

#[test]
fn the_fix_stands_first_and_what_is_read_on_about_stands_in_the_page() {
    let report = mixed();
    let page = page(&report);
    let card = &page[page.find("<article").unwrap()..page.find("</article>").unwrap()];
    let place = |text: &str| card.find(text).unwrap_or_else(|| panic!("{text}: {card}"));
    let order = ["<p>Fix: ", "Look first: ", "Before you change anything", "<p class=\"label\">Run</p>", "Evidence ("];
    let places: Vec<usize> = order.iter().map(|text| place(text)).collect();
    assert!(places.is_sorted(), "{places:?} {card}");
    assert!(card.contains("href=\"#about-DNS003\"") && page.contains("id=\"about-DNS003\""), "{card}");
}

#[test]
fn each_who_has_to_act_has_a_ticket_to_copy() {
    let page = page(&mixed());
    assert_eq!(page.matches("<pre data-ticket=").count(), 1);
    assert!(page.contains("<pre data-ticket=\"dns\">MIXED") && page.contains("Ticket for your DNS team"), "{page}");
    assert!(!self::page(&healthy()).contains("data-ticket="));
}

#[test]
fn an_answer_over_the_wrong_path_is_not_in_order() {
    let mut report = mixed();
    let fqdn = report.findings[0].endpoints[0].clone();
    let endpoint = report.endpoints.iter_mut().find(|it| it.fqdn == fqdn).unwrap();
    endpoint.reachable = Some(true);
    report.findings.truncate(1);
    let page = page(&report);
    let (_, tones) = picture(&page, &fqdn);
    assert_eq!(tones.last(), Some(&"off"), "{tones:?}");
    assert!(page.contains("yes, over the public address"));
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
    const EVIL: &str = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
    let mut report = mixed();
    report.host.name = EVIL.to_owned();
    report.verdict.headline = EVIL.to_owned();
    report.findings[0].title = EVIL.to_owned();
    report.findings[0].link = "javascript:alert(1)".to_owned();
    report.findings[0].fix[0].commands = vec![command!(Any, EVIL)];
    report.endpoints[0].fqdn = EVIL.to_owned();
    report.endpoints[0].views[1].cname = vec![EVIL.to_owned()];
    let page = page(&report);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("\"javascript:"));
    assert!(!page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn every_finding_is_there_with_its_evidence_and_every_root_with_its_fixes() {
    let report = mixed();
    let page = page(&report);
    for finding in &report.findings {
        assert!(page.contains(&shown(&finding.title)), "{}", finding.title);
        assert!(finding.evidence.iter().all(|seen| page.contains(&shown(seen))));
    }
    for fix in report.roots().flat_map(|root| &root.fix) {
        assert!(page.contains(&shown(&fix.text)), "{}", fix.text);
        assert!(
            fix.all_commands().all(|it| page.contains(&html! { (it.as_str()) }.into_string())),
            "{:?}",
            fix.commands
        );
    }
    assert!(page.contains("class=\"bad\"><span class=\"role\">"), "a hop that failed");
}

#[test]
fn every_command_can_be_copied_as_it_is() {
    let zones = [command!(Bind, "zone \"a\" { };"), command!(Bind, "zone \"b\" { };")];
    for commands in [zones.to_vec(), vec![command!(Sh, "export NO_PROXY='a'")], vec![command!(Sh, "a -l; df -h")]] {
        let mut report = mixed();
        report.findings[0].fix[0] = Fix::change(BlastRadius::Vnet, "fix it")
            .with(commands.clone())
            .after_looking("mind this (and that)", commands.clone())
            .undone_with("", commands.clone());
        let page = page(&report);
        let lines: Vec<&str> = commands.iter().map(Command::as_str).collect();
        let block = self::commands(lines.iter().copied()).into_string();
        assert_eq!(page.matches(&block).count(), 3, "{lines:?}");
        assert!(page.contains("<p>mind this (and that)</p>"));
    }
}

#[test]
fn an_alternative_is_not_shown_as_needed() {
    let mut report = mixed();
    let change = |text: &str| Fix::change(BlastRadius::Vnet, text);
    report.findings[0].fix = vec![change("link a"), change("add a").instead(), change("link b")];
    let page = page(&report);
    for text in
        ["<p>Fix: link a ", "<span class=\"joins\">or</span> add a ", "<span class=\"joins\">and</span> link b "]
    {
        assert!(page.contains(text), "{text}");
    }
}

/// The heads over the pictures of paths, and the tones of the stations of this name.
fn picture<'a>(page: &'a str, fqdn: &str) -> (Vec<&'a str>, Vec<&'a str>) {
    let part = &page[page.find("<section><h2>Paths").unwrap()..];
    let part = &part[..part.find("</section>").unwrap()];
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
        let optional = report
            .endpoints
            .iter_mut()
            .find(|endpoint| endpoint.need == Need::Optional && endpoint.zone.is_none())
            .unwrap();
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
        assert_eq!(tones.split_last(), Some((&tone, ["ok"; 4].as_slice())));
        assert!(page.contains(&format!("<span class=\"tag {tone}\">no</span>")), "{severity:?}");
    }
}

#[test]
fn the_answer_and_the_findings_stand_before_the_paths() {
    let page = page(&mixed());
    let places = ["<h1>", "<h2>Findings</h2>", "<h2 id=\"zones\">", "<h2>Paths"].map(|head| page.find(head).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn paths_that_fail_alike_are_drawn_once() {
    let mut report = healthy();
    let first = report.endpoints[0].clone();
    let named = |name: &str| EndpointReport { fqdn: name.to_owned(), ..first.clone() };
    report.endpoints = vec![named("a.example"), named("b.example"), named("c.example"), named("d.example")];
    let mut root = mixed().findings[0].clone();
    (root.code, root.name) = ("NET001".to_owned(), "connect-timeout".to_owned());
    root.endpoints = vec!["a.example".to_owned(), "b.example".to_owned(), "c.example".to_owned()];
    report.findings = vec![root.clone()];
    let (folded, order) =
        ("<summary>2 more paths that fail alike</summary>", "<summary>1 more path in order</summary>");
    let page = page(&report);
    let places = ["<h3>a.example:", folded, "<h3>b.example:", "<h3>c.example:", order, "<h3>d.example:"]
        .map(|part| page.rfind(part).unwrap_or_else(|| panic!("{part}")));
    assert!(places.is_sorted(), "{places:?}");

    root.endpoints = vec!["b.example".to_owned()];
    (root.code, root.name) = ("NET002".to_owned(), "connect-refused".to_owned());
    report.findings[0].endpoints.remove(1);
    report.findings.push(root);
    let page = self::page(&report);
    assert!(page.contains("<summary>1 more path that fails alike</summary>"), "another reason is another path");
}

/// The roles, tones and texts of the stations of this name.
fn strip(page: &str, fqdn: &str) -> Vec<String> {
    let path = page.split("<div class=\"path\">").find(|path| path.starts_with(&format!("<h3>{fqdn}:"))).unwrap();
    let stations = path.split("<li class=\"").skip(1);
    let between = |text: &str, from: &str, to: &str| {
        text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(it, _)| it.replace("<wbr>", ""))
    };
    stations
        .map(|station| {
            let tone = station.split('"').next().unwrap();
            let value = between(station, "<div class=\"value\">", "</div>").unwrap();
            let why = between(station, "<div class=\"why\">", "</div>").unwrap_or_default();
            format!("{tone} {value} {why}").trim().to_owned()
        })
        .collect()
}

#[test]
fn a_line_of_the_hosts_file_stands_where_no_server_was_asked() {
    let mut report = healthy();
    let first = report.endpoints[0].clone();
    let mut root = mixed().findings[0].clone();
    (root.code, root.name) = ("DNS006".to_owned(), "hosts-file-override".to_owned());
    root.endpoints = vec![first.fqdn.clone()];
    report.findings = vec![root];
    let entry = HostsEntry { line: 3, address: first.addresses[0], name: first.fqdn.clone() };
    let file = HostsFile { source: "/etc/hosts".to_owned(), entries: vec![entry], truncated: false };
    report.observations.seen.retain(|seen| !matches!(seen, Observation::Hosts(_)));
    let read = Hosts { timing: Timing::default(), outcome: Outcome::Seen(file), unread: None };
    report.observations.seen.push(Observation::Hosts(read));
    let strip = strip(&page(&report), &first.fqdn);
    assert_eq!(strip[1], "bad hosts file DNS006 hosts-file-override");
    assert_eq!(strip[2], "off not followed");
    assert_eq!(strip[3], format!("bad {} DNS006 hosts-file-override", first.addresses[0]));
}

#[test]
fn a_public_address_is_not_private_where_any_server_knows_a_private_one() {
    let mut report = healthy();
    let fqdn = report.endpoints[0].fqdn.clone();
    let address = "20.150.190.10".parse().unwrap();
    for endpoint in &mut report.endpoints {
        endpoint.route = Route::Public;
        endpoint.addresses = vec![address];
        endpoint
            .views
            .iter_mut()
            .filter(|view| view.view != ViewKind::Azure)
            .for_each(|view| view.route = Route::Public);
    }
    let mut azure = report.endpoints[0].views[0].clone();
    (azure.view, azure.route) = (ViewKind::Azure, Route::Private);
    report.endpoints[0].views.push(azure);
    (report.verdict.route, report.verdict.health) = (Route::Public, Health::Error);
    assert_eq!(strip(&page(&report), &fqdn)[3], "warn 20.150.190.10 not private");
    report.run.expect = Expect::Public;
    assert_eq!(strip(&page(&report), &fqdn)[3], "ok 20.150.190.10");
    report.run.expect = Expect::Auto;
    report.endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.views).for_each(|view| view.route = Route::Public);
    assert_eq!(strip(&page(&report), &fqdn)[3], "ok 20.150.190.10");
}

#[test]
fn what_was_not_finished_is_not_drawn_as_nothing() {
    let mut report = healthy();
    let first = &mut report.endpoints[0];
    let fqdn = first.fqdn.clone();
    (first.route, first.reachable) = (Route::None, None);
    first.addresses.clear();
    for view in &mut first.views {
        let own = view.view == ViewKind::System;
        view.status = if own { Status::Cancelled } else { Status::Timeout };
        view.cname.clear();
    }
    let strip = strip(&page(&report), &fqdn);
    assert_eq!(strip[2..4], ["off not finished", "off not finished"]);
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
    assert!(page.contains(">More about DNS003</a>"));
}
