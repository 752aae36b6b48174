//! How long a run takes, how much memory and disk: measurements in ratios, by hand, on a quiet machine.
//! `tests/bench/speed` runs it with the release binary.
//!
//! Every time has the process's own start-up (`--version`, started the same way) taken off, but for whole runs beside curl's;
//! round trips are measured in the same run. The processors are kept awake meanwhile: a virtual one that sleeps is woken late, by
//! more than what is measured.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, hint};

use serde_json::Value;

use super::design::Design;
use super::doctor::binary;
use super::lab::{Lab, Result, possible};
use super::names::{DCE, Names, WORKSPACE};
use super::namespace::run;

const RUNS: usize = 9;
const ONE_WAY_MS: u32 = 50;

#[test]
#[ignore = "a measurement: run it by hand on a quiet machine, as the module says"]
fn the_run_keeps_its_promises_of_speed_and_size() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let names = names();
    let lab = Lab::start(&Design { names: names.clone(), delay_ms: Some(ONE_WAY_MS), ..Design::default() })?;
    let _awake = Awake::start()?;
    let mut table = Table::default();

    let start_up = median(RUNS, || timed(doctor(&lab).arg("--version")))?;
    let round_trip = median(RUNS, || round_trip(&lab))?;
    table.note(&format!("start-up {start_up:?}, round trip {round_trip:?}, {RUNS} runs each, medians"));

    let report: Value = serde_json::from_slice(&run(&mut check(&lab, &names, &[]))?.stdout)?;
    let hosts = connected_to(&report);
    let endpoints = report["endpoints"].as_array().map_or(0, Vec::len);
    assert!(hosts.len() >= 25, "only {} of {endpoints} endpoints are connected to", hosts.len());
    let answers = String::from_utf8(run(&mut curl(&lab, &hosts))?.stdout)?;
    let all_answer = answers.lines().count() == hosts.len() && answers.lines().all(|status| status != "000");
    assert!(all_answer, "{answers}");
    // By turns, so that both have the machine alike.
    let pairs = (0..RUNS).map(|_| Ok((timed(&mut check(&lab, &names, &[]))?, timed(&mut curl(&lab, &hosts))?)));
    let (whole, peer): (Vec<_>, Vec<_>) = pairs.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let (whole, peer) = (middle(whole)?, middle(peer)?);
    let trips = whole.saturating_sub(start_up).div_duration_f64(round_trip * 4);
    table.row(&format!("{endpoints} endpoints / 4 round trips"), trips, 1.15);
    table.row(&format!("the same / curl on {} hosts at once", hosts.len()), whole.div_duration_f64(peer), 1.15);

    let memory = peak_memory(&lab, &names)?;
    table.row("peak memory / 30 MB", memory / 30.0, 1.0);
    #[expect(clippy::cast_precision_loss, reason = "a file size as a ratio")]
    let size = fs::metadata(binary())?.len() as f64 / 1e6;
    table.row("binary size / 10 MB", size / 10.0, 1.0);

    lab.filter("tcp dport != 53 drop")?;
    let step = Duration::from_secs(2);
    let ports = median(RUNS, || timed(&mut check(&lab, &names, &["--timeout", "2"])))?.saturating_sub(start_up);
    table.row("every port black-holed / (step timeout + 0.5 s)", ports.div_duration_f64(step + HALF), 1.0);

    lab.filter("drop")?;
    let deadline = Duration::from_secs(4);
    let all = median(RUNS, || timed(&mut check(&lab, &names, &["--deadline", "4"])))?.saturating_sub(start_up);
    table.row("everything black-holed / (deadline + 0.5 s)", all.div_duration_f64(deadline + HALF), 1.0);

    table.finish()
}

/// The control service: the global handler names the endpoint, and that one the rules.
const CONTROL: &str = "
    server {
        listen 443 ssl;
        server_name global.handler.control.monitor.azure.com;
        ssl_certificate @FOLDER@/front.pem;
        ssl_certificate_key @FOLDER@/front.key;
        location = /ping { return 200 \"Healthy\"; }
        location / {
            add_header x-ms-agent-config-endpoint https://lab-dce-x1y2.westeurope-1.handler.control.monitor.azure.com always;
            return 421 '{\"error\":{\"code\":\"MisdirectedAgentRequest\",\"message\":\"\"}}';
        }
    }
    server {
        listen 443 ssl;
        server_name lab-dce-x1y2.westeurope-1.handler.control.monitor.azure.com;
        ssl_certificate @FOLDER@/front.pem;
        ssl_certificate_key @FOLDER@/front.key;
        location = /ping { return 200 \"Healthy\"; }
        location ~ issueIngestionToken$ { return 200 '{}'; }
        location / {
            return 200 '{\"configurations\":[{\"configurationId\":\"dcr-1\",\"content\":{\"channels\":[{\"id\":\"c\",\"protocol\":\"ods\",\"tokenEndpointUri\":\"https://lab-dce-x1y2.westeurope-1.handler.control.monitor.azure.com/issueIngestionToken\"}]}}]}';
        }
    }
";

#[test]
#[ignore = "a measurement: run it by hand on a quiet machine, as the module says"]
fn asking_azure_costs_the_round_trips_that_it_says() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { front: CONTROL, delay_ms: Some(ONE_WAY_MS), ..Design::default() })?;
    let _awake = Awake::start()?;
    let mut table = Table::default();
    let start_up = median(RUNS, || timed(doctor(&lab).arg("--version")))?;
    let round_trip = median(RUNS, || round_trip(&lab))?;
    table.note(&format!("start-up {start_up:?}, round trip {round_trip:?}, {RUNS} runs each, medians"));
    let (known, unknown) = (["--dce", DCE].as_slice(), [].as_slice());
    for (what, option, endpoint, trips) in [
        ("without / 4 round trips", None, known, 4),
        ("--ask-azure, endpoint known / 6", Some("--ask-azure"), known, 6),
        ("--ask-azure, endpoint unknown / 9", Some("--ask-azure"), unknown, 9),
        ("--ask-azure=ingestion, known / 7", Some("--ask-azure=ingestion"), known, 7),
    ] {
        let run = || {
            let mut command = doctor(&lab);
            command.args(["check", "--format", "json", "--region", "westeurope", "--workspace", WORKSPACE]);
            command.arg("--public-roots").arg(lab.public_roots()).args(option).args(endpoint);
            command
        };
        let report: Value = serde_json::from_slice(&super::namespace::run(&mut run())?.stdout)?;
        let azure = report["sources"].as_array().into_iter().flatten().find(|source| source["source"] == "azure");
        assert_eq!(azure.and_then(|source| source["outcome"].as_str()), option.map(|_| "seen"), "{what}: {report}");
        table.note(&asked(&report));
        let took = median(RUNS, || timed(&mut run()))?.saturating_sub(start_up);
        table.row(what, took.div_duration_f64(round_trip * trips), 1.1);
    }
    table.finish()
}

/// When each question to the control service was asked in one run, and how long it took, in milliseconds.
fn asked(report: &Value) -> String {
    let seen = report["observations"]["seen"].as_array().into_iter().flatten();
    let control = seen.filter(|seen| seen["probe"] == "control");
    let asked = control.flat_map(|seen| seen["asked"].as_array().into_iter().flatten());
    let times = |seen: &Value| ["at_us", "elapsed_us"].map(|name| seen[name].as_u64().unwrap_or(0) / 1000);
    let lines: Vec<String> = asked.map(|it| format!("{} at {:?}", it["host"], times(it))).collect();
    format!("the whole run {} ms; {}", report["run"]["elapsed_ms"], lines.join("; "))
}

const HALF: Duration = Duration::from_millis(500);

/// Five workspaces and two data collection endpoints: 25 names that are connected to, and two that are evidence.
fn names() -> Names {
    Names {
        workspaces: (1..=5).map(|number| format!("00000000-0000-4000-8000-00000000000{number}")).collect(),
        dces: (1..=2).map(|number| format!("lab-dce-{number}.westeurope-1.ingest.monitor.azure.com")).collect(),
    }
}

fn doctor(lab: &Lab) -> Command {
    lab.on_machine(&binary())
}

fn check(lab: &Lab, names: &Names, more: &[&str]) -> Command {
    let mut command = doctor(lab);
    arguments(&mut command, lab, names);
    command.args(more);
    command
}

fn arguments(command: &mut Command, lab: &Lab, names: &Names) {
    command.args(["check", "--format", "json", "--region", "westeurope", "--public-roots"]).arg(lab.public_roots());
    command.arg("--workspace").arg(names.workspaces.join(",")).arg("--dce").arg(names.dces.join(","));
}

/// The hosts that a run connects to.
fn connected_to(report: &Value) -> BTreeSet<String> {
    let endpoints = report["endpoints"].as_array().into_iter().flatten();
    let tested = endpoints.filter(|endpoint| endpoint["need"] != "evidence");
    tested.filter_map(|endpoint| Some(endpoint["fqdn"].as_str()?.to_owned())).collect()
}

/// A peer on the same work, less the diagnosis: names, connections, handshakes that are verified, a request each, all at once.
fn curl(lab: &Lab, hosts: &BTreeSet<String>) -> Command {
    let mut command = lab.on_machine("curl");
    command.args(["--silent", "--parallel", "--parallel-immediate", "--parallel-max", "100", "--http1.1", "--cacert"]);
    command.arg(lab.public_roots()).args(["--write-out", "%{http_code}\\n"]);
    for host in hosts {
        command.args(["--output", "/dev/null", &format!("https://{host}/")]);
    }
    command
}

fn timed(command: &mut Command) -> Result<Duration> {
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let took = began.elapsed();
    // 1 is a finding: a black hole has some.
    if matches!(status.code(), Some(0 | 1)) { Ok(took) } else { Err(format!("{command:?}: {status}").into()) }
}

fn round_trip(lab: &Lab) -> Result<Duration> {
    let mut command = lab.on_machine("curl");
    command.args(["-sS", "-o", "/dev/null", "-w", "%{time_connect}", "http://169.254.169.254/"]);
    let seconds: f64 = String::from_utf8_lossy(&run(&mut command)?.stdout).parse()?;
    Ok(Duration::try_from_secs_f64(seconds)?)
}

fn median(runs: usize, mut measure: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    middle((0..runs).map(|_| measure()).collect::<Result<Vec<_>>>()?)
}

fn middle(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().ok_or_else(|| "no run".into())
}

/// Peak resident memory in megabytes.
fn peak_memory(lab: &Lab, names: &Names) -> Result<f64> {
    let file = lab.folder().join("memory");
    let mut command = lab.on_machine("time");
    command.args(["-f", "%M", "-o"]).arg(&file).arg(binary());
    arguments(&mut command, lab, names);
    timed(&mut command)?;
    let kilobytes: f64 = fs::read_to_string(&file)?.trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// One spinner of the lowest priority a processor. It pauses: where two processors are threads of one core, a loop that is busy
/// on the one makes everything on the other several times slower.
struct Awake {
    ended: Arc<AtomicBool>,
    spinners: Vec<JoinHandle<()>>,
}

impl Awake {
    fn start() -> Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let mut awake = Self { ended: Arc::clone(&ended), spinners: Vec::new() };
        for processor in 0..thread::available_parallelism()?.get() {
            let (ended, (send, receive)) = (Arc::clone(&ended), mpsc::channel());
            awake.spinners.push(thread::spawn(move || {
                let _ = send.send(fs::read_link("/proc/thread-self"));
                while !ended.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            }));
            let thread = receive.recv()??;
            let id = thread.file_name().and_then(OsStr::to_str).ok_or("a thread without a number")?;
            run(Command::new("taskset").args(["-p", "-c", &processor.to_string(), id]))?;
            run(Command::new("chrt").args(["--idle", "--pid", "0", id]))?;
        }
        Ok(awake)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for spinner in self.spinners.drain(..) {
            let _ = spinner.join();
        }
    }
}

/// Ratios and what they may be at most.
#[derive(Default)]
struct Table {
    text: String,
    broken: Vec<String>,
}

impl Table {
    fn note(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn row(&mut self, what: &str, ratio: f64, limit: f64) {
        self.note(&format!("{what:<50} {ratio:>6.2}   at most {limit:.2}"));
        if ratio > limit {
            self.broken.push(what.to_owned());
        }
    }

    fn finish(self) -> Result<()> {
        // Not `println!`: the test harness would hide it.
        std::io::stdout().write_all(format!("\n{}\n", self.text).as_bytes())?;
        if self.broken.is_empty() { Ok(()) } else { Err(format!("over the limit: {}", self.broken.join("; ")).into()) }
    }
}
