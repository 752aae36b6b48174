//! A serializer that hands every text to the pseudonyms on its way, and everything else on unchanged.
//!
//! Serde knows a variant of a type from a text, and JSON does not: so the words of our own types stay and no list of them
//! has to be kept.

use std::borrow::Cow;

use ampls_probes::json;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::Pseudonyms;

/// A serializer around another, for the value of a field.
pub(super) struct Masking<'a, S> {
    inner: S,
    pseudonyms: &'a Pseudonyms,
    place: Place<'a>,
}

/// Where a text stands: the structure, empty where it is a map, and the field.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) owner: &'static str,
    pub(super) field: &'a str,
}

impl<'a, S> Masking<'a, S> {
    pub(super) fn new(inner: S, pseudonyms: &'a Pseudonyms, place: Place<'a>) -> Self {
        Self { inner, pseudonyms, place }
    }
}

/// A value on its way into [`Masking`].
struct Masked<'a, T: ?Sized> {
    value: &'a T,
    pseudonyms: &'a Pseudonyms,
    place: Place<'a>,
}

impl<T: Serialize + ?Sized> Serialize for Masked<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Masking::new(serializer, self.pseudonyms, self.place))
    }
}

/// A list or structure on its way.
pub(super) struct Compound<'a, C> {
    inner: C,
    pseudonyms: &'a Pseudonyms,
    owner: &'static str,
    field: Cow<'a, str>,
}

impl<'a, C> Compound<'a, C> {
    fn new(inner: C, pseudonyms: &'a Pseudonyms, place: Place<'a>) -> Self {
        Self { inner, pseudonyms, owner: place.owner, field: Cow::Borrowed(place.field) }
    }

    fn masked<'b, T: ?Sized>(value: &'b T, pseudonyms: &'b Pseudonyms, place: Place<'b>) -> Masked<'b, T> {
        Masked { value, pseudonyms, place }
    }
}

macro_rules! unchanged {
    ($($method:ident($type:ty)),*) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> { self.inner.$method(value) })*
    };
}

impl<'a, S: Serializer> Serializer for Masking<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'a, S::SerializeSeq>;
    type SerializeTuple = Compound<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Compound<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Compound<'a, S::SerializeTupleVariant>;
    type SerializeMap = Compound<'a, S::SerializeMap>;
    type SerializeStruct = Compound<'a, S::SerializeStruct>;
    type SerializeStructVariant = Compound<'a, S::SerializeStructVariant>;

    unchanged!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str)
    );

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_str(&self.pseudonyms.masked(self.place, text))
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let Self { inner, pseudonyms, place } = self;
        inner.serialize_some(&Masked { value, pseudonyms, place })
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let Self { inner, pseudonyms, place } = self;
        inner.serialize_newtype_struct(name, &Masked { value, pseudonyms, place })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let place = Place { owner: name, field: variant };
        let masked = Masked { value, pseudonyms: self.pseudonyms, place };
        self.inner.serialize_newtype_variant(name, index, variant, &masked)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Compound::new(self.inner.serialize_seq(length)?, self.pseudonyms, self.place))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Compound::new(self.inner.serialize_tuple(length)?, self.pseudonyms, self.place))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(Compound::new(self.inner.serialize_tuple_struct(name, length)?, self.pseudonyms, self.place))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, length)?;
        Ok(Compound::new(inner, self.pseudonyms, Place { owner: name, field: variant }))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Compound::new(
            self.inner.serialize_map(length)?,
            self.pseudonyms,
            Place { owner: "", field: self.place.field },
        ))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Compound::new(self.inner.serialize_struct(name, length)?, self.pseudonyms, Place { owner: name, field: "" }))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, length)?;
        Ok(Compound::new(inner, self.pseudonyms, Place { owner: name, field: variant }))
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident),*) => {$(
        impl<C: $trait> $trait for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&Self::masked(value, self.pseudonyms, Place { owner: self.owner, field: &self.field }))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl<C: $trait> $trait for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                self.inner.serialize_field(key, &Self::masked(value, self.pseudonyms, Place { owner: self.owner, field: key }))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

/// Flattened structures come as maps: their keys are names of fields.
impl<C: SerializeMap> SerializeMap for Compound<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let key_text = json::value(key).ok().and_then(|key| key.as_str().map(str::to_owned));
        self.field = Cow::Owned(key_text.unwrap_or_default());
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Self::masked(
            value,
            self.pseudonyms,
            Place { owner: self.owner, field: &self.field },
        ))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
