//! What stands behind an address: TCP faults, TLS faults by name, and the service's HTTP answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{io, str};

use ipnet::IpNet;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;

use crate::certificates::Authorities;
use crate::http::{self, Answer};
use crate::scenario::{Front, Scenario, TcpFault, TlsFault};

/// How long a client may take for its ClientHello.
const PATIENCE: Duration = Duration::from_secs(60);
/// A name for clients that send none.
const NAMELESS: &str = "nameless.example";
const ALERT_HANDSHAKE_FAILURE: u8 = 40;
const ALERT_PROTOCOL_VERSION: u8 = 70;

/// One address of the simulated world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) address: IpAddr,
    /// It is one of a private endpoint, not a public one.
    pub(crate) private: bool,
    /// Names that lead there.
    pub(crate) names: Vec<String>,
}

/// All fronts of a world.
pub(crate) struct Fronts {
    entries: Vec<Front>,
    authorities: Authorities,
    latency: Duration,
}

/// The keys that apply to one connection.
#[derive(Clone, Debug, Default)]
struct Behaviour {
    tls: Option<TlsFault>,
    issuer: Option<String>,
    alert: Option<u8>,
    http: Option<crate::scenario::HttpFault>,
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    date_shift_s: Option<i64>,
}

impl Fronts {
    pub(crate) fn new(scenario: &Scenario, authorities: Authorities) -> Self {
        let mut entries = scenario.fronts.clone();
        for at in entries.iter_mut().flat_map(|entry| entry.at.iter_mut()) {
            *at = scenario.expand(at).to_lowercase();
        }
        Self { entries, authorities, latency: Duration::from_millis(scenario.latency_ms) }
    }

    /// What happens to a SYN to this address.
    pub(crate) fn tcp(&self, place: &Place) -> Option<TcpFault> {
        let mut entries = self.entries.iter().filter(|entry| {
            entry.at.iter().any(|at| at_address(at, place) || place.names.iter().any(|name| at_name(at, name)))
        });
        entries.find_map(|entry| entry.tcp)
    }

    /// Addresses that entries name themselves.
    pub(crate) fn literal_addresses(&self) -> Vec<IpAddr> {
        self.entries.iter().flat_map(|entry| &entry.at).filter_map(|at| at.parse().ok()).collect()
    }

    /// Serves one address for ever.
    pub(crate) async fn serve(self: Arc<Self>, place: Arc<Place>, listener: TcpListener, asked: Arc<AtomicU64>) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            asked.fetch_add(1, Ordering::Relaxed);
            let (fronts, place) = (Arc::clone(&self), Arc::clone(&place));
            tokio::spawn(async move {
                // Clients break off as they like; that is theirs to report.
                let _ = fronts.receive(&place, stream).await;
            });
        }
    }

    async fn receive(&self, place: &Place, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let started = tokio::time::timeout(PATIENCE, acceptor).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let name = started.client_hello().server_name().unwrap_or(NAMELESS).to_lowercase();
        let behaviour = self.behaviour(place, &name);
        tokio::time::sleep(self.latency).await;

        let fault = behaviour.tls.unwrap_or(TlsFault::Ok);
        let mut stream = match fault {
            TlsFault::Reset => return started.io.set_zero_linger(),
            TlsFault::Close => return Ok(()),
            TlsFault::Silent => {
                let mut stream = started.io;
                return http::hold(&mut stream).await;
            }
            TlsFault::TooOld => return alert(started.io, ALERT_PROTOCOL_VERSION).await,
            TlsFault::Alert => return alert(started.io, behaviour.alert.unwrap_or(ALERT_HANDSHAKE_FAILURE)).await,
            TlsFault::PlainHttp => {
                let mut stream = started.io;
                return http::write(&mut stream, &Answer::new(400, &[("Server", "nginx")], "plain HTTP")).await;
            }
            TlsFault::Garbage => {
                let mut stream = started.io;
                return stream.write_all(&[0xff_u8; 64]).await;
            }
            TlsFault::Ok
            | TlsFault::Expired
            | TlsFault::NotYetValid
            | TlsFault::WrongName
            | TlsFault::Intercepted
            | TlsFault::SelfSigned
            | TlsFault::LeafOnly => {
                let config = self.authorities.server(&name, fault, behaviour.issuer.as_deref())?;
                started.into_stream(config).await?
            }
        };
        let Some(request) = http::read(&mut stream).await else { return Ok(()) };
        tokio::time::sleep(self.latency).await;
        if let Some(fault) = behaviour.http {
            return http::misbehave(&mut stream, fault).await;
        }
        let mut answer = service(&name, &request.target);
        answer.status = behaviour.status.unwrap_or(answer.status);
        answer.body = behaviour.body.unwrap_or(answer.body);
        answer.date_shift_s = behaviour.date_shift_s.unwrap_or(0);
        if let Some(headers) = behaviour.headers {
            answer.headers = headers.into_iter().collect();
        }
        http::write(&mut stream, &answer).await?;
        stream.shutdown().await
    }

    fn behaviour(&self, place: &Place, name: &str) -> Behaviour {
        let mut behaviour = Behaviour::default();
        for entry in
            self.entries.iter().filter(|entry| entry.at.iter().any(|at| at_address(at, place) || at_name(at, name)))
        {
            if behaviour.tls.is_none() && entry.tls.is_some() {
                behaviour.tls = entry.tls;
                behaviour.issuer.clone_from(&entry.issuer);
                behaviour.alert = entry.alert;
            }
            behaviour.http = behaviour.http.or(entry.http);
            behaviour.status = behaviour.status.or(entry.status);
            behaviour.headers = behaviour.headers.or_else(|| entry.headers.clone());
            behaviour.body = behaviour.body.or_else(|| entry.body.clone());
            behaviour.date_shift_s = behaviour.date_shift_s.or(entry.date_shift_s);
        }
        behaviour
    }
}

fn at_address(at: &str, place: &Place) -> bool {
    match at {
        "all" => true,
        "private" => place.private,
        "public" => !place.private,
        _ => match at.parse::<IpNet>() {
            Ok(net) => net.contains(&place.address),
            Err(_) => at.parse() == Ok(place.address),
        },
    }
}

fn at_name(at: &str, name: &str) -> bool {
    match at.strip_prefix('*') {
        Some(suffix) => name.ends_with(suffix),
        None => at == name,
    }
}

/// A fatal alert in place of a ServerHello (RFC 8446 6).
async fn alert(mut stream: TcpStream, description: u8) -> io::Result<()> {
    stream.write_all(&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]).await?;
    stream.shutdown().await
}

/// What the real service answers without credentials.
fn service(name: &str, path: &str) -> Answer {
    let id = ("x-ms-request-id", "5f0c6d1e-8a7b-4c2f-9d3e-1b2a3c4d5e6f");
    if name.contains(".handler.control.") && path == "/ping" {
        return Answer::new(200, &[("Content-Type", "text/plain; charset=utf-8"), id], "Healthy");
    }
    if name.contains(".ods.opinsights.") {
        return Answer::new(403, &[("Server", "Microsoft-IIS/10.0"), ("X-Powered-By", "ASP.NET")], "");
    }
    if name.contains(".blob.core.") {
        let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>InvalidQueryParameterValue</Code></Error>";
        return Answer::new(400, &[("Server", "Microsoft-HTTPAPI/2.0"), ("Content-Type", "application/xml"), id], body);
    }
    if name.starts_with("management.") {
        return Answer::new(
            401,
            &[("WWW-Authenticate", "Bearer authorization_uri=\"https://login.windows.net/\""), id],
            "",
        );
    }
    Answer::new(404, &[("Server", "Microsoft-HTTPAPI/2.0"), id], "")
}
