//! The databases of rpm: names and versions of installed packages, whichever of its three formats the system uses.
//!
//! Only what is live is read, so that a removed package does not come back out of a page that was freed; nothing is locked
//! or written. What an unfinished transaction holds beside the database is not seen.
//!
//! A file says itself where its parts are, so a small one can ask for endless work: no page is visited twice, and what is read
//! and copied is counted against a [`Budget`] that all databases share.

use std::collections::HashSet;
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
pub(super) fn read(file: File, budget: &mut Budget, mut found: impl FnMut(&str, &str)) -> Option<()> {
    let mut blocks = Blocks::new(file, budget)?;
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

/// Octets that may still be read and copied.
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    /// Several times what the largest server has: of each package only the beginning is read.
    const MOST: u64 = 512 * 1024 * 1024;

    pub(super) fn new() -> Self {
        Self { left: Self::MOST }
    }

    fn spend(&mut self, octets: u64) -> Option<()> {
        self.left = self.left.checked_sub(octets)?;
        Some(())
    }
}

/// A file that is read in pieces, each from a place that the file itself names.
struct Blocks<'b> {
    file: File,
    length: u64,
    visited: HashSet<u32>,
    own: Budget,
    shared: &'b mut Budget,
}

impl<'b> Blocks<'b> {
    /// Pages of one database that are visited.
    const MOST_VISITED: usize = 1_000_000;
    /// What is spent on a package beside its octets.
    const PACKAGE: u64 = 64;

    /// What is spent on an empty database.
    const LEAST: u64 = 1024 * 1024;

    fn new(file: File, shared: &'b mut Budget) -> Option<Self> {
        let length = file.metadata().ok()?.len();
        // Each octet is read, copied and read again at most: a file that needs more leads in circles.
        let own = Budget { left: length.saturating_mul(4).saturating_add(Self::LEAST) };
        Some(Self { file, length, visited: HashSet::new(), own, shared })
    }

    fn spend(&mut self, octets: u64) -> Option<()> {
        self.own.spend(octets)?;
        self.shared.spend(octets)
    }

    /// Exactly so many octets from a place.
    fn at(&mut self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let wanted = u64::try_from(length).ok()?;
        if offset.checked_add(wanted)? > self.length {
            return None;
        }
        self.spend(wanted)?;
        self.file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Marks a page as visited. A page belongs to one place only: a database that leads to one twice is broken.
    fn visit(&mut self, page: u32) -> Option<()> {
        (self.visited.len() < Self::MOST_VISITED && self.visited.insert(page)).then_some(())
    }

    /// Counts a package whose octets were copied out of a page.
    fn copied(&mut self, package: &[u8]) -> Option<()> {
        self.spend(u64::try_from(package.len()).ok()?.saturating_add(Self::PACKAGE))
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
    let entries = usize::try_from(be32(header, 0)?).ok()?.min(header.len() / 16);
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

#[cfg(test)]
mod tests;
