//! Files of agents below the examined root: bounded, no link followed at the end of a path, everything odd recorded.

use std::fs::File;
use std::io::{Read, Take};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::observation::{ReadFailure, Unread, UnreadReason};
use crate::read::{self, Contents, Links};
use crate::world::World;

/// Octets that are read of one file: the largest cached configurations have some hundred kilobytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// Octets that are read of all files of agents together, logs and databases of packages apart.
const TOTAL_LIMIT: u64 = 64 * 1024 * 1024;
/// Octets that are read of the end of a log.
pub(super) const LOG_LIMIT: u64 = 256 * 1024;
/// Entries of a folder that are looked at.
const FOLDER_LIMIT: usize = 1024;
/// Oddities that are recorded.
const UNREAD_LIMIT: usize = 100;

/// Reads files and remembers what could not be read.
pub(super) struct Files<'w> {
    world: &'w World,
    unread: Vec<Unread>,
    left: u64,
}

impl<'w> Files<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world, unread: Vec::new(), left: TOTAL_LIMIT }
    }

    /// Everything that could not be read, each path once.
    pub(super) fn into_unread(self) -> Vec<Unread> {
        self.unread
    }

    /// The text of a file; what is not UTF-8 is replaced, and what lies beyond the limit is left out and recorded.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        let contents = self.contents(path, FILE_LIMIT)?;
        Some(String::from_utf8_lossy(&contents.bytes).into_owned())
    }

    /// The JSON of a file. Half a document is none.
    pub(super) fn json(&mut self, path: &str) -> Option<serde_json::Value> {
        let contents = self.contents(path, FILE_LIMIT)?;
        if contents.truncated {
            return None;
        }
        // Windows tools put a byte order mark before JSON. Nesting is bounded by the parser.
        let bytes = contents.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&contents.bytes);
        let parsed = serde_json::from_slice(bytes).ok();
        if parsed.is_none() {
            self.note(path, UnreadReason::NotUnderstood);
        }
        parsed
    }

    /// The end of a log as whole lines.
    pub(super) fn log(&mut self, path: &str) -> Option<String> {
        match self.readable(path).and_then(|place| read::tail(&place, Links::Refuse, LOG_LIMIT)) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(failure) => self.failed(path, failure),
        }
    }

    /// A file for reading piece by piece, cut at `limit`; the caller says when the limit is hit.
    pub(super) fn open(&mut self, path: &str, limit: u64) -> Option<Take<File>> {
        match self.readable(path).and_then(|place| read::open(&place, Links::Refuse)) {
            Ok(file) => Some(file.take(limit)),
            Err(failure) => self.failed(path, failure),
        }
    }

    /// The names of folders below a folder, sorted.
    pub(super) fn folders(&mut self, path: &str) -> Vec<String> {
        self.entries(path, true)
    }

    /// The names with this extension of everything but folders below a folder, sorted: links, FIFOs and devices too, which
    /// are then not read.
    pub(super) fn names(&mut self, path: &str, extension: &str) -> Vec<String> {
        let mut names = self.entries(path, false);
        names.retain(|name| Path::new(name).extension().is_some_and(|found| found == extension));
        names
    }

    /// Whether anything is there.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.world.place(path).symlink_metadata().is_ok()
    }

    /// When a file was last written.
    pub(super) fn written(&self, path: &str) -> Option<Timestamp> {
        Timestamp::try_from(self.world.place(path).symlink_metadata().ok()?.modified().ok()?).ok()
    }

    /// Records that a file says less than it should.
    pub(super) fn note(&mut self, path: &str, why: UnreadReason) {
        let known = self.unread.iter().any(|unread| unread.path == path && unread.why == why);
        if !known && self.unread.len() < UNREAD_LIMIT {
            self.unread.push(Unread { path: path.to_owned(), why });
        }
    }

    fn contents(&mut self, path: &str, limit: u64) -> Option<Contents> {
        let limit = limit.min(self.left);
        match self.readable(path).and_then(|place| read::contents(&place, Links::Refuse, limit)) {
            Ok(contents) => {
                self.left = self.left.saturating_sub(u64::try_from(contents.bytes.len()).unwrap_or(u64::MAX));
                if contents.truncated {
                    self.note(path, UnreadReason::LongerThan(limit));
                }
                Some(contents)
            }
            Err(failure) => self.failed(path, failure),
        }
    }

    fn failed<T>(&mut self, path: &str, failure: ReadFailure) -> Option<T> {
        if failure != ReadFailure::Missing {
            self.note(path, UnreadReason::Failed(failure));
        }
        None
    }

    fn entries(&mut self, path: &str, folders: bool) -> Vec<String> {
        let place = match self.readable(path) {
            Ok(place) => place,
            Err(failure) => return self.failed(path, failure).unwrap_or_default(),
        };
        // A link in a folder's place would lead to names of somebody else's.
        let is_folder = match place.symlink_metadata() {
            Ok(metadata) => metadata.is_dir(),
            Err(error) => return self.failed(path, read::failure(&error)).unwrap_or_default(),
        };
        if !is_folder {
            return self.failed(path, ReadFailure::NotAFile).unwrap_or_default();
        }
        let entries = match place.read_dir() {
            Ok(entries) => entries,
            Err(error) => return self.failed(path, read::failure(&error)).unwrap_or_default(),
        };
        let mut names = Vec::new();
        for (count, entry) in entries.enumerate() {
            if count == FOLDER_LIMIT {
                self.note(path, UnreadReason::LongerThan(FOLDER_LIMIT as u64));
                break;
            }
            let Ok(entry) = entry else { break };
            let wanted = entry.file_type().is_ok_and(|kind| kind.is_dir() == folders);
            names.extend(entry.file_name().into_string().ok().filter(|_| wanted));
        }
        names.sort();
        names
    }

    fn readable(&self, path: &str) -> Result<PathBuf, ReadFailure> {
        if self.world.denied.contains(Path::new(path)) {
            return Err(ReadFailure::NotPermitted);
        }
        // Whether the last part of a path is a link has to be seen.
        Ok(self.world.place(path))
    }
}
