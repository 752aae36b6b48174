//! The faces of a report: one format a file, each written to the `Write` it is given.
//!
//! A face decides nothing: it takes the report as it is. Everything that was observed is untrusted text, and [`page`] makes
//! it inert before it reaches a terminal.

pub mod compare;
pub mod explain;
pub mod json;
pub mod page;
pub mod plan;
pub mod table;
