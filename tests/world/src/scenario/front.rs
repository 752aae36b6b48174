//! World files: what stands behind addresses and names.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::dns::View;

/// How addresses and names answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Front {
    /// What it is about: names, `*.suffix`, addresses, CIDRs, `private`, `public`, `all`.
    pub at: Vec<String>,
    /// What happens to a SYN.
    pub tcp: Option<TcpFault>,
    /// What happens to a `ClientHello`.
    pub tls: Option<TlsFault>,
    /// The largest packet that comes back from there, in octets, with nothing that says so: what a peer would send in larger ones
    /// is lost.
    pub largest_packet: Option<u16>,
    /// Common name of the authority that signs (`intercepted`).
    pub issuer: Option<String>,
    /// This machine trusts that authority.
    #[serde(default)]
    pub trusted: bool,
    /// The alert of `tls = "alert"`, by its number.
    pub alert: Option<u8>,
    /// It answers DNS over HTTPS, from here.
    pub dns: Option<View>,
    /// What is wrong with the HTTP answer.
    pub http: Option<HttpFault>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Headers of the answer, in place of the service's.
    pub headers: Option<BTreeMap<String, String>>,
    /// Body of the answer.
    pub body: Option<String>,
    /// Added to the `Date` header, in seconds.
    pub date_shift_s: Option<i64>,
}

/// What can happen to a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpFault {
    /// Nothing: an entry that takes a part out of a wider one.
    Open,
    /// Dropped.
    Drop,
    /// Answered with RST.
    Refuse,
    /// ICMP host unreachable.
    HostUnreachable,
    /// No route on this machine.
    NetworkUnreachable,
    /// This machine's own firewall refuses.
    NotPermitted,
}

/// What can happen to a `ClientHello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// None: an entry that takes a part out of a wider one.
    Ok,
    /// None: TLS 1.2 and nothing newer.
    Tls12,
    /// RST.
    Reset,
    /// FIN.
    Close,
    /// Silence.
    Silent,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// Somebody else's authority signs.
    Intercepted,
    /// Somebody else's authority signs, and the certificate has expired.
    InterceptedExpired,
    /// The certificate signs itself.
    SelfSigned,
    /// The intermediate certificate is not sent.
    LeafOnly,
    /// `protocol_version`: nothing at or above TLS 1.2.
    TooOld,
    /// Another alert.
    Alert,
    /// HTTP without TLS.
    PlainHttp,
    /// Bytes without meaning.
    Garbage,
}

/// What can be wrong with an HTTP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFault {
    /// None comes.
    Silent,
    /// The connection closes instead.
    Close,
    /// Bytes that are no HTTP.
    Garbage,
    /// Headers without end.
    EndlessHeaders,
    /// A body without end.
    EndlessBody,
    /// A login page.
    Html,
}
