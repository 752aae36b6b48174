//! Which files a path of the command line stands for.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use ampls_probes::observation::{ReadFailure, UnreadReason};
use ampls_probes::read::below::{self, Folder};
use ampls_probes::read::{self, Links};

use super::{Sink, blocks, shown};
use crate::fleet::FilePlace;

/// Entries of one folder; a hundred thousand reports in one are common.
const MOST_ENTRIES: usize = 5_000_000;
/// Folders within folders.
const DEEPEST: usize = 32;
/// So many files or folders are shared by two threads.
const MANY: usize = 256;

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
    let below = Below { path, name, base: &base.into() };
    below.folders(vec![Inner { place: PathBuf::from(name), depth: 1 }], sink, Threads::Two);
}

/// Who reads. Opening files is half of the time of a fleet with a file for each machine, so that two threads share it: the files of
/// one folder, or the folders of hosts with a file each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    One,
    /// A second one is taken where there is much.
    Two,
}

/// A folder that is looked at.
struct Inner {
    /// Where it is below [`Below::base`].
    place: PathBuf,
    depth: usize,
}

/// A folder of the command line.
struct Below<'f> {
    /// As it was given.
    path: &'f Path,
    /// Its own name.
    name: &'f OsStr,
    /// What it really lies in.
    base: &'f Arc<Path>,
}

impl Below<'_> {
    /// How something in it is called: as it was given, not where it really lies.
    fn called(&self, place: &Path) -> String {
        shown(&self.path.join(place.strip_prefix(self.name).unwrap_or(place)))
    }

    /// Reads what lies in these folders, and in those within them.
    fn folders(&self, mut folders: Vec<Inner>, sink: &Sink, threads: Threads) {
        while let Some(inner) = folders.pop() {
            folders.extend(self.folder(&inner, sink, threads).into_iter().rev());
            if threads == Threads::Two && folders.len() >= MANY {
                shared(folders, sink, |half, sink| {
                    self.folders(half, sink, Threads::One);
                    Vec::<()>::new()
                });
                return;
            }
        }
    }

    /// Reads the files of a folder, and gives the folders in it.
    fn folder(&self, inner: &Inner, sink: &Sink, threads: Threads) -> Vec<Inner> {
        let opened = Folder::open(self.base, &inner.place);
        let ((names, more), folder) = match opened.and_then(|it| Ok((it.entries(MOST_ENTRIES)?, it))) {
            Ok(opened) => opened,
            // What is neither a file nor a folder came here to be looked at as a folder.
            Err(UnreadReason::Failed(ReadFailure::Missing | ReadFailure::NotAFile)) => {
                sink.broken(&self.called(&inner.place), failure(&ReadFailure::NotAFile));
                return Vec::new();
            }
            Err(why) => {
                sink.broken(&self.called(&inner.place), reason(&why));
                return Vec::new();
            }
        };
        if more {
            sink.broken(&self.called(&inner.place), "holds more entries than are read");
        }
        let read = |names: Vec<OsString>, sink: &Sink| {
            names.into_iter().filter_map(|entry| self.entry(&folder, inner, &entry, sink)).collect()
        };
        if threads == Threads::Two && names.len() >= MANY { shared(names, sink, read) } else { read(names, sink) }
    }

    /// Reads a file; a folder is given back.
    fn entry(&self, folder: &Folder, inner: &Inner, entry: &OsStr, sink: &Sink) -> Option<Inner> {
        let (opened, linked) = folder.file(entry);
        // Where a link leads within its folder is read anyway, and links to folders would multiply what is below them.
        if linked {
            return None;
        }
        let place = inner.place.join(entry);
        match opened {
            Ok(file) => {
                let called = self.called(&place);
                let within = FilePlace { base: Arc::clone(self.base), relative: Some(place) };
                blocks::document(&called, Some(within), file, sink);
            }
            Err(UnreadReason::Failed(ReadFailure::NotAFile)) if inner.depth < DEEPEST => {
                return Some(Inner { place, depth: inner.depth + 1 });
            }
            Err(UnreadReason::Failed(ReadFailure::NotAFile)) if self.base.join(&place).is_dir() => {
                sink.broken(&self.called(&place), &format!("lies deeper than {DEEPEST} folders"));
            }
            Err(why) => sink.broken(&self.called(&place), reason(&why)),
        }
        None
    }
}

/// Does the second half of something on a thread of its own, and gives what comes of both.
fn shared<T: Send, U: Send>(mut all: Vec<T>, sink: &Sink, each: impl Fn(Vec<T>, &Sink) -> Vec<U> + Sync) -> Vec<U> {
    let rest = all.split_off(all.len() / 2);
    let (twin, each) = (sink.twin(), &each);
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            let made = each(rest, &twin);
            twin.flush();
            made
        });
        let mut made = each(all, sink);
        made.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        made
    })
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
