//! `Packages.db`, rpm's own format, as SUSE uses it.
//! Source: <https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c>

use super::{Blocks, PREFIX, le32};

const PAGE: usize = 4096;
const SLOT: usize = 16;
/// Blocks of a blob.
const BLOCK: u64 = 16;
/// Pages of slots that are read: a quarter of a million packages.
const MOST_SLOT_PAGES: usize = 1024;

pub(super) fn headers(blocks: &mut Blocks<'_>, found: &mut dyn FnMut(&[u8])) -> Option<()> {
    let start = blocks.at(0, 32)?;
    let pages = usize::try_from(le32(&start, 12)?).ok()?.min(MOST_SLOT_PAGES);
    let slots = blocks.at(0, pages.checked_mul(PAGE)?)?;
    // The file's header takes the place of the first two slots.
    for slot in slots.chunks_exact(SLOT).skip(2) {
        let (package, block) = (le32(slot, 4)?, le32(slot, 8)?);
        if !slot.starts_with(b"Slot") || package == 0 || block == 0 {
            continue;
        }
        blocks.visit(block)?;
        let offset = u64::from(block) * BLOCK;
        let head = blocks.at(offset, 16)?;
        if !head.starts_with(b"BlbS") || le32(&head, 4)? != package {
            return None;
        }
        let length = usize::try_from(le32(&head, 12)?).ok()?.min(PREFIX);
        let header = blocks.at(offset + 16, length)?;
        blocks.copied(&header)?;
        found(&header);
    }
    Some(())
}
