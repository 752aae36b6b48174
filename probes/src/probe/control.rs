//! Asks Azure's control service, with this machine's own identity, which rules apply and where they are to be fetched.
//!
//! The dialogue of the Azure Monitor Agent: a token from the metadata service, `agentConfigurations` at the global handler, the
//! same once more at the endpoint that a 421 names. It reads, and changes nothing. A token goes only over https, port 443, to
//! hosts of the control service, over connections that both stores verify, and through no proxy but the agent's own.
//!
//! Source: <https://github.com/microsoft/Docker-Provider/blob/ci_prod/source/plugins/go/src/ingestion_token_utils.go>

use std::time::Instant;

use uuid::Uuid;

use super::{Context, Ended};
use crate::azure::Cloud;
use crate::no_proxy;
use crate::observation::{
    AgentProxy, Control, ControlFailure, ControlQuestion, ControlReply, ControlRequest, IdentityNamed, Instance,
    Outcome, Timing, TokenFailure,
};
use crate::options::AskAzure;
use crate::secret::Secret;
use answer::TokenPlace;
use request::Reading;

mod answer;
mod arc;
mod request;
mod token;

/// The version of the protocol that the agent speaks.
const API_VERSION: &str = "2022-06-02";
/// Channels whose tokens are asked for.
const CHANNELS: usize = 16;

/// Who asks, and about what.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The cloud whose service is asked.
    pub cloud: Option<Cloud>,
    /// The machine, as the metadata service names it.
    pub instance: Option<Instance>,
    /// The identity that the agent is set to use.
    pub identity: Option<Identity>,
    /// Azure Arc manages the machine: where the metadata service names none, Arc's agent is asked.
    pub arc: bool,
    /// The proxy that the agent is set to use, and no other.
    pub proxy: Option<AgentProxy>,
    /// How far to go.
    pub ask: AskAzure,
}

/// An identity as an agent's settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The query parameter and the file.
    pub named: IdentityNamed,
    /// The value.
    pub value: String,
}

/// Asks, as far as `asking` goes. Each step is bounded by its own time and by the run's end.
pub async fn ask(ctx: &Context, asking: &Asking) -> Control {
    let began = Instant::now();
    let mut control = Control {
        timing: Timing::default(),
        identity: asking.identity.as_ref().map(|identity| identity.named.clone()),
        token: Outcome::Failed(TokenFailure::UnknownMachine),
        asked: Vec::new(),
    };
    let of_arc = if asking.arc && asking.instance.is_none() { arc::instance(ctx).await } else { None };
    let instance = asking.instance.as_ref().or(of_arc.as_ref());
    if let (Some(cloud), Some(path)) = (asking.cloud, instance.and_then(path)) {
        let (outcome, token) = match &of_arc {
            Some(_) => token::of_arc(ctx, cloud).await,
            None => token::token(ctx, cloud, asking.identity.as_ref()).await,
        };
        control.token = outcome;
        if let Some(token) = token {
            let dialogue = Dialogue { ctx, cloud, token, proxy: asking.proxy.as_ref() };
            Box::pin(dialogue.hold(&path, asking.ask, &mut control.asked)).await;
        }
    }
    control.timing = ctx.timing(began);
    control
}

/// What the agent asks for; `None` where the metadata service does not say enough.
fn path(instance: &Instance) -> Option<String> {
    let plain = |text: &&String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.()/".contains(&byte));
    let (region, id) = (instance.location.as_ref().filter(plain)?, instance.resource_id.as_ref().filter(plain)?);
    let platform = if cfg!(windows) { "windows" } else { "linux" };
    Some(format!(
        "/locations/{region}{id}/agentConfigurations?platform={platform}&includeMeConfig=true&api-version={API_VERSION}"
    ))
}

struct Dialogue<'a> {
    ctx: &'a Context,
    cloud: Cloud,
    token: Secret,
    proxy: Option<&'a AgentProxy>,
}

impl Dialogue<'_> {
    /// One 421 is followed; a second ends the dialogue, and so does a host that is not the service's own.
    async fn hold(&self, path: &str, ask: AskAzure, asked: &mut Vec<ControlRequest>) {
        let mut host = format!("global.handler.control.{}", self.cloud.monitor_suffix());
        for _ in 0..2 {
            let (request, places) = self.rules(&host, path).await;
            let next = request.outcome.seen().and_then(|reply| reply.associated.clone());
            asked.push(request);
            if ask == AskAzure::Ingestion {
                for place in places.into_iter().take(CHANNELS) {
                    asked.push(self.ingestion(place).await);
                }
            }
            match next {
                Some(next) if next != host => host = next,
                _ => return,
            }
        }
    }

    async fn rules(&self, host: &str, path: &str) -> (ControlRequest, Vec<TokenPlace>) {
        let (mut request, got) = self.get(host, path, ControlQuestion::Rules, Reading::Whole).await;
        let Some((head, body)) = got else { return (request, Vec::new()) };
        let mut places = Vec::new();
        request.outcome = match answer::reply(&head, &body) {
            Some((reply, found)) => {
                places = found;
                Outcome::Seen(reply)
            }
            None => Outcome::Failed(ControlFailure::Malformed),
        };
        (request, places)
    }

    /// The token itself could write: nothing after the head is read.
    async fn ingestion(&self, place: TokenPlace) -> ControlRequest {
        let TokenPlace { rule, channel, url } = place;
        let about = ControlQuestion::IngestionToken { rule, channel };
        let Some((host, path)) = answer::place(&url) else {
            return self.unsent("", about, ControlFailure::ForeignHost);
        };
        let (mut request, got) = self.get(&host, &path, about, Reading::Head).await;
        if let Some((head, _)) = got {
            request.outcome = Outcome::Seen(ControlReply { rules: Vec::new(), ..answer::head(&head) });
        }
        request
    }

    fn unsent(&self, host: &str, about: ControlQuestion, failure: ControlFailure) -> ControlRequest {
        ControlRequest {
            host: host.to_owned(),
            address: None,
            via: None,
            about,
            request_id: String::new(),
            timing: Timing { elapsed_us: 0, ..self.ctx.timing(Instant::now()) },
            outcome: Outcome::Failed(failure),
        }
    }

    async fn get(
        &self,
        host: &str,
        path: &str,
        about: ControlQuestion,
        reading: Reading,
    ) -> (ControlRequest, Option<(::http::response::Parts, Vec<u8>)>) {
        if !is_of_service(host, self.cloud) {
            return (self.unsent(host, about, ControlFailure::ForeignHost), None);
        }
        let (began, id) = (Instant::now(), Uuid::new_v4().to_string());
        let proxy = self.proxy.filter(|proxy| !no_proxy::exempts(&proxy.no_proxy, host));
        let via = proxy.map(|proxy| proxy.url.clone());
        let (address, got) = request::get(self.ctx, proxy, host, path, &self.token, &id, reading).await;
        let (outcome, got) = match got {
            Ok(got) => (Outcome::Cancelled, Some(got)),
            Err(Ok(failure)) => (Outcome::Failed(failure), None),
            Err(Err(Ended::TimedOut)) => (Outcome::TimedOut, None),
            Err(Err(Ended::Cancelled)) => (Outcome::Cancelled, None),
        };
        let timing = self.ctx.timing(began);
        (ControlRequest { host: host.to_owned(), address, via, about, request_id: id, timing, outcome }, got)
    }
}

/// Whether a host is one of the control service of a cloud. Merely to be below the cloud's domain is not enough: customers own
/// names there.
fn is_of_service(host: &str, cloud: Cloud) -> bool {
    let plain = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let before = host.strip_suffix(cloud.monitor_suffix()).and_then(|rest| rest.strip_suffix(".handler.control."));
    host.len() <= 253 && before.is_some_and(|labels| labels.split('.').all(plain))
}

#[cfg(test)]
mod tests;
