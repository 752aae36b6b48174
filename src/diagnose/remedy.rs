//! Remedies that several rules share, as commands for somebody else's production.
//!
//! Every changing command says what else it affects, which right it takes, what to look at first and how to take it back.
//! What the report knows is filled in; what a look-up finds has the look-up before it, which prints each value under the name
//! of the placeholder that it fills; what is left stays a placeholder in capitals.

pub(in crate::diagnose) use right::Right;

pub(super) mod endpoint;
pub(super) mod filter;
pub(super) mod local;
pub(super) mod machine;
pub(super) mod predict;
mod right;
pub(super) mod scope;
pub(super) mod server;
pub(super) mod zone;
