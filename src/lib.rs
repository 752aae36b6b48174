//! The doctor.

pub mod diagnose;
pub mod text;
