//! A trust store on a share whose server is gone: the environment says where it lies, so it may lie there.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::design::Design;
use super::doctor::{binary, run};
use super::lab::{Lab, Result, possible};
use super::names::{DCE, WORKSPACE};
use crate::cli::signals::{ended, hears};
use crate::cli::{HANGS, hanging, send};

/// `check` on the machine, whose trust store is to be read from a file system that nobody serves.
fn with_dead_store(lab: &Lab, arguments: &[&str]) -> Result<Command> {
    let store = lab.folder().join("store");
    fs::create_dir_all(&store)?;
    let mut command = lab.on_machine("sh");
    command.args(["-c", hanging::DEAD_MOUNT]).arg(&store).args(["env", "--default-signal=HUP,INT,TERM"]).arg(binary());
    command.args(["check", "--format", "json", "--workspace", WORKSPACE, "--dce", DCE, "--region", "westeurope"]);
    command.arg("--public-roots").arg(lab.public_roots()).args(arguments).env("SSL_CERT_DIR", &store);
    Ok(command)
}

#[test]
fn trust_store_that_never_answers_ends_with_its_step_and_holds_up_nothing_else() -> Result<()> {
    if !possible() || !hanging::possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    let seen = run(&lab, with_dead_store(&lab, &["--timeout", "5", "--deadline", "3600"])?)?;
    let report = seen.report();
    assert!(report["run"]["stopped"].is_null(), "each handshake ends by its own limit; {seen}");
    seen.routed("private");
    let sources = report["sources"].as_array().into_iter().flatten();
    let trust: Vec<&Value> = sources.filter(|source| source["source"] == "trust").collect();
    assert!(trust.len() == 1 && trust[0]["outcome"] == "failed", "{trust:?}");
    assert!(!report["verdict"]["headline"].to_string().contains("healthy"), "nothing is trusted on a guess; {seen}");
    let mut examined = 0;
    for endpoint in report["endpoints"].as_array().into_iter().flatten() {
        if endpoint["need"] == "required" {
            assert!(endpoint["tcp"].to_string().contains("\"connected\""), "{endpoint:#}");
            assert_eq!(endpoint["tls"]["verification"]["machine"], "no-roots", "{endpoint:#}");
            examined += 1;
        }
    }
    assert!(examined >= 5, "{seen}");
    Ok(())
}

#[test]
fn signals_end_a_run_that_waits_for_its_trust_store() -> Result<()> {
    if !possible() || !hanging::possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    for signal in ["INT", "TERM"] {
        let out = lab.folder().join("stopped.json");
        let mut command = with_dead_store(&lab, &["--timeout", "300", "--deadline", "3600"])?;
        command.stdin(Stdio::null()).stdout(fs::File::create(&out)?).stderr(Stdio::null());
        let mut child = command.spawn()?;
        waits_for_its_store(&child);
        // The run hears signals before anything is asked, and the store is read from the beginning.
        hears(&child);
        assert!(send(&child, signal));
        ended(&mut child);
        let report: Value = serde_json::from_str(&fs::read_to_string(&out)?)?;
        assert_eq!(report["run"]["stopped"], "interrupt", "{signal}: {:#}", report["run"]);
        assert!(report["findings"].to_string().contains("RUN001"), "{signal}");
    }
    Ok(())
}

#[test]
fn a_signal_between_the_wait_of_splay_and_the_look_ends_the_look() -> Result<()> {
    if !possible() || !hanging::possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    // The moment between the two is short: before it, in it and after it.
    for attempt in 0..12 {
        let out = lab.folder().join("stopped.json");
        let mut command = with_dead_store(&lab, &["--splay=0", "--timeout", "300", "--deadline", "3600"])?;
        command.stdin(Stdio::null()).stdout(fs::File::create(&out)?).stderr(Stdio::null());
        let mut child = command.spawn()?;
        hears(&child);
        thread::sleep(Duration::from_micros(500 * attempt));
        assert!(send(&child, "TERM"));
        ended(&mut child);
        let report: Value = serde_json::from_str(&fs::read_to_string(&out)?)?;
        assert_eq!(report["run"]["stopped"], "interrupt", "{attempt}: {:#}", report["run"]);
    }
    Ok(())
}

/// Waits until the thread that reads the store sleeps where no signal wakes it (`D` of `proc_pid_stat(5)`).
fn waits_for_its_store(child: &Child) {
    let began = Instant::now();
    let sleeps = || {
        let tasks = fs::read_dir(Path::new("/proc").join(child.id().to_string()).join("task")).into_iter().flatten();
        let mut stats = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
        stats.any(|stat| stat.contains("(trust-store) D"))
    };
    while !sleeps() {
        assert!(began.elapsed() < HANGS, "the store is not read");
        thread::sleep(Duration::from_millis(10));
    }
}
