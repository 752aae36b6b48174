//! Network namespaces through `ip`, and what a killed run left of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::lab::Result;
use crate::needs;

/// Begins the name of everything that is visible outside.
pub(super) const PREFIX: &str = "ampls";

/// The programs of every lab and of the tests in them.
const PROGRAMS: [&str; 18] = [
    "busybox", "curl", "dig", "dnsmasq", "ethtool", "ip", "named", "nft", "nginx", "perl", "pgrep", "ping", "setpriv",
    "squid", "strace", "strip", "unbound", "wget",
];

/// What is missing for labs, if anything.
pub(super) fn missing() -> Option<String> {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !needs::on_path(program)).collect();
    if !missing.is_empty() {
        return Some(missing.join(", "));
    }
    let name = format!("{PREFIX}-{}-try", std::process::id());
    let tried = Command::new("ip").args(["netns", "add", &name]).output();
    let _ = Command::new("ip").args(["netns", "del", &name]).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("network namespaces (`{}`)", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("`ip` cannot be started: {error}")),
    }
}

/// Runs a command to its end; anything but success is an error with what it said.
pub(super) fn run(command: &mut Command) -> Result<Output> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// A command in a namespace, with an environment of its own.
pub(super) fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    // A killed test takes its servers along.
    command.args(["netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", program]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
    command
}

/// A wire between two namespaces.
pub(super) fn link(namespace: &str, name: &str, other: &str, other_name: &str) -> Result<()> {
    run(Command::new("ip")
        .args(["-n", namespace, "link", "add", name, "type", "veth", "peer", "name", other_name, "netns", other]))?;
    Ok(())
}

/// Commands of `ip` for one namespace, one a line.
pub(super) fn batch(namespace: &str, commands: &str) -> Result<()> {
    let mut child = Command::new("ip")
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(commands.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip -batch: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Ends what runs in a namespace and removes it, with its files.
pub(super) fn remove(namespace: &str) {
    if let Ok(output) = Command::new("ip").args(["netns", "pids", namespace]).output() {
        for pid in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
    }
    let _ = Command::new("ip").args(["netns", "del", namespace]).output();
    let _ = fs::remove_dir_all(Path::new("/etc/netns").join(namespace));
}

/// Removes what runs of processes that are gone left behind.
pub(super) fn sweep() {
    let gone = |name: &str| {
        let pid =
            name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.split('-').next());
        pid.and_then(|pid| pid.parse::<u32>().ok())
            .is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
    };
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| gone(name)).collect()
    };
    for namespace in names(Path::new("/run/netns")).union(&names(Path::new("/etc/netns"))) {
        remove(namespace);
    }
    let temporary = std::env::temp_dir();
    for folder in names(&temporary) {
        let _ = fs::remove_dir_all(temporary.join(folder));
    }
}
