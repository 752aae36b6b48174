//! Reading below a folder that somebody else owns: no symbolic link leads out of the folder it lies in.
//!
//! Run as root this program reads files of people who may wish it to read others. Each part of a path is opened from the
//! part before it, so that nothing can be put in its place meanwhile. A link to a neighbour (`current -> 123` of snap) is
//! followed; every other link is refused.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

use super::root::Case;
use crate::observation::{ReadFailure, UnreadReason};
use crate::os;

#[cfg(unix)]
#[path = "below/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "below/windows.rs"]
mod platform;

/// Opens a regular file below a folder for reading. The caller bounds what it reads.
pub fn open(base: &Path, relative: &Path) -> Result<File, UnreadReason> {
    open_in(base, relative, Case::Counts)
}

/// The same, names compared as the examined system does.
pub(crate) fn open_in(base: &Path, relative: &Path, case: Case) -> Result<File, UnreadReason> {
    regular(platform::open(base, relative, case)?)
}

fn regular(file: File) -> Result<File, UnreadReason> {
    let failed = |error: std::io::Error| UnreadReason::Failed(super::failure(&error));
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(UnreadReason::Failed(ReadFailure::NotAFile));
    }
    // No browser leaves a hole in a file. A stranger may leave a thousand files of nothing else, whose octets are not read.
    if os::has_hole(&file, metadata.len()).map_err(failed)? { Err(UnreadReason::NotUnderstood) } else { Ok(file) }
}

/// The names of a folder's entries, sorted; at most `limit`, and whether there are more.
pub fn entries(base: &Path, relative: &Path, limit: usize) -> Result<(Vec<OsString>, bool), UnreadReason> {
    entries_in(base, relative, limit, Case::Counts)
}

/// The same, names compared as the examined system does.
pub(crate) fn entries_in(
    base: &Path,
    relative: &Path,
    limit: usize,
    case: Case,
) -> Result<(Vec<OsString>, bool), UnreadReason> {
    Folder(platform::Folder::open(base, relative, case)?).entries(limit)
}

/// A folder that is held open: many files are opened in it without walking to it each time.
pub struct Folder(platform::Folder);

impl Folder {
    /// Opens a folder below another.
    pub fn open(base: &Path, relative: &Path) -> Result<Self, UnreadReason> {
        platform::Folder::open(base, relative, Case::Counts).map(Self)
    }

    /// Opens a regular file in it for reading; and whether a link to a neighbour led to it.
    pub fn file(&self, name: &OsStr) -> (Result<File, UnreadReason>, bool) {
        let (file, linked) = self.0.file(name);
        (file.and_then(regular), linked)
    }

    /// The names of its entries, sorted; at most `limit`, and whether there are more.
    pub fn entries(&self, limit: usize) -> Result<(Vec<OsString>, bool), UnreadReason> {
        let (mut names, more) = self.0.entries(limit)?;
        names.sort();
        Ok((names, more))
    }
}

/// It is simply not there.
pub fn is_missing(why: &UnreadReason) -> bool {
    matches!(why, UnreadReason::Failed(ReadFailure::Missing))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    struct Home(PathBuf);

    impl Home {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("below-{}", uuid::Uuid::new_v4()));
            fs::create_dir_all(path.join("home/a/b")).unwrap();
            fs::create_dir_all(path.join("other")).unwrap();
            fs::write(path.join("home/a/b/file"), "own").unwrap();
            fs::write(path.join("other/file"), "secret").unwrap();
            Self(path)
        }

        fn open(&self, relative: &str) -> Result<String, UnreadReason> {
            let mut text = String::new();
            open(&self.0.join("home"), Path::new(relative))?.read_to_string(&mut text).unwrap();
            Ok(text)
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_below_is_read_and_a_missing_one_is_missing() {
        let home = Home::new();
        assert_eq!(home.open("a/b/file"), Ok("own".to_owned()));
        assert!(is_missing(&home.open("a/no/file").unwrap_err()));
        assert!(is_missing(&home.open("a/b/file/deeper").unwrap_err()));
    }

    #[test]
    fn names_are_found_in_either_case_where_it_does_not_count() {
        let home = Home::new();
        let found = |case| open_in(&home.0.join("home"), Path::new("A/B/File"), case);
        assert!(is_missing(&found(Case::Counts).unwrap_err()));
        assert!(found(Case::IsIgnored).is_ok());
        let listed = entries_in(&home.0, Path::new("HOME/a"), 9, Case::IsIgnored).unwrap();
        assert_eq!(listed, (vec!["b".into()], false));
    }

    #[test]
    fn link_out_is_refused_at_every_place() {
        let home = Home::new();
        symlink("../../../other/file", home.0.join("home/a/b/link")).unwrap();
        symlink("../../other", home.0.join("home/a/folder")).unwrap();
        symlink(home.0.join("other"), home.0.join("home/absolute")).unwrap();
        symlink("..", home.0.join("home/up")).unwrap();
        symlink("folder", home.0.join("home/a/again")).unwrap();
        for path in ["a/b/link", "a/folder/file", "absolute/file", "up/other/file", "a/again/file"] {
            assert_eq!(home.open(path), Err(UnreadReason::Link), "{path}");
        }
        assert_eq!(entries(&home.0.join("home"), Path::new("absolute"), 9), Err(UnreadReason::Link));
        assert_eq!(home.open("../other/file"), Err(UnreadReason::Link));
    }

    #[test]
    fn link_to_a_neighbour_is_followed() {
        let home = Home::new();
        symlink("b", home.0.join("home/a/current")).unwrap();
        assert_eq!(home.open("a/current/file"), Ok("own".to_owned()));
    }

    #[test]
    fn fifo_folder_and_socket_are_not_opened() {
        let home = Home::new();
        let fifo = home.0.join("home/fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(home.0.join("home/socket")).unwrap();
        for path in ["fifo", "socket", "a"] {
            assert_eq!(home.open(path), Err(UnreadReason::Failed(ReadFailure::NotAFile)), "{path}");
        }
        let listed = entries(&home.0.join("home"), Path::new("fifo"), 9);
        assert!(
            matches!(listed, Err(UnreadReason::Failed(ReadFailure::Missing | ReadFailure::NotAFile))),
            "{listed:?}"
        );
    }

    #[test]
    fn file_with_a_hole_is_not_read() {
        let home = Home::new();
        let sparse = |name: &str, first: &[u8]| {
            let file = fs::File::create(home.0.join("home").join(name)).unwrap();
            (&file).write_all(first).unwrap();
            file.set_len(64 * 1024 * 1024).unwrap();
        };
        sparse("nothing", b"");
        sparse("end", &vec![b'x'; 100_000]);
        for path in ["nothing", "end"] {
            assert_eq!(home.open(path), Err(UnreadReason::NotUnderstood), "{path}");
        }
        fs::write(home.0.join("home/zeros"), vec![0; 100_000]).unwrap();
        fs::write(home.0.join("home/empty"), "").unwrap();
        assert_eq!(home.open("zeros").map(|text| text.len()), Ok(100_000));
        assert_eq!(home.open("empty"), Ok(String::new()));
    }

    #[test]
    fn entries_are_sorted_and_bounded() {
        let home = Home::new();
        for name in ["c", "a", "b"] {
            fs::write(home.0.join("other").join(name), "").unwrap();
        }
        let (names, more) = entries(&home.0, Path::new("other"), 9).unwrap();
        assert_eq!((names, more), (vec!["a".into(), "b".into(), "c".into(), "file".into()], false));
        let (names, more) = entries(&home.0, Path::new("other"), 2).unwrap();
        assert_eq!((names.len(), more), (2, true));
    }
}
