//! TLS004: a certificate outside its validity.

use ampls_probes::observation::{ChainVerdict, Validity};
use jiff::SignedDuration;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// By this machine's clock the certificate, or one above it in the chain, has expired or is not valid yet. Azure renews its
    /// certificates long before they expire, so when the chain is Azure's, the clock of this machine is the first suspect. When
    /// no certificate of any name is valid and all lead to the public roots, it is the clock. When verified answers of other
    /// names agree with the clock, it is not. A clock that is off by less shows as AZR002, which then explains this finding.
    ///
    /// A chain from another issuer is reported as TLS001, which explains this finding.
    ///
    /// ## Why it matters
    ///
    /// Every client refuses the connection. A clock that is wrong by more than minutes breaks the agents' tokens too.
    ///
    /// ## How to fix
    ///
    /// Compare this machine's clock with another one and repair time synchronisation. If the clock is right, something else than
    /// Azure answers with an old certificate: look at the chain and at the address.
    ///
    /// ## How to confirm
    ///
    /// `chronyc tracking` (Linux) or `w32tm /query /status` (Windows) shows a small offset; the handshake verifies.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/time-sync>
    /// - <https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details>
    /// - <https://www.rfc-editor.org/rfc/rfc5280>
    TLS004 = "not-valid-now" {
        layer: Tls,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS003"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let clock = Clock::of(facts);
    let outside = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::NotValidNow));
    outside.map(|name| draft(facts, name, &clock)).collect()
}

/// What is known of this machine's clock.
enum Clock {
    /// No certificate at all is valid now, all in the same direction, and all lead to the public roots: so many names, and
    /// the time in which all of them are valid.
    Suspected(usize, String),
    /// Verified answers of other services agree with it.
    Right,
    /// Nothing.
    Unknown,
}

impl Clock {
    fn of(facts: &Facts<'_>) -> Self {
        if let Some(offset) = facts.clock_offset() {
            // What is off by more than this is a finding of its own.
            let right = offset.ahead.abs() <= SignedDuration::from_mins(5);
            return if right { Self::Right } else { Self::Unknown };
        }
        let shown: Vec<_> = facts.endpoints().iter().filter_map(|name| Some((name.handshake?, name.leaf()?))).collect();
        let verdicts: Option<Vec<_>> = shown.iter().map(|(handshake, _)| handshake.verification.as_ref()).collect();
        let Some(verdicts) = verdicts.filter(|verdicts| verdicts.len() > 1) else {
            return Self::Unknown;
        };
        let together =
            |validity| verdicts.iter().all(|seen| seen.validity == validity && seen.public == ChainVerdict::Trusted);
        if !together(Validity::Expired) && !together(Validity::NotYetValid) {
            return Self::Unknown;
        }
        let from = shown.iter().filter_map(|(_, leaf)| leaf.not_before).max();
        let until = shown.iter().filter_map(|(_, leaf)| leaf.not_after).min();
        let span = from.zip(until).filter(|(from, until)| from < until);
        let span = span.map(|(from, until)| format!("; all of them are valid from {from:.0} to {until:.0}"));
        Self::Suspected(shown.len(), span.unwrap_or_default())
    }
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>, clock: &Clock) -> Draft {
    let validity = name.handshake.and_then(|handshake| handshake.verification.as_ref()).map(|seen| seen.validity);
    let (kind, what) = match validity {
        Some(Validity::Expired) => ("expired", "the certificate has expired"),
        Some(Validity::NotYetValid) => ("not-yet-valid", "the certificate is not valid yet"),
        _ => ("chain", "a certificate above the one presented is outside its validity"),
    };
    let now = name.handshake.map(|handshake| format!("{:.0}", facts.at(&handshake.timing))).unwrap_or_default();
    let until = name.leaf().and_then(|leaf| leaf.not_after).map(|at| format!("{at:.0}")).unwrap_or_default();
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let windows = facts.on_windows();
    let (owner, suspect, summary) = match clock {
        Clock::Suspected(count, span) => (
            Owner::Os,
            "clock",
            format!(
                "no certificate of {count} names is valid by this machine's clock, and all end at public roots: the clock is wrong, not the certificates{span}"
            ),
        ),
        Clock::Right => (
            Owner::Network,
            "peer",
            format!(
                "{what}, while this machine's clock agrees with other services: probably something other than Azure answers with an old certificate"
            ),
        ),
        Clock::Unknown => (
            Owner::Os,
            "unknown",
            format!(
                "{what} by this machine's clock; Azure renews in time, so compare the clock first, then check who answers"
            ),
        ),
    };
    let title = match clock {
        Clock::Suspected(..) => format!(" (all names: this machine's clock says {now})"),
        Clock::Right | Clock::Unknown => format!(" (this machine's clock says {now})"),
    };
    let draft = Draft::new(Severity::Error, owner, Title::list(&format!("{what}: "), [name.fqdn()], title))
        .about([name.fqdn()])
        .at_port(name.endpoint.port)
        .group(kind)
        .summary(summary)
        .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
        .evidence(name.leaf().map(certificate_line))
        .arg("kind", kind)
        .arg("not_after", until)
        .arg("suspect", suspect)
        .likely()
        .reaching(Reach::Own);
    match clock {
        Clock::Suspected(..) => draft
            .excludes("interception: the chains end at public roots")
            .excludes("an old trust store: it does not affect the dates of certificates")
            .fix([remedy::local::show_clock(windows), remedy::local::set_clock(windows)]),
        Clock::Right => draft
            .excludes("this machine's clock: verified answers agree with it")
            .fix([remedy::local::show_chain(facts, &address, name.fqdn())]),
        Clock::Unknown => {
            draft.fix([remedy::local::show_clock(windows), remedy::local::show_chain(facts, &address, name.fqdn())])
        }
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::NameVerdict;
    use ampls_probes::testing::{AGENTSVC, HANDLER, ODS, OMS, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_expired_or_not_yet_valid() {
        for (validity, kind) in [(Validity::Expired, "expired"), (Validity::NotYetValid, "not-yet-valid")] {
            let tls = Tls::good(ODS).verdict(|seen| seen.validity = validity);
            let found = drafts(&TLS004, &private_world().tls(ODS, tls));
            assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, kind));
        }
    }

    #[test]
    fn fires_and_blames_the_clock_when_no_certificate_of_any_name_is_valid() {
        let all = |validity| {
            [HANDLER, ODS, OMS, AGENTSVC].into_iter().fold(private_world(), |scene, name| {
                scene.tls(name, Tls::good(name).verdict(|seen| seen.validity = validity))
            })
        };
        for validity in [Validity::Expired, Validity::NotYetValid] {
            let found = drafts(&TLS004, &all(validity));
            assert_eq!((found.len(), found[0].args["suspect"].as_str(), found[0].owner), (4, "clock", Owner::Os));
        }
        let mixed =
            all(Validity::Expired).tls(ODS, Tls::good(ODS).verdict(|seen| seen.validity = Validity::NotYetValid));
        assert_eq!(drafts(&TLS004, &mixed)[0].args["suspect"], "unknown");
    }

    #[test]
    fn fires_and_clears_the_clock_when_other_answers_agree_with_it() {
        let tls = Tls::good(ODS).verdict(|seen| seen.validity = Validity::Expired);
        let found = fires_as_declared(&TLS004, &private_world().tls(ODS, tls));
        assert_eq!((found[0].args["suspect"].as_str(), found[0].owner), ("peer", Owner::Network));
    }

    #[test]
    fn fires_when_a_certificate_above_has_expired() {
        let tls = Tls::good(ODS).verdict(|seen| {
            seen.machine = ChainVerdict::Expired;
            seen.public = ChainVerdict::Expired;
        });
        assert_eq!(drafts(&TLS004, &private_world().tls(ODS, tls))[0].args["kind"], "chain");
    }

    #[test]
    fn explains_a_wrong_name_besides() {
        let tls = Tls::good(ODS).verdict(|seen| {
            seen.validity = Validity::Expired;
            seen.name = NameVerdict::Other;
        });
        let found = diagnose(&private_world().tls(ODS, tls).observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("TLS004", None), ("TLS003", Some("TLS004"))]);
    }

    #[test]
    fn silent_while_valid() {
        assert_eq!(drafts(&TLS004, &private_world()), []);
    }
}
