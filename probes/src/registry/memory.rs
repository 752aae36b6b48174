//! The registry of a simulated machine, kept in memory.

use std::sync::Arc;

use super::{Registry, Value};
use crate::observation::{ReadFailure, UnreadReason};

const MISSING: UnreadReason = UnreadReason::Failed(ReadFailure::Missing);

/// Keys and values as they are given.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    values: Vec<(String, String, Value)>,
    /// Keys that this user may not read.
    refused: Vec<String>,
}

impl Memory {
    /// A registry that holds these values, each as key, name and value.
    pub fn holding(values: Vec<(String, String, Value)>) -> Arc<dyn Registry> {
        Arc::new(Self { values, refused: Vec::new() })
    }

    /// The same for tests.
    #[cfg(test)]
    pub(crate) fn of(values: &[(&str, &str, Value)]) -> Arc<dyn Registry> {
        let owned = |(key, name, value): &(&str, &str, Value)| ((*key).to_owned(), (*name).to_owned(), value.clone());
        Self::holding(values.iter().map(owned).collect())
    }

    /// The same, and these keys may not be read.
    #[cfg(test)]
    pub(crate) fn refusing(values: &[(&str, &str, Value)], refused: &[&str]) -> Arc<dyn Registry> {
        let owned = |(key, name, value): &(&str, &str, Value)| ((*key).to_owned(), (*name).to_owned(), value.clone());
        let refused = refused.iter().map(|key| (*key).to_owned()).collect();
        Arc::new(Self { values: values.iter().map(owned).collect(), refused })
    }

    fn allowed(&self, key: &str) -> Result<(), UnreadReason> {
        let refused = self.refused.iter().any(|known| known.eq_ignore_ascii_case(key));
        if refused { Err(UnreadReason::Failed(ReadFailure::NotPermitted)) } else { Ok(()) }
    }

    /// What stands below a key, or at it.
    fn within<'m>(&'m self, key: &'m str) -> impl Iterator<Item = (&'m str, &'m str, &'m Value)> {
        self.values.iter().filter_map(move |(of, name, value)| {
            let head = of.get(..key.len()).filter(|head| head.eq_ignore_ascii_case(key))?;
            let rest = of.get(head.len()..)?;
            (rest.is_empty() || rest.starts_with('\\')).then_some((rest, name.as_str(), value))
        })
    }
}

impl Registry for Memory {
    fn value(&self, key: &str, name: &str) -> Result<Value, UnreadReason> {
        self.allowed(key)?;
        let mut here = self.within(key).filter(|(rest, ..)| rest.is_empty());
        here.find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(.., value)| value.clone()).ok_or(MISSING)
    }

    fn names(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        self.allowed(key)?;
        self.within(key).next().ok_or(MISSING)?;
        Ok(self.within(key).filter(|(rest, ..)| rest.is_empty()).map(|(_, name, _)| name.to_owned()).collect())
    }

    fn keys(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        self.allowed(key)?;
        self.within(key).next().ok_or(MISSING)?;
        let mut keys: Vec<String> = Vec::new();
        for (rest, ..) in self.within(key) {
            let below = rest.trim_start_matches('\\').split('\\').next().unwrap_or_default();
            if !below.is_empty() && !keys.iter().any(|known| known == below) {
                keys.push(below.to_owned());
            }
        }
        Ok(keys)
    }

    fn stale(&self) -> Vec<String> {
        Vec::new()
    }
}
