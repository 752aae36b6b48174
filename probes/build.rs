//! The build script: the catalogue, which people write in TOML with comments, as packed JSON, which is a fifth of it and soon read.

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

const CATALOGUE: &str = "catalogue";

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed=build.rs")?;
    writeln!(io::stdout(), "cargo::rerun-if-changed={CATALOGUE}")?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    for file in fs::read_dir(CATALOGUE)? {
        let file = file?.path();
        let wrong = |error: toml::de::Error| io::Error::other(format!("{}: {error}", file.display()));
        let values: serde_json::Value = toml::from_str(&fs::read_to_string(&file)?).map_err(wrong)?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(values.to_string().as_bytes())?;
        let name = Path::new(&out).join(file.file_name().unwrap_or_default());
        fs::write(name.with_extension("json.gz"), packed.finish()?)?;
    }
    Ok(())
}
