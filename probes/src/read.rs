//! Reading local files without trusting them: regular files only, bounded, never waiting.
//!
//! What the bytes mean is for the probe that reads them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::observation::ReadFailure;
use crate::os;

/// Whether a symbolic link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// `/etc/resolv.conf` commonly is a link.
    Follow,
    /// A link where none belongs, e.g. in a folder that others can write, is [`ReadFailure::NotAFile`].
    Refuse,
}

/// The beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// At most as many bytes as were asked for.
    pub bytes: Vec<u8>,
    /// The file is longer.
    pub truncated: bool,
}

/// Reads at most `limit` bytes of a regular file.
pub fn contents(path: &Path, links: Links, limit: u64) -> Result<Contents, ReadFailure> {
    let file = open(path, links)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failure(&error))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Contents { bytes, truncated })
}

/// Opens a regular file for reading. FIFOs, devices, sockets and directories are [`ReadFailure::NotAFile`], and opening
/// them never blocks. The caller bounds what it reads.
pub fn open(path: &Path, links: Links) -> Result<File, ReadFailure> {
    let follow = links == Links::Follow;
    // Opening some devices has effects of its own, so they are recognised before; what is put in the file's place between
    // the two calls is recognised after.
    let before = if follow { path.metadata() } else { path.symlink_metadata() };
    if !before.map_err(|error| failure(&error))?.is_file() {
        return Err(ReadFailure::NotAFile);
    }
    let file = os::open(path, follow).map_err(|error| failure(&error))?;
    if !file.metadata().map_err(|error| failure(&error))?.is_file() {
        return Err(ReadFailure::NotAFile);
    }
    Ok(file)
}

/// What an error of the file system means.
pub fn failure(error: &io::Error) -> ReadFailure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory => ReadFailure::Missing,
        Kind::PermissionDenied => ReadFailure::NotPermitted,
        Kind::IsADirectory => ReadFailure::NotAFile,
        _ => ReadFailure::Code(error.raw_os_error()),
    }
}
