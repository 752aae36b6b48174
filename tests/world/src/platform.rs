//! The platform's services on loopback: instance metadata and wire server; and a proxy that resolves names itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ampls_probes::observation::Transport;
use ampls_probes::world::{Route, Routes};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::control;
use crate::http::{self, Answer, accept};
use crate::scenario::{IdentityAnswer, PlatformAnswer, Proxy, Scenario};
use crate::zones::Zones;

/// The versions document of the wire server.
const VERSIONS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Versions><Preferred><Version>2015-04-05</Version>\
                        </Preferred><Supported><Version>2015-04-05</Version></Supported></Versions>";

/// The instance document.
/// Source: <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
pub(crate) fn instance(scenario: &Scenario) -> String {
    let address = scenario.machine.interfaces.iter().find(|interface| interface.addr().is_ipv4());
    let (own, subnet, prefix) = address.map_or((String::new(), String::new(), 24), |interface| {
        (interface.addr().to_string(), interface.network().to_string(), interface.prefix_len())
    });
    let id = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-app/providers/\
              Microsoft.Compute/virtualMachines/vm-app-01";
    format!(
        r#"{{"compute":{{"azEnvironment":"{environment}","location":"{region}","name":"vm-app-01","osType":"Linux",
"resourceGroupName":"rg-app","resourceId":"{id}","subscriptionId":"00000000-0000-4000-8000-000000000001",
"vmId":"02aab8a4-74ef-476e-8182-f6d2ba4166a6"}},"network":{{"interface":[{{"ipv4":{{
"ipAddress":[{{"privateIpAddress":"{own}","publicIpAddress":""}}],"subnet":[{{"address":"{subnet}","prefix":"{prefix}"}}]}},
"ipv6":{{"ipAddress":[]}},"macAddress":"000D3A2B4C5D"}}]}}}}"#,
        environment = scenario.platform.environment.as_deref().unwrap_or(scenario.cloud.environment()),
        region = scenario.region,
    )
}

/// Serves the metadata service for ever.
pub(crate) async fn serve_metadata(
    listener: TcpListener,
    answers: PlatformAnswer,
    document: String,
    identity: IdentityAnswer,
    asked: Arc<AtomicU64>,
) {
    let document = Arc::new(document);
    loop {
        let mut stream = accept(&listener).await;
        asked.fetch_add(1, Ordering::Relaxed);
        let document = Arc::clone(&document);
        tokio::spawn(async move {
            let Some(request) = http::read(&mut stream).await else { return };
            let header = |name: &str| request.headers.iter().any(|(header, _)| header == name);
            let json = [("Content-Type", "application/json; charset=utf-8"), ("Server", "IMDS/150.870.65.1854")];
            let answer = match answers {
                PlatformAnswer::Malformed => Answer::new(200, &[("Content-Type", "text/html")], "<html>router</html>"),
                PlatformAnswer::NotFound => Answer::new(404, &[], ""),
                PlatformAnswer::Forbidden => Answer::new(403, &[], ""),
                _ if !header("metadata") || header("x-forwarded-for") => {
                    Answer::new(400, &json, r#"{"error":"Bad request. Required metadata header not specified"}"#)
                }
                _ if request.target.starts_with("/metadata/identity/oauth2/token") => {
                    control::token(identity, &request.target)
                }
                _ if request.target.starts_with("/metadata/instance") => Answer::new(200, &json, document.as_str()),
                _ => Answer::new(404, &json, ""),
            };
            let _ = http::write(&mut stream, &answer).await;
        });
    }
}

/// Serves Azure Arc's agent for ever.
pub(crate) async fn serve_arc(listener: TcpListener, scenario: Scenario, asked: Arc<AtomicU64>) {
    loop {
        let mut stream = accept(&listener).await;
        asked.fetch_add(1, Ordering::Relaxed);
        let Some(request) = http::read(&mut stream).await else { continue };
        let _ = http::write(&mut stream, &control::arc(&scenario, &request)).await;
    }
}

/// Serves the wire server for ever.
pub(crate) async fn serve_wire(listener: TcpListener, answers: PlatformAnswer, asked: Arc<AtomicU64>) {
    loop {
        let mut stream = accept(&listener).await;
        asked.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            if http::read(&mut stream).await.is_none() {
                return;
            }
            let answer = match answers {
                PlatformAnswer::NotFound => Answer::new(404, &[], ""),
                PlatformAnswer::Forbidden => Answer::new(403, &[], ""),
                PlatformAnswer::Malformed => Answer::new(200, &[("Content-Type", "text/html")], "<html>router</html>"),
                _ => Answer::new(200, &[("Content-Type", "text/xml; charset=utf-8")], VERSIONS),
            };
            let _ = http::write(&mut stream, &answer).await;
        });
    }
}

/// A proxy and the internet behind it.
pub(crate) struct Forwarder {
    pub(crate) proxy: Proxy,
    pub(crate) zones: Arc<Zones>,
    pub(crate) routes: Arc<Routes>,
}

impl Forwarder {
    /// Serves the proxy for ever.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, asked: Arc<AtomicU64>) {
        loop {
            let stream = accept(&listener).await;
            asked.fetch_add(1, Ordering::Relaxed);
            let forwarder = Arc::clone(&self);
            tokio::spawn(async move {
                let _ = forwarder.forward(stream).await;
            });
        }
    }

    async fn forward(&self, mut stream: TcpStream) -> std::io::Result<()> {
        if self.proxy.silent {
            return http::hold(&mut stream).await;
        }
        let Some(request) = http::read(&mut stream).await else { return Ok(()) };
        if let Some(status) = self.proxy.status.filter(|status| *status != 200) {
            let wants: &[(&str, &str)] = if status == 407 {
                &[("Proxy-Authenticate", "Negotiate"), ("Proxy-Authenticate", "Basic realm=\"corp\"")]
            } else {
                &[("Via", "1.1 proxy.corp.example (squid/5.7)")]
            };
            return http::write(&mut stream, &Answer::new(status, wants, "")).await;
        }
        if request.method != "CONNECT" {
            return http::write(&mut stream, &Answer::new(403, &[], "")).await;
        }
        let Some(mut far) = self.connect(&request.target).await else {
            return http::write(&mut stream, &Answer::new(503, &[("Via", "1.1 proxy.corp.example")], "")).await;
        };
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        tokio::io::copy_bidirectional(&mut stream, &mut far).await.map(|_| ())
    }

    async fn connect(&self, target: &str) -> Option<TcpStream> {
        let (host, port) = target.rsplit_once(':')?;
        let address: IpAddr = match host.parse() {
            Ok(address) => address,
            Err(_) => self.zones.public_address(&host.to_lowercase())?,
        };
        let address = SocketAddr::new(address, port.parse().ok()?);
        match self.routes.to.get(&(Transport::Tcp, address)) {
            Some(Route::To(socket)) => TcpStream::connect(socket).await.ok(),
            _ => None,
        }
    }
}
