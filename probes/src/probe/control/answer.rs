//! What an answer of the control service says. Of its document only ids, protocols and hosts are kept: what a rule collects is the
//! customer's own.

use ::http::header::HeaderMap;
use ::http::response::Parts;
use serde::Deserialize;
use url::Url;

use crate::observation::{ChannelGranted, ControlReply, RuleGranted};
use crate::probe::http::{bounded, request_id};

/// The header that names the associated endpoint.
const ASSOCIATED: &str = "x-ms-agent-config-endpoint";
/// Rules of an answer, and channels of a rule, that are kept.
const KEPT: usize = 64;
/// Characters kept of one text.
const TEXT: usize = 256;

/// Where a channel's token is granted.
pub(super) struct TokenPlace {
    pub(super) rule: String,
    pub(super) channel: String,
    pub(super) url: String,
}

#[derive(Deserialize)]
struct Document {
    configurations: Vec<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    configuration_id: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    id: String,
    protocol: String,
    endpoint: Option<String>,
    endpoint_uri_template: Option<String>,
    token_endpoint_uri: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<String>,
    message: Option<String>,
}

/// What the answer says, and where tokens are granted; `None` where a 200 is not the document.
pub(super) fn reply(parts: &Parts, body: &[u8]) -> Option<(ControlReply, Vec<TokenPlace>)> {
    let mut reply = head(parts);
    if reply.status != 200 {
        if let Ok(Refused { error }) = serde_json::from_slice(body) {
            (reply.code, reply.message) = (error.code.map(|text| kept(&text)), error.message.map(|text| kept(&text)));
        }
        return Some((reply, Vec::new()));
    }
    let document: Document = serde_json::from_slice(body).ok()?;
    let mut places = Vec::new();
    for configuration in document.configurations.into_iter().take(KEPT) {
        let id = kept(&configuration.configuration_id);
        let mut channels = Vec::new();
        for channel in configuration.content.into_iter().flat_map(|content| content.channels).take(KEPT) {
            let host = channel.endpoint.as_deref().or(channel.endpoint_uri_template.as_deref()).and_then(host_of);
            let token_host = channel.token_endpoint_uri.as_deref().and_then(host_of);
            let (channel_id, protocol) = (kept(&channel.id), kept(&channel.protocol));
            if let Some(url) = channel.token_endpoint_uri {
                places.push(TokenPlace { rule: id.clone(), channel: channel_id.clone(), url });
            }
            channels.push(ChannelGranted { id: channel_id, protocol, host, token_host });
        }
        reply.rules.push(RuleGranted { id, channels });
    }
    Some((reply, places))
}

/// What the head alone says.
pub(super) fn head(parts: &Parts) -> ControlReply {
    ControlReply {
        status: parts.status.as_u16(),
        request_id: request_id(&parts.headers),
        associated: (parts.status == 421).then(|| associated(&parts.headers)).flatten(),
        ..ControlReply::default()
    }
}

/// The host that a redirection names. What is no place of the service is kept as it is written, and goes nowhere.
fn associated(headers: &HeaderMap) -> Option<String> {
    let text = bounded(headers.get(ASSOCIATED)?);
    Some(place(&text).map_or_else(|| kept(&text), |(host, _)| host))
}

/// Host, path and query of a URL that is `https`, port 443 and names nobody.
pub(super) fn place(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if url.scheme() != "https" || url.port_or_known_default() != Some(443) || !plain {
        return None;
    }
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Some((url.host_str()?.to_owned(), path))
}

/// A template holds `<STREAM>`, which is no URL.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#', ':', '<']).next().filter(|host| !host.is_empty())?;
    Some(kept(&host.to_ascii_lowercase()))
}

fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}
