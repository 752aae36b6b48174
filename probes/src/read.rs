//! Reading local files without trusting them: regular files only, bounded, never waiting.
//!
//! What the bytes mean is for the probe that reads them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::observation::ReadFailure;
use crate::os;

pub mod below;
pub mod ini;
pub mod root;

/// Whether a symbolic link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// `/etc/resolv.conf` commonly is a link.
    Follow,
    /// A link where none belongs, e.g. in a folder that others can write, is [`ReadFailure::NotAFile`].
    Refuse,
}

/// The beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// At most as many bytes as were asked for.
    pub bytes: Vec<u8>,
    /// The file is longer.
    pub truncated: bool,
}

/// Reads at most `limit` bytes of a regular file.
pub fn contents(path: &Path, links: Links, limit: u64) -> Result<Contents, ReadFailure> {
    let file = open(path, links)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failure(&error))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Contents { bytes, truncated })
}

/// Reads the whole lines among the last `limit` bytes of a regular file.
pub fn tail(path: &Path, links: Links, limit: u64) -> Result<Vec<u8>, ReadFailure> {
    let mut file = open(path, links)?;
    let length = file.metadata().map_err(|error| failure(&error))?.len();
    let start = length.saturating_sub(limit);
    file.seek(SeekFrom::Start(start)).map_err(|error| failure(&error))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|error| failure(&error))?;
    if start > 0 {
        let first = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        bytes.drain(..first);
    }
    Ok(bytes)
}

/// Opens a regular file for reading. FIFOs, devices, sockets and directories are [`ReadFailure::NotAFile`], and opening
/// them never blocks. The caller bounds what it reads.
pub fn open(path: &Path, links: Links) -> Result<File, ReadFailure> {
    let follow = links == Links::Follow;
    // Opening some devices has effects of its own, so they are recognised before; what is put in the file's place between
    // the two calls is recognised after.
    let before = if follow { path.metadata() } else { path.symlink_metadata() };
    if !before.map_err(|error| failure(&error))?.is_file() {
        return Err(ReadFailure::NotAFile);
    }
    let file = os::open(path, follow).map_err(|error| failure(&error))?;
    if !file.metadata().map_err(|error| failure(&error))?.is_file() {
        return Err(ReadFailure::NotAFile);
    }
    Ok(file)
}

/// What an error of the file system means.
pub fn failure(error: &io::Error) -> ReadFailure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory => ReadFailure::Missing,
        Kind::PermissionDenied => ReadFailure::NotPermitted,
        Kind::IsADirectory => ReadFailure::NotAFile,
        _ => ReadFailure::Code(error.raw_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder that is gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("read-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, bytes: &[u8]) -> PathBuf {
            let path = self.0.join("file");
            std::fs::write(&path, bytes).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_is_read_up_to_the_limit() {
        let folder = Folder::new();
        let path = folder.file(b"12345");
        for (limit, bytes, truncated) in [(6, "12345", false), (5, "12345", false), (4, "1234", true), (0, "", true)] {
            let expected = Contents { bytes: bytes.into(), truncated };
            assert_eq!(contents(&path, Links::Refuse, limit), Ok(expected), "{limit}");
        }
    }

    #[test]
    fn tail_holds_whole_lines_only() {
        let folder = Folder::new();
        let path = folder.file(b"one\ntwo\nthree\n");
        for (limit, expected) in [(100, "one\ntwo\nthree\n"), (8, "three\n"), (6, ""), (0, "")] {
            assert_eq!(tail(&path, Links::Refuse, limit), Ok(expected.into()), "{limit}");
        }
    }

    #[test]
    fn missing_file_and_folder_are_distinguished() {
        let folder = Folder::new();
        let file = folder.file(b"");
        assert_eq!(contents(&folder.0.join("no"), Links::Follow, 1), Err(ReadFailure::Missing));
        assert_eq!(contents(&file.join("below"), Links::Follow, 1), Err(ReadFailure::Missing));
        assert_eq!(contents(&folder.0, Links::Follow, 1), Err(ReadFailure::NotAFile));
    }

    #[cfg(unix)]
    #[test]
    fn link_is_followed_only_when_asked() {
        let folder = Folder::new();
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(folder.file(b"x"), &link).unwrap();
        assert!(contents(&link, Links::Follow, 1).is_ok());
        assert_eq!(contents(&link, Links::Refuse, 1), Err(ReadFailure::NotAFile));
    }

    #[cfg(unix)]
    #[test]
    fn fifo_without_a_writer_does_not_block() {
        let folder = Folder::new();
        let path = folder.0.join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        assert_eq!(contents(&path, Links::Follow, 1), Err(ReadFailure::NotAFile));
        // Put in a file's place between the look and the opening, it must not block either.
        assert!(os::open(&path, true).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn device_and_socket_are_not_files() {
        let folder = Folder::new();
        let path = folder.0.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(contents(&path, Links::Follow, 1), Err(ReadFailure::NotAFile));
        assert_eq!(contents(Path::new("/dev/zero"), Links::Follow, 1), Err(ReadFailure::NotAFile));
    }
}
