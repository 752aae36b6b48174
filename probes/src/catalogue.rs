//! The names of Azure Monitor as data.

use serde::{Deserialize, Serialize};

/// Endpoint groups (`--set`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The monitoring agents.
    Agent,
    /// Query interfaces.
    Query,
    /// Application Insights.
    AppInsights,
    /// The portal.
    Portal,
    /// Azure Automation.
    Automation,
    /// Azure Arc.
    Arc,
    /// A name given with `--endpoint` or `--storage`.
    Extra,
}

/// What kind of address a name should have where a private link is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// An AMPLS record exists for such a name.
    Private,
    /// It never has one.
    Public,
    /// Either is right.
    Any,
}

/// How much depends on a name. Ordered: the greater needs it more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Resolved to understand DNS, never dialled.
    Evidence,
    /// Monitoring works without it.
    Optional,
    /// Monitoring does not work without it.
    Required,
}

/// The names of all clouds.
#[derive(Clone, Debug)]
pub struct Catalogue {}
