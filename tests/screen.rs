//! The answer on one screen: what stands on a terminal when the prompt is back, for every world.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::{Finding, Severity};
use ampls_doctor::render::page::{Detail, Style};
use ampls_doctor::render::{self, Format};
use ampls_doctor::report::{FailOn, Report, RunInfo};
use ampls_probes::Observations;
use uuid::Uuid;
use vt100::Parser;

use super::cli::{Folder, ran, text};
use super::needs;
use super::scenarios::side_by_side;

mod wording;

/// Columns of the terminal that every answer has to fit.
const COLUMNS: u16 = 80;
/// Lines of an answer with at most one root, and for each root after it.
const LINES: (usize, usize) = (22, 10);

/// Worlds whose answers are looked at on a real terminal: one, two and three roots, each kind of owner.
const WORLDS: [&str; 12] = [
    "healthy-private",
    "healthy-public",
    "hub-and-spoke",
    "zone-not-linked-ods",
    "only-monitor-linked",
    "two-faults-zone-and-hosts",
    "forwarder-second-server-incomplete",
    "intercepted-untrusted",
    "workspace-deleted",
    "port-refused",
    "agent-too-old",
    "proxy-wants-credentials",
];

/// Lines of each answer, to say how long they are.
static LENGTHS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn roots(report: &Report) -> Vec<&Finding> {
    report.roots().filter(|root| root.severity > Severity::Info).collect()
}

/// The rows of the terminal that an answer with so many roots has to fit: two are the prompt's.
fn rows(roots: usize) -> usize {
    LINES.0 + 2 + LINES.1 * roots.saturating_sub(1)
}

fn rendered(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    render::write(Format::Table, report, FailOn::Error, style, &mut out).expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

/// What a terminal shows of a saved report.
pub(crate) fn of_report(saved: &Path) -> String {
    let saved: serde_json::Value = serde_json::from_slice(&fs::read(saved).expect("a report")).expect("JSON");
    let seen: Observations = serde_json::from_value(saved["observations"].clone()).expect("observations");
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(&seen, &Facts::new(&seen), diagnose(&seen), run);
    rendered(&report, &Style { width: Some(usize::from(COLUMNS)), ..Style::default() })
}

/// What a terminal of this size shows after the text and a prompt.
fn last_screen(written: &str, rows: usize) -> String {
    let mut terminal = Parser::new(u16::try_from(rows).expect("a terminal"), COLUMNS, 0);
    terminal.process(written.replace('\n', "\r\n").as_bytes());
    terminal.process(b"$ ");
    terminal.screen().contents()
}

/// What an answer lacks on the last screen.
fn lacking(report: &Report, screen: &str) -> Vec<String> {
    let mut lacks = Vec::new();
    let joined: String = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    if !joined.starts_with(&report.verdict.headline) {
        lacks.push("the headline does not stand first".to_owned());
    }
    let roots = roots(report);
    let fixes = screen.lines().filter(|line| line.trim_start().starts_with("Fix ")).count();
    if fixes != roots.len() {
        lacks.push(format!("{fixes} fixes for {} roots", roots.len()));
    }
    let codes = roots.iter().map(|root| root.code.as_str());
    let words = codes.chain(["More ", "Send "]).chain((!roots.is_empty()).then_some("Verify "));
    lacks.extend(words.filter(|word| !screen.contains(word)).map(|word| format!("`{word}` is missing")));
    lacks
}

/// What is wrong with the answer of a world: it has to fit, and to hold what has to be done.
pub(crate) fn faults(report: &Report) -> Vec<String> {
    let rows = rows(roots(report).len());
    let mut faults = Vec::new();
    for (ascii, colour) in [(false, false), (true, true)] {
        let style = Style { width: Some(usize::from(COLUMNS)), ascii, colour, ..Style::default() };
        let written = rendered(report, &style);
        let mut whole = Parser::new(400, COLUMNS, 0);
        whole.process(written.replace('\n', "\r\n").as_bytes());
        let lines = usize::from(whole.screen().cursor_position().0);
        if !ascii {
            LENGTHS.lock().expect("no thread panics while it holds the list").push(lines);
        }
        let screen = last_screen(&written, rows);
        let lacks = lacking(report, &screen);
        if lines > rows - 2 || !lacks.is_empty() {
            faults.push(format!("{lines} lines, {} are allowed; {}\n{written}", rows - 2, lacks.join(", ")));
        }
        if ascii && !written.replace('…', "").is_ascii() {
            faults.push(format!("not ASCII:\n{written}"));
        }
        faults.extend(overlong(&written).map(|line| format!("a line for people is too long: {line}")));
    }
    faults.extend(unbroken(report));
    faults.extend(wording::faults(report));
    faults
}

/// Lines of words that are longer than the terminal is wide; commands, and what is a single word, go on in the next row.
fn overlong(written: &str) -> impl Iterator<Item = &str> {
    written.lines().filter(|line| !line.starts_with("    ") && !line.contains('\u{1b}')).filter(|line| {
        line.chars().count() > usize::from(COLUMNS)
            && line.split_whitespace().all(|word| word.chars().count() < usize::from(COLUMNS) - 20)
    })
}

/// Off a terminal every name stands whole, and nothing goes on in the next line.
fn unbroken(report: &Report) -> Vec<String> {
    let piped = |detail| rendered(report, &Style { detail, ..Style::default() });
    let (answer, usual, more) = (piped(Detail::Answer), piped(Detail::Usual), piped(Detail::More));
    let mut faults = Vec::new();
    if answer.trim_end() != report.verdict.headline {
        faults.push(format!("-q is not the headline: {answer}"));
    }
    if !usual.starts_with(&report.verdict.headline) {
        faults.push("in a pipe the first line does not begin with the whole headline".to_owned());
    }
    for endpoint in &report.endpoints {
        if !more.contains(&format!("{}  ", endpoint.fqdn)) && !more.contains(&format!("{}:", endpoint.fqdn)) {
            faults.push(format!("-v breaks or lacks {}", endpoint.fqdn));
        }
    }
    for root in report.roots() {
        for said in root.evidence.iter().chain([&root.title]).filter(|said| !said.contains("  ")) {
            if !more.contains(said.as_str()) {
                faults.push(format!("-v breaks or lacks: {said}"));
            }
        }
    }
    faults
}

/// How long the answers were that were looked at.
pub(crate) fn lengths() -> String {
    let mut lengths = LENGTHS.lock().expect("no thread panics while it holds the list").clone();
    lengths.sort_unstable();
    let middle = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    let longest = lengths.last().copied().unwrap_or_default();
    format!("{} answers: median {middle} lines, longest {longest}", lengths.len())
}

/// What a terminal of its own, as `script` gives one, shows of a saved report.
fn on_a_terminal(saved: &str, rows: usize) -> Result<String, String> {
    let doctor = env!("CARGO_BIN_EXE_ampls-doctor");
    let line = format!("stty rows {rows} cols {COLUMNS}; '{doctor}' judge '{saved}'; printf '$ '");
    let mut command = Command::new("script");
    command.args(["--quiet", "--command", &line, "/dev/null"]);
    command.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    let mut terminal = Parser::new(u16::try_from(rows).expect("a terminal"), COLUMNS, 0);
    terminal.process(&output.stdout);
    Ok(terminal.screen().contents())
}

#[test]
fn the_answer_is_on_the_screen_when_the_prompt_is_back() {
    if !needs::programs(&["script", "stty"]) {
        return;
    }
    let folder = Folder::new("screen");
    side_by_side(
        &WORLDS,
        |world| (*world).to_owned(),
        |world, _| {
            let saved = folder.path(&format!("{world}.json"));
            let run = ran(&["demo", world, "--format", "json", "-o", &saved]);
            let document = fs::read(&saved).map_err(|error| format!("{error}: {}", text(&run.stderr)))?;
            let report: serde_json::Value = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
            let findings = report["findings"].as_array().ok_or("no findings")?;
            let roots: Vec<&str> = findings
                .iter()
                .filter(|finding| finding["caused_by"].is_null() && finding["severity"] != "info")
                .filter_map(|finding| finding["code"].as_str())
                .collect();
            let screen = on_a_terminal(&saved, rows(roots.len()))?;
            let told: String = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            let headline = report["verdict"]["headline"].as_str().unwrap_or_default();
            let fix = (!roots.is_empty()).then_some("Fix ");
            let wanted = roots.iter().copied().chain(["Send ", "\n$"]).chain(fix);
            let missing = wanted.filter(|wanted| !screen.contains(wanted)).collect::<Vec<_>>();
            if told.starts_with(headline) && missing.is_empty() {
                return Ok(Vec::new());
            }
            Ok(vec![format!("not on the screen: {missing:?}, or not `{headline}` first:\n{screen}")])
        },
    );
}
