//! What ships beside the program: what a binary may need, the service that watches, its alerts, scripts that a release fills in.
//!
//! Building, packaging and installing take too long for this place: `.ci/release` does that.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::cli::{Folder, demo, json, status, text};
use super::needs;

/// The installed program.
const DOCTOR: &str = env!("CARGO_BIN_EXE_ampls-doctor");

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(packaging(name)).unwrap_or_else(|error| panic!("packaging/{name}: {error}"))
}

fn ran(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A script of a test's own that anybody may run.
fn script(folder: &Folder, name: &str, body: &str) {
    let file = folder.0.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, format!("#!/bin/sh\n{body}\n")).expect("a script");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Status and words of `packaging/inspect`; `None` where Python has no reader of binaries.
fn inspect(arguments: &[&str]) -> Option<(bool, String)> {
    let python = env::var("AMPLS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_readers = Command::new(&python).args(["-c", "import pefile, elftools"]).output();
    if !has_readers.is_ok_and(|output| output.status.success()) {
        needs::without("pefile and pyelftools for Python");
        return None;
    }
    let output = ran(Command::new(&python).arg(packaging("inspect")).args(arguments));
    Some((output.status.success(), text(&output.stdout) + &text(&output.stderr)))
}

#[test]
fn a_binary_that_an_old_system_cannot_start_is_refused() {
    let folder = Folder::new("inspect");
    let (source, shared, fixed) = (folder.path("x.c"), folder.path("shared"), folder.path("static"));
    fs::write(&source, "#include <stdio.h>\nint main(void) { return puts(\"x\") < 0; }\n").expect("a source");
    for arguments in [&["-o", shared.as_str(), &source][..], &["-static", "-o", &fixed, &source]] {
        assert!(ran(Command::new("cc").args(arguments)).status.success(), "{arguments:?}");
    }

    let Some((accepted, words)) = inspect(&["--glibc", "2.1", &shared]) else { return };
    assert!(!accepted && words.contains("2.1 is the newest that every system of the target has"), "{words}");
    assert_eq!(inspect(&["--glibc", "99", &shared]).map(|(accepted, _)| accepted), Some(true));
    let Some((accepted, words)) = inspect(&["--glibc", "2.1", &fixed]) else { return };
    assert!(accepted && words.contains("static"), "{words}");
    let Some((accepted, words)) = inspect(&["--largest", "1000", &fixed]) else { return };
    assert!(!accepted && words.contains("at most 1000 are wanted"), "{words}");

    // What this machine's own linker makes of the program needs libgcc.
    let Some((accepted, words)) = inspect(&["--glibc", "99", DOCTOR]) else { return };
    assert!(!accepted && words.contains("needs libgcc_s.so.1, which is not part of glibc"), "{words}");
    let Some((accepted, words)) = inspect(&[&source]) else { return };
    assert!(!accepted && words.contains("is not a binary"), "{words}");
}

#[test]
fn a_dll_that_windows_server_2016_lacks_is_refused() {
    let folder = Folder::new("inspect-windows");
    let exe = folder.path("x.exe");
    fs::write(&exe, portable_executable("KERNEL32.dll")).expect("a program");
    let Some((accepted, words)) = inspect(&[&exe]) else { return };
    assert!(accepted && words.contains("amd64, kernel32.dll"), "{words}");
    let Some((accepted, words)) = inspect(&["--resources", &exe]) else { return };
    assert!(!accepted && words.contains("has no version") && words.contains("has no manifest"), "{words}");
    fs::write(&exe, portable_executable("VCRUNTIME140.dll")).expect("a program");
    let Some((accepted, words)) = inspect(&[&exe]) else { return };
    let fault = "needs vcruntime140.dll, which Windows Server 2016 is not known to have";
    assert!(!accepted && words.contains(fault), "{words}");
}

/// A program of Windows with one section, which holds an import table of one DLL
/// (<https://learn.microsoft.com/windows/win32/debug/pe-format>).
fn portable_executable(dll: &str) -> Vec<u8> {
    let mut file = vec![0_u8; 0x600];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0");
    // COFF: x86-64, one section, the size of the optional header, an executable image of large addresses.
    put(0x44, &0x8664_u16.to_le_bytes());
    put(0x46, &1_u16.to_le_bytes());
    put(0x54, &240_u16.to_le_bytes());
    put(0x56, &0x22_u16.to_le_bytes());
    // The optional header begins at 0x58.
    put(0x58, &0x20b_u16.to_le_bytes());
    put(0x70, &0x1_4000_0000_u64.to_le_bytes());
    put(0x78, &0x1000_u32.to_le_bytes());
    put(0x7c, &0x200_u32.to_le_bytes());
    put(0x90, &0x2000_u32.to_le_bytes());
    put(0x94, &0x200_u32.to_le_bytes());
    put(0x9c, &3_u16.to_le_bytes());
    put(0x9e, &0x160_u16.to_le_bytes());
    put(0xc4, &16_u32.to_le_bytes());
    // The second directory: imports.
    put(0xd0, &0x1000_u32.to_le_bytes());
    put(0xd4, &40_u32.to_le_bytes());
    // The section.
    put(0x148, b".idata\0\0");
    put(0x150, &0x1000_u32.to_le_bytes());
    put(0x154, &0x1000_u32.to_le_bytes());
    put(0x158, &0x400_u32.to_le_bytes());
    put(0x15c, &0x200_u32.to_le_bytes());
    put(0x16c, &0xc000_0040_u32.to_le_bytes());
    // The table: names of functions, name of the DLL, addresses; then one function by name.
    put(0x200, &0x1080_u32.to_le_bytes());
    put(0x20c, &0x1060_u32.to_le_bytes());
    put(0x210, &0x10a0_u32.to_le_bytes());
    put(0x260, dll.as_bytes());
    put(0x280, &0x10c0_u64.to_le_bytes());
    put(0x2a0, &0x10c0_u64.to_le_bytes());
    put(0x2c2, b"ExitProcess");
    file
}

#[test]
fn the_service_may_do_little() {
    if !needs::programs(&["systemd-analyze"]) {
        return;
    }
    let unit = packaging("systemd/ampls-doctor.service");
    let output = ran(Command::new("systemd-analyze").args(["security", "--offline=true", "--no-pager"]).arg(&unit));
    let said = text(&output.stdout);
    let level = said.split("Overall exposure level").nth(1).and_then(|rest| rest.split_whitespace().nth(2));
    let level: f64 = level.and_then(|level| level.parse().ok()).unwrap_or_else(|| panic!("{said}"));
    assert!(level < 2.0, "{level}\n{said}");

    let unit = read("systemd/ampls-doctor.service");
    for line in ["User=ampls-doctor", "CapabilityBoundingSet=CAP_DAC_READ_SEARCH", "NoNewPrivileges=yes"] {
        assert!(unit.lines().any(|one| one == line), "{line}");
    }
    // Either would make every agent look stopped.
    assert!(!unit.lines().any(|line| line.starts_with("ProtectProc=") || line.starts_with("PrivateUsers=")));
}

/// The service's script with a simulated Azure in place of the machine's.
struct Watch<'a> {
    folder: &'a Folder,
}

impl<'a> Watch<'a> {
    fn new(folder: &'a Folder, world: &str) -> Self {
        // A simulated machine has no real browsers to leave alone, and no option for that.
        let rest = "set -- $(printf '%s\\n' \"$@\" | grep -v '^--browsers=')";
        let body = format!(
            "case $1 in check) shift; {rest}; exec '{DOCTOR}' demo {world} \"$@\" ;; esac; exec '{DOCTOR}' \"$@\""
        );
        script(folder, "bin/ampls-doctor", &body);
        script(folder, "bin/logger", "[ \"$*\" = --journald ] && cat");
        fs::create_dir_all(folder.0.join("state")).expect("a folder");
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.looks(&[&["--splay=0"], arguments].concat())
    }

    fn looks(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.folder.path("bin"), env::var("PATH").expect("a path"));
        let mut command = Command::new(packaging("systemd/watch"));
        ran(command.args(arguments).env("PATH", path).env("STATE_DIRECTORY", self.folder.path("state")))
    }

    fn state(&self, file: &str) -> (String, u32) {
        let file = self.folder.0.join("state").join(file);
        let mode =
            fs::metadata(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).permissions().mode();
        (fs::read_to_string(&file).expect("a file"), mode & 0o777)
    }
}

#[test]
fn the_service_leaves_a_report_metrics_and_one_line_of_the_journal() {
    let folder = Folder::new("watch");
    let watch = Watch::new(&folder, "zone-not-linked-ods");
    let output = watch.run(&["--rule=AGT002=off"]);
    assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));

    let line = text(&output.stdout);
    let fields: Vec<(&str, &str)> = line.lines().filter_map(|field| field.split_once('=')).collect();
    assert_eq!(fields.len(), line.lines().count(), "{line}");
    for (name, value) in [
        ("PRIORITY", "3"),
        ("SYSLOG_IDENTIFIER", "ampls-doctor"),
        ("AMPLS_ROUTE", "mixed"),
        ("AMPLS_HEALTH", "error"),
        ("AMPLS_EXIT", "1"),
        ("AMPLS_CODES", "DNS003"),
    ] {
        assert!(fields.contains(&(name, value)), "{name}={value}: {line}");
    }
    assert!(fields.iter().any(|(name, value)| *name == "MESSAGE" && value.starts_with("MIXED, 1 error")), "{line}");

    let (report, mode) = watch.state("report.json");
    assert_eq!((json(&report)["verdict"]["route"].as_str(), mode), (Some("mixed"), 0o600));
    let (metrics, mode) = watch.state("ampls-doctor.prom");
    assert_eq!(mode, 0o644);
    assert!(metrics.contains("ampls_doctor_roots{severity=\"error\"} 1") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(fs::read_dir(folder.0.join("state")).expect("the folder").count(), 2, "nothing else is left");
}

#[test]
fn the_service_keeps_the_last_report_when_it_cannot_look() {
    let folder = Folder::new("watch-refused");
    let watch = Watch::new(&folder, "healthy-private");
    assert_eq!(status(&watch.run(&["--fail-on=warning"])), Some(0));
    let before = (watch.state("report.json"), watch.state("ampls-doctor.prom"));
    let output = watch.run(&["--expect=perhaps"]);
    assert_eq!(status(&output), Some(2));
    assert!(text(&output.stdout).starts_with("<3>ampls-doctor: "), "{}", text(&output.stdout));
    assert_eq!(before, (watch.state("report.json"), watch.state("ampls-doctor.prom")));
}

#[test]
fn the_service_looks_within_a_minute_and_at_nobodys_browser_unless_its_arguments_say_otherwise() {
    let folder = Folder::new("watch-splay");
    let watch = Watch::new(&folder, "healthy-private");
    script(&folder, "bin/ampls-doctor", "echo \"$*\"; exit 3");
    let table: [(&[&str], &str); 3] = [
        (&[], "check --splay=60 --browsers=policies --format"),
        (&["--splay=0"], "check --browsers=policies --splay=0 --format"),
        (&["--browsers=all"], "check --splay=60 --browsers=all --format"),
    ];
    for (given, wanted) in table {
        let output = watch.looks(given);
        assert!(text(&output.stdout).starts_with(&format!("<3>{wanted}")), "{}", text(&output.stdout));
    }
}

#[test]
fn the_service_says_its_line_without_a_journal_as_well() {
    let folder = Folder::new("watch-old");
    let watch = Watch::new(&folder, "healthy-private");
    script(&folder, "bin/logger", "exit 1");
    let output = watch.run(&[]);
    assert_eq!(status(&output), Some(0));
    assert!(text(&output.stdout).starts_with("<6>PRIVATE, "), "{}", text(&output.stdout));
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests() {
    let promtool = env::var("AMPLS_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    if Command::new(&promtool).arg("--version").output().is_err() {
        needs::without("promtool");
        return;
    }
    for arguments in [["check", "rules", "ampls-doctor.rules.yml"], ["test", "rules", "ampls-doctor.test.yml"]] {
        let output = ran(Command::new(&promtool).args(arguments).current_dir(packaging("prometheus")));
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
}

/// Every alert looks at a series that the program writes, and has a test.
#[test]
fn alerts_look_at_what_there_is() {
    let rules = read("prometheus/ampls-doctor.rules.yml");
    let name = |word: &str| word.starts_with("ampls_doctor_") && !word.ends_with("findings");
    let wanted: BTreeSet<&str> =
        rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| name(word)).collect();
    assert!(wanted.len() >= 5, "{wanted:?}");
    let metrics = text(&demo("healthy-private", "metrics").stdout);
    for series in wanted {
        assert!(metrics.contains(&format!("# TYPE {series} gauge")), "{series}");
    }
    let tests = read("prometheus/ampls-doctor.test.yml");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert}");
    }
}

/// What looks at many machines leaves people's own settings alone.
#[test]
fn every_carrier_looks_at_policies_of_browsers_only() {
    for (file, words) in [
        ("systemd/watch", "browsers=--browsers=policies\n"),
        ("run-command/ampls-doctor.sh", "browsers=policies\n"),
        ("run-command/ampls-doctor.ps1", "$words += '--browsers', 'policies'"),
        ("ansible/roles/ampls_doctor/defaults/main.yml", "  - --browsers=policies\n"),
        ("windows/task.xml", "<Arguments>check --splay 60 --browsers policies "),
    ] {
        assert!(read(file).contains(words), "{file}");
    }
    for file in ["container/job.yaml", "container/README.md"] {
        let looks: Vec<String> = read(file).lines().filter(|line| line.contains("check")).map(str::to_owned).collect();
        let looks = looks.iter().filter(|line| line.contains("args: [") || line.contains("kubectl debug"));
        let (all, few) = looks.fold((0, 0), |(all, few), line| {
            (all + 1, few + usize::from(line.replace('=', " ").contains("--browsers policies")))
        });
        assert!(all >= 2 && all == few, "{file}: {few} of {all}");
    }
}

/// What is fetched and run in place of the program, which in a development build is larger than the script takes: it prints
/// its arguments.
const PROGRAM: &str = "/bin/echo";

/// A release as its RELEASE file tells of it, with this machine as the server.
fn release(folder: &Folder, base: &str) -> Output {
    let sum = text(&ran(Command::new("sha256sum").arg(PROGRAM)).stdout);
    let sum = sum.split_whitespace().next().expect("a sum");
    let (other, machine) = ("0".repeat(64), env::consts::ARCH);
    let file = format!(
        "# Comment\nversion 9.8.7\nbase {base}\n{sum}  ampls-doctor-9.8.7-linux-{machine}\n\
         {other}  ampls-doctor-9.8.7-windows-amd64.exe\n{other}  ampls-doctor-9.8.7-linux-{machine}.tar.gz\n"
    );
    fs::write(folder.0.join("RELEASE"), file).expect("a file");
    ran(Command::new(packaging("run-command/prepare")).args([folder.path("RELEASE"), folder.path("out")]))
}

#[test]
fn a_release_fills_in_where_its_binaries_are() {
    let folder = Folder::new("release");
    let binary = format!("ampls-doctor-9.8.7-linux-{}", env::consts::ARCH);
    fs::copy(PROGRAM, folder.0.join(&binary)).expect("a binary");
    let output = release(&folder, folder.0.to_str().expect("UTF-8"));
    assert!(output.status.success(), "{}", text(&output.stderr));

    let output = ran(Command::new("sh").arg(folder.0.join("out/ampls-doctor.sh")).env("ARGUMENTS", "explain DNS003"));
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "explain DNS003\n");
    // A parameter comes first.
    let other = "1".repeat(64);
    let output = ran(Command::new("sh").arg(folder.0.join("out/ampls-doctor.sh")).env("SHA256", &other));
    assert_eq!(status(&output), Some(3));
    assert!(text(&output.stderr).contains("not in `SHA256`"), "{}", text(&output.stderr));

    let windows = fs::read_to_string(folder.0.join("out/ampls-doctor.ps1")).expect("a script");
    assert!(windows.contains("/ampls-doctor-9.8.7-windows-{arch}.exe',"), "{windows}");
    assert!(windows.contains(&format!("[string] $Sha256 = '{}',", "0".repeat(64))), "{windows}");
}

#[test]
fn a_release_with_a_place_that_is_no_url_is_refused() {
    let folder = Folder::new("release-refused");
    for base in ["", "https://host/'; rm -rf /", "https://host/|e", "https://host/$(id)", "https://host/ x"] {
        let output = release(&folder, base);
        assert_eq!(status(&output), Some(2), "{base}");
        assert!(!folder.0.join("out/ampls-doctor.sh").exists(), "{base}");
    }
}

/// What takes rows of many machines elsewhere knows every column of them.
#[test]
fn engines_take_the_rows_as_they_are() {
    let schema = json(&read("fleet-row.schema.json"));
    let columns: BTreeSet<&str> =
        schema["properties"].as_object().expect("columns").keys().map(String::as_str).collect();
    let template = json(&read("fleet/azure/table-and-rule.json"));
    let rule = &template["resources"][1]["properties"];
    let stream = rule["streamDeclarations"]["Custom-AmplsFleet"]["columns"].as_array().expect("columns").iter();
    let stream: BTreeSet<&str> = stream.map(|column| column["name"].as_str().expect("a name")).collect();
    // Every row is of that kind, and a table holds nothing else.
    let wanted: BTreeSet<&str> = columns.iter().copied().filter(|name| *name != "kind").collect();
    assert_eq!(stream, wanted);
    let reserved =
        ["type", "tenantid", "resource", "resourceid", "resourcename", "resourcetype", "subscriptionid", "tenanted"];
    let table = template["resources"][0]["properties"]["schema"]["columns"].as_array().expect("columns").iter();
    for name in table.map(|column| column["name"].as_str().expect("a name").to_lowercase()) {
        assert!(!reserved.contains(&name.as_str()) && !["title", "uniqueid", "id"].contains(&name.as_str()), "{name}");
    }
    for engine in ["duckdb", "spark"] {
        let setup = read(&format!("fleet/{engine}.sql"));
        let words: BTreeSet<&str> = setup.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let missing: Vec<&&str> = wanted.iter().filter(|name| **name != "schema" && !words.contains(**name)).collect();
        assert!(missing.is_empty(), "{engine}: {missing:?}");
    }
    let mapping = read("fleet/kql/table.kql");
    assert!(wanted.iter().all(|name| mapping.contains(&format!("\"$.{name}\""))), "{mapping}");
}

/// What points into a package points at what is there.
#[test]
fn places_within_the_packages_agree() {
    let description = read("nfpm.yaml");
    let unit = read("systemd/ampls-doctor.service");
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a program");
    let started = started.split_whitespace().next().expect("a path");
    assert!(description.contains(&format!("dst: {started}\n")), "{started}");
    for source in description.lines().filter_map(|line| line.trim().strip_prefix("- src: packaging/")) {
        assert!(packaging(source).is_file(), "{source}");
    }
    for line in description.lines().filter_map(|line| line.split("packaging/scripts/").nth(1)) {
        assert!(packaging("scripts").join(line).is_file(), "{line}");
    }

    let installer = roxmltree::Document::parse(&read("windows/ampls-doctor.wxs")).map(|document| {
        let folder = |node: roxmltree::Node<'_, '_>| node.attribute("Id") == Some("INSTALLDIR");
        document.descendants().find(|node| folder(*node)).and_then(|node| node.attribute("Name")).map(str::to_owned)
    });
    let folder = installer.expect("XML").expect("a folder");
    let task = read("windows/task.xml");
    let task = roxmltree::Document::parse(&task).expect("XML");
    let one = |name: &str| {
        let node = task.descendants().find(|node| node.tag_name().name() == name);
        node.and_then(|node| node.text()).unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    assert_eq!(one("Command"), format!("C:\\Program Files\\{folder}\\ampls-doctor.exe"));
    assert_eq!(one("UserId"), "S-1-5-18");

    let version = env!("CARGO_PKG_VERSION");
    for file in ["container/job.yaml", "container/README.md"] {
        let text = read(file);
        let tags = text.split("ampls-doctor:").skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let wrong = tags.filter(|rest| !rest.starts_with(version)).count();
        assert_eq!(wrong, 0, "{file} has an image of another version than {version}");
    }
}

/// A script that nobody checks is one that breaks in somebody's shell.
#[test]
fn every_script_is_checked_by_shellcheck() {
    let gates = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).expect(".ci/run");
    let mut folders = vec![packaging("")];
    let mut scripts = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let start = fs::read(&path).expect("a file");
            if !(start.starts_with(b"#!/bin/sh") || start.starts_with(b"#!/usr/bin/env bash")) {
                continue;
            }
            scripts += 1;
            let name = path
                .strip_prefix(env!("CARGO_MANIFEST_DIR"))
                .expect("below the root")
                .to_str()
                .expect("UTF-8")
                .to_owned();
            let folder = format!("{}/*", Path::new(&name).parent().expect("a folder").display());
            let listed = gates.split_whitespace().any(|word| word == name || word == folder);
            assert!(listed, "{name} is not in the line `shellcheck` of .ci/run");
        }
    }
    assert!(scripts >= 10, "{scripts}");
}
