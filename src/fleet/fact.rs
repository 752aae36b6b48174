//! What arguments of findings name.
//!
//! It is decided by the names of the arguments, which mean the same in every rule and in every version: a `server` is a thing
//! that machines share, an `address` or a duration is not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnose::finding::Argument;

/// A thing that machines share, or a word that tells faults of one code apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize)]
pub struct Fact {
    /// What kind of thing, e.g. `server`.
    pub name: &'static str,
    /// Which, e.g. `10.0.0.4`.
    pub value: String,
}

/// Arguments that name things, and what kind of thing: a fault of two servers is a cause for each.
pub(super) const THINGS: [(&str, &str); 13] = [
    ("agent", "agent"),
    ("browser", "browser"),
    ("clouds", "cloud"),
    ("issuer", "issuer"),
    ("primary", "primary"),
    ("proxy", "proxy"),
    ("server", "server"),
    ("servers", "server"),
    ("service", "service"),
    ("suffix", "suffix"),
    ("suffixes", "suffix"),
    ("zone", "zone"),
    ("zones", "zone"),
];

/// Arguments that tell faults of one code apart.
pub(super) const KINDS: [&str; 14] = [
    "cause",
    "code",
    "filter",
    "kind",
    "minimum",
    "reading",
    "reason",
    "route",
    "search",
    "status",
    "stopped_by",
    "store",
    "version",
    "why",
];

/// Whether of some things only the number is left.
pub(super) fn has_counted_things(args: &BTreeMap<String, Argument>) -> bool {
    THINGS.iter().any(|(name, _)| matches!(args.get(*name), Some(Argument::Counted { .. })))
}

/// Whether the arguments of a root name things.
pub(super) fn names_things(args: &BTreeMap<String, Argument>) -> bool {
    THINGS.iter().any(|(name, _)| args.contains_key(*name))
}

/// Whether an argument takes part in telling causes apart.
pub(super) fn is_kept(argument: &str) -> bool {
    THINGS.iter().any(|(name, _)| *name == argument) || KINDS.contains(&argument)
}
