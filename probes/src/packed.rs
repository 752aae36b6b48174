//! Texts that are part of the program, packed by the build scripts (`packaging/pack.rs`).

use std::io::Read;

use flate2::read::GzDecoder;

/// A text that a build script has packed, and that is whole.
pub fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    let _ = GzDecoder::new(packed).read_to_string(&mut text);
    text
}
