//! What is printed for a Windows machine runs there: every world is judged as if it had been seen from one.
//!
//! Commands for the DNS server of somebody else, and those about files that only Linux has, stay as they are.

use ampls_doctor::diagnose::command::{Command, Language};
use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::{Finding, Fix};
use ampls_doctor::report::{Report, RunInfo};
use ampls_probes::Observations;
use uuid::Uuid;

/// Words that no program of Windows understands.
const UNIX: [&str; 11] = [
    "/dev/null",
    "openssl ",
    "dig ",
    "curl -",
    "sudo ",
    "systemctl ",
    "journalctl ",
    "getent ",
    "grep ",
    "tail ",
    "| head",
];
/// Programs of DNS servers on other machines, and of agents and services that only Linux has.
const ELSEWHERE: [&str; 8] = [
    "rndc",
    "named-checkconf",
    "omsadmin.sh",
    "/opt/microsoft/omsagent",
    "omsagent-",
    "systemd-resolved",
    "resolved.conf",
    "resolvectl",
];

/// What would not run on Windows, a line each.
pub(crate) fn examine(observations: &Observations) -> Vec<String> {
    let mut observations = observations.clone();
    "Windows Server 2022 (20348)".clone_into(&mut observations.machine.os);
    let findings = diagnose(&observations);
    let commands = findings.iter().flat_map(|finding| commands(finding).map(move |command| (finding, command)));
    let wrong = commands.filter(|(_, command)| is_of_unix(command));
    let mut faults: Vec<String> =
        wrong.map(|(finding, command)| format!("on Windows {} prints `{}`", finding.code, command.as_str())).collect();
    let facts = Facts::new(&observations);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(&observations, &facts, findings.clone(), run);
    let noted = report.notes.iter().filter_map(|note| note.command.as_ref()).filter(|command| is_of_unix(command));
    faults.extend(noted.map(|command| format!("on Windows a note prints `{}`", command.as_str())));
    faults
}

/// Those for this machine: what is to be looked at on a proxy is another one's.
fn commands(finding: &Finding) -> impl Iterator<Item = &Command> {
    finding.fix.iter().filter(|fix| !fix.text.starts_with("check on the proxy")).flat_map(Fix::all_commands)
}

fn is_of_unix(command: &Command) -> bool {
    let line = command.as_str();
    if ELSEWHERE.iter().any(|word| line.contains(word)) || line.starts_with("az ") {
        return false;
    }
    command.language() == Language::Sh || UNIX.iter().any(|word| line.contains(word))
}

#[test]
fn a_word_of_unix_is_found_whatever_reads_it() {
    use ampls_doctor::diagnose::command::command;
    assert!(is_of_unix(&command!(Sh, "true")) && is_of_unix(&command!(Any, "curl -sv https://x")));
    assert!(!is_of_unix(&command!(PowerShell, "curl.exe -sv https://x -o NUL")));
    assert!(!is_of_unix(&command!(Sh, "az login")) && !is_of_unix(&command!(Sh, "sudo rndc reconfig")));
}
