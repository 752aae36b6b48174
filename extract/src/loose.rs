//! What stands in a document where something else may stand than this version expects, as a later one may write it: that counts as
//! not given, and the rest is read. Nothing is kept of what nobody asks for.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{Error, MapAccessDeserializer, StrDeserializer};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What is kept of a list: many times what a report has.
const MOST: usize = 10_000;

/// A word of a list that may grow.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Word {
    /// Nothing, or null.
    #[default]
    None,
    /// A text.
    Text(String),
    /// Anything else.
    Odd,
}

/// An object, each of whose fields may be left out; without any where something else stands.
#[derive(Debug, Default)]
pub struct Object<T>(
    /// Its fields.
    pub T,
);

/// The beginning of a list; empty where something else stands.
#[derive(Debug)]
pub struct List<T>(Vec<T>);

impl Word {
    /// The text, where there is one that says something.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()).filter(|text| !text.trim().is_empty()),
            Self::None | Self::Odd => None,
        }
    }

    /// What the word stands for, where this version knows it.
    pub fn known<'w, T: Deserialize<'w>>(&'w self) -> Option<T> {
        match self {
            Self::Text(text) => T::deserialize(StrDeserializer::<Error>::new(text)).ok(),
            Self::None | Self::Odd => None,
        }
    }

    /// The same; `unknown` where something stands there that this version does not know.
    pub fn known_or<'w, T: Deserialize<'w>>(&'w self, unknown: T) -> Option<T> {
        (*self != Self::None).then(|| self.known().unwrap_or(unknown))
    }
}

impl<T> List<T> {
    /// Each of it.
    pub fn each(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What is made of whatever stands there.
trait Taken<'de>: Sized {
    fn none() -> Self;

    fn odd() -> Self;

    fn text(_: &str) -> Self {
        Self::odd()
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }
}

impl Taken<'_> for Word {
    fn none() -> Self {
        Self::None
    }

    fn odd() -> Self {
        Self::Odd
    }

    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<'de, T: Deserialize<'de> + Default> Taken<'de> for Object<T> {
    fn none() -> Self {
        Self::default()
    }

    fn odd() -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Taken<'de> for List<T> {
    fn none() -> Self {
        Self(Vec::new())
    }

    fn odd() -> Self {
        Self(Vec::new())
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut each = Vec::new();
        while each.len() < MOST
            && let Some(one) = list.next_element()?
        {
            each.push(one);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(each))
    }
}

struct Whatever<T>(PhantomData<T>);

impl<'de, T: Taken<'de>> Visitor<'de> for Whatever<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::none())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::odd())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::odd())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::odd())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::odd())
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever(PhantomData))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Severity {
        Info,
        Error,
    }

    #[derive(Debug, Default, Deserialize)]
    struct Thing {
        #[serde(default)]
        word: Word,
        #[serde(default)]
        list: List<Object<Thing>>,
    }

    const OTHERS: [&str; 7] = ["null", "true", "-1", "1", "1.5", r#"[[{"a":1}]]"#, r#"{"a":{"b":[1]}}"#];

    #[test]
    fn what_is_of_another_type_counts_as_not_given_and_the_rest_is_read() {
        for other in OTHERS {
            let text = format!(r#"{{"list":[{other},{{"word":{other}}},{{"word":"w","list":{other}}}],"word":"end"}}"#);
            let Object(thing) = serde_json::from_str::<Object<Thing>>(&text).unwrap();
            assert_eq!(thing.word.text(), Some("end"), "{text}");
            let [Object(none), Object(odd), Object(word)] = thing.list.each() else { panic!("{text}") };
            assert_eq!(none.word, Word::None, "{text}");
            assert_eq!(odd.word, if other == "null" { Word::None } else { Word::Odd }, "{text}");
            assert_eq!(word.word.text(), Some("w"), "{text}");
        }
    }

    #[test]
    fn list_without_an_end_in_sight_is_read_to_its_end_and_not_kept() {
        let text = |end: &str| format!("[{}{end}", "0,".repeat(MOST + 5));
        assert_eq!(serde_json::from_str::<List<Object<Thing>>>(&text("0]")).unwrap().each().len(), MOST);
        assert!(serde_json::from_str::<List<Object<Thing>>>(&text("0")).is_err());
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for text in [r#"{"word":"#, r#"{"word":[1,}"#, r#"{"word":{"a"}}"#, r#"{"list":[{"word":"w"]}"#] {
            assert!(serde_json::from_str::<Object<Thing>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn word_that_is_not_known_is_neither_known_nor_none() {
        let known = |text: &str| {
            let word: Word = serde_json::from_str(text).unwrap();
            (word.known::<Severity>(), word.known_or(Severity::Error), word.text().is_some())
        };
        assert_eq!(known(r#""info""#), (Some(Severity::Info), Some(Severity::Info), true));
        assert_eq!(known(r#""later""#), (None, Some(Severity::Error), true));
        assert_eq!(known("7"), (None, Some(Severity::Error), false));
        assert_eq!(known("null"), (None, None, false));
        assert_eq!(known(r#"" ""#), (None, Some(Severity::Error), false));
    }
}
