//! A hive: the file that holds a part of the registry, as `regf` lays it out. Cells are read where they lie, one by one, so that
//! a hive of any length takes no memory; nothing that it holds makes reading fail in another way than by an error.
//!
//! The crates that read hives are under the GPL or bring a database and a forensic framework with them. Logs of transactions
//! are not replayed: a hive that was in use when its machine stopped says that it is stale.
//!
//! Source: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md>

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::value::text;
use super::{NAMES_LIMIT, VALUE_LIMIT, Value};
use crate::observation::{ReadFailure, UnreadReason};
use crate::read;

/// Octets before the first cell.
const HEAD: usize = 4096;
/// Octets that are read of one cell: a list of a thousand keys has eight thousand.
const CELL_LIMIT: usize = 512 * 1024;
/// Cells that are read of one hive in all: the first look at a key with a thousand neighbours reads a thousand.
const CELLS: u32 = 4_000_000;
/// Keys below one key: more are in no hive.
const CHILDREN: usize = 262_144;
/// Octets of a value in one piece; longer ones are cut into pieces of this length.
const PIECE: usize = 16_344;
/// No cell.
const NONE: u32 = u32::MAX;

/// A hive that is open.
pub(super) struct Hive<R> {
    cells: Mutex<Cells<R>>,
    root: u32,
    is_stale: bool,
}

struct Cells<R> {
    file: R,
    left: u32,
    /// The keys below those that were passed, by the place of these.
    known: BTreeMap<u32, Children>,
}

/// The keys below a key, by their names in lower case.
#[derive(Default)]
struct Children {
    places: BTreeMap<String, u32>,
    /// Some of them cannot be read.
    has_broken: bool,
}

type Reading<T> = Result<T, UnreadReason>;

const BROKEN: UnreadReason = UnreadReason::NotUnderstood;
const MISSING: UnreadReason = UnreadReason::Failed(ReadFailure::Missing);

impl<R: Read + Seek> Hive<R> {
    /// Reads the head of a hive.
    pub(super) fn open(mut file: R) -> Reading<Self> {
        let mut head = vec![0; HEAD];
        file.read_exact(&mut head).map_err(|error| failed(&error))?;
        if head.get(..4) != Some(b"regf") || u32_at(&head, 20)? != 1 {
            return Err(BROKEN);
        }
        let root = u32_at(&head, 36)?;
        let is_stale = u32_at(&head, 4)? != u32_at(&head, 8)?;
        Ok(Self { cells: Mutex::new(Cells { file, left: CELLS, known: BTreeMap::new() }), root, is_stale })
    }

    /// Its last changes are in its logs only.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// The names of the keys below a key.
    pub(super) fn keys(&self, path: &str) -> Reading<Vec<String>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let key = cells.find(self.root, path)?;
        let places = cells.below(&key)?;
        places.into_iter().take(NAMES_LIMIT).map(|place| cells.name_of_key(place)).collect()
    }

    /// The names of a key's values; that of its default value is empty.
    pub(super) fn names(&self, path: &str) -> Reading<Vec<String>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let key = cells.find(self.root, path)?;
        let places = cells.values(&key)?;
        places.into_iter().take(NAMES_LIMIT).map(|place| name_of_value(&cells.cell(place)?)).collect()
    }

    /// A value.
    pub(super) fn value(&self, path: &str, name: &str) -> Reading<Value> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let key = cells.find(self.root, path)?;
        for place in cells.values(&key)? {
            let value = cells.cell(place)?;
            if is_called(&name_of_value(&value)?, name) {
                return cells.data(&value);
            }
        }
        Err(MISSING)
    }
}

impl<R: Read + Seek> Cells<R> {
    /// What a cell holds, up to the limit.
    fn cell(&mut self, place: u32) -> Reading<Vec<u8>> {
        self.left = self.left.checked_sub(1).ok_or(BROKEN)?;
        if place == NONE {
            return Err(BROKEN);
        }
        self.file.seek(SeekFrom::Start(HEAD as u64 + u64::from(place))).map_err(|error| failed(&error))?;
        let mut size = [0; 4];
        self.file.read_exact(&mut size).map_err(|error| failed(&error))?;
        // The size of a cell in use is negative.
        let size = i32::from_le_bytes(size);
        let length = if size < 0 { size.unsigned_abs() as usize } else { return Err(BROKEN) };
        let mut octets = vec![0; length.saturating_sub(4).min(CELL_LIMIT)];
        self.file.read_exact(&mut octets).map_err(|error| failed(&error))?;
        Ok(octets)
    }

    fn key(&mut self, place: u32) -> Reading<Vec<u8>> {
        let key = self.cell(place)?;
        if key.get(..2) == Some(b"nk") { Ok(key) } else { Err(BROKEN) }
    }

    /// The key that a path leads to.
    fn find(&mut self, root: u32, path: &str) -> Reading<Vec<u8>> {
        let mut place = root;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            place = self.child(place, part)?;
        }
        self.key(place)
    }

    /// The place of a key below another. Lists of programs and services are asked for each of theirs, so what is below a key is
    /// remembered.
    fn child(&mut self, of: u32, name: &str) -> Reading<u32> {
        if !self.known.contains_key(&of) {
            let children = self.children(of)?;
            let remembered: usize = self.known.values().map(|known| known.places.len()).sum();
            if remembered + children.places.len() > CHILDREN {
                self.known.clear();
            }
            self.known.insert(of, children);
        }
        let children = self.known.get(&of).ok_or(BROKEN)?;
        let missing = if children.has_broken { BROKEN } else { MISSING };
        children.places.get(&name.to_lowercase()).copied().ok_or(missing)
    }

    fn children(&mut self, of: u32) -> Reading<Children> {
        let key = self.key(of)?;
        let mut children = Children::default();
        for place in self.below(&key)? {
            match self.name_of_key(place) {
                Ok(name) => {
                    children.places.entry(name.to_lowercase()).or_insert(place);
                }
                Err(BROKEN) => children.has_broken = true,
                Err(why) => return Err(why),
            }
        }
        Ok(children)
    }

    fn name_of_key(&mut self, place: u32) -> Reading<String> {
        name_of_key(&self.key(place)?)
    }

    /// The places of the keys below a key.
    fn below(&mut self, key: &[u8]) -> Reading<Vec<u32>> {
        if u32_at(key, 20)? == 0 {
            return Ok(Vec::new());
        }
        let list = self.cell(u32_at(key, 28)?)?;
        if list.get(..2) != Some(b"ri") {
            return places(&list);
        }
        // A list of lists; those are never lists of lists themselves.
        let mut all = Vec::new();
        for place in each(&list, 4, u16_at(&list, 2)?.into())? {
            all.extend(places(&self.cell(place)?)?);
            if all.len() > CHILDREN {
                return Err(BROKEN);
            }
        }
        Ok(all)
    }

    /// The places of a key's values.
    fn values(&mut self, key: &[u8]) -> Reading<Vec<u32>> {
        let count = u32_at(key, 36)? as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let list = self.cell(u32_at(key, 40)?)?;
        let (all, _) = list.as_chunks();
        Ok(all.iter().take(count).map(|place| u32::from_le_bytes(*place)).collect())
    }

    fn data(&mut self, value: &[u8]) -> Reading<Value> {
        let kind = u32_at(value, 12)?;
        let size = u32_at(value, 4)?;
        // Up to four octets stand in the place of the place.
        if size & 0x8000_0000 != 0 {
            let octets = value.get(8..12).and_then(|four| four.get(..(size & 0x7fff_ffff) as usize)).ok_or(BROKEN)?;
            return Ok(Value::of(kind, octets));
        }
        let length = (size as usize).min(VALUE_LIMIT);
        if length == 0 {
            return Ok(Value::of(kind, &[]));
        }
        let mut octets = self.cell(u32_at(value, 8)?)?;
        if size as usize > PIECE && octets.get(..2) == Some(b"db") {
            octets = self.pieces(&octets, length)?;
        }
        Ok(Value::of(kind, octets.get(..length.min(octets.len())).unwrap_or_default()))
    }

    fn pieces(&mut self, head: &[u8], length: usize) -> Reading<Vec<u8>> {
        let count = u16_at(head, 2)?.into();
        let list = self.cell(u32_at(head, 4)?)?;
        let mut octets = Vec::new();
        for place in each(&list, 0, count)? {
            if octets.len() >= length {
                break;
            }
            let piece = self.cell(place)?;
            octets.extend(piece.get(..piece.len().min(PIECE)).unwrap_or_default());
        }
        Ok(octets)
    }
}

/// The places in a list of keys. Entries of `lf` and `lh` have a hash beside each.
fn places(list: &[u8]) -> Reading<Vec<u32>> {
    let count = usize::from(u16_at(list, 2)?);
    match list.get(..2) {
        Some(b"lf" | b"lh") => Ok(each(list, 4, count * 2)?.into_iter().step_by(2).collect()),
        Some(b"li") => each(list, 4, count),
        _ => Err(BROKEN),
    }
}

/// So many numbers from a place on.
fn each(octets: &[u8], from: usize, count: usize) -> Reading<Vec<u32>> {
    let (all, _) = octets.get(from..).unwrap_or_default().as_chunks();
    let all = all.get(..count).ok_or(BROKEN)?;
    Ok(all.iter().map(|four| u32::from_le_bytes(*four)).collect())
}

fn name_of_key(key: &[u8]) -> Reading<String> {
    name(key, 72, 76, u16_at(key, 2)? & 0x20 != 0)
}

fn name_of_value(value: &[u8]) -> Reading<String> {
    if value.get(..2) != Some(b"vk") {
        return Err(BROKEN);
    }
    name(value, 2, 20, u16_at(value, 16)? & 1 != 0)
}

/// A name whose length stands in one place and its octets in another: one octet a character where all fit.
fn name(cell: &[u8], length_at: usize, at: usize, is_narrow: bool) -> Reading<String> {
    let length = usize::from(u16_at(cell, length_at)?);
    let octets = cell.get(at..at + length).ok_or(BROKEN)?;
    Ok(if is_narrow { octets.iter().map(|octet| char::from(*octet)).collect() } else { text(octets) })
}

fn is_called(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted) || name.to_lowercase() == wanted.to_lowercase()
}

fn u16_at(octets: &[u8], at: usize) -> Reading<u16> {
    octets.get(at..).and_then(<[u8]>::first_chunk).map(|two| u16::from_le_bytes(*two)).ok_or(BROKEN)
}

fn u32_at(octets: &[u8], at: usize) -> Reading<u32> {
    octets.get(at..).and_then(<[u8]>::first_chunk).map(|four| u32::from_le_bytes(*four)).ok_or(BROKEN)
}

/// A hive that ends too early is damaged; everything else is said by the disk that it lies on, and nothing of it is missing.
fn failed(error: &io::Error) -> UnreadReason {
    match (error.kind(), read::failure(error)) {
        (io::ErrorKind::UnexpectedEof, _) => BROKEN,
        (_, ReadFailure::Missing) => UnreadReason::Failed(ReadFailure::Code(error.raw_os_error())),
        (_, failure) => UnreadReason::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::registry::writer::hive;

    fn written() -> Vec<u8> {
        let long: String = "long ".repeat(10_000);
        let mut keys: Vec<(String, Vec<(&str, Value)>)> = vec![
            (r"A\B".to_owned(), vec![("Text", Value::Text("ä".to_owned())), ("", Value::Number(7))]),
            (r"A\Ö".to_owned(), vec![("Long", Value::Text(long))]),
            (r"A\C D".to_owned(), vec![("List", Value::List(vec!["x".to_owned(), "y".to_owned()]))]),
        ];
        keys.extend((0..2_000).map(|n| (format!(r"Many\{n}"), vec![("n", Value::Number(n))])));
        let keys = keys
            .into_iter()
            .map(|(key, values)| (key, values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()));
        hive(&keys.collect())
    }

    fn opened(octets: Vec<u8>) -> Reading<Hive<Cursor<Vec<u8>>>> {
        Hive::open(Cursor::new(octets))
    }

    #[test]
    fn keys_and_values_are_found_in_either_case() {
        let hive = opened(written()).unwrap();
        assert_eq!(hive.keys("").unwrap(), ["A", "Many"]);
        assert_eq!(hive.keys("a").unwrap(), ["B", "C D", "Ö"]);
        assert_eq!(hive.value(r"a\b", "TEXT"), Ok(Value::Text("ä".to_owned())));
        assert_eq!(hive.value(r"A\B", ""), Ok(Value::Number(7)));
        assert_eq!(hive.value(r"\A\c d", "list"), Ok(Value::List(vec!["x".to_owned(), "y".to_owned()])));
        assert_eq!(hive.names(r"A\B").unwrap().len(), 2);
        assert!(matches!(hive.value(r"A\ö", "Long"), Ok(Value::Text(text)) if text.len() == 50_000));
        assert!(!hive.is_stale());
    }

    #[test]
    fn key_with_thousands_below_it_is_found_and_its_list_is_bounded() {
        let hive = opened(written()).unwrap();
        assert_eq!(hive.value(r"Many\1999", "n"), Ok(Value::Number(1999)));
        assert_eq!(hive.keys("Many").unwrap().len(), 2_000);
    }

    #[test]
    fn neighbours_are_read_once_however_many_of_them_are_looked_at() {
        let hive = opened(written()).unwrap();
        for number in 0..2_000 {
            assert_eq!(hive.value(&format!(r"MANY\{number}"), "n"), Ok(Value::Number(number)));
        }
        let read = CELLS - hive.cells.lock().unwrap().left;
        assert!(read < 20_000, "{read} cells were read for 2,000 keys");
    }

    #[test]
    fn hive_of_another_writer_is_read() {
        let hive = opened(include_bytes!("samples/hivex.hive").to_vec()).unwrap();
        assert_eq!(hive.keys("").unwrap(), ["ControlSet003", "Select", "Values"]);
        assert_eq!(hive.value("Select", "Current"), Ok(Value::Number(3)));
        assert_eq!(hive.keys(r"ControlSet003\Services").unwrap().len(), 6);
        let id = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
        let connectors = r"ControlSet003\Services\HealthService\Parameters\Service Connector Services";
        let key = format!(r"{connectors}\Log Analytics - {id}");
        let address = format!("https://{id}.oms.opinsights.azure.com/AgentService.svc/AgentTopologyRequest");
        assert_eq!(hive.value(&key, "topology request url"), Ok(Value::Text(address)));
        assert_eq!(hive.value(&key, ""), Ok(Value::Text("d".to_owned())));
        assert_eq!(hive.value("Values", "Many"), Ok(Value::List(vec!["a".to_owned(), "bc".to_owned()])));
        assert_eq!(hive.value("Values", "Big"), Ok(Value::Number(0x100_0000_0000_0001)));
        assert_eq!(hive.value("Values", "Raw"), Ok(Value::Octets(vec![1, 2, 3, 4, 5, 6])));
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let hive = opened(written()).unwrap();
        for (key, name) in [("X", "x"), (r"A\B\C", "x"), (r"A\B", "x")] {
            assert_eq!(hive.value(key, name), Err(MISSING), "{key}");
        }
        assert_eq!(hive.keys(r"A\X"), Err(MISSING));
    }

    #[test]
    fn hive_whose_logs_hold_more_is_stale() {
        let mut octets = written();
        octets[4] = octets[4].wrapping_add(1);
        assert!(opened(octets).unwrap().is_stale());
    }

    #[test]
    fn what_is_no_hive_is_not_understood() {
        for octets in [Vec::new(), b"regf".to_vec(), vec![0; 8192]] {
            assert_eq!(opened(octets).err(), Some(BROKEN));
        }
    }

    /// A disk that fails from a place on.
    struct Failing(Cursor<Vec<u8>>, u64);

    impl Read for Failing {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.0.position() >= self.1 { Err(io::ErrorKind::TimedOut.into()) } else { self.0.read(to) }
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn failing_disk_is_not_taken_for_a_damaged_hive() {
        let fails = UnreadReason::Failed(ReadFailure::Code(None));
        let on = |from| Hive::open(Failing(Cursor::new(written()), from));
        assert_eq!(on(0).err(), Some(fails.clone()));
        assert_eq!(on(HEAD as u64).unwrap().keys("").err(), Some(fails.clone()));
        assert_eq!(failed(&io::ErrorKind::NotFound.into()), fails);
        // Wherever it fails, also at a neighbour of what is looked for.
        let length = written().len() as u64;
        for from in (HEAD as u64..length).step_by(4096) {
            assert_eq!(on(from).unwrap().value(r"a\b", "TEXT").err(), Some(fails.clone()), "{from}");
        }
        assert!(on(length).unwrap().value(r"a\b", "TEXT").is_ok());
    }

    #[test]
    fn list_of_lists_that_leads_to_itself_ends() {
        let mut octets = vec![0; HEAD + 256];
        octets[..4].copy_from_slice(b"regf");
        octets[20] = 1;
        octets[36] = 32;
        let cell = |octets: &mut Vec<u8>, at: usize, what: &[u8]| {
            let size = -i32::try_from(what.len() + 4).unwrap();
            octets[HEAD + at..HEAD + at + 4].copy_from_slice(&size.to_le_bytes());
            octets[HEAD + at + 4..HEAD + at + 4 + what.len()].copy_from_slice(what);
        };
        let mut key = vec![0; 80];
        key[..2].copy_from_slice(b"nk");
        key[20] = 1;
        key[28] = 160;
        cell(&mut octets, 32, &key);
        cell(&mut octets, 160, &[b'r', b'i', 1, 0, 160, 0, 0, 0]);
        assert_eq!(opened(octets).unwrap().keys("").err(), Some(BROKEN));
    }

    proptest! {
        /// Whatever octets are changed, reading ends, and with an answer or an error.
        #[test]
        fn damaged_hive_never_panics(changes in prop::collection::vec((0_usize..20_000, any::<u8>()), 1..40)) {
            let mut octets = written();
            for (at, octet) in changes {
                octets[at] = octet;
            }
            if let Ok(hive) = opened(octets) {
                let _ = (hive.keys("A"), hive.names(r"A\B"), hive.value(r"A\Ö", "Long"), hive.value(r"Many\7", "n"));
            }
        }
    }
}
