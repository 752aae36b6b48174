//! What is wrong with a handshake and its certificates.

use std::collections::BTreeSet;

use super::{EndpointFacts, Outcome};

use ampls_probes::observation::{Certificate, ChainVerdict, NameVerdict, TlsFailure, Validity, Verification};

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
    let untrusted = unknown(&verification.machine) || verification.machine == ChainVerdict::NoRoots;
    if verification.public == ChainVerdict::Trusted && untrusted {
        faults.push(TlsFault::NotTrusted);
    }
    let expired_above = verification.machine == ChainVerdict::Expired || verification.public == ChainVerdict::Expired;
    if matches!(verification.validity, Validity::Expired | Validity::NotYetValid) || expired_above {
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
