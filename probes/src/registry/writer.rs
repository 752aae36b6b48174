//! Writes hives for tests: keys and values as they are given, laid out as Windows lays them out.

use std::collections::BTreeMap;

use super::Value;

/// The values of each key, by its path below the root. Keys on the way need not be named.
pub type Written = BTreeMap<String, Vec<(String, Value)>>;

/// Octets of a value in one piece.
const PIECE: usize = 16_344;
/// Keys in one list of keys.
const LIST: usize = 500;

/// A hive that holds these keys.
pub fn hive(keys: &Written) -> Vec<u8> {
    let mut root = Key::default();
    for (path, values) in keys {
        let mut key = &mut root;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            key = key.below.entry(part.to_owned()).or_default();
        }
        key.values.extend(values.iter().cloned());
    }
    let mut cells = Cells(vec![0; 32]);
    let root = cells.key("ROOT", &root, 0x2c);
    let mut bins = cells.0;
    bins.resize(bins.len().next_multiple_of(4096), 0);
    let length = u32::try_from(bins.len()).unwrap_or(u32::MAX);
    bins[..4].copy_from_slice(b"hbin");
    bins[8..12].copy_from_slice(&length.to_le_bytes());
    let mut head = vec![0; 4096];
    head[..4].copy_from_slice(b"regf");
    for (at, number) in [(4, 1), (8, 1), (20, 1), (24, 5), (32, 1), (36, root), (40, length), (44, 1)] {
        head[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    let sum = head[..508].chunks(4).fold(0, |sum, four| sum ^ u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    head[508..512].copy_from_slice(&sum.to_le_bytes());
    head.extend(bins);
    head
}

#[derive(Default)]
struct Key {
    values: Vec<(String, Value)>,
    below: BTreeMap<String, Key>,
}

struct Cells(Vec<u8>);

impl Cells {
    fn add(&mut self, what: &[u8]) -> u32 {
        let place = self.0.len();
        let length = (what.len() + 4).next_multiple_of(8);
        self.0.extend((-i32::try_from(length).unwrap_or(i32::MAX)).to_le_bytes());
        self.0.extend(what);
        self.0.resize(place + length, 0);
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn numbers(&mut self, head: &[u8], numbers: impl IntoIterator<Item = u32>) -> u32 {
        let mut what = head.to_vec();
        what.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        self.add(&what)
    }

    fn key(&mut self, name: &str, key: &Key, flags: u16) -> u32 {
        // Windows keeps keys in the order of their names in capitals.
        let mut below: Vec<(&String, &Key)> = key.below.iter().collect();
        below.sort_by_key(|(name, _)| name.to_uppercase());
        let places: Vec<(u32, u32)> = below.iter().map(|(name, key)| (self.key(name, key, 0x20), hash(name))).collect();
        let lists: Vec<u32> = places.chunks(LIST).map(|part| self.list(part)).collect();
        let keys = match lists.as_slice() {
            [] => u32::MAX,
            [one] => *one,
            many => self.numbers(&[b"ri".as_slice(), &count(many.len())].concat(), many.iter().copied()),
        };
        let values: Vec<u32> = key.values.iter().map(|(name, value)| self.value(name, value)).collect();
        let list = if values.is_empty() { u32::MAX } else { self.numbers(&[], values.iter().copied()) };
        let (name, is_narrow) = written(name);
        let mut cell = vec![0; 76];
        cell[..2].copy_from_slice(b"nk");
        cell[2..4].copy_from_slice(&(if is_narrow { flags | 0x20 } else { flags & !0x20 }).to_le_bytes());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let numbers = [
            (20, number(below.len())),
            (28, keys),
            (32, u32::MAX),
            (36, number(values.len())),
            (40, list),
            (44, u32::MAX),
            (48, u32::MAX),
        ];
        for (at, number) in numbers {
            cell[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        cell[72..74].copy_from_slice(&count(name.len()));
        cell.extend(name);
        self.add(&cell)
    }

    fn list(&mut self, keys: &[(u32, u32)]) -> u32 {
        let head = [b"lh".as_slice(), &count(keys.len())].concat();
        self.numbers(&head, keys.iter().flat_map(|(place, hash)| [*place, *hash]))
    }

    fn value(&mut self, name: &str, value: &Value) -> u32 {
        let utf16 = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let (kind, data): (u32, Vec<u8>) = match value {
            Value::Text(text) => (1, utf16(text)),
            Value::List(list) => (7, list.iter().flat_map(|text| utf16(text)).chain([0, 0]).collect()),
            Value::Number(number) => match u32::try_from(*number) {
                Ok(number) => (4, number.to_le_bytes().to_vec()),
                Err(_) => (11, number.to_le_bytes().to_vec()),
            },
            Value::Octets(octets) => (3, octets.clone()),
        };
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let (size, place) = if data.len() <= 4 {
            let mut four = [0; 4];
            four[..data.len()].copy_from_slice(&data);
            (size | 0x8000_0000, u32::from_le_bytes(four))
        } else if data.len() > PIECE {
            let pieces: Vec<u32> = data.chunks(PIECE).map(|piece| self.add(piece)).collect();
            let list = self.numbers(&[], pieces.iter().copied());
            (size, self.numbers(&[b"db".as_slice(), &count(pieces.len())].concat(), [list]))
        } else {
            (size, self.add(&data))
        };
        let (name, is_narrow) = written(name);
        let mut cell = b"vk".to_vec();
        cell.extend(count(name.len()));
        cell.extend([size, place, kind, u32::from(is_narrow)].into_iter().flat_map(u32::to_le_bytes));
        cell.extend(name);
        self.add(&cell)
    }
}

fn count(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

/// A name as it is kept, and whether it is kept with one octet a character.
fn written(name: &str) -> (Vec<u8>, bool) {
    if name.is_ascii() {
        (name.as_bytes().to_vec(), true)
    } else {
        (name.encode_utf16().flat_map(u16::to_le_bytes).collect(), false)
    }
}

fn hash(name: &str) -> u32 {
    let letters = name.to_uppercase();
    letters.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(37).wrapping_add(unit.into()))
}
