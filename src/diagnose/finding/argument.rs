//! An observed value of a finding, for machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value, or all values where there can be several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Argument {
    /// One thing.
    One(String),
    /// Things of which there can be several, even where there is one.
    Many(Vec<String>),
    /// How many there are, in a digest that has no room for them.
    Counted {
        /// The number.
        count: usize,
    },
}

impl Argument {
    /// In one line, separated by commas.
    pub fn text(&self) -> String {
        match self {
            Self::One(value) => value.clone(),
            Self::Many(values) => values.join(", "),
            Self::Counted { count } => count.to_string(),
        }
    }

    /// Each value.
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
            Self::Counted { .. } => &[],
        }
    }

    /// The same with each value changed.
    #[must_use]
    pub fn map(self, change: impl Fn(String) -> String) -> Self {
        match self {
            Self::One(value) => Self::One(change(value)),
            Self::Many(values) => Self::Many(values.into_iter().map(change).collect()),
            counted @ Self::Counted { .. } => counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn many(values: &[&str]) -> Argument {
        Argument::Many(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn what_can_be_several_is_an_array_whole() {
        let json = |argument: Argument| serde_json::to_value(argument).expect("JSON");
        assert_eq!(json(Argument::One("a".to_owned())), json!("a"));
        assert_eq!(json(many(&["a"])), json!(["a"]));
        assert_eq!(json(Argument::Counted { count: 9 }), json!({"count": 9}));
        for value in [json!("a"), json!(["a", "b"]), json!({"count": 2})] {
            assert_eq!(json(serde_json::from_value(value.clone()).expect("an argument")), value);
        }
    }

    #[test]
    fn a_line_names_all_values() {
        assert_eq!(many(&["a", "b"]).text(), "a, b");
        assert_eq!(many(&["a", "b"]).values(), ["a", "b"]);
    }
}
