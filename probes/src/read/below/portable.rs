//! Elsewhere: every part of the path is looked at before it is passed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use crate::observation::UnreadReason;
use crate::read::root::Case;
use crate::read::{self, Links};

/// The file system itself compares names.
pub(super) fn open(base: &Path, relative: &Path, _: Case) -> Result<File, UnreadReason> {
    read::open(&walk(base, relative)?, Links::Refuse).map_err(UnreadReason::Failed)
}

pub(super) fn entries(
    base: &Path,
    relative: &Path,
    limit: usize,
    _: Case,
) -> Result<(Vec<OsString>, bool), UnreadReason> {
    let failure = |error: std::io::Error| UnreadReason::Failed(read::failure(&error));
    let mut names = Vec::new();
    for entry in fs::read_dir(walk(base, relative)?).map_err(failure)? {
        if names.len() == limit {
            return Ok((names, true));
        }
        names.push(entry.map_err(failure)?.file_name());
    }
    Ok((names, false))
}

fn walk(base: &Path, relative: &Path) -> Result<PathBuf, UnreadReason> {
    let mut place = base.to_path_buf();
    for part in relative.components() {
        let Component::Normal(name) = part else { return Err(UnreadReason::Link) };
        place.push(name);
        let metadata = place.symlink_metadata().map_err(|error| UnreadReason::Failed(read::failure(&error)))?;
        if metadata.is_symlink() {
            return Err(UnreadReason::Link);
        }
    }
    Ok(place)
}
