//! Values that may stay where they stand: of paths, protocols, certificates and refusals. None shows whose machine it is.
//!
//! What a list is good for is decided by the field alone: the same word elsewhere is replaced like any other.

use ampls_probes::azure::Cloud;

/// Clouds.
pub(super) const CLOUDS: &[&str] = &{
    let mut words = ["unknown"; Cloud::WORDS.len() + 1];
    let mut at = 0;
    while at < Cloud::WORDS.len() {
        words[at] = Cloud::WORDS[at].0;
        at += 1;
    }
    words
};

/// Architectures.
pub(super) const ARCHITECTURES: &[&str] =
    &["x86_64", "x86", "i386", "i686", "amd64", "aarch64", "arm64", "arm", "armv7l", "riscv64", "s390x", "ppc64le"];

/// Public resolvers over HTTPS and TLS.
pub(super) const PUBLIC_RESOLVERS: &str = "\
dns.google cloudflare-dns.com chrome.cloudflare-dns.com mozilla.cloudflare-dns.com family.cloudflare-dns.com \
security.cloudflare-dns.com one.one.one.one dns.quad9.net dns9.quad9.net dns10.quad9.net dns11.quad9.net doh.opendns.com \
doh.familyshield.opendns.com dns.adguard-dns.com doh.cleanbrowsing.org";

/// Absolute files and folders of resolvers and the system. Those of agents and browsers are in the catalogue.
pub(super) const PATHS: &[&str] = &[
    "/etc/cloudflared/config.yaml",
    "/etc/cloudflared/config.yml",
    "/etc/default/cloudflared",
    "/etc/dnscrypt-proxy.toml",
    "/etc/dnscrypt-proxy/dnscrypt-proxy.toml",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/stubby/stubby.yml",
    "/etc/systemd/resolved.conf",
    "/etc/systemd/resolved.conf.d",
    "/etc/systemd/system.conf",
    "/etc/systemd/system.conf.d",
    "/etc/unbound/unbound.conf",
    "/etc/unbound/unbound.conf.d",
    "/lib/systemd/system.conf.d",
    "/opt/dnscrypt-proxy/dnscrypt-proxy.toml",
    "/proc",
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
    "/run/dnsmasq/resolv.conf",
    "/run/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/run/systemd/resolve/stub-resolv.conf",
    "/run/systemd/resolved.conf",
    "/run/systemd/resolved.conf.d",
    "/usr/lib/os-release",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/systemd/resolved.conf",
    "/usr/lib/systemd/resolved.conf.d",
    "/usr/local/etc/cloudflared/config.yml",
    "/usr/local/etc/stubby/stubby.yml",
    "/usr/local/lib/systemd/resolved.conf.d",
    "/var/lib/dpkg/status",
    "/var/lib/rpm/Packages",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/rpmdb.sqlite",
    "c:/windows/system32/drivers/etc/hosts",
];

/// Files whose name their program chose, wherever they lie.
pub(super) const FILES: &[&str] =
    &["Local State", "compatibility.ini", "policies.json", "prefs.js", "user.js", "state.vscdb"];

/// Schemes of addresses.
pub(super) const SCHEMES: &[&str] =
    &["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h", "tls", "quic", "h3"];

/// Where resolvers over HTTPS answer (RFC 8484).
pub(super) const DNS_PATHS: &[&str] = &["/dns-query{?dns}", "/dns-query"];

/// What refusals by the services carry, upon which rules decide: as they stand, whatever else is called so.
pub(super) const CODES: &[&str] = &[
    "NspValidationFailedError",
    "InsufficientAccessError",
    "PublicNetworkAccessDisabled",
    "MisdirectedAgentRequest",
    "InvalidAccess",
    "Healthy",
];

/// What refusals and pages have in common, as it is written there.
pub(super) const PHRASES: &[&str] = &[
    "Access to resource",
    "is only permitted through an attached Private Link",
    "Private link connection does not allow querying resource",
    "not attached to the current scope",
    "This request is not authorized by network security perimeter to perform this operation",
    "\"error\":",
    "\"innererror\":",
    "\"code\":",
    "\"message\":",
    "The provided credentials have insufficient access to perform the requested operation",
    "Data collection endpoint must be used to access configuration over private link",
    "Access to workspace",
    "Access to",
    "Access from",
    "is denied",
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
    "<Error>",
    "</Error>",
    "<Code>",
    "</Code>",
    "<head>",
    "</head>",
    "<title>",
    "</title>",
    "<body>",
    "</body>",
    "</html>",
];

/// Types of attributes in distinguished names.
pub(super) const ATTRIBUTES: &[&str] =
    &["cn", "o", "ou", "c", "st", "l", "dc", "sn", "street", "serialnumber", "emailaddress", "e", "uid", "title", "t"];

/// Whole values in the distinguished names of public authorities, lower case.
pub(super) const PUBLIC_CA: &[&str] = &[
    "microsoft corporation",
    "digicert inc",
    "digicert global root ca",
    "digicert global root g2",
    "digicert global root g3",
    "baltimore cybertrust root",
    "let's encrypt",
    "isrg root x1",
];

/// Words of the names of Microsoft's own authorities, lower case.
pub(super) const MICROSOFT_CA_WORDS: &[&str] = &[
    "microsoft",
    "azure",
    "rsa",
    "ecc",
    "tls",
    "issuing",
    "ca",
    "aoc",
    "eoc",
    "root",
    "certificate",
    "authority",
    "g2",
    "ocsp",
];

/// Products that name themselves in headers, lower case.
pub(super) const PRODUCTS: &[&str] = &[
    "microsoft-httpapi",
    "microsoft-iis",
    "kestrel",
    "nginx",
    "apache",
    "squid",
    "envoy",
    "haproxy",
    "cloudflare",
    "microsoft-azure-application-gateway",
    "tinyproxy",
    "zscaler",
    "varnish",
    "openresty",
    "caddy",
];

/// Types of content, and what goes with them.
pub(super) const CONTENT: &[&str] = &[
    "text/html",
    "text/plain",
    "text/xml",
    "application/json",
    "application/xml",
    "application/octet-stream",
    "application/problem+json",
    "charset=utf-8",
    "charset=us-ascii",
    "charset=iso-8859-1",
];

/// Schemes of authentication.
pub(super) const AUTHENTICATION: &[&str] = &["Basic", "Bearer", "Digest", "Negotiate", "NTLM", "Kerberos"];

/// Codes of the control service's refusals.
pub(super) const CONTROL: &[&str] =
    &["InvalidAccess", "MisdirectedAgentRequest", "InvalidAuthenticationToken", "Forbidden"];

/// What names an identity to the metadata service.
pub(super) const IDENTITIES: &[&str] = &["mi_res_id", "object_id", "client_id"];

/// Where a proxy of this program's own is set.
pub(super) const PROXY_SOURCES: &[&str] = &[
    "--proxy",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "all_proxy",
    "no_proxy",
];

/// Sentences in which a cloud is named; what they quote is looked at by itself.
pub(super) const SAYINGS: &[&str] =
    &["the agents' configuration", "the agents' data collection endpoint", "the metadata service (", ")", "(", ""];

/// Options that name a cloud.
pub(super) const OPTIONS: &[&str] = &["--cloud", "--dce", "--app-insights", "--region", "--endpoint", "--workspace"];

/// Versions of TLS that Windows can switch.
pub(super) const PROTOCOLS: &[&str] = &["TLS 1.2", "TLS 1.3"];

/// Services of the operating system that ask encrypted, and their settings.
pub(super) const ENCRYPTED: &[&str] = &[
    "Windows DNS client",
    "DoHPolicy=2",
    "DoHPolicy=3",
    "DohFlags",
    "systemd-resolved",
    "dnscrypt-proxy",
    "cloudflared",
    "stubby",
    "unbound",
    "server_names",
    "proxy-dns",
    "upstream_recursive_servers",
    "DNSOverTLS=yes",
    "DNSOverTLS=true",
    "DNSOverTLS=on",
    "DNSOverTLS=1",
    "DNSOverTLS=opportunistic",
    "forward-tls-upstream: yes",
    "forward-ssl-upstream: yes",
    "tls-upstream: yes",
    "ssl-upstream: yes",
];

/// Policies about requests to private addresses.
pub(super) const POLICIES: &[&str] = &[
    "LocalNetworkBlockedForUrls",
    "LocalNetworkAllowedForUrls",
    "LocalNetworkAccessBlockedForUrls",
    "LocalNetworkAccessAllowedForUrls",
];

/// What TLS sessions agree upon.
pub(super) const SESSION: &[&str] = &["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "h2", "http/1.1", "http/1.0"];

/// Parts of the names of cipher suites.
pub(super) const CIPHER_PARTS: &[&str] = &[
    "TLS", "TLS13", "ECDHE", "DHE", "RSA", "ECDSA", "WITH", "AES", "128", "256", "GCM", "CBC", "CCM", "8", "SHA",
    "SHA256", "SHA384", "CHACHA20", "POLY1305",
];

/// Alerts of TLS.
/// Source: <https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-6>
pub(super) const ALERTS: &str = "\
close_notify unexpected_message bad_record_mac decryption_failed record_overflow decompression_failure handshake_failure \
no_certificate bad_certificate unsupported_certificate certificate_revoked certificate_expired certificate_unknown \
illegal_parameter unknown_ca access_denied decode_error decrypt_error export_restriction protocol_version \
insufficient_security internal_error inappropriate_fallback user_canceled no_renegotiation missing_extension \
unsupported_extension certificate_unobtainable unrecognized_name bad_certificate_status_response \
bad_certificate_hash_value unknown_psk_identity certificate_required no_application_protocol ech_required";

/// Names of errors that rustls and its verifier give.
/// Source: <https://docs.rs/rustls/latest/rustls/enum.Error.html>
pub(super) const TLS_ERRORS: &str = "\
BadEncoding Expired NotValidYet Revoked UnhandledCriticalExtension UnknownIssuer UnknownRevocationStatus \
ExpiredRevocationList BadSignature UnsupportedSignatureAlgorithm NotValidForName InvalidPurpose Other ApplicationVerificationFailure \
InvalidOcspResponse ExpiredContext NotValidYetContext NotValidForNameContext InvalidPurposeContext \
BadDer BadDerTime CaUsedAsEndEntity CertExpired CertNotValidForName CertNotValidYet CertRevoked EndEntityUsedAsCa \
ExtensionValueInvalid InvalidCertValidity InvalidNetworkMaskConstraint InvalidSerialNumber InvalidSignatureForPublicKey \
MalformedDnsIdentifier MalformedExtensions MaximumNameConstraintComparisonsExceeded MaximumPathBuildCallsExceeded \
MaximumPathDepthExceeded MaximumSignatureChecksExceeded NameConstraintViolation PathLenConstraintViolated \
RequiredEkuNotFound RequiredEkuNotFoundContext SignatureAlgorithmMismatch TrailingData UnsupportedCertVersion \
UnsupportedCriticalExtension UnsupportedNameType UnsupportedSignatureAlgorithmContext \
UnsupportedSignatureAlgorithmForPublicKey UnsupportedSignatureAlgorithmForPublicKeyContext EmptyEkuExtension \
InappropriateMessage InappropriateHandshakeMessage DecryptError EncryptError PeerSentOversizedRecord General \
NoCertificatesPresented UnsupportedNameType HandshakeNotComplete FailedToGetCurrentTime FailedToGetRandomBytes \
CertificatePayloadTooLarge HandshakePayloadTooLarge InvalidCcs InvalidContentType InvalidCertificateStatusType \
InvalidCertRequest InvalidDhParams InvalidEmptyPayload InvalidKeyUpdate InvalidServerName MessageTooLarge MessageTooShort \
MissingData MissingKeyExchange TrailingDataAfter UnexpectedMessage UnknownProtocolVersion UnsupportedCompression \
UnsupportedCurveType UnsupportedKeyExchangeAlgorithm EmptyTicketValue IllegalEmptyList IllegalEmptyValue \
DuplicateExtension PreSharedKeyIsNotFinalExtension UnknownHelloRetryRequestExtension UnknownCertificateExtension";

/// Algorithms of signatures, by name; others are shown by number.
pub(super) const SIGNATURES: &[&str] = &[
    "ecdsa-with-SHA1",
    "ecdsa-with-SHA224",
    "ecdsa-with-SHA256",
    "ecdsa-with-SHA384",
    "ecdsa-with-SHA512",
    "sha1WithRSAEncryption",
    "sha224WithRSAEncryption",
    "sha256WithRSAEncryption",
    "sha384WithRSAEncryption",
    "sha512WithRSAEncryption",
    "md5WithRSAEncryption",
    "rsassa-pss",
    "rsaSSA-PSS",
    "ed25519",
    "Ed25519",
    "ED25519",
    "ed448",
    "Ed448",
];

/// What the names of operating systems begin with, lower case.
pub(super) const VENDORS: &[&str] = &[
    "debian",
    "ubuntu",
    "linux",
    "red",
    "suse",
    "opensuse",
    "centos",
    "fedora",
    "rocky",
    "almalinux",
    "oracle",
    "amazon",
    "alpine",
    "arch",
    "azure",
    "cbl-mariner",
    "cbl-mariner/linux",
    "common",
    "flatcar",
    "microsoft",
    "windows",
    "macos",
    "freebsd",
];

/// Endings of file names that hold nobody's name.
pub(super) const EXTENSIONS: &[&str] =
    &["conf", "json", "log", "ini", "xml", "yaml", "yml", "toml", "list", "xaml", "js"];

/// Words of the names of operating systems, lower case.
pub(super) const SYSTEMS: &[&str] = &[
    "debian",
    "ubuntu",
    "gnu/linux",
    "linux",
    "red",
    "hat",
    "enterprise",
    "server",
    "suse",
    "opensuse",
    "leap",
    "tumbleweed",
    "centos",
    "stream",
    "fedora",
    "rocky",
    "almalinux",
    "oracle",
    "amazon",
    "alpine",
    "arch",
    "azure",
    "mariner",
    "cbl-mariner",
    "cbl-mariner/linux",
    "common",
    "base",
    "flatcar",
    "container",
    "by",
    "kinvolk",
    "microsoft",
    "windows",
    "datacenter",
    "standard",
    "edition",
    "core",
    "pro",
    "home",
    "education",
    "lts",
    "macos",
    "freebsd",
    "(bookworm)",
    "(bullseye)",
    "(trixie)",
    "(buster)",
    "(plow)",
    "(ootpa)",
    "(maipo)",
    "(core)",
    "(coughlan)",
    "(green",
    "obsidian)",
    "(blue",
    "onyx)",
    "(seafoam",
    "ocelot)",
    "r2",
    "sp1",
    "sp2",
    "sp3",
    "sp4",
    "sp5",
    "sp6",
    "sp7",
    "20h2",
    "21h2",
    "22h2",
    "23h2",
    "24h2",
    "25h2",
    "datacenter:",
    "multi-session",
    "essentials",
    "ltsc",
    "kali",
    "rolling",
];
