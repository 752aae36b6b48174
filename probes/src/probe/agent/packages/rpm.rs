//! The databases of rpm: names and versions of installed packages, whichever of its three formats the system uses.
//!
//! Only what is live is read, so that a removed package does not come back out of a page that was freed; nothing is locked
//! or written. Bounded by [`Blocks`]. What an unfinished transaction holds beside the database is not seen.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

mod bdb;
mod ndb;
mod sqlite;

/// Where the databases are. Source: <https://rpm.org/docs/4.20.x/man/rpm.8>, `_dbpath`
pub(super) const PLACES: [&str; 5] = [
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/Packages",
];

/// Octets that are read of one package's header: name and version stand at its beginning.
const PREFIX: usize = 32 * 1024;

/// Calls `found` with name and `version-release` of every installed package. `None` when the file is not such a database, or
/// broken before its end.
pub(super) fn read(file: File, mut found: impl FnMut(&str, &str)) -> Option<()> {
    let mut blocks = Blocks::new(file)?;
    let mut header = |bytes: &[u8]| {
        if let Some((name, version)) = package(bytes) {
            found(&name, &version);
        }
    };
    let start = blocks.at(0, 100)?;
    if start.starts_with(b"SQLite format 3\0") {
        sqlite::headers(&mut blocks, &mut header)
    } else if start.starts_with(b"RpmP") {
        ndb::headers(&mut blocks, &mut header)
    } else {
        bdb::headers(&mut blocks, &mut header)
    }
}

/// A file that is read in pieces, each from a place that the file itself names.
struct Blocks {
    file: File,
    length: u64,
    left: u64,
}

impl Blocks {
    /// Octets that are read of one database in all: several times the largest.
    const MOST: u64 = 1024 * 1024 * 1024;

    fn new(file: File) -> Option<Self> {
        let length = file.metadata().ok()?.len();
        Some(Self { file, length, left: Self::MOST })
    }

    /// Exactly so many octets from a place.
    fn at(&mut self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let wanted = u64::try_from(length).ok()?;
        if offset.checked_add(wanted)? > self.length || wanted > self.left {
            return None;
        }
        self.left -= wanted;
        self.file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Tags of a header. Source: <https://rpm-software-management.github.io/rpm/manual/tags.html>
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const STRING: u32 = 6;

/// Name and `version-release` of a header: counts of entries and octets, entries of sixteen octets, then the data.
/// Source: <https://rpm-software-management.github.io/rpm/manual/hregions.html>
fn package(header: &[u8]) -> Option<(String, String)> {
    let entries = usize::try_from(be32(header, 0)?).ok()?.min(PREFIX / 16);
    let data = 8 + entries * 16;
    let text = |wanted: u32| {
        let mut all = (0..entries).map(|entry| 8 + entry * 16);
        let at = all.find(|at| be32(header, *at) == Some(wanted) && be32(header, at + 4) == Some(STRING))?;
        let start = data.checked_add(usize::try_from(be32(header, at + 8)?).ok()?)?;
        let rest = header.get(start..)?;
        let end = rest.iter().position(|octet| *octet == 0)?;
        String::from_utf8(rest.get(..end)?.to_vec()).ok()
    };
    let version = text(VERSION)?;
    Some((text(NAME)?, text(RELEASE).map_or(version.clone(), |release| format!("{version}-{release}"))))
}
