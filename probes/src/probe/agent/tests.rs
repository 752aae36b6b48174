//! What the fake roots of the integration tests cannot show: files that are refused, and processes.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::observation::{ReadFailure, UnreadReason};
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
