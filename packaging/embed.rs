//! The build script: packs the long texts that the program prints, and gives the program of Windows its resources.

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use pack::pack;

#[path = "pack.rs"]
mod pack;
#[path = "windows/resource.rs"]
mod resource;

/// Files that are part of the program, unpacked where they are printed (`ampls_probes::packed`).
const TEXTS: [&str; 9] = [
    "packaging/azure-facts.schema.json",
    "packaging/fleet-row.schema.json",
    "packaging/fleet.schema.json",
    "packaging/report.schema.json",
    "packaging/what-if.schema.json",
    "src/render/explain/commands.txt",
    "src/render/fleet/page.css",
    "src/render/fleet/page.js",
    "src/render/html/style.css",
];

/// Where the rules are.
const RULES: &str = "src/diagnose/rules";
/// What no page holds.
const PAGE: &str = "\u{1e}";

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed=packaging/embed.rs")?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=packaging/pack.rs")?;
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let folder = Path::new(&folder);
    for text in TEXTS {
        writeln!(io::stdout(), "cargo::rerun-if-changed={text}")?;
        let name = Path::new(text).file_name().unwrap_or_default();
        pack(&folder.join(name), &fs::read(text)?)?;
    }
    writeln!(io::stdout(), "cargo::rerun-if-changed={RULES}")?;
    pack(&folder.join("pages.txt"), pages()?.as_bytes())?;
    resource::embed()
}

/// The page of every rule as its doc comment has it, each below a line with [`PAGE`] and its code (`diagnose::rule`).
fn pages() -> io::Result<String> {
    let mut files = fs::read_dir(RULES)?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    let mut pages = String::new();
    for file in files {
        // A checkout of Windows may end lines its own way.
        let text = fs::read_to_string(&file)?.replace('\r', "");
        // `rule! {`, the comment, then `CODE = "name" {`.
        for rule in text.split("\nrule! {\n").skip(1) {
            let comment: Vec<&str> = rule.lines().map_while(|line| line.trim_start().strip_prefix("///")).collect();
            let code = rule.lines().nth(comment.len()).and_then(|line| line.trim_start().split(' ').next());
            let code = code.ok_or_else(|| io::Error::other(format!("{}: a rule without a code", file.display())))?;
            pages.extend([PAGE, code, "\n", &comment.join("\n"), "\n"]);
        }
    }
    Ok(pages)
}
