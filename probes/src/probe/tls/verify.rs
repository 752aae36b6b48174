//! What a presented chain proves, against one trust store and then against another.
//!
//! Chain, name and validity are distinguished, because each has its own cause and its own fix.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::sync::{OnceCell, Semaphore, oneshot};
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_parser::certificate::X509Certificate;

use super::PROVIDER;
use super::certificate::{parse, timestamp};
use super::failure::variant;
use crate::observation::{ChainVerdict, NameVerdict, SystemVerdict, Validity, Verification};
use crate::probe::{Context, Ended};
use crate::world::Judge;

type Chain = Vec<CertificateDer<'static>>;

/// The chains of a run. A peer decides how much work its chain is (intermediates that sign each other), so each chain is
/// verified once however many names present it, and never on the threads that keep the time.
pub struct Chains {
    known: Mutex<HashMap<Chain, Arc<Known>>>,
    room: Semaphore,
}

/// What is known of a chain.
#[derive(Default)]
struct Known {
    proof: OnceCell<Proof>,
    system: OnceCell<SystemVerdict>,
}

/// Chains that are verified at once: a processor is left for the rest.
const AT_ONCE: usize = 2;

/// Where a chain leads.
#[derive(Clone)]
pub(super) struct Proof {
    machine: ChainVerdict,
    public: ChainVerdict,
}

impl Default for Chains {
    fn default() -> Self {
        Self { known: Mutex::default(), room: Semaphore::new(AT_ONCE) }
    }
}

impl Chains {
    /// What a chain proves about a peer that is asked for by `name`; not, when the run ends before that is known.
    pub(super) async fn verification(&self, ctx: &Context, chain: &Chain, name: &str) -> Result<Verification, Ended> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(chain.clone()).or_default().clone();
        let proof = ctx.until_end(known.proof.get_or_try_init(|| self.proof(ctx, chain))).await??;
        let seen = verification(chain, name, proof.clone(), ctx.world.clock.now());
        let mut seen = Verification { fetches: ctx.world.fetches_roots, ..seen };
        let is_asked =
            seen.depends_on_fetching() && seen.name == NameVerdict::Matches && seen.validity == Validity::Valid;
        if let Some(judge) = ctx.world.roots.judge().filter(|_| is_asked) {
            // Names differ, but where the chain leads does not.
            seen.system = Some(*known.system.get_or_init(|| system(ctx, judge, chain, name)).await);
        }
        Ok(seen)
    }

    async fn proof(&self, ctx: &Context, chain: &Chain) -> Result<Proof, Ended> {
        // A store on a share whose server is gone is as good as none.
        let machine = match ctx.within(ctx.world.roots.machine()).await {
            Err(Ended::TimedOut) => Arc::new(RootCertStore::empty()),
            read => read?,
        };
        let (chain, public, now) = (chain.clone(), ctx.world.roots.public(), ctx.world.clock.now());
        let _room = self.room.acquire().await.map_err(|_| Ended::Cancelled)?;
        let (sender, proven) = oneshot::channel();
        let work = move || {
            // Nobody waits for it after the end of the run.
            let _ = sender.send(proof(&chain, &machine, &public, now));
        };
        thread::Builder::new().name("verifier".to_owned()).spawn(work).map_err(|_| Ended::Cancelled)?;
        proven.await.map_err(|_| Ended::Cancelled)
    }

    #[cfg(test)]
    pub(super) fn verified(&self) -> usize {
        self.known.lock().unwrap().values().filter(|known| known.proof.initialized()).count()
    }
}

/// What the system itself says of a chain, as far as it says it within a step: it may fetch certificates for longer than that.
async fn system(ctx: &Context, judge: Arc<dyn Judge>, chain: &Chain, name: &str) -> SystemVerdict {
    let (chain, name, now) = (chain.clone(), name.to_owned(), ctx.world.clock.now());
    let (sender, said) = oneshot::channel();
    let work = move || {
        // Nobody waits for it after the end of the step.
        let _ = sender.send(judge.judge(&chain, &name, now));
    };
    match thread::Builder::new().name("system-verifier".to_owned()).spawn(work) {
        Ok(_) => ctx.within(said).await.ok().and_then(Result::ok).unwrap_or(SystemVerdict::Unknown),
        Err(_) => SystemVerdict::Unknown,
    }
}

/// Where a chain (leaf first) leads.
pub(super) fn proof(
    chain: &[CertificateDer<'static>],
    machine: &RootCertStore,
    public: &RootCertStore,
    now: Timestamp,
) -> Proof {
    let parsed: Vec<_> = chain.iter().filter_map(|der| parse(der)).collect();
    let at = bounds(chain).map_or(now, |(from, until)| now.min(until).max(from));
    Proof { machine: verdict(chain, &parsed, machine, at), public: verdict(chain, &parsed, public, at) }
}

/// What a chain proves about a peer that is asked for by `name`.
pub(super) fn verification(
    chain: &[CertificateDer<'static>],
    name: &str,
    Proof { machine, public }: Proof,
    now: Timestamp,
) -> Verification {
    Verification {
        machine,
        public,
        name: chain.first().map_or(NameVerdict::Unreadable, |leaf| name_verdict(leaf, name)),
        validity: bounds(chain).map_or(Validity::Unreadable, |bounds| validity(bounds, now)),
        fetches: false,
        system: None,
    }
}

fn bounds(chain: &[CertificateDer<'static>]) -> Option<(Timestamp, Timestamp)> {
    let leaf = parse(chain.first()?)?;
    let validity = leaf.validity();
    Some((timestamp(validity.not_before.timestamp())?, timestamp(validity.not_after.timestamp())?))
}

fn validity((from, until): (Timestamp, Timestamp), now: Timestamp) -> Validity {
    if now < from {
        return Validity::NotYetValid;
    }
    // RFC 5280, section 4.1.2.5: the period includes its ends, which are whole seconds.
    if now.as_second() > until.as_second() { Validity::Expired } else { Validity::Valid }
}

fn verdict(
    chain: &[CertificateDer<'static>],
    parsed: &[X509Certificate<'_>],
    roots: &RootCertStore,
    at: Timestamp,
) -> ChainVerdict {
    if roots.is_empty() {
        return ChainVerdict::NoRoots;
    }
    let error = match path(chain, roots, at) {
        Ok(()) => return ChainVerdict::Trusted,
        Err(error) => error,
    };
    match error {
        // A signature that does not fit means an issuer that only bears the name of one that is known.
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => ChainVerdict::UnknownIssuer,
        // What else webpki dislikes (a CA used as a leaf, version 1, an old signature) says nothing about where the chain
        // leads, and that comes first.
        _ if !leads_to(parsed, roots) => ChainVerdict::UnknownIssuer,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => ChainVerdict::Expired,
        other => ChainVerdict::Invalid(variant(&other)),
    }
}

fn path(chain: &[CertificateDer<'static>], roots: &RootCertStore, at: Timestamp) -> Result<(), Error> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(Error::UnknownIssuer);
    };
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let leaf = EndEntityCert::try_from(leaf)?;
    leaf.verify_for_usage(
        PROVIDER.signature_verification_algorithms.all,
        &roots.roots,
        intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    Ok(())
}

/// Whether any certificate of the chain names a root of the store as its issuer.
fn leads_to(parsed: &[X509Certificate<'_>], roots: &RootCertStore) -> bool {
    parsed.iter().any(|certificate| {
        // A trust anchor's name lacks the header of its SEQUENCE.
        let issuer = certificate.issuer().as_raw();
        roots.roots.iter().any(|root| !root.subject.is_empty() && ends_with_name(issuer, root.subject.as_ref()))
    })
}

fn ends_with_name(whole: &[u8], name: &[u8]) -> bool {
    let header = whole.len().saturating_sub(name.len());
    (2..=4).contains(&header) && whole.ends_with(name)
}

fn name_verdict(leaf: &CertificateDer<'_>, name: &str) -> NameVerdict {
    let (Ok(leaf), Ok(name)) = (EndEntityCert::try_from(leaf), ServerName::try_from(name)) else {
        return NameVerdict::Unreadable;
    };
    match leaf.verify_is_valid_for_subject_name(&name) {
        Ok(()) => NameVerdict::Matches,
        Err(_) => NameVerdict::Other,
    }
}
