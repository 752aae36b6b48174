//! The doctor.

pub mod diagnose;
