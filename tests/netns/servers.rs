//! The lab's servers: real software with a configuration of its own each.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::design::{
    AZURE_DNS, BEHIND_RULESET, CUSTOM_DNS, Custom, Design, Inspection, PROXY, PUBLIC_DNS, SECOND_DNS, Stub, VPN_DNS,
};
use super::lab::{Lab, Result};
use super::names::{Holds, Zone};
use super::namespace::run;
use crate::needs;

/// What the company's own zones begin with.
const CORPORATE_HEADER: &str =
    "$TTL 3600\n@ IN SOA dc1.corp.example. hostmaster.corp.example. 1 900 600 86400 60\n@ IN NS dc1.corp.example.\n";

/// The root zone of a closed network.
const CLOSED_HEADER: &str = "$TTL 3600\n@ IN SOA ns1.closed.example. hostmaster.closed.example. 1 900 600 86400 60\n@ IN NS ns1.closed.example.\n\
     ns1.closed.example. IN A 10.0.0.4\n";

/// mitmproxy's `mitmdump`: named by `AMPLS_MITMDUMP`, or on the path.
pub(super) fn mitmdump() -> Option<PathBuf> {
    let named = std::env::var_os("AMPLS_MITMDUMP").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| needs::on_path("mitmdump").then(|| PathBuf::from("mitmdump")))
}

/// Starts every server of a design and waits until each has answered.
pub(super) fn start(lab: &mut Lab, design: &Design) -> Result<()> {
    let public = design.names.public_zones();
    let private = design.linked.iter().map(|zone| {
        let holds = if design.empty.contains(zone) {
            Holds::Nothing
        } else if design.fallback.contains(zone) {
            Holds::PublicAnswers
        } else {
            Holds::Records
        };
        design.names.private_zone(*zone, holds)
    });
    let azure: Vec<_> =
        public.iter().filter(|(origin, _)| !is_linked(design, origin)).cloned().chain(private).collect();
    let zones = zone_statements(lab.folder(), "azure-dns", &azure)?;
    if design.ruleset {
        bind(lab, "azure-dns", BEHIND_RULESET, &zones)?;
        ruleset(lab)?;
    } else {
        bind(lab, "azure-dns", AZURE_DNS, &zones)?;
    }
    bind(lab, "public-dns", PUBLIC_DNS, &zone_statements(lab.folder(), "public-dns", &public)?)?;
    nginx(lab, design.front)?;
    custom(lab, design)?;
    stub(lab, design.stub)?;
    if design.second {
        dnsmasq(lab, SECOND_DNS, &[AZURE_DNS])?;
    }
    if design.inspection == Inspection::Mitmproxy {
        mitmproxy(lab)?;
    }
    if design.proxy {
        squid(lab, design.proxy_rules)?;
    }
    ready(lab, design)
}

/// Holds every packet between the machine and the rest back for some milliseconds.
pub(super) fn delay(lab: &mut Lab, one_way_ms: u32) -> Result<()> {
    let middle = lab.middle();
    // Packets whose checksum nobody has finished yet would be forwarded as they are.
    let offloads = ["tx", "off", "gso", "off", "tso", "off", "gro", "off"];
    run(lab.on_machine("ethtool").args(["-K", "eth0"]).args(offloads))?;
    run(lab.in_azure("ethtool").args(["-K", "eth0"]).args(offloads))?;
    for interface in ["a", "b"] {
        let ethtool = ["netns", "exec", &middle, "ethtool", "-K", interface];
        run(Command::new("ip").args(ethtool).args(offloads))?;
    }
    let mut command = Command::new("ip");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/netns/delay.py");
    command.args(["netns", "exec", &middle, "setpriv", "--pdeathsig", "KILL", "python3", script, "a", "b"]);
    lab.serve("delay", {
        command.arg(one_way_ms.to_string());
        command
    })
}

/// Azure's DNS with a ruleset: names of the public suffixes go elsewhere whole, with everything that their chain leads to.
fn ruleset(lab: &mut Lab) -> Result<()> {
    let mut rules = vec![BEHIND_RULESET.to_owned()];
    for zone in Zone::ALL {
        rules.push(format!("/{}/{PUBLIC_DNS}", zone.suffix()));
        rules.push(format!("/{}/{BEHIND_RULESET}", zone.private()));
    }
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    // Azure's DNS answers each question by itself.
    dnsmasq_with(lab, AZURE_DNS, &rules, &["--cache-size=0"])
}

/// What listens at 127.0.0.53 on the machine, and the list of what stands behind it.
fn stub(lab: &mut Lab, stub: Stub) -> Result<()> {
    match stub {
        Stub::Absent => Ok(()),
        Stub::Asks(server) => {
            let mut command = lab.on_machine("dnsmasq");
            command.args(DNSMASQ).args(["--listen-address=127.0.0.53", "--bind-interfaces"]);
            command.arg(format!("--server={server}"));
            lab.serve("stub", command)
        }
        Stub::Resolved { own, vpn } => resolved(lab, own, vpn),
        Stub::Validating => {
            let folder = lab.folder().to_owned();
            let text = include_str!("unbound.conf").replace("@ADDRESS@", "127.0.0.53").replace("@FORWARD@", AZURE_DNS);
            // The digest of a key that nobody has: what is not signed with it is refused.
            let anchor = format!("trust-anchor: \"com. DS 12345 8 2 {}\"", "ab".repeat(32));
            let text = text.replace("module-config: \"iterator\"", "module-config: \"validator iterator\"");
            let file = write(&folder, "stub.conf", &text.replace("@MORE@", &format!("ede: yes\n    {anchor}")))?;
            let mut command = lab.on_machine("unbound");
            command.args(["-d", "-c"]).arg(file);
            lab.serve("stub", command)
        }
    }
}

/// systemd-resolved: named by `AMPLS_RESOLVED`, or where it is installed. Its package takes over the machine's resolver, so it is
/// unpacked and not installed.
pub(super) fn systemd_resolved() -> Option<PathBuf> {
    let named = std::env::var_os("AMPLS_RESOLVED").map(PathBuf::from);
    named.into_iter().chain([PathBuf::from("/lib/systemd/systemd-resolved")]).find(|path| path.is_file())
}

/// Links that were set over the bus, as resolved finds them in its own files when it is started again.
fn resolved(lab: &mut Lab, own: &str, vpn: &str) -> Result<()> {
    let program = systemd_resolved().ok_or("`systemd-resolved` is not there")?;
    lab.add_vpn()?;
    dnsmasq_with(lab, VPN_DNS, &[PUBLIC_DNS], &[])?;
    let netif = lab.folder().join("systemd/resolve/netif");
    fs::create_dir_all(&netif)?;
    fs::create_dir_all(lab.folder().join("systemd/netif/links"))?;
    for (interface, server, domains) in [("eth0", AZURE_DNS, own), ("vpn0", VPN_DNS, vpn)] {
        let output = run(lab.on_machine("ip").args(["-o", "link", "show", interface]))?;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let number = shown.split(':').next().unwrap_or_default().trim().to_owned();
        fs::write(netif.join(number), format!("SERVERS={server}\nDOMAINS={domains}\n"))?;
    }
    run(Command::new("chown").arg("-R").arg(RESOLVE_USER).arg(lab.folder().join("systemd")))?;
    let command = lab.on_machine(&program.to_string_lossy());
    lab.serve("resolved", command)?;
    lab.wait_until("systemd-resolved", |lab| {
        let asked = lab.on_machine("dig").args(["+time=1", "+tries=1", "@127.0.0.53", "management.azure.com"]).output();
        asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("status: NOERROR"))
    })
}

/// The number of the user that resolved becomes.
const RESOLVE_USER: &str = "990:990";

fn is_linked(design: &Design, origin: &str) -> bool {
    design.linked.iter().any(|zone| zone.private() == origin)
}

fn zone_statements(folder: &Path, server: &str, zones: &[(String, String)]) -> Result<String> {
    let folder = folder.join(server);
    fs::create_dir(&folder)?;
    let mut statements = String::new();
    for (origin, text) in zones {
        let file = format!("{}.zone", if origin == "." { "root" } else { origin });
        fs::write(folder.join(&file), text)?;
        writeln!(statements, "zone \"{origin}\" {{ type primary; file \"{file}\"; }};")?;
    }
    Ok(statements)
}

fn bind(lab: &mut Lab, name: &str, address: &str, zones: &str) -> Result<()> {
    let folder = lab.folder().join(name);
    fs::create_dir_all(&folder)?;
    let text = include_str!("named.conf").replace("@ADDRESS@", address).replace("@ZONES@", zones);
    let file = write(&folder, "named.conf", &text)?;
    let mut command = lab.in_azure("named");
    command.args(["-g", "-n", "1", "-u", "root", "-c"]).arg(file);
    lab.serve(name, command)
}

/// The ports of encrypted DNS in the lab: over HTTPS, where the fronts have the usual one, and over TLS.
pub(super) const DOH_PORT: u16 = 8453;
pub(super) const DOT_PORT: u16 = 853;

/// A bind that answers encrypted alone, with the zones of another server of the lab; `NAME.pem` and `NAME.key` are its certificate.
pub(super) fn bind_encrypted(lab: &mut Lab, zones_of: &str, address: &str, certificate: &str) -> Result<()> {
    let folder = lab.folder().to_owned();
    let text = fs::read_to_string(folder.join(zones_of).join("named.conf"))?;
    let (chain, key) = (folder.join(format!("{certificate}.pem")), folder.join(format!("{certificate}.key")));
    let (before, after) = text.split_once("listen-on {").ok_or("the configuration has no address")?;
    let (_, after) = after.split_once("};").ok_or("the address has no end")?;
    let listens = format!(
        "listen-on port {DOT_PORT} tls lab {{ {address}; }};\n listen-on port {DOH_PORT} tls lab http lab {{ {address}; }};"
    );
    let services = format!(
        "tls lab {{ cert-file \"{}\"; key-file \"{}\"; }};\nhttp lab {{ endpoints {{ \"/dns-query\"; }}; }};\n",
        chain.display(),
        key.display()
    );
    let file = folder.join(zones_of).join("encrypted.conf");
    fs::write(&file, format!("{services}{before}{listens}{after}"))?;
    let mut command = lab.in_azure("named");
    command.args(["-g", "-n", "1", "-u", "root", "-c"]).arg(file);
    lab.serve("encrypted-dns", command)
}

fn nginx(lab: &mut Lab, fronts: &str) -> Result<()> {
    let folder = lab.folder().to_owned();
    fs::write(folder.join("instance.json"), include_str!("instance.json"))?;
    let file = write(&folder, "nginx.conf", &include_str!("nginx.conf").replace("@FRONTS@", fronts))?;
    let mut command = lab.in_azure("nginx");
    command.arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(file);
    lab.serve("nginx", command)
}

fn custom(lab: &mut Lab, design: &Design) -> Result<()> {
    let forwards = |forward| format!("zone \".\" {{ type forward; forward only; forwarders {{ {forward}; }}; }};");
    match design.custom {
        Custom::Absent => lab.filter(&format!("ip daddr {CUSTOM_DNS} meta l4proto {{ tcp, udp }} th dport 53 drop")),
        Custom::Closed => Ok(()),
        Custom::Dnsmasq(forward) => dnsmasq(lab, CUSTOM_DNS, &[forward]),
        Custom::Partial(suffix) => dnsmasq(lab, CUSTOM_DNS, &[&format!("/{suffix}/{AZURE_DNS}"), PUBLIC_DNS]),
        Custom::Guarding => dnsmasq_with(lab, CUSTOM_DNS, &[AZURE_DNS], &["--stop-dns-rebind"]),
        Custom::Redirecting => unbound(
            lab,
            AZURE_DNS,
            "local-zone: \"privatelink.monitor.azure.com\" transparent\n    local-data: \"ampls-doctor-canary.privatelink.monitor.azure.com A 203.0.113.80\"",
        ),
        Custom::AliasZones => {
            let mut rules = vec![PUBLIC_DNS.to_owned()];
            rules.extend(Zone::ALL.iter().map(|zone| format!("/{}/{AZURE_DNS}", zone.private())));
            let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
            dnsmasq(lab, CUSTOM_DNS, &rules)
        }
        Custom::ClosedRoot => {
            let root = [(".".to_owned(), CLOSED_HEADER.to_owned())];
            let zones = zone_statements(lab.folder(), "custom-dns", &root)?;
            bind(lab, "custom-dns", CUSTOM_DNS, &zones)
        }
        Custom::Refusing => dnsmasq(lab, CUSTOM_DNS, &[]),
        Custom::Unbound(forward) => unbound(lab, forward, ""),
        Custom::Unbending(more) => unbound(lab, AZURE_DNS, more),
        Custom::Bind(forward) => bind(lab, "custom-dns", CUSTOM_DNS, &forwards(forward)),
        Custom::Zoned(origin, records) => {
            let zones = [(origin.to_owned(), CORPORATE_HEADER.to_owned() + records)];
            let own = zone_statements(lab.folder(), "custom-dns", &zones)?;
            bind(lab, "custom-dns", CUSTOM_DNS, &(own + &forwards(AZURE_DNS)))
        }
        Custom::Denying(denials) => denying(lab, &denials),
        Custom::Hub => {
            let private = Zone::ALL.map(|zone| design.names.private_zone(zone, Holds::Records));
            let mut zones = design.names.public_zones();
            zones.retain(|(origin, _)| Zone::ALL.iter().all(|zone| zone.private() != *origin));
            zones.extend(private);
            let zones = zone_statements(lab.folder(), "custom-dns", &zones)?;
            bind(lab, "custom-dns", CUSTOM_DNS, &zones)
        }
    }
}

fn denying(lab: &mut Lab, denials: &[(&str, &str)]) -> Result<()> {
    let mut command = lab.in_azure("python3");
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/netns/denials.py"), CUSTOM_DNS, AZURE_DNS]);
    command.args(denials.iter().map(|(names, owner)| format!("{names}={owner}")));
    lab.serve("denials", command)
}

fn unbound(lab: &mut Lab, forward: &str, more: &str) -> Result<()> {
    let folder = lab.folder().to_owned();
    let text = include_str!("unbound.conf").replace("@ADDRESS@", CUSTOM_DNS).replace("@FORWARD@", forward);
    let file = write(&folder, "unbound.conf", &text.replace("@MORE@", more))?;
    let mut command = lab.in_azure("unbound");
    command.args(["-d", "-c"]).arg(file);
    lab.serve("unbound", command)
}

/// Alone with what its arguments say.
const DNSMASQ: [&str; 7] = [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--user=root",
    "--pid-file=",
    "--log-facility=-",
];

fn dnsmasq(lab: &mut Lab, address: &str, forward: &[&str]) -> Result<()> {
    dnsmasq_with(lab, address, forward, &["--except-interface=lo"])
}

fn dnsmasq_with(lab: &mut Lab, address: &str, forward: &[&str], more: &[&str]) -> Result<()> {
    let mut command = lab.in_azure("dnsmasq");
    command.args(DNSMASQ).args(["--bind-interfaces"]).args(more);
    command.arg(format!("--listen-address={address}"));
    command.args(forward.iter().map(|server| format!("--server={server}")));
    lab.serve(&format!("dnsmasq-{address}"), command)
}

fn squid(lab: &mut Lab, rules: &str) -> Result<()> {
    let folder = lab.folder().join("squid");
    fs::create_dir(&folder)?;
    let text = include_str!("squid.conf").replace("@ADDRESS@", PROXY).replace("@RULES@", rules);
    let file = write(&folder, "squid.conf", &text)?;
    // squid gives its rights up and then writes its logs.
    run(Command::new("chown").arg("-R").arg("proxy").arg(&folder))?;
    let mut command = lab.in_azure("squid");
    command.args(["-N", "-f"]).arg(file);
    lab.serve("squid", command)
}

fn mitmproxy(lab: &mut Lab) -> Result<()> {
    let program = mitmdump().ok_or("`mitmdump` is not installed")?;
    let home = lab.folder().join("mitmproxy");
    let mut command = lab.in_azure(&program.to_string_lossy());
    command.args(["--mode", "transparent", "--listen-port", "8080", "--ssl-insecure", "--set"]);
    command.arg(format!("confdir={}", home.display()));
    lab.serve("mitmproxy", command)
}

fn write(folder: &Path, name: &str, template: &str) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, template.replace("@FOLDER@", &folder.to_string_lossy()))?;
    Ok(file)
}

fn ready(lab: &mut Lab, design: &Design) -> Result<()> {
    let mut servers = vec![AZURE_DNS, PUBLIC_DNS];
    if !matches!(design.custom, Custom::Absent | Custom::Closed) {
        servers.push(CUSTOM_DNS);
    }
    if design.second {
        servers.push(SECOND_DNS);
    }
    for server in servers {
        let host = format!("global.handler.control.{}", Zone::Monitor.suffix());
        lab.wait_until(&format!("the DNS server at {server}"), |lab| {
            let asked = lab.in_azure("dig").args(["+time=1", "+tries=1", &format!("@{server}"), &host, "A"]).output();
            asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("status: "))
        })?;
    }
    lab.wait_until("the metadata service", |lab| {
        let url = "http://169.254.169.254/metadata/instance?api-version=2021-02-01";
        fetched(lab.in_azure("curl").args(["-sS", "-m2", "-f", "-H", "Metadata: true", url]), "westeurope")
    })?;
    let host = format!("global.handler.control.{}", Zone::Monitor.suffix());
    let url = format!("https://{host}/ping");
    lab.wait_until("the fronts", |lab| {
        let mut command = lab.in_azure("curl");
        command.args(["-sS", "-m2", "--resolve", &format!("{host}:443:20.50.1.1"), "--cacert"]);
        fetched(command.arg(lab.public_roots()).arg(&url), "Healthy")
    })?;
    if design.inspection == Inspection::Mitmproxy {
        lab.wait_until("mitmproxy", |lab| {
            let mut command = lab.on_machine("curl");
            command.args(["-sS", "-m5", "-k", "--resolve", &format!("{host}:443:20.50.1.1"), &url]);
            fetched(&mut command, "Healthy")
        })?;
    }
    if design.proxy {
        lab.wait_until("squid", |lab| {
            // The proxy's own refusal of what is not a request for a proxy: its rules play no part in it.
            let mut command = lab.in_azure("curl");
            command.args(["-sS", "-m2", "-o", "/dev/null", "-w", "%{http_code}", &format!("http://{PROXY}:3128/")]);
            fetched(&mut command, "400")
        })?;
    }
    if design.delay_ms.is_some() {
        // The first packet of a wire pays for finding the neighbour.
        lab.wait_until("the delayed wire", |lab| {
            lab.on_machine("ping").args(["-c1", "-W2", AZURE_DNS]).output().is_ok_and(|output| output.status.success())
        })?;
    }
    Ok(())
}

fn fetched(command: &mut Command, wanted: &str) -> bool {
    command
        .output()
        .is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains(wanted))
}
