//! `Packages`, a hash table of Berkeley DB, as Red Hat used it up to version 8.
//! Source: <https://github.com/berkeleydb/libdb/blob/master/src/dbinc/db_page.h>

use super::{Blocks, PREFIX};

const HASH_MAGIC: u32 = 0x0006_1561;
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;
const OVERFLOW: u8 = 7;
/// The kinds of items: here, or on pages of their own.
const HERE: u8 = 1;
const ELSEWHERE: u8 = 3;
/// Length of a page's header.
const HEADER: usize = 26;

pub(super) fn headers(blocks: &mut Blocks<'_>, found: &mut dyn FnMut(&[u8])) -> Option<()> {
    let start = blocks.at(0, 72)?;
    let big = match u32::from_le_bytes(start.get(12..16)?.try_into().ok()?) {
        HASH_MAGIC => false,
        swapped if swapped.swap_bytes() == HASH_MAGIC => true,
        _ => return None,
    };
    let order = Order { big };
    let size = usize::try_from(order.u32(&start, 20)?).ok()?;
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return None;
    }
    let last = order.u32(&start, 32)?;
    let mut table = Table { blocks, order, size };
    for number in 1..=last {
        // Most pages belong to values: they are read where they are needed.
        if !matches!(table.part(number, HEADER)?.get(25), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        let page = table.part(number, size)?;
        let entries = usize::from(order.u16(&page, 20)?);
        // Keys stand at even places, values at odd ones.
        for entry in (1..entries).step_by(2) {
            let value = table.value(&page, entry)?;
            table.blocks.copied(&value)?;
            found(&value);
        }
    }
    Some(())
}

#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let octets = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let octets = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }
}

struct Table<'b, 'f> {
    blocks: &'b mut Blocks<'f>,
    order: Order,
    size: usize,
}

impl Table<'_, '_> {
    /// The beginning of a page.
    fn part(&mut self, number: u32, length: usize) -> Option<Vec<u8>> {
        self.blocks.at(u64::from(number) * u64::try_from(self.size).ok()?, length)
    }

    /// A value, cut after [`PREFIX`] octets; empty where it is of another kind.
    fn value(&mut self, page: &[u8], entry: usize) -> Option<Vec<u8>> {
        let place = |entry: usize| self.order.u16(page, HEADER + entry * 2).map(usize::from);
        let (start, end) = (place(entry)?, place(entry.checked_sub(1)?)?);
        match *page.get(start)? {
            HERE => {
                let value = page.get(start + 1..end)?;
                Some(value.get(..value.len().min(PREFIX))?.to_vec())
            }
            ELSEWHERE => {
                let (first, length) = (self.order.u32(page, start + 4)?, self.order.u32(page, start + 8)?);
                self.overflow(first, usize::try_from(length).ok()?.min(PREFIX))
            }
            _ => Some(Vec::new()),
        }
    }

    fn overflow(&mut self, first: u32, wanted: usize) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        let mut next = first;
        while next != 0 && value.len() < wanted {
            self.blocks.visit(next)?;
            let page = self.part(next, self.size)?;
            let length = usize::from(self.order.u16(&page, 22)?);
            if page.get(25) != Some(&OVERFLOW) || length == 0 {
                return None;
            }
            value.extend(page.get(HEADER..HEADER.checked_add(length)?)?);
            next = self.order.u32(&page, 16)?;
        }
        value.truncate(wanted);
        Some(value)
    }
}
