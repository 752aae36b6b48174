//! Paths below a root that is not `/`: links are followed as the examined system would follow them.
//!
//! On a mounted disk `/etc/resolv.conf` leads to `/run/systemd/resolve/…` of that disk, never to that of the machine that
//! looks at it. On a disk of Windows letters count in either case, whatever the file system of the machine that looks thinks.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// Entries of a folder that are compared where no name is exactly the one that is looked for.
pub(super) const ENTRIES: usize = 65_536;

/// How names of files are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// As they are written.
    Counts,
    /// Windows: in either case, the exact name first.
    IsIgnored,
}

/// Links that are followed, as many as Linux follows.
const LINKS: usize = 40;

/// What a component of a path does.
enum Part {
    Root,
    Up,
    Down(OsString),
}

/// Whether the disk below `root` is one of Windows: it has a folder of hives.
pub fn is_of_windows(root: &Path) -> bool {
    below(root, Path::new("/Windows/System32/config"), Case::IsIgnored).is_dir()
}

/// Where a path of Windows leads that is not on the drive of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// To another drive of the machine.
    Drive,
    /// To a share, or to a device.
    Share,
}

/// A path of Windows as one below the root of the system's drive, which `C:` stands for: `C:\Windows` is `/Windows`.
pub fn below_drive(path: &Path) -> Result<PathBuf, Elsewhere> {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.starts_with("//") {
        return Err(Elsewhere::Share);
    }
    match text.split_once(':').filter(|(letter, _)| letter.len() == 1) {
        Some((letter, _)) if !letter.eq_ignore_ascii_case("C") => Err(Elsewhere::Drive),
        Some((_, rest)) => Ok(PathBuf::from(rest)),
        None => Ok(PathBuf::from(text)),
    }
}

/// The place below `root` that `path` leads to. Too many links lead to the root itself, which is not a file.
pub fn below(root: &Path, path: &Path, case: Case) -> PathBuf {
    let mut pending: VecDeque<Part> = parts(path).collect();
    let mut place = PathBuf::new();
    let mut links = 0;
    while let Some(part) = pending.pop_front() {
        match part {
            Part::Root => place.clear(),
            Part::Up => {
                place.pop();
            }
            Part::Down(name) => {
                let name = match case {
                    Case::Counts => name,
                    Case::IsIgnored => as_written(&root.join(&place), name),
                };
                place.push(name);
                let Ok(target) = root.join(&place).read_link() else { continue };
                links += 1;
                if links > LINKS {
                    return root.to_path_buf();
                }
                place.pop();
                for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                    pending.push_front(part);
                }
            }
        }
    }
    root.join(place)
}

/// The name that a folder has in another case; the name itself where it has none.
pub(crate) fn as_written(folder: &Path, name: OsString) -> OsString {
    if folder.join(&name).symlink_metadata().is_ok() {
        return name;
    }
    let entries = folder.read_dir().into_iter().flatten().take(ENTRIES).flatten();
    same_in_lower_case(entries.map(|entry| entry.file_name()), name)
}

/// The first of some names that is a name in another case; the name itself where none is.
pub(super) fn same_in_lower_case(names: impl IntoIterator<Item = OsString>, name: OsString) -> OsString {
    let lower = |name: &OsStr| name.to_string_lossy().to_lowercase();
    let wanted = lower(&name);
    names.into_iter().find(|found| lower(found) == wanted).unwrap_or(name)
}

fn parts(path: &Path) -> impl Iterator<Item = Part> {
    path.components().filter_map(|component| match component {
        Component::RootDir => Some(Part::Root),
        Component::ParentDir => Some(Part::Up),
        Component::Normal(name) => Some(Part::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Disk(PathBuf);

    impl Disk {
        fn new() -> Self {
            let root = std::env::temp_dir().join(format!("root-{}", uuid::Uuid::new_v4()));
            fs::create_dir_all(root.join("etc")).unwrap();
            Self(root)
        }

        fn link(&self, from: &str, to: &str) {
            symlink(to, self.0.join(from)).unwrap();
        }

        fn leads(&self, from: &str, to: &str) {
            assert_eq!(below(&self.0, Path::new(from), Case::Counts), self.0.join(to), "{from}");
        }
    }

    impl Drop for Disk {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn path_without_links_is_joined() {
        let disk = Disk::new();
        disk.leads("/etc/hosts", "etc/hosts");
        disk.leads("etc/missing/deeper", "etc/missing/deeper");
    }

    #[test]
    fn links_stay_below_the_root() {
        let disk = Disk::new();
        disk.link("etc/absolute", "/run/resolv.conf");
        disk.link("etc/relative", "../run/resolv.conf");
        disk.link("etc/escape", "../../../../etc/shadow");
        disk.link("etc/chain", "absolute");
        disk.link("lib", "usr/lib");
        disk.leads("/etc/absolute", "run/resolv.conf");
        disk.leads("/etc/relative", "run/resolv.conf");
        disk.leads("/etc/escape", "etc/shadow");
        disk.leads("/etc/chain", "run/resolv.conf");
        disk.leads("/lib/x", "usr/lib/x");
        disk.leads("/../../etc/hosts", "etc/hosts");
    }

    #[test]
    fn loop_of_links_ends_at_the_root() {
        let disk = Disk::new();
        disk.link("etc/a", "/etc/b");
        disk.link("etc/b", "/etc/a");
        disk.leads("/etc/a", "");
    }

    #[test]
    fn names_of_windows_are_found_in_either_case_and_others_are_not() {
        let disk = Disk::new();
        fs::create_dir_all(disk.0.join("WINDOWS/system32/Config")).unwrap();
        let found = |case| below(&disk.0, Path::new("/Windows/System32/config/SYSTEM"), case);
        assert_eq!(found(Case::IsIgnored), disk.0.join("WINDOWS/system32/Config/SYSTEM"));
        assert_eq!(found(Case::Counts), disk.0.join("Windows/System32/config/SYSTEM"));
        assert!(is_of_windows(&disk.0));
        fs::remove_dir(disk.0.join("WINDOWS/system32/Config")).unwrap();
        assert!(!is_of_windows(&disk.0));
    }

    #[test]
    fn drive_of_a_path_is_taken_off() {
        for (path, expected) in
            [(r"C:\Windows\System32", "/Windows/System32"), (r"c:\x", "/x"), ("/etc/hosts", "/etc/hosts"), ("", "")]
        {
            assert_eq!(below_drive(Path::new(path)), Ok(PathBuf::from(expected)), "{path}");
        }
        assert_eq!(below_drive(Path::new(r"d:\x")), Err(Elsewhere::Drive));
        assert_eq!(below_drive(Path::new(r"\\server\share\x")), Err(Elsewhere::Share));
    }
}
