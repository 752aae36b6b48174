//! Reports of many machines from files, folders, patterns and standard input: one thread opens files, with a second one in
//! folders of many, two parse, and the caller's folds. Of an input that has many blocks of lines the two that parse read the next
//! block themselves, one after the other, each into its own memory: what was read is parsed where it was read.
//!
//! The files may be anybody's. Below a folder no link leads out of it, nothing but regular files is opened, and what one
//! input may take is bounded. What cannot be read is named, and the rest goes on.

use std::cell::RefCell;
use std::io::{Read, Seek, SeekFrom};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::input::is_stdin;
use super::saved::many::{Block, Found};
use super::saved::{Saved, of_report};
use crate::fleet::{Fleet, KnownDigests, Source};

use blocks::Lines;

mod blocks;
mod unpack;
mod walk;

/// Threads that parse.
const WORKERS: usize = 2;
/// Blocks that wait to be parsed.
const WAITING: usize = 8;
/// Bytes that wait or are parsed, all blocks together; one block may be larger alone. Each of those who parse has another block
/// where it reads itself.
const IN_FLIGHT: usize = 4 * 1024 * 1024;
/// Bytes of memory that is used again.
const KEPT: usize = 4 * 1024 * 1024;
/// What comes of several blocks is handed on together until it is so much: each time somebody else gets a processor.
const ENOUGH: usize = 256;
/// Bytes of small inputs that go together.
const TOGETHER: usize = 256 * 1024;

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
    let (mut fleet, known) = (Fleet::default(), KnownDigests::default());
    each_of(
        |sink| read(paths, sink),
        &|input| found_in(input, &known),
        ENOUGH,
        |found| match found {
            Found::Sighting(sighting) => fleet.add(sighting),
            Found::Broken { input, why } => fleet.add_broken(&input, &why),
        },
    );
    fleet
}

fn found_in(input: &Input, known: &KnownDigests) -> Vec<Found> {
    match input {
        Input::Block(block) => block.read(known),
        Input::Broken { input, why } => vec![Found::Broken { input: input.clone(), why: why.clone() }],
    }
}

/// Takes everything that the beginning of an input says, packed or not: what a replay and a fuzzer call.
#[cfg(any(test, feature = "testing"))]
pub(super) fn of_octets(octets: &[u8], take: impl FnMut(Found)) {
    const BEGINNING: u64 = 1024 * 1024;

    let octets = std::io::Cursor::new(octets.to_vec());
    let read = |sink: &Sink| match unpack::unpacked(octets) {
        Ok((input, _)) => blocks::document("octets", None, input.take(BEGINNING), sink),
        Err(error) => sink.broken("octets", &error.to_string()),
    };
    let known = KnownDigests::default();
    each_of(read, &|input| found_in(input, &known), ENOUGH, take);
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
pub(super) fn each<T: Send>(paths: &[PathBuf], parse: &(dyn Fn(&Input) -> Vec<T> + Sync), take: impl FnMut(T)) {
    each_of(|sink| read(paths, sink), parse, 1, take);
}

/// The same of whatever `read` hands on; `enough` is how much of it waits at least until the caller takes it.
fn each_of<T: Send>(
    read: impl FnOnce(&Sink) + Send,
    parse: &(dyn Fn(&Input) -> Vec<T> + Sync),
    enough: usize,
    mut take: impl FnMut(T),
) {
    thread::scope(|scope| {
        let (sink, parts) = sync_channel::<Part>(WAITING);
        // What comes of a block of short lines is many times its size.
        let (made, all) = sync_channel::<Vec<T>>(WORKERS);
        let parts = Arc::new(Mutex::new(parts));
        let workers = (0..WORKERS).map(|_| {
            let (made, parts) = (made.clone(), Arc::clone(&parts));
            scope.spawn(move || work(&parts, parse, enough, &made))
        });
        let mut threads: Vec<_> = workers.collect();
        drop((made, parts));
        threads.push(scope.spawn(move || {
            let sink =
                Sink { parts: sink, flight: Arc::default(), batch: RefCell::default(), head: RefCell::default() };
            read(&sink);
            sink.flush();
        }));
        all.into_iter().flatten().for_each(&mut take);
        // A scope waits for what its threads do, and not until they are gone with what the channels keep for each.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

fn work<T>(parts: &Mutex<Receiver<Part>>, parse: &dyn Fn(&Input) -> Vec<T>, enough: usize, made: &SyncSender<Vec<T>>) {
    let mut used = Vec::new();
    loop {
        // The lock is held while waiting: the other thread waits for the lock instead.
        let next = parts.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Nobody takes what is made once the caller has failed.
        match next {
            Err(_) => return,
            Ok(Part::Inputs(inputs, taken)) => {
                let parsed = inputs.iter().flat_map(parse).collect();
                drop(taken);
                if made.send(parsed).is_err() {
                    return;
                }
            }
            Ok(Part::Lines(lines)) => {
                let mut parsed = Vec::new();
                while let Some(input) = lines.0.next(std::mem::take(&mut used)) {
                    parsed.append(&mut parse(&input));
                    if parsed.len() >= enough && made.send(std::mem::take(&mut parsed)).is_err() {
                        return;
                    }
                    if let Input::Block(block) = input
                        && block.bytes.capacity() <= KEPT
                    {
                        used = block.bytes;
                    }
                }
                if made.send(parsed).is_err() {
                    return;
                }
            }
        }
    }
}

/// What goes to those who parse.
enum Part {
    /// Inputs, and the room that they take.
    Inputs(Vec<Input>, Taken),
    /// An input that they read themselves, and the room that it takes.
    Lines(Arc<(Lines, Taken)>),
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
    /// Small inputs go together: of a hundred thousand files each is read in less time than a thread takes to wake.
    batch: RefCell<Batch>,
    /// Where the beginning of each file is read to.
    head: RefCell<Vec<u8>>,
}

#[derive(Default)]
struct Batch {
    inputs: Vec<Input>,
    bytes: usize,
}

impl Sink {
    /// Another one for another thread, which goes to the same place.
    fn twin(&self) -> Self {
        let (parts, flight) = (self.parts.clone(), Arc::clone(&self.flight));
        Self { parts, flight, batch: RefCell::default(), head: RefCell::default() }
    }

    fn block(&self, block: Block) {
        self.input(Input::Block(block));
    }

    fn broken(&self, input: &str, why: &str) {
        self.input(Input::Broken { input: input.to_owned(), why: why.to_owned() });
    }

    /// An input that everyone who parses takes blocks of until it is at its end. What was read of it takes room until then.
    fn lines(&self, lines: Lines) {
        self.flush();
        let taken = Arc::clone(&self.flight).take(lines.held());
        let lines = Arc::new((lines, taken));
        for _ in 0..WORKERS {
            self.part(Part::Lines(Arc::clone(&lines)));
        }
    }

    fn input(&self, input: Input) {
        let bytes = match &input {
            Input::Block(block) => block.bytes.len(),
            Input::Broken { input, why } => input.len() + why.len(),
        };
        if self.batch.borrow().bytes.saturating_add(bytes) > TOGETHER {
            self.flush();
        }
        let mut batch = self.batch.borrow_mut();
        batch.bytes += bytes;
        batch.inputs.push(input);
    }

    /// Hands on what is left.
    fn flush(&self) {
        let Batch { inputs, bytes } = self.batch.take();
        if !inputs.is_empty() {
            let taken = Arc::clone(&self.flight).take(bytes);
            self.part(Part::Inputs(inputs, taken));
        }
    }

    fn part(&self, part: Part) {
        // The receiver lives as long as the sink.
        let _ = self.parts.send(part);
    }
}

fn read(paths: &[PathBuf], sink: &Sink) {
    for path in paths {
        if is_stdin(path) {
            blocks::document("standard input", None, std::io::stdin(), sink);
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
