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
use crate::control::Service;
use crate::doh;
use crate::http::{self, Answer, accept};
use crate::scenario::{Front, Scenario, TcpFault, TlsFault, View};
use crate::zones::Zones;

/// How long a client may take for its `ClientHello`.
const PATIENCE: Duration = Duration::from_mins(1);
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
    control: Service,
    zones: Arc<Zones>,
}

/// The keys that apply to one connection.
#[derive(Clone, Debug, Default)]
struct Behaviour {
    tls: Option<TlsFault>,
    largest_packet: Option<u16>,
    issuer: Option<String>,
    alert: Option<u8>,
    dns: Option<View>,
    http: Option<crate::scenario::HttpFault>,
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    date_shift_s: Option<i64>,
}

impl Fronts {
    pub(crate) fn new(scenario: &Scenario, authorities: Authorities, zones: Arc<Zones>) -> Self {
        let mut entries = scenario.fronts.clone();
        for at in entries.iter_mut().flat_map(|entry| entry.at.iter_mut()) {
            *at = scenario.expand(at).to_lowercase();
        }
        Self {
            entries,
            authorities,
            latency: Duration::from_millis(scenario.latency_ms),
            control: Service::of(scenario),
            zones,
        }
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

    /// The authorities of this world.
    #[cfg(test)]
    pub(crate) fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// Serves one address for ever.
    pub(crate) async fn serve(self: Arc<Self>, place: Arc<Place>, listener: TcpListener, asked: Arc<AtomicU64>) {
        loop {
            let stream = accept(&listener).await;
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

        if behaviour.largest_packet.is_some_and(|most| packet(&started.io).is_none_or(|size| size > u32::from(most))) {
            let mut stream = started.io;
            return http::hold(&mut stream).await;
        }
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
            | TlsFault::Tls12
            | TlsFault::Expired
            | TlsFault::NotYetValid
            | TlsFault::WrongName
            | TlsFault::Intercepted
            | TlsFault::InterceptedExpired
            | TlsFault::SelfSigned
            | TlsFault::LeafOnly => {
                let config = self.authorities.server(&name, fault, behaviour.issuer.as_deref())?;
                started.into_stream(config).await?
            }
        };
        if let Some(view) = behaviour.dns {
            return doh::serve(&mut stream, &self.zones, view).await;
        }
        loop {
            let Some(request) = http::read(&mut stream).await else { return Ok(()) };
            tokio::time::sleep(self.latency).await;
            if let Some(fault) = behaviour.http {
                http::misbehave(&mut stream, fault).await?;
                return stream.shutdown().await;
            }
            let asked = self.control.answer(&name, place.private, &request);
            let mut answer = asked.unwrap_or_else(|| service(&name, &request.target));
            answer.status = behaviour.status.unwrap_or(answer.status);
            answer.body = behaviour.body.clone().unwrap_or(answer.body);
            answer.date_shift_s = behaviour.date_shift_s.unwrap_or(0);
            if let Some(headers) = behaviour.headers.clone() {
                answer.headers = headers.into_iter().collect();
            }
            answer.goes_on = request.headers.iter().any(|(name, value)| name == "connection" && value == "keep-alive");
            http::write(&mut stream, &answer).await?;
            if !answer.goes_on {
                return stream.shutdown().await;
            }
        }
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
            behaviour.largest_packet = behaviour.largest_packet.or(entry.largest_packet);
            behaviour.dns = behaviour.dns.or(entry.dns);
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

/// The largest packet that is sent over a connection; `None` where the system does not say.
#[cfg(unix)]
fn packet(stream: &TcpStream) -> Option<u32> {
    /// The options that every segment carries on loopback: timestamps, on both sides.
    const OPTIONS: u32 = 12;
    let segment = socket2::SockRef::from(stream).tcp_mss().ok()?;
    let headers = stream.peer_addr().ok()?.ip();
    Some(segment + OPTIONS + u32::from(ampls_probes::observation::segments::headers(headers)))
}

#[cfg(not(unix))]
fn packet(_: &TcpStream) -> Option<u32> {
    None
}

/// A fatal alert in place of a `ServerHello` (RFC 8446 6).
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ampls_probes::world::METADATA;
    use rustls::pki_types::ServerName;
    use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};
    use tokio::io::AsyncReadExt;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::start::Running;
    use crate::testing::world;

    const HANDLER: &str = "global.handler.control.monitor.azure.com";
    const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 10)), 443);

    async fn get(running: &Running, roots: &Arc<RootCertStore>) -> io::Result<String> {
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(Arc::clone(roots))
            .with_no_client_auth();
        let name = ServerName::try_from(HANDLER).map_err(io::Error::other)?;
        let stream = running.world.connect(ADDRESS).await?;
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(format!("GET /ping HTTP/1.1\r\nHost: {HANDLER}\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn failure(tls: &str) -> io::Error {
        let running = world(&format!("[[front]]\nat = [\"{HANDLER}\"]\n{tls}\n"));
        get(&running, &running.world.roots.machine().await).await.expect_err("a fault")
    }

    fn tls_error(error: &io::Error) -> Option<&Error> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    #[tokio::test]
    async fn healthy_handler_is_trusted_by_both_stores_and_says_healthy() {
        let running = world("");
        for roots in [running.world.roots.machine().await, running.world.roots.public()] {
            let answer = get(&running, &roots).await.expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nHealthy"), "{answer}");
        }
        assert_eq!(running.asked(ampls_probes::observation::Transport::Tcp, ADDRESS), 2);
    }

    #[tokio::test]
    async fn expired_certificate_is_expired() {
        let error = failure("tls = \"expired\"").await;
        let expired = |error: &CertificateError| {
            matches!(error, CertificateError::Expired | CertificateError::ExpiredContext { .. })
        };
        assert!(matches!(tls_error(&error), Some(Error::InvalidCertificate(inner)) if expired(inner)), "{error:?}");
    }

    #[tokio::test]
    async fn intercepting_authority_is_known_to_the_machine_only_when_trusted() {
        let unknown = failure("tls = \"intercepted\"").await;
        let issuer = Some(&Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(tls_error(&unknown), issuer);
        let running = world("[[front]]\nat = [\"all\"]\ntls = \"intercepted\"\ntrusted = true\n");
        assert!(get(&running, &running.world.roots.machine().await).await.is_ok());
        let public = get(&running, &running.world.roots.public()).await.expect_err("not a public root");
        assert_eq!(tls_error(&public), issuer);
    }

    #[tokio::test]
    async fn leaf_alone_leads_nowhere() {
        let error = failure("tls = \"leaf-only\"").await;
        assert_eq!(tls_error(&error), Some(&Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    }

    #[tokio::test]
    async fn reset_close_and_alert_are_different_things() {
        assert_eq!(failure("tls = \"reset\"").await.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(failure("tls = \"close\"").await.kind(), io::ErrorKind::UnexpectedEof);
        let old = failure("tls = \"too-old\"").await;
        assert_eq!(tls_error(&old), Some(&Error::AlertReceived(AlertDescription::ProtocolVersion)));
        let named = failure("tls = \"alert\"\nalert = 112").await;
        assert_eq!(tls_error(&named), Some(&Error::AlertReceived(AlertDescription::UnrecognisedName)));
    }

    #[tokio::test]
    async fn refused_port_is_refused_and_dropped_port_is_silent() {
        assert_eq!(failure("tcp = \"refuse\"").await.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(failure("tcp = \"host-unreachable\"").await.kind(), io::ErrorKind::HostUnreachable);
        let running = world(&format!("[[front]]\nat = [\"{HANDLER}\"]\ntcp = \"drop\"\n"));
        let attempt = tokio::time::timeout(Duration::from_millis(200), running.world.connect(ADDRESS)).await;
        assert!(attempt.is_err());
    }

    #[tokio::test]
    async fn metadata_wants_its_header() {
        let running = world("");
        for (header, status) in [("", "400"), ("Metadata: true\r\n", "200")] {
            let mut stream = running.world.connect(METADATA).await.expect("a connection");
            let request = format!("GET /metadata/instance?api-version=2021-02-01 HTTP/1.1\r\n{header}\r\n");
            stream.write_all(request.as_bytes()).await.expect("written");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        }
    }

    #[tokio::test]
    async fn http_faults_are_garbage_nothing_and_no_end() {
        let answers = |http: &'static str| async move {
            let running = world(&format!("[[front]]\nat = [\"all\"]\n{http}\n"));
            get(&running, &running.world.roots.machine().await).await
        };
        assert!(!answers("http = \"garbage\"").await.is_ok_and(|answer| answer.starts_with("HTTP/")));
        assert!(!answers("http = \"close\"").await.is_ok_and(|answer| !answer.is_empty()));
        let endless = answers("http = \"endless-headers\"").await.unwrap_or_default();
        assert!(endless.len() > 1024 * 1024 && !endless.contains("\r\n\r\n"), "{}", endless.len());
        let refused = answers("status = 403\nbody = \"NspValidationFailedError\"").await.expect("an answer");
        assert!(refused.starts_with("HTTP/1.1 403") && refused.ends_with("NspValidationFailedError"), "{refused}");
    }

    #[tokio::test]
    async fn proxy_resolves_the_name_itself_and_publicly() {
        let address: SocketAddr = "10.1.0.9:3128".parse().expect("an address");
        let connect = |lines: &'static str| async move {
            let running = world(&format!("[proxy]\naddress = \"10.1.0.9:3128\"\n{lines}\n"));
            let mut stream = running.world.connect(address).await?;
            stream.write_all(format!("CONNECT {HANDLER}:443 HTTP/1.1\r\n\r\n").as_bytes()).await?;
            let mut answer = vec![0_u8; 64];
            let size = stream.read(&mut answer).await?;
            let fronts = running.all_asked().into_keys().filter(|(_, at)| at.port() == 443).map(|(_, at)| at.ip());
            let fronts: Vec<String> = fronts.map(|ip| ip.to_string()).collect();
            io::Result::Ok((String::from_utf8_lossy(answer.get(..size).unwrap_or_default()).into_owned(), fronts))
        };
        let (open, _) = connect("").await.expect("a tunnel");
        assert!(open.starts_with("HTTP/1.1 200"), "{open}");
        let (wants, fronts) = connect("status = 407").await.expect("an answer");
        assert!(wants.starts_with("HTTP/1.1 407") && fronts.is_empty(), "{wants}");
    }
}
