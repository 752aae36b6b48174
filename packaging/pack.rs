//! Part of the build scripts: what is packed is unpacked by `ampls_probes::packed`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Packs a text into a file of that name with `.gz` behind it; the same text gives the same octets.
pub(crate) fn pack(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text)?;
    fs::write(path.with_added_extension("gz"), packed.finish()?)
}
