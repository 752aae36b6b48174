//! RUN001: the run ended before its steps were done.

use std::collections::BTreeSet;

use ampls_probes::endpoint::Origin;
use ampls_probes::observation::{
    Answer, Connection, DnsFailure, IoFailure, Observation, Outcome, RecordKind, Source, SourceName, SourceOutcome,
    Stop, sources,
};

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::sources::label;
use crate::diagnose::facts::{EndpointFacts, Facts, Status};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::{duration_ms, quote};

rule! {
    /// ## What it means
    ///
    /// The deadline of the run passed, or the run was interrupted, before every step had ended. What was not finished is
    /// listed. Everything else in the report stands; what is listed was not looked at, which is not the same as fine.
    ///
    /// This machine's own files count as steps: they may take a third of the deadline and at most five seconds, and a folder on
    /// a share whose server is gone takes longer. What could not be read then is listed, and the network was examined with what
    /// the arguments name.
    ///
    /// It is an error where a required name got no verdict, and where the agents' files were not read and no argument says what
    /// is required: such a machine may be broken.
    ///
    /// The same is said where this process could open no more sockets: the limit of open files (`ulimit -n`) was used up, by this
    /// program or, on the whole machine, by others.
    ///
    /// And of a saved report that a later version wrote: what this version does not know in it is not judged.
    ///
    /// ## Why it matters
    ///
    /// A fault in a step that never ended is missing from the report. Steps that take so long are themselves a sign: DNS
    /// servers or addresses that drop packets cost a full timeout each.
    ///
    /// ## How to fix
    ///
    /// Fix the other findings first: silent servers and addresses take most of the time. Then give the run more of it with
    /// `--deadline`, or each step less with `--timeout`, or look at fewer things with `--only`. Where sockets ran out, raise the
    /// limit (`ulimit -n 1024`). Judge a report with the version that wrote it, or a later one.
    ///
    /// ## How to confirm
    ///
    /// The report says `run.complete: true`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/run-command>
    /// - <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>
    RUN001 = "not-finished" {
        layer: Run,
        severity: Warning,
        owner: Os,
        hops: [],
        claim: Unfinished,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    cut_short(facts).into_iter().chain(without_sockets(facts)).chain(not_understood(facts)).collect()
}

/// What a later version wrote that this one cannot judge. A report of which only a part was judged is not healthy.
fn not_understood(facts: &Facts<'_>) -> Option<Draft> {
    let counts = facts.observations().later.counts();
    let lost = counts.missed;
    if lost == 0 {
        return None;
    }
    Some(
        Draft::new(Severity::Warning, Owner::Os, Title::plain(format!("what a later version wrote was not judged: {lost} observations or names")))
            .group("later")
            .summary("a fault in what this version does not know is missing from this judgement; judge the report with the version that wrote it, or a later one")
                .arg("steps", lost.to_string())
            .arg("stopped_by", "later-version")
            .reaching(Reach::Nothing),
    )
}

/// What this process had no socket left for.
fn without_sockets(facts: &Facts<'_>) -> Option<Draft> {
    let lines = facts.observations().seen.iter().filter_map(|step| match step {
        Observation::Connection(seen) if seen.outcome == Outcome::Failed(IoFailure::NoSockets) => {
            Some(format!("not taken: {}", connection(facts, seen)))
        }
        Observation::Answer(seen) if seen.outcome == Outcome::Failed(DnsFailure::Unreachable(IoFailure::NoSockets)) => {
            Some(format!("not taken: {}", question(seen)))
        }
        _ => None,
    });
    let lines: BTreeSet<String> = lines.collect();
    if lines.is_empty() {
        return None;
    }
    let fix = if facts.on_windows() {
        Fix::look(
            "check which process holds the machine's sockets",
            [command!(PowerShell, "Get-NetTCPConnection | Group-Object OwningProcess -NoElement")],
        )
    } else {
        Fix::look("run again with a higher limit of open files", [command!(Sh, "ulimit -n 1024; ampls-doctor check")])
    };
    let count = lines.len();
    let no_socket = |seen: &&Connection| seen.outcome == Outcome::Failed(IoFailure::NoSockets);
    let unjudged = |name: &&EndpointFacts<'_>| {
        name.required() && name.reachable().is_none() && name.connections.iter().any(no_socket)
    };
    let names: Vec<&str> = facts.endpoints().iter().filter(unjudged).map(EndpointFacts::fqdn).collect();
    Some(
        Draft::new(
            if names.is_empty() { Severity::Warning } else { Severity::Error },
            Owner::Os,
            Title::plain(format!("this process may open no more sockets: {} not taken", steps(count, "was", "were"))),
        )
        .group("sockets")
        .about(names)
        .summary("the limit of open files of this process, or of the machine, was used up; the listed steps were not tested, so a fault there is missing from this report")
        .evidence(lines)
        .arg("steps", count.to_string())
        .arg("stopped_by", "sockets")
        .reaching(Reach::Nothing)
        .fix([fix]),
    )
}

fn cut_short(facts: &Facts<'_>) -> Vec<Draft> {
    let seen = facts.observations();
    let unread: Vec<Source> = sources(seen).into_iter().filter(|source| is_cut_off(*source)).collect();
    let files = unread.iter().map(|source| format!("not read to the end: {}", label(source)));
    let steps_of = seen.seen.iter().filter_map(|step| unfinished(facts, step));
    let unfinished: BTreeSet<String> = files.chain(steps_of).collect();
    // A signal or the deadline that came when all was done cut nothing off.
    if unfinished.is_empty() {
        return Vec::new();
    }
    let count = unfinished.len();
    let longer = seen.asked.deadline_ms.div_ceil(1_000).saturating_mul(2);
    let (why, by) = match seen.stopped {
        Some(Stop::Deadline) => (format!("the deadline of {} passed", duration_ms(seen.asked.deadline_ms)), "deadline"),
        Some(Stop::Interrupt) => ("the run was interrupted".to_owned(), "interrupt"),
        None => ("the time for this machine's own files passed".to_owned(), "limit"),
    };
    let names = without_verdict(facts);
    let unknown = unread.iter().any(|source| source.source == SourceName::Agents) && !names_what_is_required(facts);
    let severity = if names.is_empty() && !unknown { Severity::Warning } else { Severity::Error };
    let shares = (!unread.is_empty() && !facts.on_windows()).then(|| {
        Fix::look(
            "check which file systems belong to a server that may be gone",
            [command!(Sh, "findmnt --types nfs,nfs4,cifs,fuse")],
        )
    });
    let again = Fix::look(
        "give the run more time, after the other findings are fixed",
        [command!(Any, "ampls-doctor check --deadline {}", longer)],
    );
    vec![
        Draft::new(severity, Owner::Os, Title::plain(format!("{why} before {} ended", steps(count, "had", "had"))))
            .about(names)
            .summary("the listed steps did not finish, so a fault there is missing from this report; everything else is valid")
            .evidence(unfinished)
            .arg("steps", count.to_string())
            .arg("stopped_by", by)
            .reaching(Reach::Nothing)
            .fix(shares.into_iter().chain([again])),
    ]
}

/// A source of this machine that was not read to its end. The services of the platform are steps of the run.
fn is_cut_off(source: Source) -> bool {
    source.outcome == SourceOutcome::Cancelled && source.source != SourceName::Metadata
}

/// Required names of which it is not known where they lead, or whether they answer.
fn without_verdict<'a>(facts: &'a Facts<'_>) -> Vec<&'a str> {
    let open = |name: &&EndpointFacts<'_>| {
        let lookup = name.system().is_some_and(|view| view.status == Status::Cancelled);
        name.required() && (lookup || (name.reachable().is_none() && name.was_cut_off()))
    };
    facts.endpoints().iter().filter(open).map(EndpointFacts::fqdn).collect()
}

/// An argument names a workspace, a data collection endpoint or another name: those replace what the agents would have named.
fn names_what_is_required(facts: &Facts<'_>) -> bool {
    let named = |name: &EndpointFacts<'_>| name.required() && name.endpoint.origin == Origin::Argument;
    facts.endpoints().iter().any(named)
}

/// `1 step was`, `2 steps were`
fn steps(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 step {one}") } else { format!("{count} steps {many}") }
}

fn host(facts: &Facts<'_>, id: &str) -> String {
    let endpoint = facts.endpoints().iter().find(|name| name.endpoint.id == id);
    quote(endpoint.map_or(id, |name| name.fqdn()))
}

fn connection(facts: &Facts<'_>, seen: &Connection) -> String {
    let to = seen.address.map_or_else(String::new, |address| format!(" (`{address}`)"));
    format!("the connection to {}{to}", host(facts, &seen.endpoint))
}

fn question(seen: &Answer) -> String {
    let kind = if seen.kind == RecordKind::Soa { "SOA" } else { "address" };
    format!("`{}` asked for the {kind} of {}", seen.server, quote(&seen.name))
}

fn unfinished(facts: &Facts<'_>, step: &Observation) -> Option<String> {
    let host = |id: &str| host(facts, id);
    match step {
        Observation::Lookup(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: the system's own lookup of {}", quote(&seen.name)))
        }
        Observation::Answer(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: {}", question(seen)))
        }
        Observation::Connection(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: {}", connection(facts, seen)))
        }
        Observation::Tunnel(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: the proxy's tunnel to {}", host(&seen.endpoint)))
        }
        Observation::Handshake(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: the handshake with {}", host(&seen.endpoint)))
        }
        Observation::Exchange(seen) if seen.outcome == Outcome::Cancelled => {
            Some(format!("not finished: the request to {}", host(&seen.endpoint)))
        }
        Observation::Metadata(seen) if seen.outcome == Outcome::Cancelled => {
            Some("not finished: the metadata service".to_owned())
        }
        Observation::WireServer(seen) if seen.outcome == Outcome::Cancelled => {
            Some("not finished: the wire server".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AGENTSVC, CUSTOM, HANDLER, ODS, Says, Scene, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_and_lists_what_was_not_finished() {
        let scene = private_world()
            .says(CUSTOM, ODS, &Says::Unfinished)
            .connects(AGENTSVC, &Outcome::Cancelled)
            .stopped(Stop::Deadline);
        let found = fires_as_declared(&RUN001, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].evidence.len(), 2);
        let asked = format!("not finished: `{CUSTOM}` asked for the address of `{ODS}`");
        assert!(found[0].evidence.contains(&asked), "{:?}", found[0].evidence);
        assert!(found[0].title.text().contains("15.0 s"), "{}", found[0].title.text());
    }

    fn without(source: SourceName) -> Scene {
        let cut = Source::new(source, SourceOutcome::Cancelled);
        private_world().edit(|seen| {
            seen.sources = vec![cut];
            seen.endpoints.iter_mut().for_each(|endpoint| endpoint.origin = Origin::Argument);
        })
    }

    #[test]
    fn fires_for_local_files_although_nothing_ended_the_run() {
        for (source, said) in [(SourceName::Agents, "agents"), (SourceName::Browsers, "browsers")] {
            let found = drafts(&RUN001, &without(source));
            assert_eq!((found[0].severity, found[0].args["stopped_by"].as_str()), (Severity::Warning, "limit"));
            assert!(found[0].evidence[0].contains(said), "{:?}", found[0].evidence);
        }
    }

    #[test]
    fn fires_as_an_error_when_nothing_says_what_is_required() {
        let found = drafts(
            &RUN001,
            &without(SourceName::Agents)
                .edit(|seen| seen.endpoints.iter_mut().for_each(|endpoint| endpoint.origin = Origin::Default)),
        );
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn fires_as_an_error_about_required_names_without_a_verdict() {
        let found = drafts(&RUN001, &private_world().connects(HANDLER, &Outcome::Cancelled).stopped(Stop::Deadline));
        assert_eq!((found[0].severity, found[0].endpoints.as_slice()), (Severity::Error, &[HANDLER.to_owned()][..]));
        let failed = private_world().tls(ODS, Tls::failed(Outcome::Cancelled)).stopped(Stop::Deadline);
        assert_eq!(drafts(&RUN001, &failed)[0].endpoints, [ODS]);
    }

    #[test]
    fn fires_when_interrupted() {
        let found = drafts(&RUN001, &private_world().connects(HANDLER, &Outcome::Cancelled).stopped(Stop::Interrupt));
        assert_eq!(found[0].args["stopped_by"], "interrupt");
    }

    #[test]
    fn fires_when_the_sockets_ran_out_and_nothing_else_does() {
        let scene = private_world().connects(HANDLER, &Outcome::Failed(IoFailure::NoSockets));
        let found = drafts(&RUN001, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert!(found[0].evidence[0].contains(HANDLER), "{:?}", found[0].evidence);
        assert!(found[0].title.text().ends_with(": 1 step was not taken"), "{}", found[0].title.text());
        let codes: Vec<_> = diagnose(&scene.observations()).into_iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["RUN001"]);
    }

    #[test]
    fn fires_when_a_question_got_no_socket() {
        let mut seen = private_world().says(CUSTOM, ODS, &Says::Closed).observations();
        for step in &mut seen.seen {
            if let Observation::Answer(answer) = step
                && answer.outcome.failed().is_some()
            {
                answer.outcome = Outcome::Failed(DnsFailure::Unreachable(IoFailure::NoSockets));
            }
        }
        let found = check(&Facts::new(&seen));
        let untaken = format!("not taken: `{CUSTOM}` asked for the address of `{ODS}`");
        assert_eq!((found.len(), found[0].evidence.as_slice()), (1, &[untaken][..]));
    }

    #[test]
    fn silent_when_the_deadline_cut_nothing_off() {
        assert_eq!(drafts(&RUN001, &private_world().stopped(Stop::Deadline)), []);
    }

    #[test]
    fn silent_when_all_steps_ended() {
        assert_eq!(drafts(&RUN001, &private_world().connects(HANDLER, &Outcome::TimedOut)), []);
    }
}
