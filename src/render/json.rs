//! The report as JSON, indented for whoever opens the file.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a document and a line end.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

/// Writes a document on one line: one of many.
pub fn write_line(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}
