//! The script for Azure Run Command on a machine of the lab: a real download, and whatever can be wrong with it.
//!
//! Every run has disks of its own at the places where the script might leave something, and they must be empty afterwards.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::all_but;
use super::design::{AZURE_DNS, CUSTOM_DNS, Design};
use super::doctor::binary;
use super::lab::{Lab, Result, possible};
use super::names::{DCE, WORKSPACE, Zone};
use super::namespace::run;

const SCRIPT: &str = include_str!("../../packaging/run-command/ampls-doctor.sh");

/// A file server for what the script fetches.
const FILES: &str = "server {
    listen 20.99.0.1:80;
    root @FOLDER@/files;
    location = /moved { return 302 /ampls-doctor; }
    location = /empty { return 200 ''; }
    location = /page { return 200 '<html>Sign in</html>'; }
    location /secret/ { return 403; }
    location /slowly/ { alias @FOLDER@/files/; limit_rate 256k; }
}";

/// Where the script might leave something.
const PLACES: [&str; 4] = ["/tmp", "/var/tmp", "/var/lib", "/root"];

/// What is `/bin/sh` on one system or another.
const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

/// How a machine is prepared, what is asked of the script, and by which shell.
#[derive(Clone)]
struct Call<'a> {
    shell: &'a str,
    /// Options of the file systems at [`PLACES`].
    disks: [&'a str; 4],
    /// Commands before the script, as root on the machine; the lab's folder is `/mnt`.
    before: &'a str,
    parameters: Vec<(&'a str, String)>,
}

impl<'a> Call<'a> {
    fn new(parameters: &[(&'a str, &str)]) -> Self {
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { shell: SHELLS[0], disks: ["size=400m"; 4], before: ":", parameters }
    }

    fn by(mut self, shell: &'a str) -> Self {
        self.shell = shell;
        self
    }

    fn on(mut self, disks: [&'a str; 4]) -> Self {
        self.disks = disks;
        self
    }

    fn after(mut self, before: &'a str) -> Self {
        self.before = before;
        self
    }

    /// Starts the script as Run Command does, with its parameters on top.
    fn start(&self, lab: &Lab) -> Result<Child> {
        let mut script = String::from("export");
        for (name, value) in &self.parameters {
            write!(script, " {name}='{value}'")?;
        }
        fs::write(lab.folder().join("script.sh"), format!("{script}\n{SCRIPT}"))?;

        let mut setup = format!("set -e; mount --bind {} /mnt; umask 022\n", lab.folder().display());
        for (place, options) in PLACES.iter().zip(self.disks) {
            writeln!(setup, "mount -t tmpfs -o mode=1777,{options} none {place}")?;
        }
        // `ip netns exec` gives every command a mount namespace of its own.
        writeln!(
            setup,
            "{}\nset +e; trap 'kill $!' TERM\n{} /mnt/script.sh &\necho $! > /mnt/pid",
            self.before, self.shell
        )?;
        // The signal that ends the script may come while its status is waited for.
        writeln!(setup, "wait $!; status=$?; while kill -0 $! 2> /dev/null; do sleep 0.1; done")?;
        writeln!(setup, "find {} -mindepth 1 > /mnt/left; exit $status", PLACES.join(" "))?;
        let _ = fs::remove_file(lab.folder().join("left"));
        let _ = fs::remove_file(lab.folder().join("pid"));
        let mut command = lab.on_machine("sh");
        Ok(command.arg("-c").arg(setup).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
    }

    fn run(&self, lab: &Lab) -> Result<Ended> {
        Ended::new(lab, self.start(lab)?.wait_with_output()?)
    }
}

struct Ended {
    status: Option<i32>,
    out: String,
    said: String,
}

impl Ended {
    /// Whatever happened, nothing may be left.
    fn new(lab: &Lab, output: Output) -> Result<Self> {
        let said = String::from_utf8(output.stderr)?;
        let left = fs::read_to_string(lab.folder().join("left")).map_err(|error| format!("{error}: {said}"))?;
        assert_eq!(left, "", "something was left behind; {said}");
        Ok(Self { status: output.status.code(), out: String::from_utf8(output.stdout)?, said })
    }

    /// The program was not run, and one line says why.
    fn refused(&self, status: i32, why: &str) {
        assert_eq!((self.status, self.out.as_str()), (Some(status), ""), "{}", self.said);
        assert!(self.said.starts_with("run-command: ") && self.said.contains(why), "`{why}` in: {}", self.said);
        assert_eq!(self.said.lines().count(), 1, "{}", self.said);
    }

    /// The machine was looked at.
    fn examined(&self, verdict: &str) {
        assert_eq!((self.status, self.said.as_str()), (Some(0), ""), "{}", self.out);
        assert!(self.out.len() <= 4_000 && self.out.is_ascii(), "{}", self.out);
        assert!(self.out.lines().last().is_some_and(|last| last.starts_with(verdict)), "{}", self.out);
    }
}

fn sha256(file: &Path) -> Result<String> {
    let output = run(Command::new("sha256sum").arg(file))?;
    Ok(String::from_utf8(output.stdout)?.split(' ').next().unwrap_or_default().to_owned())
}

/// Puts the program where the file server has it, without what only a debugger needs.
fn serve(lab: &Lab) -> Result<(PathBuf, String)> {
    let folder = lab.folder().join("files");
    fs::create_dir(&folder)?;
    let file = folder.join("ampls-doctor");
    run(Command::new("strip").arg("-o").arg(&file).arg(binary()))?;
    let sum = sha256(&file)?;
    Ok((file, sum))
}

fn arguments() -> String {
    format!("--splay=0 --public-roots=/mnt/front-root.pem --region westeurope  --workspace {WORKSPACE} --dce {DCE}")
}

/// Every program but one.
const WITHOUT_CURL: &str =
    "mkdir -p /mnt/bin; cp -rs /usr/bin/. /mnt/bin/ 2> /mnt/bin.log || :; rm -f /mnt/bin/curl; PATH=/mnt/bin";

const URL: &str = "http://20.99.0.1/ampls-doctor";

#[test]
fn run_command_fetches_verifies_and_examines() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { linked: all_but(Zone::Ods), front: FILES, ..Design::default() })?;
    let (file, sum) = serve(&lab)?;
    let arguments = arguments();
    let encoded = |text: &str| -> Result<String> {
        let echo = format!("printf %s '{text}' | base64 -w0");
        Ok(format!("base64:{}", String::from_utf8(run(Command::new("sh").arg("-c").arg(echo))?.stdout)?))
    };
    let application = "mkdir -p /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/ampls-doctor/1.0.0 \
                       /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/ampls-doctor/1.1.0
                       cd /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/ampls-doctor
                       truncate -s 150M 1.0.0/ampls-doctor; cp /mnt/files/ampls-doctor 1.1.0/ampls-doctor; cd /";
    let ways = [
        ("a URL", URL.to_owned(), arguments.clone(), ":"),
        ("what is moved", "http://20.99.0.1/moved".to_owned(), arguments.clone(), ":"),
        ("a signed URL", encoded(&format!("{URL}?sv=2024&sig=a%2Fb%3D"))?, encoded(&arguments)?, ":"),
        ("wget", format!("{URL}?sv=2024&sig=a%2Fb%3D"), arguments.clone(), WITHOUT_CURL),
        ("a path", "/mnt/files/ampls-doctor".to_owned(), arguments.clone(), ":"),
    ];
    let sums = format!("{}, {}", "0".repeat(64), sum.to_uppercase());
    for shell in SHELLS {
        for (way, source, arguments, before) in &ways {
            let call = Call::new(&[("SOURCE", source), ("SHA256", &sums), ("ARGUMENTS", arguments)]);
            let ended = call.by(shell).after(before).run(&lab)?;
            assert!(!ended.out.is_empty(), "{way}: {}", ended.said);
            ended.examined("VERDICT mixed error exit=1 DNS003");
        }
    }

    let machine = String::from_utf8(run(Command::new("uname").arg("-m"))?.stdout)?;
    fs::rename(&file, file.with_extension(machine.trim()))?;
    let (url, arguments) = (format!("{URL}.{{arch}}?for={{arch}}"), arguments + "\r");
    let call = Call::new(&[("SOURCE", &url), ("SHA256", &sum), ("ARGUMENTS", &arguments)]);
    call.run(&lab)?.examined("VERDICT mixed error exit=1 DNS003");
    fs::rename(file.with_extension(machine.trim()), &file)?;

    let call = Call::new(&[("SOURCE", "vmapp:ampls-doctor"), ("SHA256", &sum), ("ARGUMENTS", &arguments)]);
    // The folders of the application are not the script's to remove.
    let ended = call.after(application).start(&lab)?.wait_with_output()?;
    let left = fs::read_to_string(lab.folder().join("left"))?;
    assert!(left.lines().all(|path| path.starts_with("/var/lib/waagent")), "{left}");
    let out = String::from_utf8(ended.stdout)?;
    assert!(out.lines().last().is_some_and(|last| last.starts_with("VERDICT mixed error exit=1 DNS003")), "{out}");

    // Other commands have formats of their own.
    for (arguments, wanted) in [("explain DNS003", "zone-not-linked"), ("plan --format=firewall", "443")] {
        let ended = Call::new(&[("SOURCE", URL), ("SHA256", &sum), ("ARGUMENTS", arguments)]).run(&lab)?;
        assert_eq!((ended.status, ended.said.as_str()), (Some(0), ""), "{arguments}");
        assert!(ended.out.contains(wanted), "{arguments}: {}", ended.out);
    }
    Ok(())
}

#[test]
fn run_command_says_what_kept_it_from_examining() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { front: FILES, ..Design::default() })?;
    let (file, sum) = serve(&lab)?;
    let zeros = "0".repeat(64);
    // `printf` prints the words it is given: an empty output shows that nothing ran.
    let printf = sha256(Path::new("/usr/bin/printf"))?;
    let printed =
        |source: &str, sum: &str| Call::new(&[("SOURCE", source), ("SHA256", sum), ("ARGUMENTS", "-- %s\\n a")]);
    let ran = printed("/usr/bin/printf", &printf).run(&lab)?;
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (Some(0), "a\n--format\ncompact\n--splay\n60\n--browsers\npolicies\n"),
        "{}",
        ran.said
    );

    for shell in SHELLS {
        printed("/usr/bin/printf", &zeros).by(shell).run(&lab)?.refused(3, &printf);
        printed(URL, &zeros).by(shell).run(&lab)?.refused(3, &sum);
        printed("http://20.99.0.1/missing", &sum).by(shell).run(&lab)?.refused(3, "404");
        printed("http://20.99.0.1:81/", &sum)
            .by(shell)
            .run(&lab)?
            .refused(3, "cannot fetch `http://20.99.0.1:81/` (7)");
        printed("http://nobody.invalid/x", &sum).by(shell).run(&lab)?.refused(3, "resolve host");
        printed("http://20.99.0.1/empty", &sum).by(shell).run(&lab)?.refused(3, "is empty");
        printed("http://20.99.0.1/page", &sum).by(shell).run(&lab)?.refused(3, "it is a web page");
        printed("/mnt/missing", &sum).by(shell).run(&lab)?.refused(3, "not a file");
        printed("/dev/zero", &sum).by(shell).run(&lab)?.refused(3, "not a file");
        printed("vmapp:missing", &sum).by(shell).run(&lab)?.refused(3, "VM application");
    }

    for (source, sum, why) in [
        ("", sum.as_str(), "`SOURCE` is missing"),
        (URL, "", "`SHA256` is missing"),
        (URL, "abc", "64 hexadecimal"),
        (URL, &sum[1..], "64 hexadecimal"),
        (URL, &format!("{sum},x"), "64 hexadecimal"),
        ("ftp://20.99.0.1/x", &sum, "neither"),
        ("files/ampls-doctor", &sum, "neither"),
        ("vmapp:../../etc", &sum, "does not name"),
        ("http://20.99.0.1/\"\noutput = \"/root/x", &sum, "not a URL"),
        ("base64:%%", &sum, "base64"),
    ] {
        printed(source, sum).run(&lab)?.refused(2, why);
    }

    // What may be secret is shown by neither program.
    for before in [":", WITHOUT_CURL] {
        let call = printed("http://user:hidden@20.99.0.1/secret/x?sig=hidden", &sum).after(before);
        let ended = call.run(&lab)?;
        ended.refused(3, "cannot fetch `http://20.99.0.1/secret/x`");
        assert!(!ended.said.contains("hidden"), "{}", ended.said);
    }

    // A program for another machine, and no program at all: a shell would read both as scripts.
    let mut alien = File::options().write(true).open(&file)?;
    alien.seek(SeekFrom::Start(18))?;
    alien.write_all(&[0xf3, 0])?;
    drop(alien);
    fs::write(file.with_file_name("words"), "printf 'I ran\\n'\n")?;
    for name in ["ampls-doctor", "words"] {
        let sum = sha256(&file.with_file_name(name))?;
        printed(&format!("http://20.99.0.1/{name}"), &sum).run(&lab)?.refused(3, "is not for");
    }

    // A program that cannot start, and one that is killed, have no verdict.
    let mut newer = fs::read("/usr/bin/printf")?;
    let version = b"GLIBC_2.34";
    let at = newer.windows(version.len()).position(|it| it == version).ok_or("no version of the C library")?;
    newer[at + 6] = b'9';
    fs::write(file.with_file_name("newer"), &newer)?;
    let newer = sha256(&file.with_file_name("newer"))?;
    printed("http://20.99.0.1/newer", &newer).run(&lab)?.refused(3, "cannot be started here");
    let perl = sha256(Path::new("/usr/bin/perl"))?;
    let call = Call::new(&[("SOURCE", "/usr/bin/perl"), ("SHA256", &perl), ("ARGUMENTS", "-e kill(9,$$) --")]);
    call.run(&lab)?.refused(3, "was ended: status 137");

    // A tool is not there.
    let call = printed(URL, &sum)
        .after("mkdir -p /mnt/few; cp -rs /usr/bin/. /mnt/few/ 2> /mnt/few.log || :; rm -f /mnt/few/od; PATH=/mnt/few");
    call.run(&lab)?.refused(3, "`od` is not installed");

    // More than any binary of ours has.
    File::create(file.with_file_name("endless"))?.set_len(300 << 20)?;
    printed("http://20.99.0.1/endless", &sum).run(&lab)?.refused(3, "larger than");

    // The wire is cut for good.
    printed(URL, &sum).after("ip link set dev eth0 down").run(&lab)?.refused(3, "cannot fetch");
    Ok(())
}

#[test]
fn run_command_finds_a_place_that_has_room_and_lets_programs_run() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { front: FILES, ..Design::default() })?;
    let (file, sum) = serve(&lab)?;
    let arguments = arguments();
    let call = Call::new(&[("SOURCE", URL), ("SHA256", &sum), ("ARGUMENTS", &arguments)]);
    let healthy = "VERDICT private ok exit=0";
    for disks in [
        ["size=1m", "size=400m", "size=1m", "size=1m"],
        ["size=400m,noexec", "size=1m", "size=400m", "size=1m"],
        ["size=400m,noexec", "size=400m,ro", "size=1m", "size=400m"],
    ] {
        let call = call.clone().on(disks);
        let ended = if disks[1].contains("ro") { call.run(&lab)? } else { call.by(SHELLS[1]).run(&lab)? };
        ended.examined(healthy);
    }
    call.clone().on(["size=1m"; 4]).run(&lab)?.refused(3, "16384 KB free");
    call.clone().on(["size=400m,noexec"; 4]).run(&lab)?.refused(3, "lets programs run");

    // Room for a binary, but not for this one: the disk is full in the middle.
    File::options().append(true).open(&file)?.write_all(&vec![0; 40 << 20])?;
    let sum = sha256(&file)?;
    for source in [URL, "/mnt/files/ampls-doctor"] {
        let call = Call::new(&[("SOURCE", source), ("SHA256", &sum)]);
        call.on(["size=20m"; 4]).run(&lab)?.refused(3, "cannot");
    }
    Ok(())
}

#[test]
fn run_command_hands_a_signal_on_and_leaves_nothing() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    // The second server never answers: the system's own lookup waits for it until the deadline.
    let lab = Lab::start(&Design {
        front: FILES,
        resolv_conf: format!("nameserver {CUSTOM_DNS}\nnameserver {AZURE_DNS}\noptions timeout:5 attempts:3\n"),
        ..Design::default()
    })?;
    let (_, sum) = serve(&lab)?;
    let arguments = arguments() + " --deadline 6";
    let ended = |source: &str, signal: &str, ready: &dyn Fn(&str) -> bool| -> Result<Ended> {
        for shell in SHELLS {
            let call = Call::new(&[("SOURCE", source), ("SHA256", &sum), ("ARGUMENTS", &arguments)]).by(shell);
            let began = Instant::now();
            let child = call.start(&lab)?;
            let pid = loop {
                let pid = fs::read_to_string(lab.folder().join("pid")).unwrap_or_default();
                if !pid.trim().is_empty() && ready(pid.trim()) {
                    break pid;
                }
                assert!(began.elapsed() < Duration::from_mins(15), "the script never got there: {}", lab.logs());
                thread::sleep(Duration::from_millis(20));
            };
            run(Command::new("kill").args([&format!("-{signal}"), pid.trim()]))?;
            let ended = Ended::new(&lab, child.wait_with_output()?)?;
            if shell == SHELLS[2] {
                return Ok(ended);
            }
        }
        Err("no shell".into())
    };
    let children = |pid: &str| -> String {
        let listed = Command::new("pgrep").args(["-P", pid, "-a"]).output();
        listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    };

    for (signal, status) in [("TERM", 143), ("KILL", 137)] {
        let fetching = |pid: &str| children(pid).contains("curl");
        let fetching = ended("http://20.99.0.1/slowly/ampls-doctor", signal, &fetching)?;
        assert_eq!((fetching.status, fetching.out.as_str()), (Some(status), ""), "{}", fetching.said);
    }

    // The program is there, and has learnt to hear the signal (SIGTERM is the fifteenth, proc_pid_status(5)).
    let examining = |pid: &str| {
        let listed = children(pid);
        let Some((child, _)) =
            listed.lines().find(|line| line.contains("--format compact")).and_then(|it| it.split_once(' '))
        else {
            return false;
        };
        let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & (1 << 14) != 0)
    };
    let stopped = ended(URL, "TERM", &examining)?;
    assert_eq!(stopped.status, Some(143), "{}", stopped.said);
    assert!(stopped.out.lines().last().is_some_and(|last| last.starts_with("VERDICT ")), "{}", stopped.out);

    // Nothing can be handed on here; the program ends by its deadline, and its file is gone already.
    assert_eq!(ended(URL, "KILL", &examining)?.status, Some(137));
    Ok(())
}
