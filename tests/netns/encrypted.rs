//! Encrypted DNS: bind as the resolver of a browser and of the system, over HTTPS and over TLS, and what the doctor hears of it
//! compared with what Chromium, Firefox and unbound then do.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::design::{Design, PUBLIC_DNS};
use super::doctor::{Examination, examine};
use super::lab::{Lab, Result, possible};
use super::namespace::run;
use super::servers::{DOH_PORT, DOT_PORT, bind_encrypted};
use super::{DCE, WORKSPACE, certificates};
use crate::needs;

const HOST: &str = "doh.lab.test";
/// A name that many customers share, and that the agent asks for too.
const SHARED: &str = "global.handler.control.monitor.azure.com";
const ASKED: [&str; 6] = ["--view", "encrypted", "--timeout", "10", "--deadline", "60"];
/// A guard against a browser that never connects, no measurement.
const PATIENCE: Duration = Duration::from_mins(10);

/// Counts what goes to the encrypted resolver, and keeps the addresses of fronts that are connected to.
const WATCH: &str = "table ip watch {
counter encrypted { }
set fronts { type ipv4_addr; flags dynamic; size 1024; }
chain input {
type filter hook input priority -10
iifname != \"eth0\" accept
ip daddr 8.8.8.8 tcp dport { 853, 8453 } tcp flags syn counter name encrypted
tcp dport 443 tcp flags syn add @fronts { ip daddr }
}
}
";

/// A lab whose machine looks a resolver up in its hosts file; the resolver answers with the zones of another server.
fn lab(zones_of: &str) -> Result<Lab> {
    let mut lab = Lab::start(&Design { hosts: format!("{PUBLIC_DNS} {HOST}\n"), ..Design::default() })?;
    certificates::write(lab.folder(), "doh", "Lab Encrypted DNS", &[HOST.to_owned()])?;
    lab.trust(&lab.folder().join("doh-root.pem"))?;
    bind_encrypted(&mut lab, zones_of, PUBLIC_DNS, "doh")?;
    lab.wait_until("encrypted DNS", |lab| {
        let port = DOH_PORT.to_string();
        let asked =
            lab.in_azure("dig").args(["+https", "+time=2", "+tries=1", "-p", &port, "@8.8.8.8", SHARED]).output();
        asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("status: NOERROR"))
    })?;
    lab.nft(WATCH)?;
    Ok(lab)
}

/// What nftables noted.
fn noted(lab: &Lab, what: &[&str]) -> Result<Value> {
    let output = run(lab.in_azure("nft").args(["-j", "list"]).args(what))?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Connections to the encrypted resolver so far.
fn connections(lab: &Lab) -> Result<u64> {
    let noted = noted(lab, &["counter", "ip", "watch", "encrypted"])?;
    let counters = noted["nftables"].as_array().ok_or("no list")?;
    counters.iter().find_map(|item| item["counter"]["packets"].as_u64()).ok_or_else(|| "no counter".into())
}

/// Fronts of the lab that were connected to so far.
fn fronts(lab: &Lab) -> Result<BTreeSet<String>> {
    let noted = noted(lab, &["set", "ip", "watch", "fronts"])?;
    let sets = noted["nftables"].as_array().ok_or("no list")?;
    let elements = sets.iter().filter_map(|item| item["set"]["elem"].as_array()).flatten();
    Ok(elements.filter_map(|element| element.as_str().map(str::to_owned)).collect())
}

/// The addresses of a name in the views of one kind.
fn seen_as(seen: &Examination, kind: &str, name: &str) -> BTreeSet<String> {
    let views = seen.endpoint(name)["views"].as_array().cloned().unwrap_or_default();
    let views =
        views.iter().filter(|view| view["view"] == kind).filter_map(|view| view["addresses"].as_array().cloned());
    views.flatten().filter_map(|address| address.as_str().map(str::to_owned)).collect()
}

fn template() -> String {
    format!("https://{HOST}:{DOH_PORT}/dns-query")
}

fn chromium_policy() -> String {
    json!({"DnsOverHttpsMode": "secure", "DnsOverHttpsTemplates": template()}).to_string()
}

/// Debian's file of preferences for all accounts: its folder is there on every machine with the package, that of policies is not,
/// and nothing can be laid over what is not there.
fn firefox_preferences() -> String {
    format!("pref(\"network.trr.mode\", 3);\npref(\"network.trr.uri\", \"{}\");\n", template())
}

#[test]
fn what_chromium_connects_to_is_what_the_view_says() -> Result<()> {
    if !possible() || !needs::programs(&["chromium", "certutil"]) {
        return Ok(());
    }
    connects_as_the_view_says("chromium/policies/managed/lab.json", &chromium_policy(), |lab, home, page| {
        trust(lab, &home.join(".pki/nssdb"))?;
        let mut command = lab.on_machine("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg("--remote-debugging-port=0").arg(format!("--user-data-dir={}", home.join("profile").display()));
        command.arg(page);
        Ok(command)
    })
}

#[test]
fn what_firefox_connects_to_is_what_the_view_says() -> Result<()> {
    if !possible() || !needs::programs(&["firefox-esr", "certutil"]) {
        return Ok(());
    }
    connects_as_the_view_says("firefox-esr/firefox-esr.js", &firefox_preferences(), |lab, home, page| {
        let profile = home.join("profile");
        trust(lab, &profile)?;
        // What is slow on a busy machine is not to be taken for a server that does not answer.
        let limits = ["request_timeout_ms", "request_timeout_mode_trronly_ms"];
        let limits = limits.map(|name| format!("user_pref(\"network.trr.{name}\", 120000);\n"));
        fs::write(profile.join("user.js"), limits.concat())?;
        let mut command = lab.on_machine("firefox-esr");
        command.args(["--headless", "--no-remote", "--profile"]).arg(profile).arg(page);
        command.env("MOZ_CRASHREPORTER_DISABLE", "1");
        Ok(command)
    })
}

/// How a browser is started: in a lab, with a home, for a page.
type Start = fn(&Lab, &Path, &str) -> Result<Command>;

/// A machine with this file in `/etc`: nobody is asked without the option; with it, the view says what the browser then connects to.
fn connects_as_the_view_says(place: &str, text: &str, start: Start) -> Result<()> {
    let lab = lab("public-dns")?;
    lab.place(place, text)?;

    let off = examine(&lab, &[])?;
    assert_eq!(connections(&lab)?, 0, "nobody is asked without the option; {off}");
    assert_eq!(off.finding("BRW001")["certainty"], "likely", "{off}");
    assert!(seen_as(&off, "encrypted", SHARED).is_empty(), "{off}");

    let on = examine(&lab, &ASKED)?;
    assert_eq!(connections(&lab)?, 1, "{on}");
    let found = on.finding("BRW001");
    assert_eq!((&found["certainty"], &found["severity"]), (&json!("proven"), &json!("warning")), "{on}");
    let view = seen_as(&on, "encrypted", SHARED);
    assert!(!view.is_empty() && view != seen_as(&on, "system", SHARED), "{view:?}; {on}");
    let telling = [WORKSPACE, DCE.split('.').next().unwrap_or_default()];
    for endpoint in on.report()["endpoints"].as_array().into_iter().flatten() {
        let name = endpoint["fqdn"].as_str().unwrap_or_default();
        let told = telling.iter().any(|word| name.contains(word));
        assert!(!told || seen_as(&on, "encrypted", name).is_empty(), "`{name}` is nobody else's to know; {on}");
    }

    run(lab.in_azure("nft").args(["flush", "set", "ip", "watch", "fronts"]))?;
    let home = lab.folder().join("home");
    let browser = start(&lab, &home, &format!("https://{SHARED}/ping"))?;
    assert_eq!(
        connected(&lab, browser, &home)?,
        view,
        "the browser connects elsewhere than the view says; {}",
        lab.logs()
    );
    Ok(())
}

/// Makes a store of certificates that trusts the lab.
fn trust(lab: &Lab, store: &Path) -> Result<()> {
    fs::create_dir_all(store)?;
    let database = format!("sql:{}", store.display());
    run(Command::new("certutil").args(["-d", &database, "-N", "--empty-password"]))?;
    for root in ["doh-root.pem", "front-root.pem"] {
        let file = lab.folder().join(root);
        run(Command::new("certutil").args(["-d", &database, "-A", "-t", "C,,", "-n", root, "-i"]).arg(file))?;
    }
    Ok(())
}

/// The fronts that a browser connects to first.
fn connected(lab: &Lab, mut command: Command, home: &Path) -> Result<BTreeSet<String>> {
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home);
    let log = File::create(lab.folder().join("browser.log"))?;
    let mut browser = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let began = Instant::now();
    let mut connected = BTreeSet::new();
    while connected.is_empty() && began.elapsed() < PATIENCE && browser.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(200));
        connected = fronts(lab)?;
    }
    // What it started goes with its namespace.
    let _ = browser.kill();
    let _ = browser.wait();
    Ok(connected)
}

#[test]
fn a_resolver_that_knows_the_private_zones_makes_it_information() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = lab("azure-dns")?;
    lab.place("chromium/policies/managed/lab.json", &chromium_policy())?;
    let seen = examine(&lab, &ASKED)?;
    seen.judged(0, "ok", &[], &[]);
    assert_eq!(seen.finding("BRW001")["severity"], "info", "{seen}");
    assert_eq!(seen_as(&seen, "encrypted", SHARED), seen_as(&seen, "system", SHARED), "{seen}");
    Ok(())
}

#[test]
fn what_the_systems_own_unbound_gets_over_tls_is_what_the_view_says() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let mut lab = lab("public-dns")?;
    // The package's own configuration includes a folder of which the machine's is laid over.
    let conf = format!(
        "server:\n    username: \"\"\n    chroot: \"\"\n    pidfile: \"\"\n    do-daemonize: no\n    use-syslog: no\n    \
         module-config: \"iterator\"\n    tls-cert-bundle: \"/etc/ssl/certs/ca-certificates.crt\"\nforward-zone:\n    \
         name: \".\"\n    forward-tls-upstream: yes\n    forward-addr: {PUBLIC_DNS}@{DOT_PORT}#{HOST}\n"
    );
    lab.place("unbound/unbound.conf", &conf)?;
    lab.place("resolv.conf", "nameserver 127.0.0.1\n")?;
    let mut command = lab.on_machine("unbound");
    command.args(["-d", "-c", "/etc/unbound/unbound.conf"]);
    lab.serve("unbound-tls", command)?;
    lab.wait_until("unbound", |lab| {
        let asked = lab.on_machine("dig").args(["+time=2", "+tries=1", "@127.0.0.1", SHARED]).output();
        asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("status: NOERROR"))
    })?;
    let before = connections(&lab)?;
    let seen = examine(&lab, &ASKED)?;
    assert!(connections(&lab)? > before, "{seen}");
    let found = seen.finding("DNS018");
    assert_eq!((&found["certainty"], &found["severity"]), (&json!("proven"), &json!("warning")), "{seen}");
    let view = seen_as(&seen, "encrypted", SHARED);
    assert!(!view.is_empty(), "{seen}");
    assert_eq!(view, seen_as(&seen, "system", SHARED), "{seen}");
    Ok(())
}
