//! The lab's servers: real software with a configuration of its own each.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::design::{AZURE_DNS, CUSTOM_DNS, Custom, Design, Inspection, PROXY, PUBLIC_DNS, SECOND_DNS};
use super::lab::{Lab, Result};
use super::names::{Holds, Zone};
use super::namespace::run;
use crate::needs;

/// What the company's own zones begin with.
const CORPORATE_HEADER: &str =
    "$TTL 3600\n@ IN SOA dc1.corp.example. hostmaster.corp.example. 1 900 600 86400 60\n@ IN NS dc1.corp.example.\n";

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
    bind(lab, "azure-dns", AZURE_DNS, &zone_statements(lab.folder(), "azure-dns", &azure)?)?;
    bind(lab, "public-dns", PUBLIC_DNS, &zone_statements(lab.folder(), "public-dns", &public)?)?;
    nginx(lab, design.front)?;
    custom(lab, design)?;
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

fn dnsmasq(lab: &mut Lab, address: &str, forward: &[&str]) -> Result<()> {
    let mut command = lab.in_azure("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"]);
    command.args(["--except-interface=lo", "--user=root", "--pid-file=", "--log-facility=-"]);
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
