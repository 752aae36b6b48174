//! RUN002: files that need more rights.

use ampls_probes::observation::source::is_log;
use ampls_probes::observation::{Observation, Outcome, ReadFailure, UnreadReason};

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// Files that this program reads are there and may not be read by the user who started it. What they hold was not looked
    /// at, which is not the same as fine: it is listed.
    ///
    /// Missing files are not reported: most machines lack most of them. Files that decide what is required, those
    /// of the agents' configuration and of the resolver, are RUN004.
    ///
    /// ## Why it matters
    ///
    /// What stands in those files is missing from the judgement: a line of the hosts file, what the agents' own logs say, which
    /// servers the system asks encrypted. On Windows some of it stands in keys of the registry.
    ///
    /// ## How to fix
    ///
    /// Run the program as a user who may read them: with `sudo`, or as Administrator. It changes nothing either way.
    ///
    /// ## How to confirm
    ///
    /// The finding is gone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/run-command>
    /// - <https://man7.org/linux/man-pages/man5/hosts.5.html>
    RUN002 = "not-permitted" {
        layer: Run,
        severity: Info,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let windows = facts.on_windows();
    let refusal = UnreadReason::Failed(ReadFailure::NotPermitted);
    let mut refused: Vec<(&str, &str)> = Vec::new();
    for seen in &facts.observations().seen {
        match seen {
            Observation::Hosts(hosts) if hosts.outcome == Outcome::Failed(ReadFailure::NotPermitted) => {
                let usual = if windows { r"C:\Windows\System32\drivers\etc\hosts" } else { "/etc/hosts" };
                refused.push((hosts.unread.as_deref().unwrap_or(usual), "whether the hosts file decides a name"));
            }
            Observation::EncryptedDns(encrypted) => {
                let hidden = encrypted.unread.iter().filter(|unread| unread.why == refusal);
                refused.extend(hidden.map(|unread| (unread.path.as_str(), "what the system asks encrypted")));
            }
            Observation::Agents(agents) => {
                let hidden = agents.unread.iter().filter(|unread| is_log(&unread.path) && unread.why == refusal);
                refused.extend(hidden.map(|unread| (unread.path.as_str(), "what the agents were refused")));
            }
            _ => {}
        }
    }
    if refused.is_empty() {
        return Vec::new();
    }
    let again = if windows {
        Fix::look("run it in a console opened as Administrator", [command!(Any, "ampls-doctor check")])
    } else {
        Fix::look("run again as a user who may read them", [command!(Sh, "sudo ampls-doctor check")])
    };
    vec![
        Draft::new(
            Severity::Info,
            Owner::Os,
            Title::list("not permitted to read ", refused.iter().map(|(file, _)| *file), ""),
        )
        .summary("these files were not read; run with more rights for a complete check")
        .evidence(refused.iter().map(|(file, what)| format!("{} may not be read: {what} is unknown", quote(file))))
        .list("files", refused.iter().map(|(file, _)| *file))
        .reaching(Reach::Nothing)
        .fix([again]),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Agents, EncryptedDns, Hosts, Timing, Unread};
    use ampls_probes::testing::{Scene, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn hosts_fails(failure: ReadFailure) -> Scene {
        let hosts = Hosts { timing: Timing::default(), outcome: Outcome::Failed(failure), unread: None };
        private_world().edit(|seen| seen.seen.push(Observation::Hosts(hosts)))
    }

    #[test]
    fn fires_and_says_what_was_not_seen() {
        let found = fires_as_declared(&RUN002, &hosts_fails(ReadFailure::NotPermitted));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        assert!(found[0].evidence[0].contains("/etc/hosts"), "{:?}", found[0].evidence);
    }

    #[test]
    fn fires_and_names_the_file_where_it_was_moved() {
        let moved = r"D:\names\hosts".to_owned();
        let scene = hosts_fails(ReadFailure::NotPermitted).windows().edit(|seen| {
            for seen in &mut seen.seen {
                if let Observation::Hosts(hosts) = seen {
                    hosts.unread = Some(moved.clone());
                }
            }
        });
        assert!(drafts(&RUN002, &scene)[0].title.text().contains(r"D:\names\hosts"));
    }

    fn agents_with(path: &str) -> Scene {
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = vec![Unread { path: path.to_owned(), why }];
        private_world().edit(|seen| seen.seen.push(Observation::Agents(Agents { unread, ..Agents::default() })))
    }

    #[test]
    fn fires_for_the_logs_of_agents() {
        let log = "/var/opt/microsoft/azuremonitoragent/log/mdsd.err";
        assert!(drafts(&RUN002, &agents_with(log))[0].evidence[0].contains(log));
    }

    #[test]
    fn fires_for_what_the_system_asks_encrypted() {
        let key = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\InterfaceSpecificParameters";
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = vec![Unread { path: key.to_owned(), why }];
        let (timing, outcome) = (Timing::default(), Outcome::Seen(Vec::new()));
        let scene = private_world()
            .edit(|seen| seen.seen.push(Observation::EncryptedDns(EncryptedDns { timing, outcome, unread })));
        assert!(drafts(&RUN002, &scene)[0].evidence[0].contains(key));
    }

    #[test]
    fn silent_for_what_decides_what_is_required() {
        assert_eq!(drafts(&RUN002, &agents_with("/var/lib/waagent")), []);
    }

    #[test]
    fn silent_for_files_that_are_not_there_and_for_those_that_were_read() {
        assert_eq!(drafts(&RUN002, &hosts_fails(ReadFailure::Missing)), []);
        assert_eq!(drafts(&RUN002, &private_world()), []);
    }
}
