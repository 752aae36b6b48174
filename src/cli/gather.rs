//! Reports of many machines from files, folders, patterns and standard input: one thread reads and unpacks, two parse, and
//! the caller's folds.
//!
//! The files may be anybody's. Below a folder no link leads out of it, nothing but regular files is opened, and what one
//! input may take is bounded. What cannot be read is named, and the rest goes on.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::input::is_stdin;
use super::saved::many::{Block, Found};
use super::saved::{Saved, of_report};
use crate::fleet::{Fleet, Source};

mod blocks;
mod unpack;
mod walk;

/// Threads that parse.
const WORKERS: usize = 2;
/// Blocks that wait to be parsed, each of at most some MiB.
const WAITING: usize = 8;

/// A part of the inputs, or what is wrong with one of them.
pub(super) enum Input {
    /// Something to parse.
    Block(Block),
    /// What cannot be read.
    Broken {
        /// The file.
        input: String,
        /// Why.
        why: String,
    },
}

/// Everything that the inputs say of machines.
pub(super) fn gather(paths: &[PathBuf]) -> Fleet {
    let mut fleet = Fleet::default();
    let parse = |input| match input {
        Input::Block(block) => block.read(),
        Input::Broken { input, why } => vec![Found::Broken { input, why }],
    };
    each(paths, &parse, |found| match found {
        Found::Sighting(sighting) => fleet.add(*sighting),
        Found::Broken { input, why } => fleet.add_broken(&input, &why),
    });
    fleet
}

/// Bytes of a report that is read once more.
const MOST_AGAIN: u64 = 16 * 1024 * 1024;

/// Reads a report once more; `None` where it is not there any more.
pub(super) fn again(source: &Source) -> Option<Saved> {
    let mut file = walk::again(&source.file)?;
    file.seek(SeekFrom::Start(source.offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(source.length.min(MOST_AGAIN)).read_to_end(&mut bytes).ok()?;
    of_report(&bytes)
}

/// Parses every part of the inputs, and takes what comes of it in no particular order.
pub(super) fn each<T: Send>(paths: &[PathBuf], parse: &(dyn Fn(Input) -> Vec<T> + Sync), mut take: impl FnMut(T)) {
    thread::scope(|scope| {
        let (sink, parts) = sync_channel::<Input>(WAITING);
        let (made, all) = sync_channel::<Vec<T>>(WAITING);
        let parts = Arc::new(Mutex::new(parts));
        for _ in 0..WORKERS {
            let (made, parts) = (made.clone(), Arc::clone(&parts));
            scope.spawn(move || work(&parts, parse, &made));
        }
        drop(made);
        scope.spawn(move || read(paths, &Sink(sink)));
        all.into_iter().flatten().for_each(&mut take);
    });
}

fn work<T>(parts: &Mutex<Receiver<Input>>, parse: &dyn Fn(Input) -> Vec<T>, made: &SyncSender<Vec<T>>) {
    loop {
        // The lock is held while waiting: the other thread waits for the lock instead.
        let next = parts.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(input) = next else { return };
        if made.send(parse(input)).is_err() {
            return;
        }
    }
}

/// Where blocks go to be parsed, and what cannot be read to be counted.
struct Sink(SyncSender<Input>);

impl Sink {
    fn block(&self, block: Block) {
        // The receiver lives as long as the sink.
        let _ = self.0.send(Input::Block(block));
    }

    fn broken(&self, input: &str, why: &str) {
        let _ = self.0.send(Input::Broken { input: input.to_owned(), why: why.to_owned() });
    }
}

fn read(paths: &[PathBuf], sink: &Sink) {
    let mut stdin_is_read = false;
    for path in paths {
        if !is_stdin(path) {
            walk::path(path, sink);
        } else if !std::mem::replace(&mut stdin_is_read, true) {
            blocks::document("standard input", None, std::io::stdin().lock(), sink);
        }
    }
}

/// How a file is called in what people read.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
