//! Gives the program of Windows its version and its manifest (long paths, UTF-8).
//!
//! Both are a resource, which the linker takes as an object file. It is written here, because what compiles resources for one
//! linker (windres, rc.exe, zig) is not there for the others.
//!
//! Sources: <https://learn.microsoft.com/windows/win32/debug/pe-format#the-rsrc-section>,
//! <https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo>,
//! <https://learn.microsoft.com/windows/win32/sbscs/application-manifests>

use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

const MANIFEST: &str = include_str!("ampls-doctor.manifest");
/// `RT_VERSION` and `RT_MANIFEST`.
const KINDS: [u32; 2] = [16, 24];
/// English, and UTF-16.
const LANGUAGE: u16 = 0x409;
const CODE_PAGE: u16 = 0x4b0;

pub(super) fn embed() -> io::Result<()> {
    for file in ["resource.rs", "ampls-doctor.manifest"] {
        writeln!(io::stdout(), "cargo::rerun-if-changed=packaging/windows/{file}")?;
    }
    if env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return Ok(());
    }
    let variable = |name| env::var(name).map_err(io::Error::other);
    let machine = match variable("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => X86_64,
        "aarch64" => AARCH64,
        other => return Err(io::Error::other(format!("no resource can be written for {other}"))),
    };
    let version = version(&variable("CARGO_PKG_VERSION")?, &variable("CARGO_PKG_DESCRIPTION")?);
    let object = object(machine, [&version, MANIFEST.as_bytes()]);
    let path = Path::new(&variable("OUT_DIR")?).join("resource.o");
    fs::write(&path, object)?;
    writeln!(io::stdout(), "cargo::rustc-link-arg-bins={}", path.display())
}

/// A processor: its number, and that of the relocation that makes an offset one from the beginning of the image.
type Machine = (u16, u16);
const X86_64: Machine = (0x8664, 3);
const AARCH64: Machine = (0xaa64, 2);

/// An object file with one section, `.rsrc`.
fn object((machine, relocation): Machine, resources: [&[u8]; 2]) -> Vec<u8> {
    const HEADERS: u32 = 20 + 40;
    let (section, fields) = section(resources);
    let count = u16::try_from(fields.len()).unwrap_or_default();
    let relocations = HEADERS + size(&section);
    let symbols = relocations + 10 * u32::from(count);
    let mut out = Vec::new();
    // The file: one section, no time stamp, one symbol.
    out.extend(machine.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    words(&mut out, &[0, symbols, 1]);
    out.extend([0; 4]);
    // The section: data that is read, aligned to 8.
    out.extend(*b".rsrc\0\0\0");
    words(&mut out, &[0, 0, size(&section), HEADERS, relocations, 0]);
    out.extend(count.to_le_bytes());
    out.extend([0; 2]);
    words(&mut out, &[0x4040_0040]);
    out.extend(section);
    for field in fields {
        words(&mut out, &[field, 0]);
        out.extend(relocation.to_le_bytes());
    }
    // The symbol stands for the section itself; after the symbols come long names, of which there are none.
    out.extend(*b".rsrc\0\0\0");
    words(&mut out, &[0]);
    out.extend(1_u16.to_le_bytes());
    out.extend([0, 0, 3, 0]);
    words(&mut out, &[4]);
    out
}

/// The tree of the resources (kind, number 1, language) and their octets; and where the places of the octets stand in it.
fn section(resources: [&[u8]; 2]) -> (Vec<u8>, Vec<u32>) {
    // A folder with its entries, and the description of a resource.
    const FOLDER: u32 = 16 + 8;
    const PLACE: u32 = 16;
    const ROOT: u32 = FOLDER + 8;
    const BELOW: u32 = 0x8000_0000;
    let numbers = ROOT;
    let languages = numbers + 2 * FOLDER;
    let places = languages + 2 * FOLDER;
    let octets = places + 2 * PLACE;
    let mut out = Vec::new();
    folder(&mut out, &[(KINDS[0], numbers | BELOW), (KINDS[1], (numbers + FOLDER) | BELOW)]);
    for index in 0..2 {
        folder(&mut out, &[(1, (languages + index * FOLDER) | BELOW)]);
    }
    for index in 0..2 {
        folder(&mut out, &[(LANGUAGE.into(), places + index * PLACE)]);
    }
    let (mut fields, mut at) = (Vec::new(), octets);
    for resource in resources {
        fields.push(size(&out));
        words(&mut out, &[at, size(resource), 0, 0]);
        at += size(resource).next_multiple_of(8);
    }
    for resource in resources {
        out.extend(resource);
        out.resize(out.len().next_multiple_of(8), 0);
    }
    (out, fields)
}

fn folder(out: &mut Vec<u8>, entries: &[(u32, u32)]) {
    words(out, &[0, 0, 0]);
    out.extend([0; 2]);
    out.extend(u16::try_from(entries.len()).unwrap_or_default().to_le_bytes());
    for (id, place) in entries {
        words(out, &[*id, *place]);
    }
}

/// What the properties of the file show.
fn version(version: &str, description: &str) -> Vec<u8> {
    let mut numbers = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    let (high, low) = (next() << 16 | next(), next() << 16);
    let mut fixed = Vec::new();
    // Signature, layout, the version of the file and of the product, flags, Windows, a program.
    words(&mut fixed, &[0xfeef_04bd, 0x1_0000, high, low, high, low, 0x3f, 0, 0x4_0004, 1, 0, 0, 0]);
    let texts = [
        ("CompanyName", "The ampls-doctor contributors"),
        ("FileDescription", description),
        ("FileVersion", version),
        ("InternalName", "ampls-doctor"),
        ("LegalCopyright", "MIT OR Apache-2.0"),
        ("OriginalFilename", "ampls-doctor.exe"),
        ("ProductName", "ampls-doctor"),
        ("ProductVersion", version),
    ];
    let texts: Vec<Vec<u8>> = texts.iter().map(|(name, value)| block(name, &Content::Text(value), &[])).collect();
    let table = block(&format!("{LANGUAGE:04x}{CODE_PAGE:04x}"), &Content::Text(""), &texts);
    let translation = [LANGUAGE.to_le_bytes(), CODE_PAGE.to_le_bytes()].concat();
    let translation = block("Translation", &Content::Octets(&translation), &[]);
    let children = [
        block("StringFileInfo", &Content::Text(""), &[table]),
        block("VarFileInfo", &Content::Text(""), &[translation]),
    ];
    block("VS_VERSION_INFO", &Content::Octets(&fixed), &children)
}

enum Content<'a> {
    Text(&'a str),
    Octets(&'a [u8]),
}

/// A block of a version: three numbers, its name, its content, and the blocks within, each on a boundary of four.
fn block(name: &str, content: &Content<'_>, within: &[Vec<u8>]) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (octets, length, kind) = match content {
        Content::Text("") => (Vec::new(), 0, 1_u16),
        Content::Text(text) => {
            let octets = utf16(text);
            let characters = octets.len() / 2;
            (octets, characters, 1)
        }
        Content::Octets(octets) => (octets.to_vec(), octets.len(), 0),
    };
    let mut out = vec![0; 2];
    out.extend(u16::try_from(length).unwrap_or_default().to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend(utf16(name));
    for part in std::iter::once(&octets).chain(within) {
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(part);
    }
    let length = u16::try_from(out.len()).unwrap_or_default().to_le_bytes();
    out[..2].copy_from_slice(&length);
    out
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

fn size(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or_default()
}
