//! What each field of the observations holds: by that alone, and by what is publicly known, it is decided what may stay.
//!
//! A field that is not named here is text of which nothing stays.

use super::masking::Place;
use super::words;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The name of a variant of our own types.
    Tag,
    /// A moment or a day.
    Time,
    /// A dotted version.
    Version,
    /// The hash of a certificate.
    Fingerprint,
    /// An operating system and its version.
    System,
    /// One of these words, or several of them.
    Listed(&'static [&'static str]),
    /// One of these words, separated by spaces here.
    Spaced(&'static str),
    /// A name of a cipher suite.
    Cipher,
    /// A region of Azure.
    Region,
    /// Text of one of the catalogues.
    Whole,
    /// Who names a cloud.
    Saying,
    /// The id of a resource.
    Resource,
    /// The id of an endpoint.
    Endpoint,
    /// A name of DNS, a name with a parameter, or an address.
    Name,
    /// A file or folder.
    Path,
    /// `NO_PROXY`.
    Exemptions,
    /// Addresses of resources or servers, separated by spaces.
    Url,
    /// `Server`.
    Server,
    /// `Via`.
    Via,
    /// `Content-Type`.
    Content,
    /// `Proxy-Authenticate` or `WWW-Authenticate`.
    Scheme,
    /// A distinguished name.
    Distinguished,
    /// A body of HTTP.
    Body,
    /// Anything else.
    Text,
}

/// What stands at a place.
pub(super) fn kind(place: Place<'_>) -> Kind {
    match (place.owner, place.field) {
        (_, "probe" | "outcome") => Kind::Tag,
        (_, "started_at" | "at" | "date" | "received_at" | "not_before" | "not_after" | "retired")
        | ("Refusal", "since")
        | ("Upload", "succeeded" | "failing_since" | "failed") => Kind::Time,
        ("Installed", "version") | (_, "minimum") => Kind::Version,
        (_, "sha256") => Kind::Fingerprint,
        ("Machine", "os") => Kind::System,
        ("Machine", "arch") => Kind::Listed(words::ARCHITECTURES),
        ("Asked" | "CloudClaim", "cloud") => Kind::Listed(words::CLOUDS),
        ("Asked", "region") | ("Instance", "location") => Kind::Region,
        ("CloudClaim", "says") => Kind::Saying,
        ("Instance", "resource_id") => Kind::Resource,
        ("Endpoint", "id") | ("", "endpoint") => Kind::Endpoint,
        ("Instance", "environment")
        | ("Endpoint", "purpose" | "service_tag" | "path")
        | ("", "path" | "browsers")
        | ("Agent" | "AgentService", "name")
        | ("BrowserSetting", "id" | "name" | "upgraded_to") => Kind::Whole,
        ("ProtocolSwitch", "protocol") => Kind::Listed(words::PROTOCOLS),
        ("ProxyChoice" | "Exemptions", "source") => Kind::Listed(words::PROXY_SOURCES),
        ("Exemptions", "names") | ("AgentProxy", "no_proxy") | ("SystemProxy", "exempt") => Kind::Exemptions,
        (_, "source" | "profile" | "policy_file" | "stale") | ("Unread", "path") => Kind::Path,
        ("HttpResponse", "server") => Kind::Server,
        ("HttpResponse", "via") => Kind::Via,
        ("HttpResponse", "content_type") => Kind::Content,
        ("HttpResponse", "authenticate") => Kind::Scheme,
        ("HttpResponse", "body") => Kind::Body,
        ("EncryptedResolver", "servers")
        | (_, "url" | "via" | "location" | "config_endpoint" | "template" | "portal" | "pattern" | "script") => {
            Kind::Url
        }
        ("", "services") | ("EncryptedResolver", "service" | "setting") => Kind::Listed(words::ENCRYPTED),
        ("LocalNetwork", "policy") => Kind::Listed(words::POLICIES),
        (_, "wants-credentials") => Kind::Listed(words::AUTHENTICATION),
        (_, "unsupported-scheme") => Kind::Listed(words::SCHEMES),
        (_, "cipher_suites") | ("Session", "cipher") => Kind::Cipher,
        ("ControlReply", "code") => Kind::Listed(words::CONTROL),
        ("IdentityNamed", "by") => Kind::Listed(words::IDENTITIES),
        ("Session", "version" | "alpn") => Kind::Listed(words::SESSION),
        ("Certificate", "signature") => Kind::Listed(words::SIGNATURES),
        ("Certificate", "subject" | "issuer") => Kind::Distinguished,
        ("TlsFailure", "alert") => Kind::Spaced(words::ALERTS),
        ("TlsFailure", "protocol") | ("ChainVerdict", "invalid") => Kind::Spaced(words::TLS_ERRORS),
        (
            _,
            "name" | "names" | "domains" | "fqdn" | "alias" | "zone" | "zones" | "unresolved_names" | "owner" | "cname"
            | "canonical" | "mname" | "rname" | "search" | "endpoints" | "host" | "shared_handlers" | "associated"
            | "token_host" | "endpoint_handlers" | "excluded_domains" | "namespaces" | "suffix",
        ) => Kind::Name,
        _ => Kind::Text,
    }
}
