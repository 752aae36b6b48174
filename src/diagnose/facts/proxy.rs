//! The proxies that apply to names, and what they say.

use ampls_probes::observation::{Observation, ProxyChoice, ProxySettings, Tunnel, TunnelFailure};

use super::evidence::elapsed;
use super::{EndpointFacts, Facts, Outcome, Path};
use crate::text::{list, quote};

/// What is wrong with the proxy on the way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It cannot be connected to, or does not speak HTTP.
    Unreachable,
    /// 407.
    WantsCredentials,
    /// It denies `CONNECT` with this status, or lets it end in silence (`None`) while other names pass.
    Refuses(Option<u16>),
    /// This program does not speak its scheme.
    Scheme(String),
}

/// Where `--proxy` is given as the source of a proxy.
const ARGUMENT: &str = "--proxy";

impl EndpointFacts<'_> {
    /// The proxy that applies to the name.
    pub fn proxy(&self) -> Option<&ProxyChoice> {
        self.tunnel.map(|tunnel| &tunnel.proxy)
    }
}

impl Facts<'_> {
    /// What is wrong with the proxy on the way to a name; `None` when no proxy applies, the tunnel stands, or the run ended.
    pub fn proxy_fault(&self, name: &EndpointFacts<'_>) -> Option<ProxyFault> {
        let tunnel = name.tunnel?;
        match &tunnel.outcome {
            Outcome::Failed(TunnelFailure::WantsCredentials(_)) => Some(ProxyFault::WantsCredentials),
            Outcome::Failed(TunnelFailure::Status(status)) => Some(ProxyFault::Refuses(Some(*status))),
            Outcome::Failed(TunnelFailure::UnsupportedScheme(scheme)) => Some(ProxyFault::Scheme(scheme.clone())),
            Outcome::Failed(TunnelFailure::NoAnswer(_)) | Outcome::TimedOut
                if self.proxy_answers(&tunnel.proxy.url) =>
            {
                Some(ProxyFault::Refuses(None))
            }
            Outcome::Failed(TunnelFailure::NoAddress | TunnelFailure::NoAnswer(_)) | Outcome::TimedOut => {
                Some(ProxyFault::Unreachable)
            }
            Outcome::Skipped(_) if name.tcp() == Path::Failed => Some(ProxyFault::Unreachable),
            Outcome::Seen(_) | Outcome::Cancelled | Outcome::Skipped(_) => None,
        }
    }

    /// Only this program's environment names this proxy, and no agent is configured to use it.
    pub fn only_this_shell(&self, proxy: &ProxyChoice) -> bool {
        let of_agent = self
            .agents()
            .is_some_and(|agents| agents.proxies.iter().any(|known| known.effective && known.url == proxy.url));
        proxy.source != ARGUMENT && !of_agent
    }

    /// What the environment says about proxies, where it was read.
    pub fn proxy_settings(&self) -> Option<&ProxySettings> {
        self.observations().seen.iter().find_map(|seen| match seen {
            Observation::ProxySettings(settings) => Some(settings),
            _ => None,
        })
    }

    /// What a proxy said to `CONNECT`.
    pub fn tunnel_line(&self, name: &EndpointFacts<'_>, tunnel: &Tunnel) -> String {
        let when = self.when(&tunnel.timing);
        let proxy = quote(&tunnel.proxy.url);
        let asked = format!("`CONNECT {}:{}`", name.fqdn(), name.endpoint.port);
        match &tunnel.outcome {
            Outcome::Seen(status) | Outcome::Failed(TunnelFailure::Status(status)) => {
                format!("{when} {proxy} answered `{status}` to {asked}")
            }
            Outcome::Failed(TunnelFailure::WantsCredentials(schemes)) => {
                format!("{when} {proxy} answered `407` to {asked}, offering {}", list(schemes, 4))
            }
            Outcome::Failed(TunnelFailure::NoAddress) => format!("the proxy's name in {proxy} has no address"),
            Outcome::Failed(TunnelFailure::UnsupportedScheme(scheme)) => {
                format!("{proxy} was not asked: its scheme {} is not spoken", quote(scheme))
            }
            Outcome::Failed(TunnelFailure::NoAnswer(_)) => format!("{when} {proxy} gave no HTTP answer to {asked}"),
            Outcome::TimedOut => format!("{when} {proxy} was silent for {} about {asked}", elapsed(&tunnel.timing)),
            Outcome::Cancelled => format!("{when} {proxy} had not answered {asked} when the run ended"),
            Outcome::Skipped(_) => format!("{proxy}, set by {}, was not asked", quote(&tunnel.proxy.source)),
        }
    }

    fn proxy_answers(&self, url: &str) -> bool {
        let tunnels = self.endpoints().iter().filter_map(|name| name.tunnel).filter(|tunnel| tunnel.proxy.url == url);
        tunnels.into_iter().any(|tunnel| {
            matches!(
                tunnel.outcome,
                Outcome::Seen(_) | Outcome::Failed(TunnelFailure::Status(_) | TunnelFailure::WantsCredentials(_))
            )
        })
    }
}
