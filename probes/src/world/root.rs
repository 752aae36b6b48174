//! Paths below a root that is not `/`: links are followed as the examined system would follow them.
//!
//! On a mounted disk `/etc/resolv.conf` leads to `/run/systemd/resolve/…` of that disk, never to that of the machine that
//! looks at it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links that are followed, as many as Linux follows.
const LINKS: usize = 40;

/// What a component of a path does.
enum Part {
    Root,
    Up,
    Down(OsString),
}

/// The place below `root` that `path` leads to. Too many links lead to the root itself, which is not a file.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
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
            assert_eq!(below(&self.0, Path::new(from)), self.0.join(to), "{from}");
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
}
