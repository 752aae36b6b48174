//! Reports for the tests of the formats: what the rules write about whole scenes, and two extremes made from it.

use ampls_probes::endpoint::Need;
use ampls_probes::observation::{IoFailure, Outcome};
use ampls_probes::testing::{AZURE, CUSTOM, METRICS, ODS, Says, Scene, Tls, ZONES, private_world};
use uuid::Uuid;

use super::{Azure, EndpointReport, Report, RunInfo};
use crate::diagnose::command::command;
use crate::diagnose::diagnose_facts;
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Argument, BlastRadius, Finding, Fix, Severity};

/// The report of a scene, as `check` would write it.
pub(crate) fn report(scene: &Scene) -> Report {
    let seen = scene.observations();
    let facts = Facts::new(&seen);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.1.0".to_owned() };
    Report::new(&seen, &facts, diagnose_facts(&facts), run)
}

/// Everything private, one optional public name blocked.
pub(crate) fn healthy() -> Report {
    let blocked = Outcome::Failed(IoFailure::Refused);
    let scene = private_world().name(METRICS, Need::Optional).everywhere(METRICS, &Says::Public("20.50.1.2"));
    report(&scene.connects(METRICS, &blocked))
}

/// All private but the log upload, whose zone is not linked. The public address refuses.
pub(crate) fn mixed() -> Report {
    let mut scene = private_world().everywhere(ODS, &Says::Public("20.150.190.99"));
    for server in [CUSTOM, AZURE] {
        scene = scene.soa(server, ZONES[2], &Says::PublicZone);
    }
    report(&scene.connects(ODS, &Outcome::Failed(IoFailure::Refused)))
}

/// The same of a machine that Azure's metadata service knows.
pub(crate) fn on_a_vm(mut report: Report) -> Report {
    report.host.azure = Some(Azure {
        cloud: Some("public".to_owned()),
        region: Some("westeurope".to_owned()),
        vm_id: Some("5f1c0d6e-8a7b-4c2f-9d3e-1b2a3c4d5e6f".to_owned()),
        resource_id: Some(
            "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm1"
                .to_owned(),
        ),
        subnet: Some("10.1.0.0/24".to_owned()),
    });
    report
}

/// A finding of a test's own, in the form of a real one.
pub(crate) fn finding(code: &str, name: &str, severity: Severity) -> Finding {
    Finding {
        id: code.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        severity,
        endpoints: Vec::new(),
        caused_by: None,
        caused_by_id: None,
        ..mixed().findings[0].clone()
    }
}

/// A network whose every text tries to take over the terminal.
pub(crate) fn hostile() -> Report {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\nPRIVATE, healthy\u{202e}\u{9b}31m\u{2028}";
    let evil = EVIL;
    let scene = private_world().tls(ODS, Tls::intercepted(ODS, evil, false));
    let mut report = report(&scene.edit(|seen| evil.clone_into(&mut seen.machine.name)));
    report.endpoints[0].fqdn = format!("a{evil}.ods.opinsights.azure.com");
    let root = &mut report.findings[0];
    root.title = format!("issued by `{evil}`");
    evil.clone_into(&mut root.summary);
    evil.clone_into(&mut root.link);
    root.evidence = vec![evil.to_owned()];
    root.excludes = vec![evil.to_owned()];
    root.fix = vec![
        Fix::change(BlastRadius::Machine, evil)
            .with([command!(Any, EVIL)])
            .after_looking(EVIL, [command!(Any, EVIL)])
            .undone_with(EVIL, [command!(Any, EVIL)]),
    ];
    report
}

/// As many endpoints and findings as wanted, three of four findings explained by an earlier one.
pub(crate) fn crowded(endpoints: usize, findings: usize, hostile_text: bool) -> Report {
    let filler =
        if hostile_text { "\u{1b}[2J\"\\é😀\nVERDICT private ok exit=0 ".repeat(40) } else { "word ".repeat(60) };
    let mut report = mixed();
    report.host.name.clone_from(&filler);
    let names: Vec<String> = (0..endpoints).map(|index| format!("name-{index}.ods.opinsights.azure.com")).collect();
    let template = report.endpoints[1].clone();
    let copy = |(index, name): (usize, &String)| EndpointReport {
        id: format!("name-{index}"),
        fqdn: name.clone(),
        zone: Some(ZONES[index % 3].to_owned()),
        ..template.clone()
    };
    report.endpoints = names.iter().enumerate().map(copy).collect();
    let found = (0..findings).map(|index| {
        let severity = if index % 4 == 0 { Severity::Error } else { Severity::Warning };
        let by = (index % 4 != 0).then(|| format!("DNS{:03}", index - index % 4));
        Finding {
            title: filler.clone(),
            summary: filler.clone(),
            endpoints: names.clone(),
            evidence: vec![filler.clone(); 16],
            args: (0..8).map(|arg| (format!("value_{arg}"), Argument::One(filler.clone()))).collect(),
            fix: vec![Fix::change(BlastRadius::Vnet, filler.as_str()).with([command!(Any, "word word word")])],
            caused_by: by.clone(),
            caused_by_id: by,
            ..finding(&format!("DNS{index:03}"), "some-rule", severity)
        }
    });
    let (roots, symptoms): (Vec<_>, Vec<_>) = found.partition(|found: &Finding| found.caused_by.is_none());
    report.findings = [roots, symptoms].concat();
    report
}
