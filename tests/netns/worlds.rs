//! The lab itself: each world is what it claims, seen with the tools of its trade. When a world's test fails and these pass,
//! the doctor is at fault.

use super::design::{AZURE_DNS, CUSTOM_DNS, Custom, Design, Inspection, PROXY, PUBLIC_DNS};
use super::lab::{Lab, Result, possible};
use super::names::{DCE, Zone};
use super::{all_but, custom, ods};

/// What the machine sees of a name: the answer section, or the status when there is none.
fn dig(lab: &Lab, server: &str, name: &str, kind: &str) -> Result<String> {
    let server = format!("@{server}");
    let output = lab
        .on_machine("dig")
        .args(["+time=1", "+tries=1", "+noall", "+answer", "+comments", "+authority"])
        .args([&server, name, kind])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where silence is due; what answers has minutes.
const SILENT: [&str; 2] = ["-m", "2"];

/// The body of a front's answer with the machine's own resolver and trust, or curl's reason.
fn curl(lab: &Lab, host: &str, more: &[&str]) -> Result<String> {
    let url = format!("https://{host}/ping");
    let output = lab.on_machine("curl").args(["-sS", "-m", "120", &url]).args(more).output()?;
    let (body, reason) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok(format!("{body}{reason}"))
}

#[test]
fn the_lab_resolves_as_azure_does() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let design = Design { linked: all_but(Zone::Ods), empty: vec![Zone::Oms], ..custom(Custom::Dnsmasq(PUBLIC_DNS)) };
    let lab = Lab::start(&design)?;
    let oms = format!("{}.{}", super::WORKSPACE, Zone::Oms.suffix());
    for (server, name, kind, wanted) in [
        (AZURE_DNS, "global.handler.control.monitor.azure.com", "A", "10.1.0.12"),
        (AZURE_DNS, DCE, "A", "10.1.0.31"),
        (AZURE_DNS, &ods(), "A", "20.50.2.1"),
        (AZURE_DNS, &ods(), "A", "privatelink.ods.opinsights.azure.com."),
        (AZURE_DNS, &oms, "A", "status: NXDOMAIN"),
        (AZURE_DNS, &oms, "A", "CNAME"),
        (AZURE_DNS, &oms, "A", "azureprivatedns.net."),
        (AZURE_DNS, DCE, "AAAA", "status: NOERROR"),
        (AZURE_DNS, "westeurope.handler.control.monitor.azure.com", "A", "20.50.1.2"),
        (AZURE_DNS, "scadvisorcontentpl.blob.core.windows.net", "A", "10.1.0.23"),
        (AZURE_DNS, "scadvisorcontent.blob.core.windows.net", "A", "20.60.1.2"),
        (AZURE_DNS, "no-such-workspace.ods.opinsights.azure.com", "A", "azure-dns.com."),
        (AZURE_DNS, &Zone::Monitor.private(), "SOA", "azureprivatedns.net."),
        (AZURE_DNS, &Zone::Ods.private(), "SOA", "ns1-01.azure-dns.com."),
        (PUBLIC_DNS, &Zone::Blob.private(), "SOA", "ns1-01.azure-dns.com."),
        (PUBLIC_DNS, "dc.services.visualstudio.com", "A", "20.50.1.1"),
        (CUSTOM_DNS, DCE, "A", "20.50.1.1"),
        (CUSTOM_DNS, &Zone::Monitor.private(), "SOA", "ns1-01.azure-dns.com."),
    ] {
        let answer = dig(&lab, server, name, kind)?;
        assert!(answer.contains(wanted), "`{name}` {kind} of {server} has no `{wanted}`: {answer}");
    }
    Ok(())
}

#[test]
fn the_lab_has_every_kind_of_dns_server() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    for (server, name, wanted) in [
        (Custom::Unbound(AZURE_DNS), DCE, "10.1.0.31"),
        (Custom::Unbound(AZURE_DNS), "no-such.monitor.azure.com", "azure-dns.com."),
        (Custom::Bind(AZURE_DNS), DCE, "10.1.0.31"),
        (Custom::Refusing, DCE, "status: REFUSED"),
    ] {
        let lab = Lab::start(&custom(server))?;
        let answer = dig(&lab, CUSTOM_DNS, name, "A")?;
        assert!(answer.contains(wanted), "`{name}` of {server:?} has no `{wanted}`: {answer}");
    }
    let lab = Lab::start(&Design::default())?;
    let silent = dig(&lab, CUSTOM_DNS, DCE, "A")?;
    assert!(silent.contains("timed out") || silent.contains("no servers could be reached"), "{silent}");
    Ok(())
}

#[test]
fn the_lab_breaks_what_it_says() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 10.1.0.20 tcp dport 443 drop\nip daddr 10.1.0.21 tcp dport 443 reject with tcp reset\n\
                    ip daddr 10.1.0.22 tcp dport 443 reject with icmpx type admin-prohibited\n\
                    ip daddr 10.1.0.30 tcp dport 443 ip length > 120 drop";
    let hosts = "10.9.9.9 api.monitor.azure.com\n".to_owned();
    let lab = Lab::start(&Design { firewall, hosts, proxy: true, ..Design::default() })?;
    let workspace = |zone: Zone| format!("{}.{}", super::WORKSPACE, zone.suffix());
    let handler = DCE.replace(".ingest.", ".handler.control.");
    for (host, wanted) in [
        ("global.handler.control.monitor.azure.com", "Healthy"),
        (&*workspace(Zone::Ods), "Connection timed out"),
        (&workspace(Zone::Oms), "Couldn't connect to server"),
        (&workspace(Zone::AgentSvc), "Couldn't connect to server"),
        ("api.monitor.azure.com", "Connection timed out"),
    ] {
        let silent: &[&str] = if wanted.ends_with("timed out") { &SILENT } else { &[] };
        let answer = curl(&lab, host, silent)?;
        assert!(answer.contains(wanted), "`{host}` has no `{wanted}`: {answer}");
    }
    let stalled = curl(&lab, &handler, &["-v", SILENT[0], SILENT[1]])?;
    assert!(stalled.contains("Client hello") && !stalled.contains("Server hello"), "{stalled}");
    assert!(stalled.contains("timed out"), "{stalled}");
    let proxied =
        curl(&lab, "scadvisorcontentpl.blob.core.windows.net", &["--proxy", &format!("http://{PROXY}:3128")])?;
    assert!(proxied.contains("Healthy"), "{proxied}");
    Ok(())
}

#[test]
fn the_lab_inspects() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { inspection: Inspection::Trusted, ..Design::default() })?;
    let more = ["-v", "-o", "/dev/null"];
    let answer = curl(&lab, DCE, &more)?;
    assert!(answer.contains("issuer: CN=Contoso Inspection Issuing CA 01"), "{answer}");
    assert!(answer.contains("SSL certificate verify ok"), "{answer}");
    Ok(())
}

#[test]
fn the_lab_delays() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { delay_ms: Some(50), ..Design::default() })?;
    let output = lab
        .on_machine("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{time_connect}"])
        .arg("http://169.254.169.254/")
        .output()?;
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).parse()?;
    assert!(seconds >= 0.1, "connected in {seconds} s: {}", lab.logs());
    Ok(())
}

#[test]
fn the_lab_has_mitmproxy() -> Result<()> {
    if !possible() || super::servers::mitmdump().is_none() && !crate::needs::without("mitmdump") {
        return Ok(());
    }
    let lab = Lab::start(&Design { inspection: Inspection::Mitmproxy, ..Design::default() })?;
    let answer = curl(&lab, DCE, &["-v", "-o", "/dev/null"])?;
    assert!(answer.contains("unable to get local issuer certificate"), "{answer}");
    Ok(())
}
