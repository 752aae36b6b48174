//! A token is in no core file: before one is asked for, the process can no longer be dumped, and nobody but root may look into it.
//!
//! The program runs as another user: what the kernel lets that user see of his own process shows whether it is sealed, however
//! few core files the machine of the tests writes. The files of such a process belong to root (`proc_pid(5)`).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::design::Design;
use super::doctor::binary;
use super::lab::{Lab, Result, possible};
use super::namespace::run;
use crate::needs;

/// Who runs the program.
const NOBODY: u32 = 65534;
/// Longer than any run may take.
const HANGS: Duration = Duration::from_mins(5);
const ABORT: i32 = 6;

/// The control service sends a byte a second: the token is in memory meanwhile.
const SLOW: &str = "
    server {
        listen 443 ssl;
        server_name global.handler.control.monitor.azure.com;
        ssl_certificate @FOLDER@/front.pem;
        ssl_certificate_key @FOLDER@/front.key;
        location = /ping { return 200 \"Healthy\"; }
        location / {
            limit_rate 1;
            return 200 '{\"configurations\":[]}';
        }
    }
";

/// What is there of a process, and what is left of it when it is ended as a crash ends it.
struct Crash {
    owner: u32,
    /// The line of `/proc/PID/limits`.
    limit: String,
    status: ExitStatus,
    files: Vec<String>,
}

#[test]
fn a_process_that_has_asked_for_a_token_leaves_no_core_file() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    // A name that never answers keeps the run that asks nobody going.
    let lab = Lab::start(&Design { front: SLOW, firewall: "ip daddr 20.60.1.2 drop", ..Design::default() })?;
    let program = lab.folder().join("ampls-doctor");
    fs::copy(binary(), &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;

    let open = crash(&lab, &program, None, "/metadata/instance")?;
    assert_eq!((open.owner, open.status.signal()), (NOBODY, Some(ABORT)), "{}", open.limit);
    // Another test of this process may have sealed it, and a child cannot raise a limit without a right of its own.
    let may_dump = core_limits(Path::new("/proc/self/limits"))?.split_whitespace().nth(5) != Some("0");
    let writes_here = !fs::read_to_string("/proc/sys/kernel/core_pattern")?.starts_with(['|', '/']);
    if may_dump && writes_here {
        assert!(open.status.core_dumped() && !open.files.is_empty(), "an open process leaves a core: {:?}", open.files);
    } else {
        needs::say("no core file of an open process is made here; that a sealed one has none is shown by its owner");
    }

    let sealed = crash(&lab, &program, Some("--ask-azure"), "/metadata/identity/oauth2/token")?;
    assert_eq!((sealed.owner, sealed.status.signal()), (0, Some(ABORT)), "the kernel takes it from its user");
    assert_eq!(sealed.limit.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{}", sealed.limit);
    assert!(!sealed.status.core_dumped() && sealed.files.is_empty(), "{:?}", sealed.files);
    Ok(())
}

/// Starts the program, and aborts it as soon as the metadata service has answered this request of it.
fn crash(lab: &Lab, program: &Path, option: Option<&str>, request: &str) -> Result<Crash> {
    let folder = lab.folder().join(option.unwrap_or("open").trim_start_matches('-'));
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
    let log = lab.folder().join("access.log");
    let before = fs::read_to_string(&log)?.len();
    let mut command = lab.on_machine("sh");
    command.args([
        "-c",
        "ulimit -c unlimited 2>&-; exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" \"$@\"",
    ]);
    command.arg(program).args(["check", "--format", "json", "--region", "westeurope", "--timeout", "60"]);
    command.args(["--deadline", "120", "--public-roots"]).arg(lab.public_roots()).args(option);
    let mut child = command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let seen = asked(&mut child, &log, before, request).and_then(|()| look(&child));
    // A child that was not seen has to go as well.
    let _ = run(std::process::Command::new("kill").args(["-ABRT", &child.id().to_string()]));
    let status = child.wait()?;
    let (owner, limit) = seen?;
    let files = fs::read_dir(&folder)?.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    Ok(Crash { owner, limit, status, files })
}

fn asked(child: &mut Child, log: &Path, before: usize, request: &str) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < HANGS {
        if fs::read_to_string(log)?.get(before..).is_some_and(|text| text.contains(request)) {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("ended with {status} before `{request}`").into());
        }
        thread::sleep(Duration::from_millis(30));
    }
    Err(format!("`{request}` was never asked for").into())
}

fn look(child: &Child) -> Result<(u32, String)> {
    let process = Path::new("/proc").join(child.id().to_string());
    Ok((fs::metadata(process.join("mem"))?.uid(), core_limits(&process.join("limits"))?))
}

/// The line about core files: soft limit and hard limit behind four words.
fn core_limits(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with("Max core file size"));
    Ok(line.ok_or("no limit of core files")?.to_owned())
}
