//! The faces of a plan: a table for people, JSON, and a list for those who keep the firewall.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use ampls_probes::Plan;
use ampls_probes::endpoint::{Endpoint, Expectation, Group, Need};
use ampls_probes::plan::{Load, Step};
use serde::Serialize;

use crate::text::escape;

/// Writes the plan for people, in lines of at most `width` characters; only a name is never broken.
///
/// A workspace's names leave no room for columns beside them in 80, so what a name is for stands below it.
pub fn table(plan: &Plan, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let cloud = if plan.cloud.is_empty() { "<cloud>" } else { &plan.cloud };
    writeln!(out, "cloud {cloud}, region {}", plan.region.as_deref().unwrap_or("<region>"))?;
    let groups: BTreeSet<Group> = plan.endpoints.iter().map(|endpoint| endpoint.group).collect();
    for group in groups {
        writeln!(out)?;
        writeln!(out, "{}", group.as_str())?;
        for endpoint in plan.endpoints.iter().filter(|endpoint| endpoint.group == group) {
            writeln!(out, "  {}", place(endpoint))?;
            let route = match endpoint.expected {
                Expectation::Private => "private-capable",
                Expectation::Public => "always public",
                Expectation::Any => "private or public",
            };
            let line = format!("{}, {route}: {}", endpoint.need.as_str(), escape(&endpoint.purpose, PURPOSE));
            wrap(out, &line, 6, width)?;
        }
    }
    list(out, "not known yet:", &plan.waiting)?;
    list(out, "zones whose authority is asked:", &plan.zones)?;
    writeln!(out)?;
    wrap(out, &summary(&plan.steps), 0, width)?;
    load(plan, width, out)
}

/// What each DNS server gets.
fn load(plan: &Plan, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if plan.load.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "questions to DNS servers:")?;
    for load in &plan.load {
        let Load { server, questions, at_most, lookups } = load;
        let lookups = match lookups {
            0 => String::new(),
            lookups => format!(", and {lookups} lookups of this machine's own resolver"),
        };
        let line = format!("{server}: {questions}, at most {at_most} where answers leave something open{lookups}");
        wrap(out, &line, 2, width)?;
    }
    Ok(())
}

/// Characters kept of a purpose.
const PURPOSE: usize = 120;

/// Writes words in indented lines of at most `width` characters.
fn wrap(out: &mut dyn Write, text: &str, indent: usize, width: usize) -> io::Result<()> {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            writeln!(out, "{:indent$}{line}", "")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{:indent$}{line}", "")
}

fn place(endpoint: &Endpoint) -> String {
    let name = escape(&endpoint.fqdn, 253);
    if endpoint.port == 443 { name } else { format!("{name}:{}", endpoint.port) }
}

fn list(out: &mut dyn Write, title: &str, items: &[String]) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{title}")?;
    for item in items {
        writeln!(out, "  {}", escape(item, 253))?;
    }
    Ok(())
}

fn summary(steps: &[Step]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        let kind = match step {
            Step::Metadata => "metadata",
            Step::WireServer => "wire server",
            Step::Lookup { .. } => "lookup",
            Step::Tcp { .. } => "tcp",
            Step::Tls { .. } => "tls",
            Step::Http { .. } => "http",
            Step::Ask { .. } => "dns question",
        };
        *counts.entry(kind).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    format!("{} steps: {}", steps.len(), parts.join(", "))
}

/// Writes the plan itself.
pub fn json(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Versioned<'a> {
        schema: u32,
        #[serde(flatten)]
        plan: &'a Plan,
    }
    super::json::write(&Versioned { schema: 1, plan }, out)
}

/// Writes one line for each name, sorted: name, port, why, service tag. `private-capable` marks names that a private link
/// can serve: they need the private endpoint's subnet, and the public route only without one.
pub fn firewall(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = BTreeMap::new();
    for endpoint in plan.endpoints.iter().filter(|endpoint| endpoint.need != Need::Evidence) {
        let private = endpoint.zone.is_some() || endpoint.expected == Expectation::Private;
        let tag = endpoint.service_tag.as_deref();
        lines.insert(
            (endpoint.fqdn.clone(), endpoint.port),
            line(endpoint.need.as_str(), &endpoint.purpose, tag, private),
        );
    }
    for pattern in &plan.patterns {
        let tag = pattern.service_tag.as_deref();
        let text = line("pattern", &pattern.purpose, tag, pattern.private_capable);
        lines.entry((pattern.name.clone(), pattern.port)).or_insert(text);
    }
    for template in &plan.waiting {
        let text = line("unknown", "not all of this name is known yet", None, false);
        lines.entry((template.clone(), 443)).or_insert(text);
    }
    writeln!(out, "# outbound TCP, without TLS inspection: name, port, need, purpose, service tag, private link")?;
    for ((name, port), text) in &lines {
        writeln!(out, "{}\t{port}\t{text}", escape(name, 253))?;
    }
    // Source: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    writeln!(out, "# on the machine itself, never through a proxy: 169.254.169.254 TCP 80 (metadata),")?;
    writeln!(out, "# 168.63.129.16 UDP and TCP 53 (Azure DNS), TCP 80 and 32526 (wire server)")
}

fn line(need: &str, purpose: &str, tag: Option<&str>, private: bool) -> String {
    let private = if private { "private-capable" } else { "-" };
    format!("{need}\t{}\t{}\t{private}", escape(purpose, PURPOSE), escape(tag.unwrap_or("-"), 60))
}

#[cfg(test)]
mod tests {
    use ampls_probes::plan::{Discovered, MetadataState, plan};
    use ampls_probes::{Catalogue, Options};

    use super::*;

    fn sample() -> Plan {
        let options = Options {
            workspaces: vec!["11111111-2222-3333-4444-555555555555".parse().expect("a GUID")],
            endpoints: vec!["a.example.net:8443".parse().expect("an endpoint")],
            sets: vec![Group::Agent, Group::Arc],
            ..Options::default()
        };
        let discovered = Discovered { metadata: MetadataState::Silent, ..Discovered::default() };
        plan(&Catalogue::builtin().expect("the catalogue"), &options, &discovered)
    }

    fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn table_fits_eighty_columns_and_keeps_names_whole() {
        let plan = sample();
        let shown = text(|out| table(&plan, 80, out));
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let long = "11111111-2222-3333-4444-555555555555.agentsvc.azure-automation.net";
        for name in [long, "global.handler.control.monitor.azure.com", "a.example.net:8443", "<region>.handler.control"]
        {
            assert!(shown.contains(name), "{name}\n{shown}");
        }
    }

    #[test]
    fn json_is_the_plan() {
        let plan = sample();
        let value: serde_json::Value = serde_json::from_str(&text(|out| json(&plan, out))).expect("JSON");
        assert_eq!(value["schema"], 1);
        assert_eq!(serde_json::from_value::<Plan>(value).expect("a plan"), plan);
    }

    #[test]
    fn firewall_list_has_one_sorted_line_a_name() {
        let plan = sample();
        let shown = text(|out| firewall(&plan, out));
        let names: Vec<&str> =
            shown.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split('\t').next()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(
            names.contains(&"*.his.arc.azure.com") && names.contains(&"<region>.handler.control.monitor.azure.com")
        );
        assert!(!names.contains(&"api.monitor.azure.com"), "evidence is never connected to");
        let handler = shown.lines().find(|l| l.starts_with("global.handler")).expect("a line");
        assert!(
            handler.contains("\t443\t") && handler.contains("AzureMonitor") && handler.ends_with("private-capable")
        );
    }
}
