//! Every fake root of `tests/hosts` through the real probes and all rules, as `--root` does it: the agents, proxies and
//! findings must be exactly those that the file names.
//!
//! A file names what is on the disk (`[files]`, `[links]`, `fifos`, `folders`, `sparse`) and what must be said of it. Files
//! that must never be read hold the word in [`SECRET`]; whatever a root holds, that word must be in no report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::facts::delivery::Delivery;
use ampls_doctor::report::{FailOn, Report, RunInfo, exit_status};
use ampls_probes::endpoint::Endpoint;
use ampls_probes::observation::{Agents, Observation, SourceName};
use ampls_probes::{Catalogue, Observations, Options, World};
use serde::Deserialize;
use uuid::Uuid;

mod hives;
mod no_proxy;
mod packages;

/// Stands for every key, password and token.
const SECRET: &str = "geheim";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    title: String,
    /// Beside `--root`.
    #[serde(default)]
    arguments: Vec<String>,
    /// Text by path; `\u0000` is a NUL, `<now-5>` five minutes before the run.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Targets by path.
    #[serde(default)]
    links: BTreeMap<String, String>,
    #[serde(default)]
    fifos: Vec<String>,
    #[serde(default)]
    folders: Vec<String>,
    /// Lengths of files that are holes, by path.
    #[serde(default)]
    sparse: BTreeMap<String, u64>,
    /// A text that is written that many times, by path.
    #[serde(default)]
    repeated: BTreeMap<String, (String, usize)>,
    /// Octets, by path.
    #[serde(default)]
    bytes: BTreeMap<String, Vec<u8>>,
    /// Values of the registry by key and name: the disk is one of Windows where there are any.
    #[serde(default)]
    registry: hives::Values,
    /// Hives whose last changes are in their logs.
    #[serde(default)]
    stale: Vec<String>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// `kind version` in order; ` stopped` or ` running` where the processes can be seen.
    agents: Vec<String>,
    /// Findings of agents, as `CODE severity`, in order.
    findings: Vec<String>,
    #[serde(default)]
    workspaces: Vec<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default = "public")]
    cloud: String,
    /// Ids of endpoints that must be planned, and no data collection endpoint beside them.
    #[serde(default)]
    endpoints: Vec<String>,
    /// No endpoint may be planned at all.
    #[serde(default)]
    no_endpoints: bool,
    /// `agent url source`, strongest first; ` *` at the end of the effective one.
    #[serde(default)]
    proxies: Vec<String>,
    /// `agent code`
    #[serde(default)]
    refusals: Vec<String>,
    /// `path reason`
    #[serde(default)]
    unread: Vec<String>,
    #[serde(default)]
    environment: Option<String>,
    /// `id mode by asks`, where anything is said of browsers.
    #[serde(default)]
    browsers: Vec<String>,
    /// `address roles`, but for Azure's own.
    #[serde(default)]
    servers: Vec<String>,
    /// `account url` of Windows.
    #[serde(default)]
    system_proxies: Vec<String>,
    /// What the registry's source says.
    #[serde(default)]
    registry: Option<String>,
    /// What is known of the flow of data.
    #[serde(default)]
    delivery: Option<Delivery>,
}

fn public() -> String {
    "public".to_owned()
}

/// A folder that is gone when dropped.
pub(crate) struct Root(pub(crate) PathBuf);

impl Root {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("host-{}", Uuid::new_v4()));
        fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.0.join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().expect("below the root")).expect("folders");
        place
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Host {
    #[cfg(unix)]
    fn write(&self, now: jiff::Timestamp) -> Root {
        let root = Root::new();
        for (path, text) in &self.files {
            fs::write(root.place(path), ampls_world::at(now, text)).expect(path);
        }
        for (path, target) in &self.links {
            std::os::unix::fs::symlink(target, root.place(path)).expect(path);
        }
        for path in &self.fifos {
            let made = std::process::Command::new("mkfifo").arg(root.place(path)).status().expect("mkfifo");
            assert!(made.success(), "{path}");
        }
        for path in &self.folders {
            fs::create_dir_all(root.place(path)).expect(path);
        }
        for (path, length) in &self.sparse {
            fs::File::create(root.place(path)).and_then(|file| file.set_len(*length)).expect(path);
        }
        for (path, (text, times)) in &self.repeated {
            fs::write(root.place(path), text.repeat(*times)).expect(path);
        }
        for (path, bytes) in &self.bytes {
            fs::write(root.place(path), bytes).expect(path);
        }
        for (path, octets) in hives::files(&self.registry, &self.stale) {
            fs::write(root.place(&path), octets).expect(&path);
        }
        root
    }
}

/// What the program says of a root.
pub(crate) fn examine(root: &Path, arguments: &[String]) -> Report {
    examine_world(World::from_system(Some(root), None), options(root, arguments))
}

fn observe(world: World, options: Options) -> Observations {
    let catalogue = Catalogue::builtin().expect("the built-in catalogue");
    ampls_probes::run::run(world, options, &catalogue, &|_| {}).expect("a run")
}

/// Every fake machine by its file's name, and what is seen of it.
#[cfg(unix)]
pub(crate) fn seen() -> Vec<(String, Observations)> {
    let hosts = files().into_iter().map(|file| {
        let (name, host) = read(&file);
        let root = host.write(jiff::Timestamp::now());
        (name, observe(World::from_system(Some(&root.0), None), options(&root.0, &host.arguments)))
    });
    hosts.collect()
}

fn examine_world(world: World, options: Options) -> Report {
    let observations = observe(world, options);
    let findings = diagnose(&observations);
    let facts = Facts::new(&observations);
    Report::new(&observations, &facts, findings, RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() })
}

fn options(root: &Path, arguments: &[String]) -> Options {
    use ampls_doctor::cli::args::{Cli, Command};
    use clap::Parser;

    let root = root.to_str().expect("a plain path");
    let all = ["ampls-doctor", "--root", root].map(str::to_owned).into_iter().chain(arguments.iter().cloned());
    let (command, _) = Cli::try_parse_from(all).expect("valid arguments").into_command();
    let Command::Check(check) = command else { panic!("not `check`") };
    check.options().expect("options")
}

pub(crate) fn agents_of(report: &Report) -> &Agents {
    let agents = report.observations.seen.iter().find_map(|seen| match seen {
        Observation::Agents(agents) => Some(agents),
        _ => None,
    });
    agents.expect("the agents were looked for")
}

/// The files of all fake machines, in order.
#[cfg(unix)]
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("tests/hosts").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[cfg(unix)]
fn read(file: &Path) -> (String, Host) {
    let text = fs::read_to_string(file).expect("a host file");
    let host = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    (file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), host)
}

#[cfg(unix)]
#[test]
fn every_host_gets_the_findings_it_names() {
    let files = files();
    let is_of_windows =
        |file: &&PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("windows-"));
    let windows = files.iter().filter(is_of_windows).count();
    assert!(windows >= 60 && files.len() - windows >= 30, "{windows} of {} hosts are of Windows", files.len());
    let mut faults = Vec::new();
    for file in files {
        let (name, host) = read(&file);
        let found = differences(&host);
        if !found.is_empty() {
            faults.push(format!("{name} ({})\n    {}", host.title, found.join("\n    ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Writes the disks of Windows into the folder that `AMPLS_DISKS` names: `tests/wine/disks` has the Windows program look at them.
#[cfg(unix)]
#[test]
#[ignore = "makes folders for tests/wine/disks"]
fn disks_of_windows_are_written() {
    let target = PathBuf::from(std::env::var_os("AMPLS_DISKS").expect("AMPLS_DISKS"));
    for file in files() {
        let (name, host) = read(&file);
        if name.starts_with("windows-") {
            fs::rename(&host.write(jiff::Timestamp::now()).0, target.join(&name)).expect("on the same disk");
        }
    }
}

#[cfg(unix)]
fn differences(host: &Host) -> Vec<String> {
    let root = host.write(jiff::Timestamp::now());
    let report = examine(&root.0, &host.arguments);
    let agents = agents_of(&report);
    let expected = &host.expect;
    let mut faults = Vec::new();
    let mut differ = |what: &str, wanted: &[String], found: Vec<String>| {
        if wanted != found {
            faults.push(format!("{what}: wanted {wanted:?}, found {found:?}"));
        }
    };
    let described = |agent: &ampls_doctor::report::AgentReport| {
        let state = match agent.running {
            Some(true) => " running",
            Some(false) => " stopped",
            None => "",
        };
        format!("{} {}{state}", agent.kind.as_str(), agent.version.as_deref().unwrap_or("unknown"))
    };
    differ("agents", &expected.agents, report.agents.iter().map(described).collect());
    let findings = report
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.code, format!("{:?}", finding.severity).to_lowercase()));
    differ("findings", &expected.findings, findings.collect());
    let mut workspaces: Vec<String> = Vec::new();
    for id in report.agents.iter().flat_map(|agent| &agent.workspaces) {
        if !workspaces.contains(id) {
            workspaces.push(id.clone());
        }
    }
    differ("workspaces", &expected.workspaces, workspaces);
    differ("region", expected.region.as_slice(), report.observations.asked.region.iter().cloned().collect());
    differ("cloud", std::slice::from_ref(&expected.cloud), vec![report.observations.asked.cloud.clone()]);
    let wanted = |endpoint: &&Endpoint| expected.endpoints.contains(&endpoint.id) || endpoint.id.contains("dce:");
    let planned = report.observations.endpoints.iter().filter(wanted).map(|endpoint| endpoint.id.clone());
    differ("endpoints", &expected.endpoints, planned.collect());
    if expected.no_endpoints {
        let all = report.observations.endpoints.iter().map(|endpoint| endpoint.id.clone());
        differ("all endpoints", &[], all.collect());
    }
    let proxies = agents.proxies.iter().map(|proxy| {
        let mark = if proxy.effective { " *" } else { "" };
        format!("{} {} {}{mark}", proxy.used_by.as_str(), proxy.url, proxy.source)
    });
    differ("proxies", &expected.proxies, proxies.collect());
    let refusals = agents.refusals.iter().map(|refusal| format!("{} {:?}", refusal.agent.as_str(), refusal.code));
    differ("refusals", &expected.refusals, refusals.collect());
    let unread = agents.unread.iter().map(|unread| format!("{} {:?}", unread.path, unread.why));
    differ("unread", &expected.unread, unread.collect());
    differ("browsers", &expected.browsers, hives::browsers(&report));
    if !host.registry.is_empty() {
        differ("servers", &expected.servers, hives::servers(&report));
    }
    differ("system proxies", &expected.system_proxies, hives::system_proxies(&report));
    differ("registry", expected.registry.as_slice(), hives::source(&report).into_iter().collect());
    if let Some(delivery) = expected.delivery {
        differ("delivery", &[format!("{delivery:?}")], vec![format!("{:?}", report.verdict.delivery)]);
    }
    if let Some(environment) = &expected.environment {
        differ(
            "environment",
            std::slice::from_ref(environment),
            vec![format!("{:?}", report.host.environment).to_lowercase()],
        );
    }
    let json = serde_json::to_string(&report).expect("JSON");
    if json.to_lowercase().contains(SECRET) {
        faults.push("a secret is in the report".to_owned());
    }
    faults
}

#[test]
fn nothing_is_asked_over_the_network_for_another_machines_files() {
    let root = Root::new();
    let report = examine(&root.0, &["--workspace".to_owned(), Uuid::nil().to_string()]);
    let local = |seen: &&Observation| {
        use Observation as Seen;
        matches!(
            seen,
            Seen::Resolver(_)
                | Seen::Hosts(_)
                | Seen::Agents(_)
                | Seen::Browsers(_)
                | Seen::EncryptedDns(_)
                | Seen::Mtu(_)
        )
    };
    let asked = report.observations.seen.iter().filter(|seen| !local(seen));
    assert_eq!(asked.count(), 0, "{:?}", report.observations.seen);
    assert!(report.verdict.headline.starts_with("FILES ONLY"), "{}", report.verdict.headline);
}

#[test]
fn disk_that_does_not_answer_is_neither_healthy_nor_complete() {
    for (folder, label) in [("/var/lib", "the agents' files"), ("/etc/opt/chrome", "the browsers' settings")] {
        let root = Root::new();
        let mut world = World::from_system(Some(&root.0), None);
        world.hanging = [PathBuf::from(folder)].into();
        let report = examine_world(world, options(&root.0, &["--deadline".to_owned(), "1".to_owned()]));
        let headline = &report.verdict.headline;
        assert!(!headline.contains("healthy"), "{headline}");
        assert!(!report.run.complete, "{headline}");
        let unfinished = report.findings.iter().find(|finding| finding.code == "RUN001").expect("it is said");
        assert!(unfinished.evidence.iter().any(|line| line.contains(label)), "{:?}", unfinished.evidence);
        assert_eq!(exit_status(&report, FailOn::Warning), 1, "{headline}");
    }
}

#[test]
fn disk_of_windows_without_its_registry_is_not_one_without_agents() {
    let root = Root::new();
    fs::create_dir_all(root.0.join("Windows/System32/config")).expect("folders");
    let report = examine(&root.0, &[]);
    let headline = &report.verdict.headline;
    assert!(!headline.contains("healthy") && !headline.contains("0 agents"), "{headline}");
    let unread = report.findings.iter().find(|finding| finding.code == "RUN004").expect("it is said");
    assert!(unread.evidence.iter().any(|line| line.contains("the agents' files")), "{unread:?}");
    assert!(!report.sources.iter().any(|source| source.source == SourceName::Agents && source.because.is_none()));
}
