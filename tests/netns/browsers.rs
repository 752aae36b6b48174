//! Ground truth: real browsers in a namespace, and whether they ask whom the probe says they ask.
//!
//! Each case is a machine: its DNS server, the policies laid over its `/etc`, a fresh profile. The DNS servers of the lab
//! write down who asked them for what; the probe reads the same files. Needs Debian's `chromium`, `firefox-esr` and
//! `libnss3-tools` besides root.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use ampls_probes::World;
use ampls_probes::observation::{Asks, BrowserSetting};
use ampls_probes::options::BrowserSettings;
use serde_json::json;

use super::certificates;
use super::lab::{Result, possible, turn};
use super::namespace::{PREFIX, batch, inside, link, remove, run};
use crate::needs;

mod cases;

/// A server of the network, which knows nothing of encrypted DNS.
const OWN: &str = "10.0.0.4";
/// A server that Chromium knows the encrypted twin of.
const KNOWN: &str = "8.8.8.8";
/// The template of the lab's own encrypted server.
const DOH: &str = "https://doh.lab.test/dns-query";
/// Browsers that run at once: most of their time they wait.
const SIDE_BY_SIDE: usize = 2;
/// Starts of a browser that asked nobody.
const RETRIES: usize = 2;
/// A guard against a browser that never asks, no measurement.
const PATIENCE: Duration = Duration::from_mins(10);
/// Names that the page wants one after the other, until a browser that goes on asking the system has had its time to change.
const PAGES: usize = 20;

/// Which browser a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Browser {
    Chromium,
    Firefox,
}

/// One configuration of one browser.
struct Case {
    name: &'static str,
    browser: Browser,
    server: &'static str,
    /// Files below `/etc` of the machine, by their path there; for Firefox also `distribution/policies.json`.
    machine: Vec<(&'static str, String)>,
    /// Files of the profile (user data) folder.
    profile: Vec<(&'static str, String)>,
    /// Asks only after encrypted servers have been found to work.
    late: bool,
    /// Has nobody to ask: its page tells that it has tried.
    silent: bool,
    /// Whom the probe must say it asks.
    asks: Asks,
}

/// What the DNS servers saw of the name that the page wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    plain: bool,
    encrypted: bool,
}

#[test]
fn browsers_ask_whom_the_probe_says() {
    if !possible() || !needs::programs(&["chromium", "firefox-esr", "certutil", "python3"]) {
        return;
    }
    let _turn = turn();
    // `ONLY=word cargo test browsers_ask` runs the cases with that word in their name.
    let only = env::var("ONLY").unwrap_or_default();
    let cases: Vec<Case> = cases::cases().into_iter().filter(|case| case.name.contains(&only)).collect();
    let next = AtomicUsize::new(0);
    let faults: Mutex<String> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = differs(case).unwrap_or_else(|error| Some(error.to_string()));
                    let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                    faults.extend(fault.map(|fault| format!("{}: {fault}\n", case.name)));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(faults.is_empty(), "{faults}");
}

/// How the browser and the probe differ, if they do.
fn differs(case: &Case) -> Result<Option<String>> {
    let mut lab = BrowserLab::start(case)?;
    // A browser writes what it learns into the same files: what counts is what they held when it started. Chromium has no
    // profile before that, if nothing was set in it.
    let before = lab.probe(case).ok();
    let mut asked = lab.ask(case)?;
    let setting = before.map_or_else(|| lab.probe(case), Ok)?;
    for _ in 0..RETRIES {
        // On a busy machine a browser may not get to its page in time, which tells nothing.
        let expected = setting.asks != Asks::EncryptedOnly || setting.template.is_some();
        if !expected || asked != Asked::default() {
            break;
        }
        drop(lab);
        lab = BrowserLab::start(case)?;
        asked = lab.ask(case)?;
    }
    let agrees = match setting.asks {
        Asks::System => asked == Asked { plain: true, encrypted: false },
        Asks::EncryptedFirst => asked.encrypted,
        // Without a resolver nobody is asked.
        Asks::EncryptedOnly => asked == Asked { plain: false, encrypted: setting.template.is_some() },
    };
    let differs = !agrees || setting.asks != case.asks;
    Ok(differs.then(|| format!("{asked:?}, wanted {:?}, the probe says {setting:?}{}", case.asks, lab.tail())))
}

/// A machine for one browser, and the DNS servers it may ask.
struct BrowserLab {
    vm: String,
    net: String,
    folder: PathBuf,
    servers: Option<Child>,
}

impl BrowserLab {
    fn start(case: &Case) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("{PREFIX}-{}-browser{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(&name);
        let mut lab = Self { vm: format!("{name}-vm"), net: format!("{name}-net"), folder, servers: None };
        fs::create_dir_all(lab.home())?;
        let hosts = ["doh.lab.test", "dns.google", "mozilla.cloudflare-dns.com"].map(str::to_owned);
        certificates::write(&lab.folder, "doh", "Lab Encrypted DNS", &hosts)?;
        lab.files(case)?;
        lab.wire()?;
        lab.name_servers(case)?;
        Ok(lab)
    }

    /// The user's home: the only one of the machine.
    fn home(&self) -> PathBuf {
        self.folder.join("root/home/user")
    }

    /// The folder that the browser is to use.
    fn profile(&self, browser: Browser) -> PathBuf {
        match browser {
            Browser::Chromium => self.home().join(".config/chromium"),
            Browser::Firefox => self.home().join(".mozilla/firefox/lab.default"),
        }
    }

    /// The root that the probe reads is what is laid over the machine's own files.
    fn files(&self, case: &Case) -> Result<()> {
        let etc = self.folder.join("root/etc");
        fs::create_dir_all(&etc)?;
        // The server holds an answer back until the page has been asked for.
        fs::write(etc.join("resolv.conf"), format!("nameserver {}\noptions timeout:30 attempts:5\n", case.server))?;
        fs::write(etc.join("hosts"), "127.0.0.1 localhost\n")?;
        fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n")?;
        // Folders that are laid over those of the packages.
        for folder in ["chromium/policies/managed", "chromium/policies/recommended"] {
            fs::create_dir_all(etc.join(folder))?;
        }
        fs::create_dir_all(self.distribution())?;
        for (path, text) in &case.machine {
            let file = match path.strip_prefix("distribution/") {
                Some(file) => self.distribution().join(file),
                None => etc.join(path),
            };
            write(&file, text)?;
        }
        let profile = self.profile(case.browser);
        fs::create_dir_all(&profile)?;
        for (path, text) in &case.profile {
            write(&profile.join(path), text)?;
        }
        if case.browser == Browser::Firefox {
            // What is slow on a busy machine is not to be taken for a server that does not answer.
            let limits =
                ["request_timeout_ms", "request_timeout_mode_trronly_ms", "strict_fallback_request_timeout_ms"];
            let limits = limits.map(|name| format!("user_pref(\"network.trr.{name}\", 120000);\n"));
            write(&profile.join("user.js"), &limits.concat())?;
        }
        let store = match case.browser {
            Browser::Chromium => self.home().join(".pki/nssdb"),
            Browser::Firefox => profile,
        };
        fs::create_dir_all(&store)?;
        let store = format!("sql:{}", store.display());
        run(Command::new("certutil").args(["-d", &store, "-N", "--empty-password"]))?;
        let root = self.folder.join("doh-root.pem");
        run(Command::new("certutil").args(["-d", &store, "-A", "-t", "C,,", "-n", "lab", "-i"]).arg(root))?;
        // `ip netns exec` lays these over the machine's `/etc`.
        let overlay = Path::new("/etc/netns").join(&self.vm);
        fs::create_dir_all("/etc/netns")?;
        std::os::unix::fs::symlink(&etc, &overlay)?;
        Ok(())
    }

    fn distribution(&self) -> PathBuf {
        self.folder.join("root/usr/lib/firefox-esr/distribution")
    }

    fn wire(&self) -> Result<()> {
        for namespace in [&self.vm, &self.net] {
            run(Command::new("ip").args(["netns", "add", namespace]))?;
        }
        link(&self.vm, "eth0", &self.net, "eth0")?;
        batch(
            &self.vm,
            "link set lo up\nlink set eth0 up\naddress add 10.0.0.10/24 dev eth0\nroute add default via 10.0.0.1\n",
        )?;
        batch(
            &self.net,
            &format!(
                "link set lo up\nlink set eth0 up\naddress add 10.0.0.1/24 dev eth0\naddress add {OWN}/24 dev eth0\n\
                 address add 10.0.0.53/24 dev eth0\naddress add {KNOWN}/32 dev lo\naddress add 8.8.4.4/32 dev lo\n"
            ),
        )?;
        // The safety of everything that follows: a browser must never run in the namespace of the tests.
        let own = fs::read_link("/proc/self/ns/net")?;
        let output = run(inside(&self.vm, "readlink").arg("/proc/self/ns/net"))?;
        if own.to_string_lossy() == String::from_utf8_lossy(&output.stdout).trim() {
            return Err("the browser has no network namespace of its own".into());
        }
        Ok(())
    }

    fn name_servers(&mut self, case: &Case) -> Result<()> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/netns/browsers/names.py");
        let mut command = inside(&self.net, "python3");
        command.arg(script).arg(self.asked_file()).arg(self.folder.join("doh.pem")).arg(self.folder.join("doh.key"));
        command.args(["10.9.9.9", "20.9.9.9", cases::denied(case), OWN, "10.0.0.53", KNOWN, "8.8.4.4"]);
        let log = File::create(self.folder.join("names.log"))?;
        self.servers = Some(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        let began = Instant::now();
        while !self.questions().contains("ready") {
            if began.elapsed() > PATIENCE {
                return Err(format!("the DNS servers did not get ready{}", self.tail()).into());
            }
            thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }

    fn asked_file(&self) -> PathBuf {
        self.folder.join("asked")
    }

    fn questions(&self) -> String {
        fs::read_to_string(self.asked_file()).unwrap_or_default()
    }

    /// Lets the browser open a page and tells who was asked for its name.
    fn ask(&self, case: &Case) -> Result<Asked> {
        let mut command = self.browser(case)?;
        let log = File::create(self.folder.join("browser.log"))?;
        let mut browser = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let began = Instant::now();
        let mut asked = Asked::default();
        while began.elapsed() < PATIENCE {
            let ended = browser.try_wait()?.is_some();
            if ended || case.is_decided(&self.questions()) {
                // The other server would be asked at once, if at all.
                thread::sleep(Duration::from_secs(1));
                asked = of_page(&self.questions());
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        // What it started goes with its namespace.
        let _ = browser.kill();
        let _ = browser.wait();
        Ok(asked)
    }

    fn browser(&self, case: &Case) -> Result<Command> {
        let profile = self.profile(case.browser);
        let page = self.folder.join("page.html");
        // Encrypted servers are tried out some seconds after the start: the page goes on wanting new names until then.
        let script = "let n = 0; setInterval(() => { const image = new Image(); image.onerror = () => { new Image().src = 'http://8.8.4.4/tried'; }; \
             image.src = `http://page${n++}.ods.opinsights.azure.com/`; }, 700)";
        fs::write(&page, format!("<script>{script}</script>"))?;
        let late = format!("file://{}", page.display());
        let url = if case.late || case.silent { &late } else { "http://page.ods.opinsights.azure.com/" };
        let run = self.home().join("run");
        fs::create_dir_all(&run)?;
        let mut command = match case.browser {
            Browser::Chromium => {
                let mut command = inside(&self.vm, "chromium");
                command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
                command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
                // It stays until it is ended, and its door is in its namespace.
                command.arg("--remote-debugging-port=0");
                command.arg(format!("--user-data-dir={}", profile.display())).arg(url);
                command
            }
            Browser::Firefox => {
                let mut command = inside(&self.vm, "sh");
                // The mount lives and dies with the browser's own mount namespace, which `ip netns exec` made.
                let start = "mount --bind \"$1\" /usr/lib/firefox-esr/distribution && shift && exec firefox-esr \"$@\"";
                command.args(["-c", start, "sh"]).arg(self.distribution());
                command.args(["--headless", "--no-remote", "--profile"]).arg(&profile).arg(url);
                command
            }
        };
        command.env("HOME", self.home()).env("XDG_RUNTIME_DIR", run).env("MOZ_CRASHREPORTER_DISABLE", "1");
        Ok(command)
    }

    /// What the probe makes of the same files.
    fn probe(&self, case: &Case) -> Result<BrowserSetting> {
        let server: IpAddr = case.server.parse()?;
        let world = World::from_system(Some(&self.folder.join("root")), None);
        let seen = ampls_probes::probe::browser::read(&world.into(), &[server], BrowserSettings::All);
        let Some(seen) = seen.seen() else { return Err(format!("the probe did not look: {seen:?}").into()) };
        let id = match case.browser {
            Browser::Chromium => "chromium",
            Browser::Firefox => "firefox-esr",
        };
        let found = seen.settings.iter().find(|setting| setting.id == id && setting.profile.is_some());
        found.cloned().ok_or_else(|| format!("{}: the probe found no {id}: {seen:?}", case.name).into())
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(self.folder.join("browser.log")).unwrap_or_default();
        let mut lines: Vec<&str> = log.lines().rev().take(4).collect();
        lines.reverse();
        format!("\n    asked {}\n    {}", self.questions().lines().collect::<Vec<_>>().join(", "), lines.join("\n    "))
    }
}

impl Case {
    /// Whether what was asked so far tells whom this browser asks.
    fn is_decided(&self, questions: &str) -> bool {
        let asked = of_page(questions);
        let pages: BTreeSet<&str> = questions.lines().filter(|line| line.starts_with("plain page")).collect();
        let stays = self.asks == Asks::System && pages.len() >= PAGES;
        let tried = self.silent && questions.lines().any(|line| line == "http /tried");
        asked.encrypted || asked.plain && !self.late || stays || tried
    }
}

impl Drop for BrowserLab {
    fn drop(&mut self) {
        if let Some(servers) = &mut self.servers {
            let _ = servers.kill();
            let _ = servers.wait();
        }
        let _ = fs::remove_file(Path::new("/etc/netns").join(&self.vm));
        for namespace in [&self.vm, &self.net] {
            remove(namespace);
        }
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_dir("/etc/netns");
    }
}

/// Who was asked for the names that the page wants.
fn of_page(questions: &str) -> Asked {
    let by = |over: &str| questions.lines().any(|line| line.starts_with(&format!("{over} page")));
    Asked { plain: by("plain"), encrypted: by("doh") }
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(file, text)?)
}
