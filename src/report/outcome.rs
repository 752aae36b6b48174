//! How a step of a path ended, in the words of the report.

use std::borrow::Cow;
use std::fmt;

use ampls_probes::observation::{HttpFailure, IoFailure, Outcome, TlsFailure};
use serde::{Serialize, Serializer};

/// How a step ended; in JSON the word of [`StepOutcome::as_str`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome<F> {
    /// It did what it is for: `connected`, `established`, `answered`.
    Succeeded,
    /// Nothing came within the step's time limit.
    TimedOut,
    /// The run ended first.
    Cancelled,
    /// A step that it needs did not succeed.
    Skipped,
    /// It ended otherwise.
    Failed(F),
}

/// A kind of failure, by which the step is known.
pub trait StepFailure {
    /// What the step is called when it succeeded.
    const SUCCESS: &'static str;

    /// The failure's word.
    fn as_str(&self) -> Cow<'static, str>;
}

impl<F: StepFailure> StepOutcome<F> {
    /// Its word: `connected`, `timeout`, `refused` …
    pub fn as_str(&self) -> Cow<'static, str> {
        match self {
            Self::Succeeded => F::SUCCESS.into(),
            Self::TimedOut => "timeout".into(),
            Self::Cancelled => "cancelled".into(),
            Self::Skipped => "skipped".into(),
            Self::Failed(failure) => failure.as_str(),
        }
    }
}

impl<T, F: Clone> From<&Outcome<T, F>> for StepOutcome<F> {
    fn from(outcome: &Outcome<T, F>) -> Self {
        match outcome {
            Outcome::Seen(_) => Self::Succeeded,
            Outcome::Failed(failure) => Self::Failed(failure.clone()),
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Skipped(_) => Self::Skipped,
        }
    }
}

impl<F: StepFailure> fmt::Display for StepOutcome<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.as_str())
    }
}

impl<F: StepFailure> Serialize for StepOutcome<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_str())
    }
}

impl StepFailure for IoFailure {
    const SUCCESS: &'static str = "connected";

    fn as_str(&self) -> Cow<'static, str> {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::HostUnreachable => "host-unreachable",
            Self::NetworkUnreachable => "network-unreachable",
            Self::NotPermitted => "not-permitted",
            Self::NoLocalAddress => "no-local-address",
            Self::NoSockets => "no-sockets",
            Self::KernelTimeout => "timeout",
            Self::Code(Some(code)) => return format!("error-{code}").into(),
            Self::Code(None) => "error",
        }
        .into()
    }
}

impl StepFailure for TlsFailure {
    const SUCCESS: &'static str = "established";

    fn as_str(&self) -> Cow<'static, str> {
        match self {
            Self::ClosedAfterClientHello(_) => "closed-after-client-hello",
            Self::ClosedLater(_) => "closed-later",
            Self::ProtocolTooOld => "protocol-too-old",
            Self::Alert(alert) => return format!("alert {alert}").into(),
            Self::NotTls => "not-tls",
            Self::Protocol(error) => return format!("protocol {error}").into(),
            Self::BadSignature => "bad-signature",
        }
        .into()
    }
}

impl StepFailure for HttpFailure {
    const SUCCESS: &'static str = "answered";

    fn as_str(&self) -> Cow<'static, str> {
        match self {
            Self::Closed(failure) => failure.as_str(),
            Self::Malformed => "malformed".into(),
            Self::HeadTooLarge => "head-too-large".into(),
        }
    }
}
