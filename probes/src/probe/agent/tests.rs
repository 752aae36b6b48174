//! What the fake roots of the integration tests cannot show: files that are refused, and processes.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::observation::{ReadFailure, UnreadReason};
use crate::probe::agent::processes::Processes;
use crate::probe::loopback;

/// A folder that is gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("agents-{}", uuid::Uuid::new_v4()));
        for (path, text) in files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self(root)
    }

    fn world(&self) -> World {
        World { root: self.0.clone(), ..loopback::world(&[]) }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MDSD: &str = "opt/microsoft/azuremonitoragent/bin/mdsd";

#[test]
fn refused_folder_is_recorded_and_the_agent_is_there_all_the_same() {
    let disk = Disk::new(&[(MDSD, "")]);
    let chunks = "/etc/opt/microsoft/azuremonitoragent/config-cache/configchunks";
    let world = World { denied: [PathBuf::from(chunks)].into(), ..disk.world() };
    let (agents, seen) = read(&world, Instant::now());
    assert!(seen.ama && agents.found[0].kind == AgentKind::Ama);
    assert_eq!(agents.unread.len(), 1);
    assert_eq!(
        (agents.unread[0].path.as_str(), &agents.unread[0].why),
        (chunks, &UnreadReason::Failed(ReadFailure::NotPermitted))
    );
}

#[test]
fn program_is_known_by_its_whole_path_wherever_it_stands_in_the_command_line() {
    let table: [(&str, Option<bool>); 5] = [
        ("/opt/microsoft/azuremonitoragent/bin/mdsd\0-A", Some(true)),
        ("/usr/bin/setpriv\0--no-new-privs\0/opt/microsoft/azuremonitoragent/bin/amacoreagent\0", Some(true)),
        ("mdsd\0", Some(false)),
        ("/usr/local/lad/bin/mdsd\0", Some(false)),
        ("vi\0-R\0-n\0-b\0/opt/microsoft/azuremonitoragent/bin/mdsd\0", Some(false)),
    ];
    for (command, running) in table {
        let disk = Disk::new(&[(MDSD, ""), ("proc/1/cmdline", "init\0"), ("proc/77/cmdline", command)]);
        assert_eq!(read(&disk.world(), Instant::now()).0.found[0].running, running, "{command:?}");
    }
}

#[test]
fn processes_that_cannot_be_seen_are_not_missing() {
    let disk = Disk::new(&[(MDSD, ""), ("proc/77/cmdline", "vi")]);
    assert_eq!(read(&disk.world(), Instant::now()).0.found[0].running, None);
}

#[test]
fn own_processes_are_seen() {
    let world = World { root: crate::os::root(), network: crate::world::Network::Real, ..loopback::world(&[]) };
    let own = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    assert_eq!(Processes::read(&world).running(&[own]), Some(true));
    assert_eq!(Processes::read(&world).running(&["/no/such/program".to_owned()]), Some(false));
}

const AMA_DEFAULTS: &str = "etc/default/azuremonitoragent";

#[test]
fn proxy_of_the_agents_defaults_is_not_used_in_the_mode_none() {
    let address = "export MDSD_PROXY_ADDRESS=http://10.0.0.9:3128\n";
    let table = [
        ("", true),
        ("MDSD_PROXY_MODE=application\n", true),
        ("MDSD_PROXY_MODE=none\n", false),
        ("export MDSD_PROXY_MODE=NONE\n", false),
    ];
    for (mode, used) in table {
        let disk = Disk::new(&[(MDSD, ""), (AMA_DEFAULTS, &format!("{mode}{address}"))]);
        let proxies = read(&disk.world(), Instant::now()).0.proxies;
        let found: Vec<_> = proxies.iter().map(|proxy| (proxy.url.as_str(), proxy.effective)).collect();
        assert_eq!(found, [("http://10.0.0.9:3128", used)], "{mode:?}");
    }
}

#[test]
fn extension_counts_unless_it_says_that_it_is_not_installed() {
    let folder = "var/lib/waagent/Microsoft.Azure.Monitor.AzureMonitorLinuxAgent-1.33.1";
    for (state, installed) in
        [(None, true), (Some("Enabled"), true), (Some("NotInstalled"), false), (Some("NotInstalled\n"), false)]
    {
        let mut files = vec![(format!("{folder}/HandlerManifest.json"), "{}")];
        files.extend(state.map(|state| (format!("{folder}/config/HandlerState"), state)));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let disk = Disk::new(&files);
        let found = read(&disk.world(), Instant::now()).0.found;
        let versions: Vec<&str> =
            found.iter().flat_map(|agent| &agent.versions).map(|found| found.version.as_str()).collect();
        assert_eq!(versions, if installed { vec!["1.33.1"] } else { Vec::new() }, "{state:?}");
    }
}

#[test]
fn files_of_agents_are_read_up_to_a_limit_for_all_of_them() {
    let chunks = "etc/opt/microsoft/azuremonitoragent/config-cache/configchunks";
    let disk = Disk::new(&[(MDSD, "")]);
    fs::create_dir_all(disk.0.join(chunks)).unwrap();
    // Holes: they take no room on the disk.
    for number in 0..40 {
        let file = fs::File::create(disk.0.join(format!("{chunks}/{number:02}.json"))).unwrap();
        file.set_len(2 * 1024 * 1024).unwrap();
    }
    let world = disk.world();
    let mut files = Files::new(&world);
    let read: usize =
        (0..40).filter_map(|number| files.text(&format!("/{chunks}/{number:02}.json"))).map(|text| text.len()).sum();
    assert_eq!(read, 64 * 1024 * 1024);
    assert_eq!(files.into_unread().len(), 8, "those beyond the limit are named");
}
