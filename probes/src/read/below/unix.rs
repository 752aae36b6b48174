//! Unix: `openat` from folder to folder, never through a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::observation::{ReadFailure, UnreadReason};
use crate::read::root::{Case, ENTRIES, same_in_lower_case};

/// Links to neighbours that are followed one after the other.
const LINKS: usize = 4;

pub(super) fn open(base: &Path, relative: &Path, case: Case) -> Result<File, UnreadReason> {
    let (folder, name) = walk(base, relative, case)?;
    let name = settled(&folder, name, case)?;
    file(&folder, &name)
}

fn file(folder: &OwnedFd, name: &OsStr) -> Result<File, UnreadReason> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failure)?;
    // Opening some devices has effects of its own, so they are recognised before.
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(UnreadReason::Failed(ReadFailure::NotAFile));
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).map(File::from).map_err(failure)
}

/// A folder that is held open.
pub(super) struct Folder(OwnedFd);

impl Folder {
    pub(super) fn open(base: &Path, relative: &Path, case: Case) -> Result<Self, UnreadReason> {
        let (folder, name) = walk(base, relative, case)?;
        step(&folder, &name, case).map(Self)
    }

    /// A file in it, and whether a link of that name led to it.
    pub(super) fn file(&self, name: &OsStr) -> (Result<File, UnreadReason>, bool) {
        match settled(&self.0, name.to_owned(), Case::Counts) {
            Ok(settled) => (file(&self.0, &settled), settled != name),
            Err(why) => {
                // A link that leads nowhere is one all the same.
                let is_link = rustix::fs::readlinkat(&self.0, name, Vec::new()).is_ok();
                let leads_out = why == UnreadReason::Link;
                (Err(why), is_link && !leads_out)
            }
        }
    }

    pub(super) fn entries(&self, limit: usize) -> Result<(Vec<OsString>, bool), UnreadReason> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0).map_err(failure)? {
            let entry = entry.map_err(failure)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == limit {
                return Ok((names, true));
            }
            names.push(OsString::from_vec(name.to_vec()));
        }
        Ok((names, false))
    }
}

/// The folder that holds the last part, and that part. The base itself is the caller's choice: it may be reached by links.
fn walk(base: &Path, relative: &Path, case: Case) -> Result<(OwnedFd, OsString), UnreadReason> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(base, flags, Mode::empty()).map_err(failure)?;
    let mut last: Option<OsString> = None;
    for part in relative.components() {
        let Component::Normal(name) = part else { return Err(UnreadReason::Link) };
        if let Some(before) = last.replace(name.to_owned()) {
            folder = step(&folder, &before, case)?;
        }
    }
    Ok((folder, last.ok_or(UnreadReason::Failed(ReadFailure::NotAFile))?))
}

fn step(folder: &OwnedFd, name: &OsStr, case: Case) -> Result<OwnedFd, UnreadReason> {
    let name = settled(folder, name.to_owned(), case)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(folder, &name, flags, Mode::empty()).map_err(failure)
}

/// The name itself, or the neighbour that a link of that name leads to.
fn settled(folder: &OwnedFd, mut name: OsString, case: Case) -> Result<OsString, UnreadReason> {
    if case == Case::IsIgnored {
        name = as_written(folder, name);
    }
    for _ in 0..LINKS {
        match rustix::fs::readlinkat(folder, &name, Vec::new()) {
            Ok(target) => {
                let target = target.into_bytes();
                if target.is_empty() || target.contains(&b'/') || target == b"." || target == b".." {
                    return Err(UnreadReason::Link);
                }
                OsStr::from_bytes(&target).clone_into(&mut name);
            }
            Err(Errno::INVAL) => return Ok(name),
            Err(error) => return Err(failure(error)),
        }
    }
    Err(UnreadReason::Link)
}

/// The name that a folder has in another case; the name itself where it has none.
fn as_written(folder: &OwnedFd, name: OsString) -> OsString {
    let is_there = |name: &OsStr| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    if is_there(&name) {
        return name;
    }
    let Ok(entries) = Dir::read_from(folder) else { return name };
    let names = entries.take(ENTRIES).flatten().map(|entry| OsString::from_vec(entry.file_name().to_bytes().to_vec()));
    same_in_lower_case(names, name)
}

fn failure(error: Errno) -> UnreadReason {
    match error {
        Errno::LOOP => UnreadReason::Link,
        Errno::NOTDIR => UnreadReason::Failed(ReadFailure::Missing),
        error => UnreadReason::Failed(crate::read::failure(&error.into())),
    }
}
