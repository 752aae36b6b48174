//! Whether data flows, as far as the agents' own files show it. No network test proves it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the agents' own counters and logs say of the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// An agent that Azure still serves has delivered data.
    Delivering,
    /// An agent says that it fails.
    Failing,
    /// Nothing says either.
    #[default]
    Unproven,
}
