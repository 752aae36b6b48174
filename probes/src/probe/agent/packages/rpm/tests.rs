//! Small databases that ask for endless work: what is spent on them stays within a few times their size.

use std::fs;

use super::*;

/// What was spent on a database, the packages found in it, and whether it was read to its end.
fn spent(bytes: &[u8]) -> (u64, Vec<(String, String)>, bool) {
    let path = std::env::temp_dir().join(format!("rpm-{}", uuid::Uuid::new_v4()));
    fs::write(&path, bytes).unwrap();
    let file = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut budget = Budget::new();
    let mut found = Vec::new();
    let whole = read(file, &mut budget, |name, version| found.push((name.to_owned(), version.to_owned()))).is_some();
    (Budget::MOST - budget.left, found, whole)
}

fn header(name: &str, version: &str) -> Vec<u8> {
    let mut header = Vec::new();
    for number in [2, 64, NAME, STRING, 0, 1, VERSION, STRING, 32, 1] {
        header.extend(number.to_be_bytes());
    }
    let data = header.len();
    header.extend(name.as_bytes());
    header.resize(data + 32, 0);
    header.extend(version.as_bytes());
    header.resize(data + 64, 0);
    header
}

const PAGE: usize = 65_536;

/// A database of `SQLite` with pages of 64 KiB: the schema, and what stands on the pages after it.
fn sqlite(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"SQLite format 3\0\0\x01".to_vec();
    file.resize(FIRST, 0);
    let mut row = vec![6, 23, 29, 0, 1, 0];
    row.extend(b"tablePackages\x02");
    let cell = [&[u8::try_from(row.len()).unwrap(), 1][..], &row].concat();
    file.extend(leaf(1, PAGE - cell.len()));
    file.resize(PAGE - cell.len(), 0);
    file.extend(cell);
    for page in pages {
        file.extend(page);
        file.resize(file.len().next_multiple_of(PAGE), 0);
    }
    file
}

const FIRST: usize = 100;

/// The beginning of a page of rows whose cells all stand at one place.
fn leaf(cells: u16, place: usize) -> Vec<u8> {
    let mut page = vec![0x0d, 0, 0];
    page.extend(cells.to_be_bytes());
    page.extend([0, 0, 0]);
    page.extend((0..cells).flat_map(|_| u16::try_from(place).unwrap().to_be_bytes()));
    page
}

/// A page that leads to the same page as often as there is room.
fn interior(target: u32) -> Vec<u8> {
    let cells = 21_000_u16;
    let mut page = vec![0x05, 0, 0];
    page.extend(cells.to_be_bytes());
    page.extend([0, 0, 0]);
    page.extend(target.to_be_bytes());
    let place = u16::try_from(PAGE - 8).unwrap();
    page.extend((0..cells).flat_map(|_| place.to_be_bytes()));
    page.resize(PAGE - 8, 0);
    page.extend(target.to_be_bytes());
    page.resize(PAGE, 0);
    page
}

#[test]
fn whole_database_of_sqlite_is_read() {
    let header = header("omsagent", "1.14.9");
    let mut row = vec![4, 0];
    row.extend(varint_of(12 + 2 * header.len()));
    row[0] = u8::try_from(row.len()).unwrap();
    row.extend(&header);
    let mut cell = varint_of(row.len());
    cell.push(1);
    cell.extend(&row);
    let place = PAGE - cell.len();
    let mut page = leaf(1, place);
    page.resize(place, 0);
    page.extend(&cell);
    let (_, found, whole) = spent(&sqlite(&[page]));
    assert_eq!((found, whole), (vec![("omsagent".to_owned(), "1.14.9".to_owned())], true));
}

fn varint_of(number: usize) -> Vec<u8> {
    vec![u8::try_from(number >> 7 | 0x80).unwrap(), u8::try_from(number & 0x7f).unwrap()]
}

#[test]
fn page_that_is_reached_twice_ends_the_reading() {
    for target in [1, 2, 3] {
        let file = sqlite(&[interior(target), leaf(0, 0)]);
        let (spent, _, whole) = spent(&file);
        assert!(spent <= 2 * file.len() as u64, "{target}: {spent}");
        assert!(!whole, "{target}");
    }
}

#[test]
fn row_that_stands_in_sixteen_thousand_places_is_paid_for_each_time() {
    // A row of 60,000 octets, and thousands of cells that are all that row; many such pages.
    let place = 33_000;
    let mut page = leaf(16_000, place);
    page.resize(place, 0);
    page.extend([0x81, 0xfd, 0x00, 1]);
    let many: Vec<Vec<u8>> = std::iter::once(interior_of(3..=40)).chain((3..=40).map(|_| page.clone())).collect();
    let file = sqlite(&many);
    let (spent, found, whole) = spent(&file);
    assert!(found.is_empty() && !whole, "{spent}");
    assert!(spent <= 4 * file.len() as u64 + Blocks::LEAST, "{spent} for {}", file.len());
}

/// A page that leads to these pages, each once.
fn interior_of(targets: std::ops::RangeInclusive<u32>) -> Vec<u8> {
    let targets: Vec<u32> = targets.collect();
    let (last, cells) = targets.split_last().unwrap();
    let mut page = vec![0x05, 0, 0];
    page.extend(u16::try_from(cells.len()).unwrap().to_be_bytes());
    page.extend([0, 0, 0]);
    page.extend(last.to_be_bytes());
    for cell in 0..cells.len() {
        page.extend(u16::try_from(1_000 + cell * 4).unwrap().to_be_bytes());
    }
    page.resize(1_000, 0);
    page.extend(cells.iter().flat_map(|target| target.to_be_bytes()));
    page
}

#[test]
fn chain_of_overflow_pages_that_leads_into_itself_is_followed_once() {
    let mut page = leaf(1, 40_000);
    page.resize(40_000, 0);
    // A row of a million octets whose rest lies on page 3, whose next page is page 3.
    page.extend([0xbd, 0x84, 0x40, 1]);
    page.resize(PAGE - 4, 0);
    let mut chained = vec![0, 0, 0, 3];
    chained.resize(PAGE, 0);
    let file = sqlite(&[page, chained]);
    let (spent, ..) = spent(&file);
    assert!(spent <= 2 * file.len() as u64, "{spent}");
}

/// A Berkeley DB of pages of 512 octets.
fn bdb(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0; 512];
    file[12..16].copy_from_slice(&0x0006_1561_u32.to_le_bytes());
    file[20..24].copy_from_slice(&512_u32.to_le_bytes());
    file[32..36].copy_from_slice(&u32::try_from(pages.len()).unwrap().to_le_bytes());
    for page in pages {
        file.extend(page);
        file.resize(file.len().next_multiple_of(512), 0);
    }
    file
}

/// A page of a hash table whose values all lie on the pages from `first` on.
fn hash(first: u32) -> Vec<u8> {
    let mut page = vec![0; 26];
    let entries = 200_u16;
    page[20..22].copy_from_slice(&entries.to_le_bytes());
    page[25] = 13;
    page.extend((0..entries).flat_map(|_| 440_u16.to_le_bytes()));
    page.resize(440, 0);
    page.extend([3, 0, 0, 0]);
    page.extend(first.to_le_bytes());
    page.extend(32_768_u32.to_le_bytes());
    page
}

/// A page with one octet of a value, and the rest of it on another.
fn overflow(next: u32) -> Vec<u8> {
    let mut page = vec![0; 26];
    page[16..20].copy_from_slice(&next.to_le_bytes());
    page[22] = 1;
    page[25] = 7;
    page
}

#[test]
fn value_of_a_berkeley_db_that_many_entries_share_is_read_once() {
    let tables = 1_000;
    let mut pages: Vec<Vec<u8>> = (0..tables).map(|_| hash(tables + 1)).collect();
    pages.extend((0..8_000).map(|at| overflow(tables + 2 + at)));
    let file = bdb(&pages);
    let (spent, found, whole) = spent(&file);
    assert!(spent <= 2 * file.len() as u64, "{spent} for {}", file.len());
    assert!(found.is_empty() && !whole);
}

#[test]
fn blob_that_many_slots_share_is_read_once() {
    let mut file = vec![0; 4096 * 16];
    file[..4].copy_from_slice(b"RpmP");
    file[12] = 16;
    let place = u32::try_from(file.len() / 16).unwrap();
    for slot in file.chunks_exact_mut(16).skip(2) {
        slot[..4].copy_from_slice(b"Slot");
        slot[4] = 1;
        slot[8..12].copy_from_slice(&place.to_le_bytes());
    }
    file.extend(b"BlbS\x01\0\0\0\0\0\0\0\0\x80\0\0");
    file.resize(file.len() + 32_768, 0);
    let (spent, _, whole) = spent(&file);
    assert!(spent <= 2 * file.len() as u64 && !whole, "{spent}");
}

#[test]
fn count_of_entries_is_no_longer_than_the_header() {
    let mut long = u32::MAX.to_be_bytes().to_vec();
    long.extend([0; 12]);
    assert_eq!(package(&long), None);
    assert_eq!(package(&header("a", "1")), Some(("a".to_owned(), "1".to_owned())));
}
