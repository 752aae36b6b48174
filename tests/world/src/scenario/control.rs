//! World files: what the control service says to this machine's own identity.

use serde::Deserialize;

/// The control service and the identity that it is asked with.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Control {
    /// The metadata service's answer to the request for a token.
    pub identity: IdentityAnswer,
    /// The control service's answer.
    pub answers: ControlAnswer,
    /// Azure Arc's agent, where it manages the machine.
    pub arc: ArcAnswer,
}

/// What Azure Arc's agent says to a request for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArcAnswer {
    /// It is not there.
    #[default]
    Absent,
    /// It names a key of its own, and gives the token to whoever comes with it.
    Challenge,
    /// It names a file that is none of its own.
    Elsewhere,
    /// It names a key that is not there any more.
    Gone,
}

/// How the metadata service answers the request for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityAnswer {
    /// The machine has one identity.
    #[default]
    One,
    /// It has several, of which the request has to name one.
    Several,
    /// It has none.
    Absent,
    /// The token that it gives has expired.
    Expired,
    /// 200 without a token.
    Malformed,
    /// 200 without an end.
    Huge,
}

/// How the control service answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlAnswer {
    /// As the real one: a 421 of the global handler where an endpoint is associated (the first of the world), 403 over a private
    /// link where none is, else the rules.
    #[default]
    Azure,
    /// No rule is associated.
    NoRules,
    /// As the real one, and every token for uploads is refused.
    NoUploadTokens,
    /// The endpoint sends back to the global handler.
    Loop,
    /// A 421 that names a host of somebody else.
    Foreign,
    /// 403 without a known code.
    Refused,
    /// 429.
    Throttled,
    /// 503.
    Failing,
    /// 200 without the document.
    Malformed,
    /// 200 without an end.
    Huge,
}
