//! What is wrong with a handshake and its certificates.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{EndpointFacts, Outcome};

use ampls_probes::catalogue::roots::AzureRoots;
use ampls_probes::observation::{Certificate, ChainVerdict, NameVerdict, TlsFailure, Validity, Verification};

static AZURE_ROOTS: LazyLock<Option<AzureRoots>> = LazyLock::new(|| AzureRoots::builtin().ok());

/// A fault of a handshake, in the order in which they explain each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsFault {
    /// Something other than TLS answers.
    NotTls,
    /// Nothing at or above TLS 1.2.
    TooOld,
    /// Closed, reset or refused by another alert.
    Reset,
    /// The handshake never finishes.
    Stalled,
    /// The chain does not lead to the public roots.
    Intercepted,
    /// The public roots know the chain, this machine does not.
    NotTrusted,
    /// Outside its validity.
    NotValidNow,
    /// For another name.
    WrongName,
    /// The peer left its intermediate certificates out, so nobody can tell where the chain leads.
    Incomplete,
}

impl EndpointFacts<'_> {
    /// Everything that is wrong with the handshake.
    pub fn tls_faults(&self) -> BTreeSet<TlsFault> {
        let mut faults = BTreeSet::new();
        let Some(handshake) = self.handshake else {
            return faults;
        };
        match &handshake.outcome {
            Outcome::TimedOut => {
                faults.insert(TlsFault::Stalled);
            }
            Outcome::Failed(failure) => {
                faults.insert(match failure {
                    TlsFailure::NotTls | TlsFailure::Protocol(_) => TlsFault::NotTls,
                    TlsFailure::ProtocolTooOld => TlsFault::TooOld,
                    TlsFailure::BadSignature => TlsFault::Intercepted,
                    _ => TlsFault::Reset,
                });
            }
            Outcome::Seen(_) | Outcome::Cancelled | Outcome::Skipped(_) => {}
        }
        if let Some(verification) = &handshake.verification {
            faults.extend(of_certificate(&handshake.chain, verification));
        }
        faults
    }

    /// It has this fault.
    pub fn has_tls_fault(&self, fault: TlsFault) -> bool {
        self.tls_faults().contains(&fault)
    }

    /// The peer left its intermediate certificates out, and nothing else is wrong.
    pub fn lacks_only_issuers(&self) -> bool {
        self.tls_faults().iter().all(|fault| *fault == TlsFault::Incomplete)
    }

    /// A root of Azure's own list at the end of the presented chain that the public stores do not hold: one they dropped, or one
    /// that is known by its name alone. A name proves nothing by itself, so this machine must trust the chain.
    pub fn old_azure_root(&self) -> Option<String> {
        let handshake = self.handshake?;
        let verification = handshake.verification.as_ref()?;
        if !verification.is_trusted() {
            return None;
        }
        let last = handshake.chain.last()?;
        let old = AZURE_ROOTS.as_ref()?.roots.iter().filter(|root| root.dropped.is_some() || root.pem.is_none());
        old.into_iter().find(|root| root.is_named_by(&last.issuer)).map(|root| root.name.clone())
    }

    /// The certificate the peer presented.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.handshake.and_then(|handshake| handshake.chain.first())
    }
}

fn of_certificate(chain: &[Certificate], verification: &Verification) -> Vec<TlsFault> {
    let mut faults = Vec::new();
    let unknown = |verdict: &ChainVerdict| matches!(verdict, ChainVerdict::UnknownIssuer | ChainVerdict::Invalid(_));
    if incomplete(chain, verification) {
        faults.push(TlsFault::Incomplete);
    } else if unknown(&verification.public) {
        faults.push(TlsFault::Intercepted);
    }
    let (machine, public) = (&verification.machine, &verification.public);
    // An expired certificate that the public roots need not pass through is one of this machine's own store.
    let known_elsewhere = *public == ChainVerdict::Trusted && !verification.is_trusted();
    let nothing_to_compare = *public == ChainVerdict::NoRoots
        && !verification.is_trusted()
        && (unknown(machine) || *machine == ChainVerdict::NoRoots);
    if known_elsewhere || nothing_to_compare {
        faults.push(TlsFault::NotTrusted);
    }
    let expired_above = |verdict: &ChainVerdict, other: &ChainVerdict| {
        *verdict == ChainVerdict::Expired && *other != ChainVerdict::Trusted
    };
    let outside = matches!(verification.validity, Validity::Expired | Validity::NotYetValid);
    if outside || expired_above(machine, public) || expired_above(public, machine) {
        faults.push(TlsFault::NotValidNow);
    }
    if verification.name == NameVerdict::Other {
        faults.push(TlsFault::WrongName);
    }
    faults
}

/// Only the leaf came, neither store knows it, and it says where its issuer is to be fetched: a server that forgot its
/// intermediates looks like this, and so does an interceptor that sends none.
fn incomplete(chain: &[Certificate], verification: &Verification) -> bool {
    let [leaf] = chain else {
        return false;
    };
    let unknown = |verdict: &ChainVerdict| matches!(verdict, ChainVerdict::UnknownIssuer | ChainVerdict::NoRoots);
    unknown(&verification.public) && unknown(&verification.machine) && !leaf.self_issued && leaf.names_issuer_url
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::SystemVerdict;
    use ampls_probes::testing::certificate;

    use super::*;

    /// Every verification of a machine that fetches roots, or of one that does not.
    fn all(fetches: bool) -> impl Iterator<Item = Verification> {
        let verdicts = vec![
            ChainVerdict::Trusted,
            ChainVerdict::UnknownIssuer,
            ChainVerdict::Expired,
            ChainVerdict::Invalid("BadEncoding".to_owned()),
            ChainVerdict::NoRoots,
        ];
        let system =
            [None, Some(SystemVerdict::Trusted), Some(SystemVerdict::UnknownIssuer), Some(SystemVerdict::Unknown)];
        let system = if fetches { &system[..] } else { &system[..1] }.to_vec();
        let pairs = verdicts
            .clone()
            .into_iter()
            .flat_map(move |machine| verdicts.clone().into_iter().map(move |public| (machine.clone(), public)));
        pairs.flat_map(move |(machine, public)| {
            let mut found = Vec::new();
            for name in [NameVerdict::Matches, NameVerdict::Other] {
                for validity in [Validity::Valid, Validity::Expired, Validity::NotYetValid] {
                    for system in &system {
                        let (machine, public, system) = (machine.clone(), public.clone(), *system);
                        found.push(Verification { machine, public, name, validity, fetches, system });
                    }
                }
            }
            found
        })
    }

    #[test]
    fn whatever_is_not_verified_has_a_fault_and_nothing_else_does() {
        let chain = [certificate("CN=a", "CN=b"), certificate("CN=b", "CN=b")];
        for seen in all(false) {
            let faults = of_certificate(&chain, &seen);
            assert!(seen.verified() || !faults.is_empty(), "{seen:?}");
            let foreign = faults.contains(&TlsFault::Intercepted);
            assert!(!seen.verified() || faults.is_empty() || foreign, "{seen:?} {faults:?}");
        }
    }

    #[test]
    fn system_that_fetches_roots_has_the_last_word_where_it_was_asked() {
        let chain = [certificate("CN=a", "CN=b"), certificate("CN=b", "CN=b")];
        for seen in all(true) {
            let faults = of_certificate(&chain, &seen);
            assert!(seen.verified() || seen.is_open() || !faults.is_empty(), "{seen:?}");
            let lacking = faults.contains(&TlsFault::NotTrusted);
            if seen.depends_on_fetching() && seen.system == Some(SystemVerdict::Trusted) {
                assert!(!lacking, "the system trusts it: {seen:?}");
            }
            if seen.is_refused() {
                assert!(!seen.verified() && !seen.is_open(), "{seen:?}");
                assert!(
                    lacking || faults.contains(&TlsFault::Intercepted) || seen.public == ChainVerdict::Expired,
                    "{seen:?}"
                );
            }
        }
    }

    #[test]
    fn an_expired_root_of_this_machine_alone_is_an_old_store() {
        let seen = Verification {
            machine: ChainVerdict::Expired,
            public: ChainVerdict::Trusted,
            name: NameVerdict::Matches,
            validity: Validity::Valid,
            fetches: false,
            system: None,
        };
        assert_eq!(of_certificate(&[certificate("CN=a", "CN=b")], &seen), [TlsFault::NotTrusted]);
    }
}
