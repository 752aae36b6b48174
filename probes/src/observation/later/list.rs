//! A list whose items are read one by one, and that remembers the places of those that were not.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;

/// Items in their order: what was read of each, and the original where that is not all of it.
#[derive(Debug)]
pub(super) struct List<T>(Vec<(Option<T>, Option<Value>)>);

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
                *raw = serde_json::to_value(item).ok();
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

/// Visits a list; `read` tells what becomes of an item.
pub(super) struct Items<T, E, F: Fn(Value) -> Result<(Option<T>, Option<Value>), E>> {
    read: F,
    items: PhantomData<(T, E)>,
}

impl<T, E, F: Fn(Value) -> Result<(Option<T>, Option<Value>), E>> Items<T, E, F> {
    pub(super) fn new(read: F) -> Self {
        Self { read, items: PhantomData }
    }
}

impl<'de, T, E: serde::de::Error, F: Fn(Value) -> Result<(Option<T>, Option<Value>), E>> Visitor<'de>
    for Items<T, E, F>
{
    type Value = List<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(value) = list.next_element::<Value>()? {
            items.push((self.read)(value).map_err(serde::de::Error::custom)?);
        }
        Ok(List(items))
    }
}
