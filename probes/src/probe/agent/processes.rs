//! Which programs run: the system's process list, or `/proc` of a collected folder.

use std::path::Path;

use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::os;
use crate::read::{self, Links};
use crate::world::{Network, World};

/// Arguments that are looked at: a script's interpreter comes before it.
const ARGUMENTS: usize = 4;
/// Octets that are read of one command line.
const COMMAND_LINE: u64 = 64 * 1024;
/// Processes that are looked at in a collected folder.
const FOLDERS: usize = 65_536;

/// The programs of all processes; `None` when they cannot be seen.
pub(super) struct Processes(Option<Vec<Vec<String>>>);

impl Processes {
    pub(super) fn read(world: &World) -> Self {
        let own = world.root == os::root() && matches!(world.network, Network::Real);
        Self(if own { system() } else { collected(world) })
    }

    /// Whether a process runs whose file has one of these names, in any folder and either case: on Windows the folder of an
    /// extension's program holds its version, and names are never cut.
    pub(super) fn running_by_name(&self, programs: &[String]) -> Option<bool> {
        let processes = self.0.as_ref()?;
        if programs.is_empty() {
            return None;
        }
        let file = |word: &String| word.rsplit(['\\', '/']).next().map(str::to_ascii_lowercase).unwrap_or_default();
        // The first word and the last one name the program; what stands between are its arguments.
        let names = |words: &Vec<String>| words.first().into_iter().chain(words.last()).map(file).collect::<Vec<_>>();
        let is_one = |name: &String| programs.iter().any(|program| program.eq_ignore_ascii_case(name));
        Some(processes.iter().flat_map(names).any(|name| is_one(&name)))
    }

    /// Whether one of these programs runs. Names of processes are cut after 15 characters, so whole paths are compared; one
    /// that ends with `*` stands for all that begin so.
    pub(super) fn running(&self, programs: &[String]) -> Option<bool> {
        let processes = self.0.as_ref()?;
        if programs.is_empty() {
            return None;
        }
        let is_one = |word: &String| programs.iter().any(|program| is_program(program, word));
        Some(processes.iter().flatten().any(is_one))
    }
}

fn is_program(program: &str, word: &str) -> bool {
    match program.strip_suffix('*') {
        Some(start) => word.strip_prefix(start).is_some_and(|rest| !rest.contains('/')),
        None => program == word,
    }
}

fn system() -> Option<Vec<Vec<String>>> {
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_exe(UpdateKind::Always).with_cmd(UpdateKind::Always).without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let first_seen = cfg!(windows) || system.processes().keys().any(|id| id.as_u32() == 1);
    let words = |process: &Process| {
        let command = process.cmd().iter().take(ARGUMENTS).map(|word| word.to_string_lossy().into_owned());
        let exe = process.exe().map(|exe| exe.to_string_lossy().into_owned());
        // Elsewhere names are cut after 15 characters.
        let name = cfg!(windows).then(|| process.name().to_string_lossy().into_owned());
        words(command, exe, name)
    };
    let all = system.processes().values().map(words).collect();
    // Mounted with `hidepid`, `/proc` hides the processes of others: nothing follows from what is missing then.
    first_seen.then_some(all)
}

/// The name of its file comes last: Windows gives that of every process, but the path and the arguments only of those that this user
/// may open, which are none of SYSTEM's for a plain user.
fn words(command: impl Iterator<Item = String>, exe: Option<String>, name: Option<String>) -> Vec<String> {
    command.chain(exe).chain(name).collect()
}

fn collected(world: &World) -> Option<Vec<Vec<String>>> {
    let folder = world.path("/proc");
    command_line(&folder.join("1"))?;
    let entries = folder.read_dir().ok()?.take(FOLDERS).flatten();
    let numbered = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
    Some(numbered.filter_map(|entry| command_line(&entry.path())).collect())
}

fn command_line(process: &Path) -> Option<Vec<String>> {
    let contents = read::contents(&process.join("cmdline"), Links::Refuse, COMMAND_LINE).ok()?;
    let words = contents.bytes.split(|octet| *octet == 0).take(ARGUMENTS);
    Some(words.map(|word| String::from_utf8_lossy(word).trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_of_windows_is_known_by_its_file_wherever_it_lies() {
        let process = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        let programs = ["MonAgentCore.exe".to_owned()];
        let folder = r"C:\Packages\Plugins\Microsoft.Azure.Monitor.AzureMonitorWindowsAgent\1.33.0.0\Monitoring\Agent";
        for (words, expected) in [
            (process(&[&format!(r"{folder}\MonAgentCore.exe"), "-useenv"]), true),
            (process(&["monagentcore.EXE"]), true),
            (process(&["x", "-a", &format!(r"{folder}\MonAgentCore.exe")]), true),
            (process(&["notepad.exe", "MonAgentCore.exe", "x"]), false),
            (process(&[r"C:\MonAgentCore.exe\other.exe"]), false),
        ] {
            assert_eq!(Processes(Some(vec![words.clone()])).running_by_name(&programs), Some(expected), "{words:?}");
        }
        assert_eq!(Processes(None).running_by_name(&programs), None);
        assert_eq!(Processes(Some(Vec::new())).running_by_name(&[]), None);
    }

    #[test]
    fn process_that_this_user_may_not_open_is_known_by_its_name() {
        let programs = ["MonAgentCore.exe".to_owned()];
        for exe in [None, Some(String::new())] {
            let process = words(std::iter::empty(), exe, Some("MonAgentCore.exe".to_owned()));
            assert_eq!(Processes(Some(vec![process])).running_by_name(&programs), Some(true));
        }
    }
}
