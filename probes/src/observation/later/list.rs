//! A list whose items are read one by one, and that remembers the places of those that were not.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json;

/// Items in their order: what was read of each, and the original where that is not all of it.
#[derive(Debug)]
pub(super) struct List<T>(Vec<Read<T>>);

/// An item that was not understood as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    /// Its place in the list.
    at: usize,
    /// Something of it was understood and stands in its place.
    pub(super) read: bool,
    pub(super) value: Value,
}

impl<T: Serialize> List<T> {
    /// The items of which nothing was understood.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(|(read, _)| read.is_none()).filter_map(|(_, raw)| raw.as_ref())
    }

    /// Sets aside the items that pass.
    pub(super) fn set_aside(&mut self, passes: impl Fn(&T) -> bool) {
        for (read, raw) in &mut self.0 {
            let Some(item) = read.take_if(|item| passes(item)) else { continue };
            if raw.is_none() {
                *raw = json::value(&item).ok();
            }
        }
    }

    /// What was read, and what was not.
    pub(super) fn parted(self) -> (Vec<T>, Vec<Raw>) {
        let (mut items, mut raw) = (Vec::with_capacity(self.0.len()), Vec::new());
        for (at, (item, original)) in self.0.into_iter().enumerate() {
            raw.extend(original.map(|value| Raw { at, read: item.is_some(), value }));
            items.extend(item);
        }
        (items, raw)
    }
}

/// Puts the originals back into a list of what was read, a field of the document.
pub(super) fn restore(document: &mut Value, field: &str, raw: &[Raw]) {
    let Some(Value::Array(items)) = document.get_mut(field) else { return };
    let mut read = std::mem::take(items).into_iter();
    for raw in raw {
        items.extend(read.by_ref().take(raw.at.saturating_sub(items.len())));
        if raw.read {
            read.next();
        }
        items.push(raw.value.clone());
    }
    items.extend(read);
}

/// Octets of one item that are read: several times the longest. As values they take many times their length.
const ITEM_LIMIT: usize = 1024 * 1024;
/// Octets of all items that are kept as they came.
const KEPT_LIMIT: usize = 4 * 1024 * 1024;

/// What was read of an item, and the original where that is not all of it.
type Read<T> = (Option<T>, Option<Value>);

/// Visits a list; `read` tells what becomes of an item. Of an item that is longer than any, or that there is no room for, only
/// the field `named_by` is kept.
pub(super) struct Items<T, E, F: Fn(Value) -> Result<Read<T>, E>> {
    named_by: &'static str,
    read: F,
    of: PhantomData<(T, E)>,
}

impl<T, E, F: Fn(Value) -> Result<Read<T>, E>> Items<T, E, F> {
    pub(super) fn new(named_by: &'static str, read: F) -> Self {
        Self { named_by, read, of: PhantomData }
    }
}

/// An object of one field.
fn named(named_by: &str, item: &str) -> Value {
    let mut names = serde_json::from_str::<Names>(item).unwrap_or_default();
    let name = if named_by == "id" { names.id.take() } else { names.probe.take() };
    name.map_or(Value::Null, |name| Value::Object([(named_by.to_owned(), Value::String(name))].into_iter().collect()))
}

#[derive(Default, Deserialize)]
struct Names {
    id: Option<String>,
    probe: Option<String>,
}

impl<'de, T, E: serde::de::Error, F: Fn(Value) -> Result<Read<T>, E>> Visitor<'de> for Items<T, E, F> {
    type Value = List<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        let mut kept = 0;
        while let Some(text) = list.next_element::<Box<RawValue>>()? {
            let length = text.get().len();
            if length > ITEM_LIMIT {
                items.push((None, Some(named(self.named_by, text.get()))));
                continue;
            }
            let value = serde_json::from_str(text.get()).map_err(serde::de::Error::custom)?;
            let (read, mut raw) = (self.read)(value).map_err(serde::de::Error::custom)?;
            kept += if raw.is_some() { length } else { 0 };
            if kept > KEPT_LIMIT {
                raw = raw.map(|_| named(self.named_by, text.get()));
            }
            items.push((read, raw));
        }
        Ok(List(items))
    }
}

/// A value that is no longer than any that is written.
pub(super) fn short<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    if text.get().len() > ITEM_LIMIT {
        return Err(D::Error::custom(format!("a value of {} octets", text.get().len())));
    }
    serde_json::from_str(text.get()).map_err(D::Error::custom)
}

/// Names that are read of one list: a hundred times what any run has.
const MOST_NAMES: usize = 100_000;

/// Names, no more than any run has.
pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of names")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = list.next_element()? {
                if names.len() == MOST_NAMES {
                    return Err(A::Error::custom(format!("more than {MOST_NAMES} names")));
                }
                names.push(name);
            }
            Ok(names)
        }
    }

    deserializer.deserialize_seq(Names)
}
