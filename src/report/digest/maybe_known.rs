//! Values of a digest that a later version may have written in words that this one does not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::diagnose::finding::Argument;

/// A value, or the word for it that a later version wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MaybeKnown<T> {
    /// A value of this version.
    Known(T),
    /// A word as it came.
    Unknown(String),
}

impl<T> MaybeKnown<T> {
    /// The value, if this version knows it.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    pub(super) fn cut(&mut self, most: usize) {
        if let Self::Unknown(word) = self {
            super::cut(word, most);
        }
    }
}

impl<T> From<T> for MaybeKnown<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// Values by name. Schema 1 wrote texts only; what is neither a value nor a list of values is kept as JSON.
pub(super) fn arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Argument>, D::Error> {
    let values: BTreeMap<String, Value> = Deserialize::deserialize(deserializer)?;
    let argument = |value: Value| Argument::deserialize(&value).unwrap_or_else(|_| Argument::One(value.to_string()));
    Ok(values.into_iter().map(|(name, value)| (name, argument(value))).collect())
}
