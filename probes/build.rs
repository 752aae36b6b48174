//! The build script: the catalogue, which people write in TOML with comments, as packed JSON, which is a fifth of it and soon read.

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use pack::pack;

#[path = "../packaging/pack.rs"]
mod pack;

const CATALOGUE: &str = "catalogue";

fn main() -> io::Result<()> {
    for path in ["build.rs", "../packaging/pack.rs", CATALOGUE] {
        writeln!(io::stdout(), "cargo::rerun-if-changed={path}")?;
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    for file in fs::read_dir(CATALOGUE)? {
        let file = file?.path();
        let wrong = |error: toml::de::Error| io::Error::other(format!("{}: {error}", file.display()));
        let values: serde_json::Value = toml::from_str(&fs::read_to_string(&file)?).map_err(wrong)?;
        let name = Path::new(&out).join(file.file_name().unwrap_or_default());
        pack(&name.with_extension("json"), values.to_string().as_bytes())?;
    }
    Ok(())
}
