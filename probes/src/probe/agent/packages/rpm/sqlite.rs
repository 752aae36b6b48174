//! `rpmdb.sqlite`: the rows of the table `Packages`. Source: <https://www.sqlite.org/fileformat.html>

use super::{Blocks, PREFIX, be32};

/// The header of the file comes before the first page's own.
const FILE_HEADER: usize = 100;
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

struct Database<'b, 'f> {
    blocks: &'b mut Blocks<'f>,
    page: usize,
    usable: usize,
}

pub(super) fn headers(blocks: &mut Blocks<'_>, found: &mut dyn FnMut(&[u8])) -> Option<()> {
    let start = blocks.at(0, FILE_HEADER)?;
    let size = usize::from(u16::from_be_bytes([*start.get(16)?, *start.get(17)?]));
    let page = if size == 1 { 65_536 } else { size };
    if !page.is_power_of_two() || page < 512 {
        return None;
    }
    let usable = page.checked_sub(usize::from(*start.get(20)?))?;
    let mut database = Database { blocks, page, usable };
    let mut root = None;
    database.rows(1, &mut |row| {
        if let Some([kind, name, _, page]) = columns(row)
            && (kind, name) == (b"table".as_slice(), b"Packages".as_slice())
        {
            root = page.iter().try_fold(0_u32, |number, octet| number.checked_mul(256)?.checked_add(u32::from(*octet)));
        }
    })?;
    // The key of a row is its number: the first column is empty, the second is the header.
    database.rows(root?, &mut |row| {
        if let Some([_, header]) = columns(row) {
            found(header);
        }
    })
}

impl Database<'_, '_> {
    /// The rows of a table, each cut after [`PREFIX`] octets.
    fn rows(&mut self, root: u32, row: &mut dyn FnMut(&[u8])) -> Option<()> {
        let mut pending = vec![root];
        self.blocks.visit(root)?;
        while let Some(number) = pending.pop() {
            let page = self.page(number)?;
            let header = if number == 1 { FILE_HEADER } else { 0 };
            let kind = *page.get(header)?;
            let cells = usize::from(be16(&page, header + 3)?);
            let pointers = header + if kind == INTERIOR { 12 } else { 8 };
            for cell in 0..cells {
                let at = usize::from(be16(&page, pointers + cell * 2)?);
                match kind {
                    INTERIOR => pending.push(self.visited(be32(&page, at)?)?),
                    LEAF => {
                        let payload = self.payload(&page, at)?;
                        self.blocks.copied(&payload)?;
                        row(&payload);
                    }
                    _ => return None,
                }
            }
            if kind == INTERIOR {
                pending.push(self.visited(be32(&page, header + 8)?)?);
            }
        }
        Some(())
    }

    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        let offset = u64::from(number.checked_sub(1)?).checked_mul(u64::try_from(self.page).ok()?)?;
        self.blocks.at(offset, self.page)
    }

    /// A page's number, marked before it waits for its turn, so that no more wait than there are.
    fn visited(&mut self, number: u32) -> Option<u32> {
        self.blocks.visit(number)?;
        Some(number)
    }

    fn payload(&mut self, page: &[u8], at: usize) -> Option<Vec<u8>> {
        let (length, at) = varint(page, at)?;
        let (_, at) = varint(page, at)?;
        let length = usize::try_from(length).ok()?;
        let most = self.usable.checked_sub(35)?;
        if length <= most {
            let payload = page.get(at..at.checked_add(length)?)?;
            return Some(payload.get(..length.min(PREFIX))?.to_vec());
        }
        let least = (self.usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
        let rest = least + (length - least) % self.usable.checked_sub(4)?;
        let local = if rest <= most { rest } else { least };
        let mut payload = page.get(at..at + local)?.to_vec();
        let mut next = be32(page, at + local)?;
        while next != 0 && payload.len() < length.min(PREFIX) {
            self.blocks.visit(next)?;
            let overflow = self.page(next)?;
            payload.extend(overflow.get(4..self.usable)?);
            next = be32(&overflow, 0)?;
        }
        payload.truncate(length.min(PREFIX));
        Some(payload)
    }
}

/// The first columns of a record; the last may be cut.
fn columns<const N: usize>(record: &[u8]) -> Option<[&[u8]; N]> {
    let (header, mut at) = varint(record, 0)?;
    let header = usize::try_from(header).ok()?;
    let mut data = header;
    let mut columns = [&[][..]; N];
    for column in &mut columns {
        if at >= header {
            return None;
        }
        let (kind, next) = varint(record, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from(kind.checked_sub(12)? / 2).ok()?,
        };
        let end = data.checked_add(length)?.min(record.len());
        *column = record.get(data..end)?;
        data = end;
    }
    Some(columns)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// A number of one to nine octets, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for length in 0..9 {
        let octet = *bytes.get(at.checked_add(length)?)?;
        if length == 8 {
            return Some(((value << 8) | u64::from(octet), at + 9));
        }
        value = (value << 7) | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some((value, at + length + 1));
        }
    }
    None
}
