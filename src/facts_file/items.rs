//! Lists of a stranger's file: bounded, and one bad item spoils no other.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Items of one list; a tenant with more of one kind gives its networks in several files.
pub(super) const MAX_ITEMS: usize = 100_000;

/// What a list holds, each with its place in it. `null` is a list without items: PowerShell writes it for one.
#[derive(Debug)]
pub(super) struct Items<T> {
    /// Those that are of the form, with their places.
    pub(super) good: Vec<(usize, T)>,
    /// Places of those that are not, and why.
    pub(super) bad: Vec<(usize, String)>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { good: Vec::new(), bad: Vec::new() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
    type Value = Items<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Items::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut read = Items::default();
        let mut place = 0;
        while let Some(item) = items.next_element::<Value>()? {
            if place == MAX_ITEMS {
                return Err(serde::de::Error::custom(format!("a list has more than {MAX_ITEMS} items")));
            }
            match serde_json::from_value(item) {
                Ok(item) => read.good.push((place, item)),
                Err(error) => read.bad.push((place, error.to_string())),
            }
            place += 1;
        }
        Ok(read)
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Items".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<Vec<T>>::json_schema(generator)
    }
}
