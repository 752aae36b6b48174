//! Reports of many machines from files, folders, patterns and standard input: one thread reads and unpacks, two parse, and
//! the caller's folds.
//!
//! The files may be anybody's. Below a folder no link leads out of it, nothing but regular files is opened, and what one
//! input may take is bounded. What cannot be read is named, and the rest goes on.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
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
/// Blocks that wait to be parsed.
const WAITING: usize = 8;
/// Bytes that wait or are parsed, all blocks together; one block may be larger alone.
const IN_FLIGHT: usize = 16 * 1024 * 1024;

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
    each(paths, &found_in, |found| match found {
        Found::Sighting(sighting) => fleet.add(*sighting),
        Found::Broken { input, why } => fleet.add_broken(&input, &why),
    });
    fleet
}

fn found_in(input: Input) -> Vec<Found> {
    match input {
        Input::Block(block) => block.read(),
        Input::Broken { input, why } => vec![Found::Broken { input, why }],
    }
}

/// Takes everything that the beginning of an input says, packed or not: what a replay and a fuzzer call.
#[cfg(any(test, feature = "testing"))]
pub(super) fn of_octets(octets: &[u8], take: impl FnMut(Found)) {
    const BEGINNING: u64 = 1024 * 1024;

    let read = |sink: &Sink| match unpack::unpacked(octets) {
        Ok((input, _)) => blocks::document("octets", None, input.take(BEGINNING), sink),
        Err(error) => sink.broken("octets", &error.to_string()),
    };
    each_of(read, &found_in, take);
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
pub(super) fn each<T: Send>(paths: &[PathBuf], parse: &(dyn Fn(Input) -> Vec<T> + Sync), take: impl FnMut(T)) {
    each_of(|sink| read(paths, sink), parse, take);
}

/// The same of whatever `read` hands on.
fn each_of<T: Send>(
    read: impl FnOnce(&Sink) + Send,
    parse: &(dyn Fn(Input) -> Vec<T> + Sync),
    mut take: impl FnMut(T),
) {
    thread::scope(|scope| {
        let (sink, parts) = sync_channel::<Part>(WAITING);
        // What comes of a block of short lines is many times its size.
        let (made, all) = sync_channel::<Vec<T>>(WORKERS);
        let parts = Arc::new(Mutex::new(parts));
        for _ in 0..WORKERS {
            let (made, parts) = (made.clone(), Arc::clone(&parts));
            scope.spawn(move || work(&parts, parse, &made));
        }
        drop(made);
        scope.spawn(move || read(&Sink { parts: sink, flight: Arc::default() }));
        all.into_iter().flatten().for_each(&mut take);
    });
}

fn work<T>(parts: &Mutex<Receiver<Part>>, parse: &dyn Fn(Input) -> Vec<T>, made: &SyncSender<Vec<T>>) {
    loop {
        // The lock is held while waiting: the other thread waits for the lock instead.
        let next = parts.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Part { input, taken }) = next else { return };
        let parsed = parse(input);
        drop(taken);
        if made.send(parsed).is_err() {
            return;
        }
    }
}

/// An input on its way to be parsed.
struct Part {
    input: Input,
    taken: Option<Taken>,
}

/// Bytes that wait or are parsed.
#[derive(Default)]
struct Flight {
    bytes: Mutex<usize>,
    landed: Condvar,
}

impl Flight {
    /// Waits until there is room for so many, or nothing else is under way.
    fn take(self: Arc<Self>, bytes: usize) -> Taken {
        let taken = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut usize| *taken > 0 && taken.saturating_add(bytes) > IN_FLIGHT;
        let mut taken = self.landed.wait_while(taken, is_full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        drop(taken);
        Taken { flight: self, bytes }
    }
}

/// Gives the room back whatever becomes of the part.
struct Taken {
    flight: Arc<Flight>,
    bytes: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.flight.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        self.flight.landed.notify_all();
    }
}

/// Where blocks go to be parsed, and what cannot be read to be counted.
struct Sink {
    parts: SyncSender<Part>,
    flight: Arc<Flight>,
}

impl Sink {
    fn block(&self, block: Block) {
        let taken = Some(Arc::clone(&self.flight).take(block.bytes.len()));
        // The receiver lives as long as the sink.
        let _ = self.parts.send(Part { input: Input::Block(block), taken });
    }

    fn broken(&self, input: &str, why: &str) {
        let input = Input::Broken { input: input.to_owned(), why: why.to_owned() };
        let _ = self.parts.send(Part { input, taken: None });
    }
}

fn read(paths: &[PathBuf], sink: &Sink) {
    for path in paths {
        if is_stdin(path) {
            blocks::document("standard input", None, std::io::stdin().lock(), sink);
        } else {
            walk::path(path, sink);
        }
    }
}

/// How a file is called in what people read.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod engines;
#[cfg(test)]
mod tests;
