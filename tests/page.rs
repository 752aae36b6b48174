//! The page in a browser: headless Chromium without a network shows it as it is meant and lets nothing in it act.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::cli::{Folder, json, ran, report, text};
use super::needs;

/// Opens a page and gives the document as the browser made it; on standard error what the browser's console says.
pub(super) fn opened(folder: &Folder, page: &Path) -> Option<Output> {
    opened_with(folder, page, &[])
}

fn opened_with(folder: &Folder, page: &Path, arguments: &[&str]) -> Option<Output> {
    let browser = std::env::var("AMPLS_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let possible = Command::new("unshare").args(["-n", &browser, "--version"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        needs::without("chromium in a network namespace");
        return None;
    }
    let mut command = Command::new("unshare");
    // A namespace of its own has not even a loopback that is up.
    command.args(["-n", "timeout", "300", &browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--enable-logging=stderr", "--window-size=1200,2400", "--dump-dom"]);
    command.args(arguments);
    command.arg(format!("--user-data-dir={}", folder.path("profile")));
    command.arg(format!("--log-net-log={}", folder.path("net.json")));
    command.arg(format!("file://{}", page.display()));
    Some(command.output().expect("the browser runs"))
}

/// What the console said, and requests for anything but the page itself.
pub(super) fn complaints(folder: &Folder, output: &Output) -> Vec<String> {
    let errors = text(&output.stderr);
    // Chromium's own pages complain too, on a busy machine.
    let of_a_page = |line: &&str| line.contains("CONSOLE") && !line.contains("source: chrome://");
    let mut found: Vec<String> = errors.lines().filter(of_a_page).map(str::to_owned).collect();
    let log = fs::read_to_string(folder.path("net.json")).unwrap_or_default();
    found.extend(
        ["evil.example", "198.51.100.7", "learn.microsoft.com"]
            .iter()
            .filter(|it| log.contains(**it))
            .map(|it| format!("asked for {it}")),
    );
    found
}

#[test]
fn the_page_shows_every_finding_and_asks_for_nothing() {
    let folder = Folder::new("page");
    for (world, wanted) in [("healthy-private", 0), ("two-faults-record-and-inspection", 1)] {
        let saved = report(&folder, world, wanted);
        let page = folder.0.join(format!("{world}.html"));
        let written = ran(&["judge", &saved, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
        assert_eq!(written.status.code(), Some(wanted));
        let Some(output) = opened(&folder, &page) else { return };
        let dom = text(&output.stdout);
        assert_eq!(complaints(&folder, &output), Vec::<String>::new(), "{world}");
        assert!(dom.contains("<main data-route="), "{dom}");
        let saved = json(&fs::read_to_string(saved).expect("the report"));
        for finding in saved["findings"].as_array().expect("findings") {
            let title = finding["title"].as_str().expect("a title").split('`').next().unwrap_or_default().trim();
            assert!(dom.contains(title) && dom.contains(finding["code"].as_str().expect("a code")), "{title}");
        }
    }
}

/// Lays the page out at several widths and writes what sticks out sideways; the page itself runs no script.
const RULER: &str = "<pre></pre><script>onload = () => {
  const found = [];
  for (const frame of document.querySelectorAll('iframe')) {
    const page = frame.contentDocument.documentElement;
    found.push(`${frame.width} measured`);
    for (const it of [page, ...page.querySelectorAll('main *:not(.unseen)')]) {
      if (it.clientWidth > 1 && it.scrollWidth > it.clientWidth + 1)
        found.push(`${frame.width}: ${it.tagName} ${it.className}`);
    }
  }
  document.querySelector('pre').textContent = found.join(', ');
}</script>";

#[test]
fn nothing_sticks_out_at_any_width() {
    let folder = Folder::new("wide-page");
    for (world, wanted) in [("two-faults-servers", 1), ("ipv6-only", 0)] {
        let saved = report(&folder, world, wanted);
        let page = folder.0.join(format!("{world}.html"));
        ran(&["judge", &saved, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
        let frame = |width| format!("<iframe width={width} height=900 frameborder=0 src=\"{world}.html\"></iframe>");
        let frames: String = ["1200", "1000", "800", "400", "320"].map(frame).concat();
        let ruler = folder.0.join("ruler.html");
        fs::write(&ruler, format!("<!DOCTYPE html>{frames}{RULER}")).expect("written");
        let same_origin = ["--allow-file-access-from-files", "--virtual-time-budget=5000"];
        let Some(output) = opened_with(&folder, &ruler, &same_origin) else { return };
        let found =
            text(&output.stdout).split("<pre>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
        let measured = "1200 measured, 1000 measured, 800 measured, 400 measured, 320 measured";
        assert_eq!(found.as_deref(), Some(measured), "{world}");
    }
}

/// Gives every text whose colour stands out too little from what is behind it (WCAG 2.1, 1.4.3: 4.5 to 1), and the colour of
/// the page.
const CONTRAST: &str = "<pre></pre><script>onload = () => {
  const rgb = it => it.match(/[0-9.]+/g).map(Number);
  const light = it => { const [r, g, b] = rgb(it).map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const frame = document.querySelector('iframe'), page = frame.contentDocument, view = frame.contentWindow;
  const style = it => view.getComputedStyle(it);
  const behind = it => { for (; it; it = it.parentElement) { const c = style(it).backgroundColor; if ((rgb(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; };
  page.querySelectorAll('details').forEach(it => it.open = true);
  const found = [`page ${style(page.body).backgroundColor}`];
  for (const it of page.querySelectorAll('main, main *')) {
    if (![...it.childNodes].some(node => node.nodeType == 3 && node.data.trim())) continue;
    const [a, b] = [light(style(it).color), light(behind(it))].sort((a, b) => b - a);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push(`${it.tagName} ${it.className} ${ratio.toFixed(2)}`);
  }
  document.querySelector('pre').textContent = [...new Set(found)].join(', ');
}</script>";

#[test]
fn every_text_can_be_read_in_light_and_in_dark() {
    let folder = Folder::new("colour-page");
    for (world, wanted) in [("two-faults-record-and-inspection", 1), ("healthy-private", 0)] {
        let saved = report(&folder, world, wanted);
        let page = folder.0.join(format!("{world}.html"));
        ran(&["judge", &saved, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
        let measure = folder.0.join("contrast.html");
        fs::write(
            &measure,
            format!("<!DOCTYPE html><iframe width=1000 height=900 src=\"{world}.html\"></iframe>{CONTRAST}"),
        )
        .expect("written");
        // Blink's words: 0 is dark, 1 is light.
        for (scheme, colour) in [("0", "page rgb(17, 21, 27)"), ("1", "page rgb(245, 246, 248)")] {
            let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
            let arguments = ["--allow-file-access-from-files", "--virtual-time-budget=5000", scheme.as_str()];
            let Some(output) = opened_with(&folder, &measure, &arguments) else { return };
            let found =
                text(&output.stdout).split("<pre>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
            assert_eq!(found.as_deref(), Some(colour), "{world}");
        }
    }
}

/// Pages of a PDF: Chromium writes each as an object of its own.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.split("/Type /Page").skip(1).filter(|rest| !rest.starts_with('s')).count()
}

#[test]
fn one_fault_takes_two_sheets_of_paper_at_most() {
    let folder = Folder::new("paper-page");
    for (world, wanted) in
        [("zone-not-linked-ods", 1), ("only-monitor-linked", 1), ("intercepted-untrusted", 1), ("healthy-private", 0)]
    {
        let saved = report(&folder, world, wanted);
        let (page, pdf) = (folder.0.join(format!("{world}.html")), folder.path(&format!("{world}.pdf")));
        ran(&["judge", &saved, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
        let print = [format!("--print-to-pdf={pdf}"), "--no-pdf-header-footer".to_owned()];
        let Some(output) = opened_with(&folder, &page, &[&print[0], &print[1]]) else { return };
        let sheets = pages(&fs::read(&pdf).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr))));
        assert!((1..=2).contains(&sheets), "{world}: {sheets}");
    }
}

/// Causes of which as much is known as can be: many subnets, many subscriptions, long names.
#[test]
fn the_causes_of_a_company_take_two_sheets_of_paper_at_most() {
    const CAUSES: usize = 14;
    const MACHINES: usize = 12;
    let folder = Folder::new("paper-fleet");
    let saved = report(&folder, "zone-not-linked-ods", 1);
    let printed = text(&ran(&["judge", &saved, "--format", "compact"]).stdout);
    let digest = json(printed.lines().find(|line| line.starts_with('{')).expect("a digest"));
    let mut lines = String::new();
    for number in 0..CAUSES * MACHINES {
        let (cause, machine) = (number % CAUSES, number / CAUSES);
        let subscription = format!("00000000-0000-4000-8000-0000000000{machine:02}");
        let mut one = digest.clone();
        one["host"] = format!("vm-of-a-department-{number:06}").into();
        one["vm_id"] = format!("00000000-0000-4000-9000-{number:012}").into();
        one["resource_id"] = format!("/subscriptions/{subscription}/resourceGroups/g/providers/x/y/vm-{number}").into();
        one["region"] = format!("region-{machine}").into();
        one["subnet"] = format!("10.{cause}.{machine}.0/24").into();
        // Of one's own network each subscription is another cause.
        one["codes"][0]["args"]["cause"] = "link-or-forwarder-missing".into();
        one["codes"][0]["args"]["server"] = vec![format!("10.1.{cause}.4:53")].into();
        let _ = writeln!(lines, "{one}");
    }
    let (all, page, pdf) = (folder.path("all.ndjson"), folder.0.join("fleet.html"), folder.path("fleet.pdf"));
    fs::write(&all, lines).expect("written");
    ran(&["fleet", &all, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
    assert!(fs::read_to_string(&page).expect("the page").contains("more causes"));
    let print = [format!("--print-to-pdf={pdf}"), "--no-pdf-header-footer".to_owned()];
    let Some(output) = opened_with(&folder, &page, &[&print[0], &print[1]]) else { return };
    let sheets = pages(&fs::read(&pdf).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr))));
    assert!((1..=2).contains(&sheets), "{sheets}");
}

#[test]
fn hostile_text_does_nothing_in_a_browser() {
    let folder = Folder::new("hostile-page");
    let mut saved = json(&fs::read_to_string(report(&folder, "zone-not-linked-ods", 1)).expect("the report"));
    let evil = "</title></style><script>document.title='owned';console.error('owned')</script>\
                <img src=\"http://evil.example/x\" onerror=\"console.error('owned')\"><link rel=stylesheet href=//198.51.100.7/>\
                <meta http-equiv=refresh content=\"0;url=http://evil.example/\">\"'>`";
    saved["observations"]["machine"]["name"] = evil.into();
    saved["observations"]["machine"]["os"] = evil.into();
    for endpoint in saved["observations"]["endpoints"].as_array_mut().expect("endpoints") {
        endpoint["purpose"] = evil.into();
    }
    let (file, page) = (folder.path("hostile.json"), folder.0.join("hostile.html"));
    fs::write(&file, saved.to_string()).expect("written");
    ran(&["judge", &file, "--format", "html", "-o", page.to_str().expect("UTF-8")]);
    let Some(output) = opened(&folder, &page) else { return };
    let dom = text(&output.stdout);
    assert_eq!(complaints(&folder, &output), Vec::<String>::new());
    assert!(dom.contains("<main data-route=") && dom.contains("&lt;script&gt;"), "{dom}");
    for acting in ["<script", "<img", "http-equiv=\"refresh\"", "stylesheet\" href"] {
        assert!(!dom.contains(acting), "{acting}");
    }
}

#[test]
fn a_page_that_does_act_would_be_noticed() {
    let folder = Folder::new("acting-page");
    let page = folder.0.join("acting.html");
    fs::write(&page, "<!DOCTYPE html><script>console.error('owned')</script><img src=http://evil.example/x>")
        .expect("written");
    let Some(output) = opened(&folder, &page) else { return };
    assert_eq!(
        complaints(&folder, &output).iter().filter(|it| it.contains("owned") || it.contains("asked for")).count(),
        2
    );
}
