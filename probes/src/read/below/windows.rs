//! Windows: every folder of the path stays open, without leave to rename or delete it, until what lies below it is open.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use crate::observation::UnreadReason;
use crate::read::root::Case;
use crate::read::{self, Links};

/// What others may do with a folder meanwhile: read it and write into it.
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew>
const FILE_SHARE_READ_WRITE: u32 = 0x1 | 0x2;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
/// Without it a folder cannot be opened.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// The file system itself compares names.
pub(super) fn open(base: &Path, relative: &Path, _: Case) -> Result<File, UnreadReason> {
    let folders = relative.parent().unwrap_or(Path::new(""));
    let folder = Folder(Held::open(base, folders)?);
    // `..` and a prefix have no name of their own.
    let Some(Component::Normal(name)) = relative.components().next_back() else { return Err(UnreadReason::Link) };
    folder.file(name).0
}

/// A folder that is held open.
pub(super) struct Folder(Held);

impl Folder {
    pub(super) fn open(base: &Path, relative: &Path, _: Case) -> Result<Self, UnreadReason> {
        Held::open(base, relative).map(Self)
    }

    /// A file in it, and whether a link of that name led to it: no link is followed.
    pub(super) fn file(&self, name: &OsStr) -> (Result<File, UnreadReason>, bool) {
        let place = self.0.place.join(name);
        let opened = match place.symlink_metadata().map_err(failed) {
            Ok(there) if there.is_symlink() => Err(UnreadReason::Link),
            Ok(_) => read::open(&place, Links::Refuse).map_err(UnreadReason::Failed),
            Err(why) => Err(why),
        };
        (opened, false)
    }

    pub(super) fn entries(&self, limit: usize) -> Result<(Vec<OsString>, bool), UnreadReason> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0.place).map_err(failed)? {
            if names.len() == limit {
                return Ok((names, true));
            }
            names.push(entry.map_err(failed)?.file_name());
        }
        Ok((names, false))
    }
}

/// A folder, and the folders that lead to it from the first one that somebody else owns.
struct Held {
    place: PathBuf,
    _folders: Vec<File>,
}

impl Held {
    fn open(base: &Path, relative: &Path) -> Result<Self, UnreadReason> {
        let mut place = base.to_path_buf();
        let mut folders = Vec::new();
        for part in relative.components() {
            let Component::Normal(name) = part else { return Err(UnreadReason::Link) };
            place.push(name);
            let folder = OpenOptions::new()
                .read(true)
                .share_mode(FILE_SHARE_READ_WRITE)
                .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
                .open(&place)
                .map_err(failed)?;
            // Of the open folder, not of its path: a junction in its place would be another one.
            if folder.metadata().map_err(failed)?.is_symlink() {
                return Err(UnreadReason::Link);
            }
            folders.push(folder);
        }
        Ok(Self { place, _folders: folders })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn failed(error: std::io::Error) -> UnreadReason {
    UnreadReason::Failed(read::failure(&error))
}
