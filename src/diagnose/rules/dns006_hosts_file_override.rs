//! DNS006: the hosts file decides.

use ampls_probes::endpoint::{Expect, Expectation};

use crate::diagnose::command::{Host, HostsFile, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Status};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A line of this machine's hosts file names an endpoint of Azure Monitor, and the operating system answers with its
    /// address. Programs never ask DNS for that name, while `nslookup` and `dig` do: that is why tools and agents disagree.
    /// Such lines are left from tests before the private link was ready.
    ///
    /// It is a warning while the address answers, and an error when it does not, or when it is public although private paths
    /// are expected (or private although public ones are).
    ///
    /// ## Why it matters
    ///
    /// Addresses of private endpoints change when the endpoint is recreated, and the line does not. The machine then reaches
    /// nothing, or to the endpoint of another scope, and no DNS change can fix it.
    ///
    /// ## How to fix
    ///
    /// Remove the line, after looking what DNS gives for the name: this finding shows the answers of the DNS servers beside
    /// the line. Restart the agent, which may keep the old address.
    ///
    /// ## How to confirm
    ///
    /// `getent ahosts <name>` (Linux) or `Resolve-DnsName <name>` (Windows) gives what the DNS server gives.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://man7.org/linux/man-pages/man5/hosts.5.html>
    DNS006 = "hosts-file-override" {
        layer: Dns,
        severity: Warning,
        owner: Os,
        hops: [Server, Address],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS007", "DNS012", "DNS014", "DNS015", "DNS023", "TLS003", "TLS008", "HTP002", "HTP005"], WRONG_ADDRESS],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| overridden(facts, name)).collect()
}

fn overridden(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let entries = facts.hosts_entries(name.fqdn());
    let system = name.system()?;
    let asked = system.status != Status::Skipped;
    let used: Vec<_> =
        entries.into_iter().filter(|entry| !asked || system.addresses.contains(&entry.address)).collect();
    let first = used.first()?;
    let capable = name.endpoint.expected == Expectation::Private;
    let leads = facts.leads_private(name.fqdn(), first.address);
    let wrong = match facts.expect() {
        Expect::Public => leads != Some(false),
        _ => leads.is_none() || (capable && facts.private_expected() && leads == Some(false)),
    };
    let severity = if wrong || name.unreachable() { Severity::Error } else { Severity::Warning };
    let source = facts.hosts_source().unwrap_or_default();
    let answers: Vec<_> = name.server_views().filter(|view| view.answered()).collect();
    let mut draft =
        Draft::new(severity, Owner::Os, Title::list("the hosts file decides ", [name.fqdn()], ""))
            .about([name.fqdn()])
            .summary(format!(
                "{} names this endpoint, so programs on this machine never ask DNS for it{}",
                quote(source),
                if wrong { "; the address is not what is expected" } else { "" }
            ))
            .evidence(used.iter().map(|entry| {
                format!("{} line {}: `{}` {}", quote(source), entry.line, entry.address, quote(&entry.name))
            }))
            .evidence([facts.view_line(name, system)])
            .evidence(answers.iter().map(|view| facts.view_line(name, view)))
            .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
            .list("file", [source])
            .arg("line", first.line.to_string())
            .list("address", [first.address.to_string()])
            .excludes("the DNS servers: they are not asked for this name");
    if !asked {
        draft = draft.likely();
    }
    Some(draft.fix([look(facts, name.fqdn(), source), remove(facts, name.fqdn(), first.line, source)]))
}

fn look(facts: &Facts<'_>, name: &str, source: &str) -> Fix {
    if facts.on_windows() {
        return Fix::look(
            "see the line, and whether a tool (Group Policy, Puppet, Ansible) writes this file",
            [
                command!(
                    PowerShell,
                    "Select-String -LiteralPath {} -SimpleMatch -Pattern {}",
                    HostsFile::new(source),
                    Host::new(name)
                ),
                command!(PowerShell, "Resolve-DnsName {} -NoHostsFile", Host::new(name)),
            ],
        );
    }
    Fix::look(
        "see the line, and whether a tool (Puppet, Ansible, cloud-init) writes this file",
        [
            command!(Sh, "grep -n -i -F {} {}", Host::new(name), HostsFile::new(source)),
            command!(Sh, "getent ahosts {}", Host::new(name)),
        ],
    )
}

/// By what the line says, not by its number, and into a remark: run again it changes nothing.
fn remove(facts: &Facts<'_>, name: &str, line: u32, source: &str) -> Fix {
    let file = || HostsFile::new(source);
    let pattern = Host::new(name).map(|name| name.pattern());
    let change = Fix::change(
        BlastRadius::Machine,
        format!("comment the name out of {} (line {line}){}", quote(source), remedy::machine::and_restart(facts)),
    )
    .under(remedy::Right::MACHINE);
    let mind = "the line may name other hosts too; what manages this file may write it back";
    if facts.on_windows() {
        return change
            .with([command!(
                PowerShell,
                r"(Get-Content -LiteralPath {}) -replace '^(?=\s*[^#\s]+\s([^#]*\s)?{}(\s|#|$))', '# ampls-doctor: ' | Set-Content -Encoding ascii -LiteralPath {}",
                file(),
                pattern,
                file()
            )])
            .after(mind)
            .undone_with(
                "",
                [command!(
                    PowerShell,
                    "(Get-Content -LiteralPath {}) -replace '^# ampls-doctor: ' | Set-Content -Encoding ascii -LiteralPath {}",
                    file(),
                    file()
                )],
            );
    }
    change
        .with([command!(
            Sh,
            r"sudo sed -i -E 's/^([[:space:]]*[^#[:space:]]+[[:space:]]([^#]*[[:space:]])?{}([[:space:]#]|$))/# ampls-doctor: \1/I' {}",
            pattern,
            file()
        )])
        .after(mind)
        .undone_with("", [command!(Sh, "sudo sed -i 's/^# ampls-doctor: //' {}", file())])
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Outcome;
    use ampls_probes::testing::{ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_as_warning_while_the_address_answers() {
        let found = fires_as_declared(&DNS006, &private_world().hosts("10.0.0.6", ODS));
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Warning]);
        assert_eq!(found[0].args["line"], "1");
    }

    #[test]
    fn fires_as_error_when_it_does_not_answer() {
        let scene = private_world().hosts("10.9.9.9", ODS).connects(ODS, &Outcome::TimedOut);
        assert_eq!(drafts(&DNS006, &scene)[0].severity, Severity::Error);
    }

    #[test]
    fn fires_as_error_when_wrong_for_the_expectation() {
        assert_eq!(drafts(&DNS006, &private_world().hosts("20.1.1.1", ODS))[0].severity, Severity::Error);
        let public = public_world().hosts("10.0.0.6", ODS).expect(Expect::Public);
        assert_eq!(drafts(&DNS006, &public)[0].severity, Severity::Error);
        assert_eq!(drafts(&DNS006, &public_world().hosts("0.0.0.0", ODS))[0].severity, Severity::Error);
    }

    #[test]
    fn silent_when_the_system_does_not_use_the_line() {
        let scene = private_world().hosts("10.9.9.9", ODS).system(ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS006, &scene), []);
    }

    #[test]
    fn silent_without_a_line() {
        assert_eq!(drafts(&DNS006, &private_world()), []);
    }
}
