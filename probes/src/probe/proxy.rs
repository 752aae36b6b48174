//! Chooses the proxy that applies to a name, and asks it for a tunnel.
//!
//! The proxy's credentials are used and never recorded. What travels through the tunnel is not this module's.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;

use super::http::{self, scheme_of};
use super::tcp::counted::Counted;
use super::tcp::{Connecting, Duplex};
use super::{Context, micros};
use crate::endpoint::Endpoint;
use crate::no_proxy;
use crate::observation::proxy::MAX_EXEMPT;
use crate::observation::{
    AgentProxy, Exemptions, HttpFailure, Outcome, PlatformProxy, ProxyChoice, ProxySettings, Timing, Tunnel,
    TunnelFailure,
};
use crate::options::{Options, ProxyOption};
use crate::secret::Secret;
use crate::world::{METADATA, WIRE_SERVER, World};

pub(in crate::probe) mod masked;

/// Authentication schemes kept of a 407.
const MAX_SCHEMES: usize = 8;

/// A proxy that applies, with what is needed to use it.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What is recorded of it.
    pub choice: ProxyChoice,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The scheme of its URL, lower case; only `http` is spoken, see [`TunnelFailure::UnsupportedScheme`].
    pub scheme: String,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<Secret>,
}

/// The bytes inside a tunnel.
pub type Tunnelled = TokioIo<Upgraded>;

/// The proxy that applies to `https://host:port`, if any.
///
/// As curl does it: `--proxy` before everything; else `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, the first that
/// is set; `NO_PROXY` exempts names. `HTTP_PROXY` is for `http://` only. A value that is not a URL counts as not set. Without a
/// port the option means that of its scheme, a variable means 1080 (443 for `https`).
/// Source: <https://curl.se/docs/manpage.html#ENVIRONMENT>
pub fn choose(world: &World, options: &Options, host: &str, port: u16) -> Option<Proxy> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let target: ::http::Uri = format!("https://{host}:{port}/").parse().ok()?;
    match &options.proxy {
        ProxyOption::Direct => None,
        ProxyOption::Url(url) => proxy(url.as_str(), "", "--proxy", url.port_or_known_default(), &target),
        ProxyOption::Environment => {
            let (source, value) = variable(world, &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
            let exempt = variable(world, &["no_proxy", "NO_PROXY"]).map_or("", |(_, value)| value);
            proxy(value, exempt, source, None, &target)
        }
    }
}

/// The proxy that an agent is set to use. Its credentials are nobody's but the agent's, so none are sent.
pub(super) fn of_agent(setting: &AgentProxy) -> Option<Proxy> {
    let anywhere: ::http::Uri = "https://anywhere.invalid/".parse().ok()?;
    proxy(&setting.url, "", &setting.source, None, &anywhere)
}

/// What the environment says about proxies; `None` when `--proxy` stands in its place. `start` is when the run began.
pub fn settings(world: &World, options: &Options, start: Instant) -> Option<ProxySettings> {
    if options.proxy != ProxyOption::Environment {
        return None;
    }
    let began = Instant::now();
    let exempt = variable(world, &["no_proxy", "NO_PROXY"]);
    let anywhere: ::http::Uri = "https://anywhere.invalid/".parse().ok()?;
    let named = PROXY_VARIABLES.iter().filter_map(|name| variable(world, &[name]));
    let variables = named.filter_map(|(name, value)| Some(proxy(value, "", name, None, &anywhere)?.choice)).collect();
    let platform = [METADATA.ip(), WIRE_SERVER.ip()].into_iter();
    let platform = platform.map(|address| PlatformProxy { address, proxy: plain(world, address) }).collect();
    let exempt = exempt.map(|(source, names)| Exemptions {
        source: source.to_owned(),
        names: names.chars().take(MAX_EXEMPT).collect(),
    });
    let timing = Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    Some(ProxySettings { timing, variables, exempt, platform })
}

/// Variables that name a proxy.
const PROXY_VARIABLES: [&str; 6] = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// The proxy that a program would use for `http://address/`. curl ignores the upper-case `HTTP_PROXY`, most others do not.
fn plain(world: &World, address: IpAddr) -> Option<ProxyChoice> {
    let target: ::http::Uri = format!("http://{address}/").parse().ok()?;
    let (source, value) = variable(world, &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?;
    let exempt = variable(world, &["no_proxy", "NO_PROXY"]).map_or("", |(_, value)| value);
    Some(proxy(value, exempt, source, None, &target)?.choice)
}

fn variable<'a>(world: &'a World, names: &[&str]) -> Option<(&'a str, &'a str)> {
    names.iter().find_map(|name| {
        let (name, value) = world.environment.get_key_value(*name)?;
        // An empty value is the usual way to unset a variable for one command.
        (!value.trim().is_empty()).then_some((name.as_str(), value.trim()))
    })
}

/// `port` is for a URL that has none; `None` stands for curl's default.
fn proxy(value: &str, exempt: &str, source: &str, port: Option<u16>, target: &::http::Uri) -> Option<Proxy> {
    if no_proxy::exempts(exempt, target.host()?) {
        return None;
    }
    let matched = Matcher::builder().all(escape_at(value)).build().intercept(target)?;
    let uri = matched.uri();
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let name = uri.host()?.to_ascii_lowercase();
    let port = uri.port_u16().or(port).unwrap_or(default_port(&scheme));
    let authorization = matched.basic_auth().and_then(|value| value.to_str().ok()).map(Secret::new);
    let has_credentials = authorization.is_some() || matched.raw_auth().is_some();
    Some(Proxy {
        choice: ProxyChoice { url: format!("{scheme}://{name}:{port}"), source: source.to_owned(), has_credentials },
        host: name.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port,
        scheme,
        authorization,
    })
}

/// Passwords with an `@` are common and taken by curl, which looks for the last one before the host.
fn escape_at(value: &str) -> String {
    let start = value.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = value.get(start..).and_then(|rest| rest.find('/')).map_or(value.len(), |path| start + path);
    match value.get(start..end).and_then(|authority| authority.rsplit_once('@')) {
        Some((user, host)) => format!(
            "{}{}@{host}{}",
            value.get(..start).unwrap_or_default(),
            user.replace('@', "%40"),
            value.get(end..).unwrap_or_default()
        ),
        None => value.to_owned(),
    }
}

/// curl's default is 1080 for every scheme but `https`. Source: <https://curl.se/docs/manpage.html#-x>
fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 1080 }
}

/// Connects to all addresses of the proxy that applies to an endpoint. A proxy on loopback is a proxy, so no address is a
/// sinkhole here.
pub fn connect_proxy(ctx: &Context, endpoint: &Endpoint, proxy: &Proxy, addresses: &[IpAddr]) -> Connecting {
    Connecting::start(ctx, &endpoint.id, proxy.port, Some(&proxy.choice.url), addresses)
}

/// Asks a proxy for a tunnel to the endpoint, over a connection that is already open. The stream is given when, and only
/// when, the proxy answered 2xx.
pub async fn tunnel<S: Duplex + 'static>(
    ctx: &Context,
    endpoint: &Endpoint,
    proxy: &Proxy,
    address: Option<SocketAddr>,
    stream: S,
) -> (Tunnel, Option<Tunnelled>) {
    let began = Instant::now();
    let (outcome, stream) = if proxy.scheme == "http" {
        match ctx.within(ask(endpoint, proxy, stream)).await {
            Ok(Ok((status, stream))) => (Outcome::Seen(status), Some(stream)),
            Ok(Err(failure)) => (Outcome::Failed(failure), None),
            Err(ended) => (ended.into(), None),
        }
    } else {
        (Outcome::Failed(TunnelFailure::UnsupportedScheme(proxy.scheme.clone())), None)
    };
    let tunnel = Tunnel {
        endpoint: endpoint.id.clone(),
        proxy: proxy.choice.clone(),
        address,
        timing: ctx.timing(began),
        outcome,
    };
    (tunnel, stream)
}

async fn ask<S: Duplex + 'static>(
    endpoint: &Endpoint,
    proxy: &Proxy,
    stream: S,
) -> Result<(u16, Tunnelled), TunnelFailure> {
    let authority = format!("{}:{}", endpoint.fqdn, endpoint.port);
    let mut request = ::http::Request::connect(&authority)
        .header(::http::header::HOST, &authority)
        .header(::http::header::USER_AGENT, http::USER_AGENT);
    if let Some(value) = authorization(proxy) {
        request = request.header(::http::header::PROXY_AUTHORIZATION, value);
    }
    // A name that is not an authority cannot be asked for; the catalogue and the options let none through.
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| TunnelFailure::NoAnswer(HttpFailure::Malformed))?;

    let (stream, read) = Counted::new(stream);
    let failed = |error: hyper::Error| TunnelFailure::NoAnswer(http::failure(&error, read.seen()));
    let (mut sender, connection) = http::client().handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let driver = http::Driver::spawn(async move {
        let _ = connection.with_upgrades().await;
    });
    let mut response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status();
    if status == ::http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        let schemes = response.headers().get_all(::http::header::PROXY_AUTHENTICATE);
        let schemes = schemes.iter().take(MAX_SCHEMES).filter_map(scheme_of).collect();
        return Err(TunnelFailure::WantsCredentials(schemes));
    }
    if !status.is_success() {
        return Err(TunnelFailure::Status(status.as_u16()));
    }
    let upgraded = hyper::upgrade::on(&mut response).await.map_err(failed)?;
    drop(driver);
    Ok((status.as_u16(), TokioIo::new(upgraded)))
}

fn authorization(proxy: &Proxy) -> Option<::http::HeaderValue> {
    let mut value = ::http::HeaderValue::from_str(proxy.authorization.as_ref()?.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
