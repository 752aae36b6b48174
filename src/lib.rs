//! The doctor.

pub mod diagnose;
pub mod render;
pub mod report;
