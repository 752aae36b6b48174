//! DNS009: a DNS server answers with a failure.

use std::fmt::Write as _;
use std::net::SocketAddr;

use ampls_probes::observation::Purpose;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Status, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A DNS server of this machine's configuration answered SERVFAIL or REFUSED. SERVFAIL: it asked further and got no
    /// usable answer, because its forwarder is silent, refuses, or the answer does not pass its DNSSEC validation. REFUSED:
    /// it does not resolve for this machine at all.
    ///
    /// The summary says more where a further question shows it: a name that resolves as soon as the server is asked not to
    /// validate (CD) fails by DNSSEC; one that resolves without EDNS meets something that drops EDNS. What the server says of its
    /// reason (RFC 8914), and the response policy that signs its answer, are quoted.
    ///
    /// It is a warning while the name still resolves by another server, and an error when no server gives an answer.
    ///
    /// ## Why it matters
    ///
    /// The name does not resolve, or only after the failing server was asked in vain. A conditional forwarder made for a
    /// `privatelink` zone and pointed at a server that cannot be reached looks exactly like this: all other names work.
    ///
    /// ## How to fix
    ///
    /// Look at that server's forwarder for the zone of the name: who it asks, and whether that one can be reached from there.
    /// 168.63.129.16 answers only servers inside Azure. Forward the public zones, not the `privatelink` ones. For REFUSED add
    /// this machine's network to those that the server answers.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name> <server>` gives an address; this program's table shows the server's answers again.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    /// - <https://www.rfc-editor.org/rfc/rfc1035>
    /// - <https://www.rfc-editor.org/rfc/rfc8914>
    DNS009 = "server-fails" {
        layer: Dns,
        severity: Warning,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for name in facts.endpoints() {
        let failing = name.server_views().filter(|view| code_of(view.status).is_some());
        let by_resolving = failing
            .filter(|view| view.server.is_some_and(|server| facts.resolves(server) || rejects(facts, name, server)));
        drafts.extend(by_resolving.filter_map(|view| draft(facts, name, view)));
    }
    drafts
}

/// The stub that this machine uses fails although a server behind it answers.
fn rejects(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> bool {
    facts.stub() == Some(server) && name.server_views().any(|view| view.server != Some(server) && view.answered())
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>, view: &View) -> Option<Draft> {
    let server = view.server?;
    let code = code_of(view.status)?;
    let resolved =
        name.system().is_some_and(|system| system.status == Status::Ok) && facts.answered_by_search(name).is_none();
    let elsewhere = name.server_views().any(View::answered);
    let rejects = rejects(facts, name, server);
    let why = Why::of(facts, server, view.status);
    let severity = if resolved || (elsewhere && !rejects) { Severity::Warning } else { Severity::Error };
    let azure = name.azure().filter(|azure| azure.answered() && azure.server != view.server);
    let ask = Fix::look(
        format!("ask `{}` from this machine", server.ip()),
        [if facts.on_windows() {
            command!(Any, "nslookup {} {}", Host::new(name.fqdn()), server.ip())
        } else {
            command!(Sh, "dig @{} {}", server.ip(), Host::new(name.fqdn()))
        }],
    );
    let fix = if view.status == Status::Refused {
        Fix::look(
            format!("check on `{}` which networks it resolves for (BIND: allow-query, allow-recursion)", server.ip()),
            [command!(Sh, "named-checkconf -p | grep -A5 -E 'allow-(query|recursion)'")],
        )
    } else {
        Fix::look(
            format!(
                "check where `{server}` forwards the zone, and whether that server answers it (Windows DNS, in PowerShell)"
            ),
            [command!(
                PowerShell,
                "Get-DnsServerZone -ComputerName {} | Where-Object ZoneType -eq Forwarder",
                server.ip()
            )],
        )
    };
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::list(&format!("DNS server `{server}` answers {code} for "), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .group(format!("{server} {code}"))
    .summary(format!("{}{}{}", if rejects && why == Some(Why::Validation) {
        "the stub of this machine fails although a server behind it answers, so programs get nothing: the stub rejects the answer"
    } else if rejects {
        "the stub of this machine fails although a server behind it answers, so programs get nothing: the stub rejects the answer, most likely because it validates DNSSEC and Azure's DNS sends no signatures"
    } else if severity == Severity::Error {
        "the server failed to answer and no other server of this machine gives an answer, so the name does not resolve"
    } else {
        "the server failed to answer, but another server resolves the name"
    }, why.map(Why::sentence).unwrap_or_default(), in_its_words(facts, server)))
    .evidence([facts.view_line(name, view)])
    .evidence(azure.map(|azure| facts.view_line(name, azure)))
    .list("server", [server.to_string()])
    .arg("code", code)
    .arg("why", why.map(Why::word).unwrap_or_default())
    .excludes("a path to the server that is blocked: it answers")
    .reaching(Reach::Nothing)
    .evidence(why.and_then(|why| facts.answered_otherwise(server, why.asked())).map(|answer| facts.answer_line(answer)))
    .fix([ask, if rejects { look_at_stub() } else { fix }]);
    if rejects && why.is_none() {
        draft = draft.likely();
    }
    if azure.is_some() {
        draft = draft.excludes("a name that does not exist: Azure's DNS answers it");
    }
    Some(draft)
}

/// What a further question shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The server answers when it is asked not to validate.
    Validation,
    /// The server answers without EDNS.
    Edns,
}

impl Why {
    fn of(facts: &Facts<'_>, server: SocketAddr, status: Status) -> Option<Self> {
        let answered = |purpose| facts.answered_otherwise(server, purpose).is_some();
        // What answers with EDNS and still validates has come to itself meanwhile.
        let validates = || answered(Purpose::Unchecked) && !answered(Purpose::Reason);
        match status {
            Status::ServFail if validates() => Some(Self::Validation),
            Status::FormErr | Status::Malformed if answered(Purpose::WithoutEdns) => Some(Self::Edns),
            _ => None,
        }
    }

    fn asked(self) -> Purpose {
        match self {
            Self::Validation => Purpose::Unchecked,
            Self::Edns => Purpose::WithoutEdns,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Edns => "edns",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Validation => {
                "; without validation it answers, so DNSSEC validation rejects the answer: Azure's DNS sends no signatures"
            }
            Self::Edns => "; without EDNS it answers, so the server or something on the way does not support EDNS",
        }
    }
}

/// What the server says of its reason, and which response policy signs its answers.
fn in_its_words(facts: &Facts<'_>, server: SocketAddr) -> String {
    let mut words = String::new();
    for error in facts.own_words(server) {
        let text = if error.text.is_empty() { String::new() } else { format!(": {}", quote(&error.text)) };
        let _ = write!(words, "; it says why: extended error {}{text}", error.code);
    }
    if let Some(policy) = facts.policy_of(server) {
        let _ = write!(words, "; the response policy {} rewrites its answer", quote(&policy.zone));
    }
    words
}

fn look_at_stub() -> Fix {
    Fix::look(
        "look at `DNSSEC=` first, and at what the stub logs when it rejects an answer",
        [command!(Sh, "resolvectl status"), command!(Sh, "journalctl -u systemd-resolved -n 50")],
    )
}

/// What the server does instead of answering, as operators call it.
fn code_of(status: Status) -> Option<&'static str> {
    match status {
        Status::ServFail => Some("SERVFAIL"),
        Status::Refused => Some("REFUSED"),
        Status::FormErr => Some("FORMERR"),
        Status::Malformed => Some("unreadable data"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Found, Lookup, Observation, Outcome, ServerRole, Timing};
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, Says, Scene, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_as_error_when_no_server_gives_an_answer() {
        let scene = private_world().says(CUSTOM, ODS, &Says::ServFail).system(ODS, &Says::ServFail);
        let found = drafts(&DNS009, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].args["code"], "SERVFAIL");
    }

    #[test]
    fn fires_when_the_server_does_not_speak_dns() {
        let scene = private_world().says(CUSTOM, ODS, &Says::Malformed).system(ODS, &Says::ServFail);
        let found = drafts(&DNS009, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].args["code"], "unreadable data");
    }

    #[test]
    fn fires_as_warning_while_another_server_answers() {
        let second = "10.1.0.5:53";
        let scene = private_world().server(second, &[ServerRole::Configured]).says(second, HANDLER, &Says::Refused);
        let found = fires_as_declared(&DNS009, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].lists["server"], [second]);
    }

    #[test]
    fn silent_about_azures_view() {
        assert_eq!(drafts(&DNS009, &private_world().says(AZURE, ODS, &Says::ServFail)), []);
    }

    #[test]
    fn silent_about_denials_and_silence() {
        let scene = private_world().says(CUSTOM, ODS, &Says::NoSuchName).says(CUSTOM, HANDLER, &Says::Silence);
        assert_eq!(drafts(&DNS009, &scene), []);
    }

    #[test]
    fn fires_as_error_when_the_stub_rejects_what_the_server_behind_it_answers() {
        let stub = "127.0.0.53:53";
        let scene = private_world()
            .server(stub, &[ServerRole::Configured])
            .server(CUSTOM, &[ServerRole::Upstream])
            .server_says(stub, &Says::ServFail)
            .system(ODS, &Says::ServFail);
        let found = drafts(&DNS009, &scene);
        let ods = found.iter().find(|draft| draft.endpoints == [ODS]).expect("a finding about the name");
        assert_eq!((ods.severity, ods.lists["server"][0].as_str()), (Severity::Error, stub));
        assert!(ods.summary.contains("DNSSEC"), "{}", ods.summary);
    }

    #[test]
    fn silent_about_a_stub_that_passes_a_failure_on() {
        let stub = "127.0.0.53:53";
        let scene =
            private_world().server(stub, &[ServerRole::Configured]).server(CUSTOM, &[ServerRole::Upstream]).stub();
        let scene = scene.server_says(CUSTOM, &Says::Private("10.0.0.5"));
        let servers = |scene: &Scene| -> Vec<String> {
            drafts(&DNS009, scene).iter().map(|draft| draft.lists["server"].join(" ")).collect()
        };
        let rejecting = scene.clone().server_says(stub, &Says::ServFail);
        assert!(servers(&rejecting).iter().any(|server| server == stub), "{:?}", servers(&rejecting));
        let passing = rejecting.server_says(CUSTOM, &Says::ServFail);
        assert!(servers(&passing).iter().all(|server| server == CUSTOM), "{:?}", servers(&passing));
    }

    #[test]
    fn fires_as_error_where_only_a_search_domain_answers() {
        let scene = private_world().search("corp.example").says(CUSTOM, ODS, &Says::ServFail);
        let found = Some(format!("{ODS}.corp.example"));
        let found = Found { addresses: vec!["203.0.113.80".parse().expect("an address")], canonical: found, more: 0 };
        let lookup = Lookup { name: ODS.to_owned(), timing: Timing::default(), outcome: Outcome::Seen(found) };
        let scene = scene.edit(|seen| seen.seen.push(Observation::Lookup(lookup)));
        assert_eq!(drafts(&DNS009, &scene)[0].severity, Severity::Error);
    }

    #[test]
    fn fires_with_azures_answer_as_proof_that_the_name_exists_and_never_with_its_silence() {
        let names_it = |draft: &Draft| draft.excludes.iter().any(|cause| cause.contains("Azure's DNS answers it"));
        let scene = private_world().says(CUSTOM, ODS, &Says::ServFail).system(ODS, &Says::ServFail);
        assert!(names_it(&drafts(&DNS009, &scene)[0]));
        let silent = scene.says(AZURE, ODS, &Says::Silence);
        assert!(!names_it(&drafts(&DNS009, &silent)[0]));
        // Azure's own failure is no proof against itself.
        let own = private_world().no_servers().server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
        let own = own.server_says(AZURE, &Says::ServFail).system(ODS, &Says::ServFail);
        let found = drafts(&DNS009, &own);
        assert!(!found.is_empty() && !found.iter().any(names_it));
    }
}
