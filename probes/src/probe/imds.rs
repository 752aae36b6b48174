//! Asks the Azure platform what this machine is: the instance metadata service and the wire server.
//!
//! Both are link-local HTTP services of the host: no proxy, no redirect, and off Azure nobody there. What their silence
//! means is not this module's.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use ipnet::IpNet;
use reqwest::redirect::Policy;
use serde::Deserialize;

use super::http::{USER_AGENT, bounded as bounded_text, io_error};
use super::{Context, Ended};
use crate::observation::{Instance, IoFailure, Metadata, MetadataFailure, Outcome, Subnet, Transport, WireServer};
use crate::os::io_failure;
use crate::secret::Secret;
use crate::world::{METADATA, WIRE_SERVER};

/// Everything together: the plan waits for the region that the metadata service names, and on Azure both answer within
/// milliseconds.
const BUDGET: Duration = Duration::from_secs(1);
/// Bytes of a document that are read; real ones have about 4 KiB.
const MAX_DOCUMENT: usize = 64 * 1024;
/// Characters kept of one value.
const MAX_TEXT: usize = 512;
/// Subnets kept.
const MAX_SUBNETS: usize = 64;

/// Asks the metadata service for the instance document.
/// Source: <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
pub async fn metadata(ctx: &Context) -> Metadata {
    metadata_within(ctx, BUDGET).await
}

async fn metadata_within(ctx: &Context, budget: Duration) -> Metadata {
    let began = Instant::now();
    let outcome = match bounded(ctx, budget, document(ctx)).await {
        Ok(Ok(instance)) => Outcome::Seen(instance),
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(ended) => ended.into(),
    };
    Metadata { timing: ctx.timing(began), outcome }
}

/// Asks the wire server for the versions it speaks.
/// Source: <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
pub async fn wire_server(ctx: &Context) -> WireServer {
    wire_server_within(ctx, BUDGET).await
}

async fn wire_server_within(ctx: &Context, budget: Duration) -> WireServer {
    let began = Instant::now();
    let asked = async { Ok(get(ctx, WIRE_SERVER, "/?comp=versions", None).await?.status().as_u16()) };
    let outcome = match bounded(ctx, budget, asked).await {
        Ok(Ok(status)) => Outcome::Seen(status),
        Ok(Err(NoAnswer::Io(failure))) => Outcome::Failed(failure),
        Ok(Err(NoAnswer::NotHttp)) => Outcome::Failed(IoFailure::Code(None)),
        Err(ended) => ended.into(),
    };
    WireServer { timing: ctx.timing(began), outcome }
}

async fn bounded<T>(ctx: &Context, budget: Duration, asked: impl Future<Output = T>) -> Result<T, Ended> {
    ctx.within_time(budget.min(ctx.options.step_timeout), asked).await
}

async fn document(ctx: &Context) -> Result<Instance, MetadataFailure> {
    let (status, body) = bounded_get(ctx, METADATA, "/metadata/instance?api-version=2021-02-01").await?;
    if status != reqwest::StatusCode::OK.as_u16() {
        return Err(MetadataFailure::Status(status));
    }
    instance_of(&body).ok_or(MetadataFailure::Malformed)
}

/// Asks a link-local service, and reads at most [`MAX_DOCUMENT`].
pub(super) async fn bounded_get(
    ctx: &Context,
    address: SocketAddr,
    path: &str,
) -> Result<(u16, Vec<u8>), MetadataFailure> {
    let Answered { status, body, .. } = bounded_get_as(ctx, address, path, None).await?;
    Ok((status, body))
}

/// What such a service answers.
pub(super) struct Answered {
    pub(super) status: u16,
    /// `WWW-Authenticate`.
    pub(super) challenge: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The same with the value of `Authorization`.
pub(super) async fn bounded_get_as(
    ctx: &Context,
    address: SocketAddr,
    path: &str,
    authorization: Option<&Secret>,
) -> Result<Answered, MetadataFailure> {
    let mut response = get(ctx, address, path, authorization).await?;
    let status = response.status().as_u16();
    let challenge = response.headers().get(WWW_AUTHENTICATE).map(bounded_text);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
        if body.len() + chunk.len() > MAX_DOCUMENT {
            return Err(MetadataFailure::Malformed);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered { status, challenge, body })
}

/// What the document of a machine of Azure Arc says of it.
pub(super) fn arc_instance_of(body: &[u8]) -> Option<Instance> {
    let compute = serde_json::from_slice(body).ok()?;
    instance(Document { compute: Some(compute), network: None })
}

/// What the instance document says of the machine; `None` where it is not such a document.
pub(crate) fn instance_of(body: &[u8]) -> Option<Instance> {
    instance(serde_json::from_slice(body).ok()?)
}

/// Why there is no HTTP answer.
enum NoAnswer {
    Io(IoFailure),
    NotHttp,
}

impl From<NoAnswer> for MetadataFailure {
    fn from(reason: NoAnswer) -> Self {
        match reason {
            NoAnswer::Io(failure) => Self::Unreachable(failure),
            NoAnswer::NotHttp => Self::Malformed,
        }
    }
}

async fn get(
    ctx: &Context,
    address: SocketAddr,
    path: &str,
    authorization: Option<&Secret>,
) -> Result<reqwest::Response, NoAnswer> {
    let target = ctx.world.route(Transport::Tcp, address).await.map_err(|error| NoAnswer::Io(io_failure(&error)))?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(USER_AGENT)
        .build()
        .map_err(|error| no_answer(&error))?;
    let mut request = client.get(format!("http://{target}{path}")).header("Metadata", "true");
    if let Some(value) = authorization {
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| NoAnswer::NotHttp)?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.send().await.map_err(|error| no_answer(&error))
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if let Some(error) = io_error(error) {
        return NoAnswer::Io(io_failure(error));
    }
    let mut layer: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = layer {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return NoAnswer::NotHttp;
        }
        layer = error.source();
    }
    NoAnswer::Io(IoFailure::Closed)
}

#[derive(Deserialize)]
struct Document {
    compute: Option<Compute>,
    network: Option<Network>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compute {
    location: Option<String>,
    az_environment: Option<String>,
    vm_id: Option<String>,
    resource_id: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Network {
    #[serde(default)]
    interface: Vec<NetworkInterface>,
}

#[derive(Deserialize)]
struct NetworkInterface {
    ipv4: Option<Family>,
}

#[derive(Deserialize)]
struct Family {
    #[serde(default)]
    subnet: Vec<Network4>,
}

#[derive(Deserialize)]
struct Network4 {
    address: String,
    prefix: String,
}

/// The parts that matter; `None` when the document is not about a machine.
fn instance(document: Document) -> Option<Instance> {
    let compute = document.compute?;
    let interfaces = document.network.unwrap_or_default().interface;
    let subnets = interfaces.into_iter().filter_map(|interface| interface.ipv4).flat_map(|family| family.subnet);
    Some(Instance {
        location: kept(compute.location),
        environment: kept(compute.az_environment),
        vm_id: kept(compute.vm_id),
        resource_id: kept(compute.resource_id),
        name: kept(compute.name),
        subnets: subnets.filter_map(|subnet| cidr(&subnet)).take(MAX_SUBNETS).collect(),
    })
}

/// The service writes what it does not know as an empty string.
fn kept(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| text.chars().take(MAX_TEXT).collect())
}

fn cidr(subnet: &Network4) -> Option<Subnet> {
    let address: IpAddr = subnet.address.parse().ok()?;
    let cidr = IpNet::new(address, subnet.prefix.parse().ok()?).ok()?;
    Some(Subnet { cidr: cidr.trunc() })
}

#[cfg(test)]
mod tests;
