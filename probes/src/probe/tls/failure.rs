//! Why a handshake failed, from the types of errors and from how the peer's answer began.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::observation::TlsFailure;
use crate::os::io_failure;
use crate::probe::tcp::counted::Seen;

/// Characters kept of the name of an error.
const MAX_NAME: usize = 64;

/// What an error of a handshake means, given what was read until then.
pub(super) fn of(error: &io::Error, read: Seen) -> TlsFailure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    if read.is_not_tls() {
        return TlsFailure::NotTls;
    }
    match tls {
        Some(tls) => of_protocol(tls),
        None if read.is_full() => TlsFailure::Protocol("TooMuchData".to_owned()),
        None if read.count() == 0 => TlsFailure::ClosedAfterClientHello(io_failure(error)),
        None => TlsFailure::ClosedLater(io_failure(error)),
    }
}

fn of_protocol(error: &Error) -> TlsFailure {
    match error {
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsFailure::ProtocolTooOld,
        Error::AlertReceived(alert) => TlsFailure::Alert(alert_name(u8::from(*alert))),
        Error::InvalidCertificate(CertificateError::BadSignature) => TlsFailure::BadSignature,
        Error::InvalidCertificate(inner) => TlsFailure::Protocol(variant(inner)),
        Error::InvalidMessage(inner) => TlsFailure::Protocol(variant(inner)),
        Error::PeerIncompatible(inner) => TlsFailure::Protocol(variant(inner)),
        Error::PeerMisbehaved(inner) => TlsFailure::Protocol(variant(inner)),
        other => TlsFailure::Protocol(variant(other)),
    }
}

/// The name of an error's variant, without what it holds.
pub(super) fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).take(MAX_NAME).collect()
}

/// The name of an alert in the registry, else its number.
/// Source: <https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-6>
fn alert_name(alert: u8) -> String {
    let name = match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "ech_required",
        number => return format!("alert_{number}"),
    };
    name.to_owned()
}
