//! Which files a path of the command line stands for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ampls_probes::observation::{ReadFailure, UnreadReason};
use ampls_probes::read::below::{self, Folder};
use ampls_probes::read::{self, Links};

use super::{Sink, blocks, shown};
use crate::fleet::FilePlace;

/// Entries of one folder; a hundred thousand reports in one are common.
const MOST_ENTRIES: usize = 5_000_000;
/// Folders within folders.
const DEEPEST: usize = 32;

/// Reads a file, everything below a folder, or what a pattern stands for.
pub(super) fn path(path: &Path, sink: &Sink) {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => folder(path, sink),
        Ok(_) => match read::open(path, Links::Follow) {
            Ok(file) => {
                let place = FilePlace { base: path.into(), relative: None };
                blocks::document(&shown(path), Some(place), file, sink);
            }
            Err(why) => sink.broken(&shown(path), failure(&why)),
        },
        Err(_) if is_pattern(path) => pattern(path, sink),
        Err(error) => sink.broken(&shown(path), failure(&read::failure(&error))),
    }
}

/// Opens a file once more as it was opened, so that nothing put in its place meanwhile leads elsewhere.
pub(super) fn again(place: &FilePlace) -> Option<File> {
    match &place.relative {
        Some(relative) => below::open(&place.base, relative).ok(),
        None => read::open(&place.base, Links::Follow).ok(),
    }
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// Shells of Windows leave patterns to the program.
fn pattern(path: &Path, sink: &Sink) {
    let Ok(found) = glob::glob(&path.to_string_lossy()) else {
        return sink.broken(&shown(path), "is not a pattern of file names");
    };
    let mut any = false;
    for found in found {
        any = true;
        match found {
            Ok(found) => self::path(&found, sink),
            Err(error) => sink.broken(&shown(error.path()), failure(&read::failure(error.error()))),
        }
    }
    if !any {
        sink.broken(&shown(path), "stands for no file");
    }
}

/// The folder itself may be reached by links: its user named it. Below it none leads out.
fn folder(path: &Path, sink: &Sink) {
    let whole = match fs::canonicalize(path) {
        Ok(whole) => whole,
        Err(error) => return sink.broken(&shown(path), failure(&read::failure(&error))),
    };
    let (Some(base), Some(name)) = (whole.parent(), whole.file_name()) else {
        return sink.broken(&shown(path), "is the whole file system: give a folder in it");
    };
    let shared: Arc<Path> = base.into();
    let mut folders = vec![(PathBuf::from(name), 1)];
    while let Some((inside, depth)) = folders.pop() {
        let called = |relative: &Path| shown(&path.join(relative.strip_prefix(name).unwrap_or(relative)));
        let opened = Folder::open(base, &inside).and_then(|folder| Ok((folder.entries(MOST_ENTRIES)?, folder)));
        let ((names, more), folder) = match opened {
            Ok(opened) => opened,
            // What is neither a file nor a folder came here to be looked at as a folder.
            Err(UnreadReason::Failed(ReadFailure::Missing | ReadFailure::NotAFile)) => {
                sink.broken(&called(&inside), failure(&ReadFailure::NotAFile));
                continue;
            }
            Err(why) => {
                sink.broken(&called(&inside), reason(&why));
                continue;
            }
        };
        if more {
            sink.broken(&called(&inside), "holds more entries than are read");
        }
        let mut within = Vec::new();
        for entry in names {
            let (opened, linked) = folder.file(&entry);
            // Where a link leads within its folder is read anyway, and links to folders would multiply what is below them.
            if linked {
                continue;
            }
            let place = inside.join(entry);
            match opened {
                Ok(file) => {
                    let within = FilePlace { base: Arc::clone(&shared), relative: Some(place.clone()) };
                    blocks::document(&called(&place), Some(within), file, sink);
                }
                Err(UnreadReason::Failed(ReadFailure::NotAFile)) if depth < DEEPEST => within.push((place, depth + 1)),
                Err(UnreadReason::Failed(ReadFailure::NotAFile)) if base.join(&place).is_dir() => {
                    sink.broken(&called(&place), &format!("lies deeper than {DEEPEST} folders"));
                }
                Err(why) => sink.broken(&called(&place), reason(&why)),
            }
        }
        folders.extend(within.into_iter().rev());
    }
}

fn reason(why: &UnreadReason) -> &'static str {
    match why {
        UnreadReason::Failed(why) => failure(why),
        UnreadReason::Link => "is a link that leads out of its folder, which is not followed",
        UnreadReason::LongerThan(_) | UnreadReason::NotUnderstood => "cannot be read",
    }
}

fn failure(why: &ReadFailure) -> &'static str {
    match why {
        ReadFailure::Missing => "is not there",
        ReadFailure::NotPermitted => "may not be read by this user",
        ReadFailure::NotAFile => "is not a regular file",
        ReadFailure::Code(_) => "cannot be read",
    }
}
