//! The build script: packs the long texts that the program prints, and gives the program of Windows its resources.

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

#[path = "windows/resource.rs"]
mod resource;

/// Files that are part of the program, unpacked where they are printed (`text::unpacked`).
const TEXTS: [&str; 6] = [
    "packaging/azure-facts.schema.json",
    "packaging/fleet-row.schema.json",
    "packaging/fleet.schema.json",
    "packaging/report.schema.json",
    "packaging/what-if.schema.json",
    "src/render/explain/commands.txt",
];

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed=packaging/embed.rs")?;
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    for text in TEXTS {
        writeln!(io::stdout(), "cargo::rerun-if-changed={text}")?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(text)?)?;
        let name = Path::new(text).file_name().unwrap_or_default();
        fs::write(Path::new(&folder).join(name).with_added_extension("gz"), packed.finish()?)?;
    }
    resource::embed()
}
