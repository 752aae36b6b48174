//! Runs the built binary on a lab's machine and reads its report.
//!
//! There is no way to run it anywhere else: its default targets are real addresses.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::lab::{Lab, Result};
use super::names::{DCE, WORKSPACE};

/// Longer than any run may take: a run that hangs fails its test.
const HANGS: Duration = Duration::from_mins(15);

/// The binary under test.
pub(super) fn binary() -> String {
    std::env::var("AMPLS_DOCTOR_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ampls-doctor").to_owned())
}

/// What a run of the doctor gave.
pub(super) struct Examination {
    status: Option<i32>,
    report: Value,
    stderr: String,
}

/// Examines the machine with the arguments that every world shares, and more.
pub(super) fn examine(lab: &Lab, arguments: &[&str]) -> Result<Examination> {
    examine_with(lab, arguments, &[])
}

/// The same in an environment with these variables.
pub(super) fn examine_with(lab: &Lab, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Examination> {
    let mut command = lab.on_machine(&binary());
    command.args(["check", "--format", "json", "--workspace", WORKSPACE, "--dce", DCE, "--region", "westeurope"]);
    command.arg("--public-roots").arg(lab.public_roots()).args(arguments);
    command.envs(environment.iter().copied());
    run(lab, command)
}

/// Examines the machine without naming anything: what it learns, the machine and the metadata service tell.
pub(super) fn examine_unaided(lab: &Lab) -> Result<Examination> {
    let mut command = lab.on_machine(&binary());
    command.args(["--format", "json", "--public-roots"]).arg(lab.public_roots());
    run(lab, command)
}

/// Examines the machine with these arguments of `check` alone.
pub(super) fn examine_as(
    lab: &Lab,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Examination> {
    let mut command = lab.on_machine(&binary());
    command.args(["check", "--format", "json"]).args(arguments).arg("--public-roots").arg(lab.public_roots());
    command.envs(environment);
    run(lab, command)
}

/// Runs a command that writes a report.
pub(super) fn run(lab: &Lab, mut command: Command) -> Result<Examination> {
    let (out, err) = (lab.folder().join("report.json"), lab.folder().join("doctor.log"));
    command.stdin(Stdio::null()).stdout(fs::File::create(&out)?).stderr(fs::File::create(&err)?);
    let mut child = command.spawn()?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > HANGS {
            child.kill()?;
            child.wait()?;
            return Err(format!("the run took more than {HANGS:?}: {}", lab.logs()).into());
        }
        thread::sleep(Duration::from_millis(10));
    };
    let stderr = fs::read_to_string(&err)?;
    let text = fs::read_to_string(&out)?;
    let report = serde_json::from_str(&text)
        .map_err(|error| format!("no report ({error}), {status}, stdout `{text}`, stderr `{stderr}`"))?;
    Ok(Examination { status: status.code(), report, stderr })
}

impl Examination {
    /// Roots above information, in the report's order.
    fn roots(&self) -> Vec<&str> {
        self.graver().filter(|finding| finding["caused_by"].is_null()).map(code).collect()
    }

    /// The whole report.
    pub(super) fn report(&self) -> &Value {
        &self.report
    }

    /// The first finding with a code.
    pub(super) fn finding(&self, wanted: &str) -> &Value {
        self.findings().find(|finding| code(finding) == wanted).unwrap_or(&Value::Null)
    }

    /// The endpoint of a host name.
    pub(super) fn endpoint(&self, host: &str) -> &Value {
        self.endpoints().find(|endpoint| endpoint["fqdn"] == host).unwrap_or(&Value::Null)
    }

    /// Checks exit status, health and roots (above information, in order); that every other finding above information is
    /// explained by one of them; and that these findings are explained by these roots.
    pub(super) fn judged(&self, status: i32, health: &str, roots: &[&str], symptoms: &[(&str, &str)]) {
        assert_eq!(self.roots(), roots, "roots; {self}");
        assert_eq!(self.report["verdict"]["health"], health, "health; {self}");
        assert_eq!(self.status, Some(status), "exit status; {self}");
        for finding in self.graver().filter(|finding| !finding["caused_by"].is_null()) {
            let cause = finding["caused_by"].as_str().unwrap_or_default();
            assert!(roots.contains(&cause), "`{}` is explained by `{cause}`; {self}", code(finding));
        }
        for (symptom, root) in symptoms {
            let explained = self.findings().any(|finding| code(finding) == *symptom && finding["caused_by"] == *root);
            assert!(explained, "`{symptom}` is not explained by `{root}`; {self}");
        }
    }

    /// Checks the route of the verdict.
    pub(super) fn routed(&self, route: &str) {
        assert_eq!(self.report["verdict"]["route"], route, "route; {self}");
    }

    /// Checks that every required endpoint leads this way and answers.
    pub(super) fn required_answer(&self, route: &str) {
        let required: Vec<_> = self.endpoints().filter(|endpoint| endpoint["need"] == "required").collect();
        assert!(required.len() >= 5, "too few required endpoints; {self}");
        for endpoint in required {
            assert_eq!(endpoint["route"], route, "`{}`; {self}", endpoint["fqdn"]);
            assert_eq!(endpoint["reachable"], true, "`{}`; {self}", endpoint["fqdn"]);
        }
    }

    /// Checks that the metadata service was heard.
    pub(super) fn is_on_azure(&self) {
        assert_eq!(self.report["host"]["azure"]["region"], "westeurope", "{self}");
    }

    fn graver(&self) -> impl Iterator<Item = &Value> {
        self.findings().filter(|finding| finding["severity"] != "info")
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.report["findings"].as_array().into_iter().flatten()
    }

    fn endpoints(&self) -> impl Iterator<Item = &Value> {
        self.report["endpoints"].as_array().into_iter().flatten()
    }
}

impl std::fmt::Display for Examination {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "status {:?}, verdict {}", self.status, self.report["verdict"])?;
        for finding in self.findings() {
            let (severity, cause, endpoints) = (&finding["severity"], &finding["caused_by"], &finding["endpoints"]);
            writeln!(out, "  {} {severity} caused by {cause}: {} {endpoints}", code(finding), finding["title"])?;
        }
        for endpoint in self.endpoints() {
            let (fqdn, need, route) = (&endpoint["fqdn"], &endpoint["need"], &endpoint["route"]);
            writeln!(out, "  {fqdn} {need} {route} reachable {} {}", endpoint["reachable"], endpoint["addresses"])?;
        }
        write!(out, "{}", self.stderr)
    }
}

fn code(finding: &Value) -> &str {
    finding["code"].as_str().unwrap_or_default()
}
