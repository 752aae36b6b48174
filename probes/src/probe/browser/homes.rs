//! The homes of everybody on the machine: those of `/etc/passwd`, and what lies in `/home` (directory services list nobody); on
//! Windows those of the profiles that it lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::observation::{BrowsersSeen, Unread, UnreadReason};
use crate::read::{self, Links, below};
use crate::registry::{Keys, expanded};
use crate::world::World;

const PASSWD: &str = "/etc/passwd";
/// Ten thousand users.
const PASSWD_LIMIT: u64 = 1024 * 1024;
/// Homes that are looked at.
const HOMES: usize = 1000;

/// A home.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// As the examined system calls it.
    pub(super) path: String,
    /// Where it really is.
    pub(super) place: PathBuf,
    /// The id of its account, on Windows.
    pub(super) account: Option<String>,
}

pub(super) fn homes(world: &World, seen: &mut BrowsersSeen) -> Vec<Home> {
    if let Some(registry) = &world.registry {
        let mut keys = Keys::new(registry.as_ref());
        let mut homes = of_profiles(world, &mut keys, seen);
        seen.truncated |= homes.len() > HOMES;
        homes.truncate(HOMES);
        seen.unread.extend(keys.into_unread());
        return homes;
    }
    let mut paths: BTreeSet<String> = BTreeSet::new();
    match read::contents(&world.path(PASSWD), Links::Follow, PASSWD_LIMIT) {
        Ok(contents) => {
            seen.truncated |= contents.truncated;
            paths.extend(of_passwd(&contents.bytes));
        }
        Err(failure) => {
            let why = UnreadReason::Failed(failure);
            if !below::is_missing(&why) {
                seen.unread.push(Unread { path: PASSWD.to_owned(), why });
            }
        }
    }
    if let Ok((names, more)) = below::entries(&world.path("/"), Path::new("home"), HOMES) {
        seen.truncated |= more;
        paths.extend(names.iter().filter_map(|name| Some(format!("/home/{}", name.to_str()?))));
    }
    seen.truncated |= paths.len() > HOMES;
    let mut homes: Vec<Home> = Vec::new();
    for path in paths.into_iter().take(HOMES) {
        let place = world.path(&path);
        if place.is_dir() && !homes.iter().any(|known| known.place == place) {
            homes.push(Home { path, place, account: None });
        }
    }
    homes
}

/// The profiles that Windows lists, those of services left out: nobody browses there.
fn of_profiles(world: &World, keys: &mut Keys<'_>, seen: &mut BrowsersSeen) -> Vec<Home> {
    const PROFILES: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
    let ids = keys.keys(PROFILES).into_iter().filter(|id| id.starts_with("S-1-5-21-") || id.starts_with("S-1-12-1-"));
    let ids: Vec<String> = ids.filter(|id| !id.contains(".bak")).collect();
    let loaded = keys.keys("HKU");
    let mut homes = Vec::new();
    for id in ids {
        if !loaded.iter().any(|known| known.eq_ignore_ascii_case(&id)) {
            seen.not_signed_in = true;
        }
        let Some(path) = keys.text(&format!(r"{PROFILES}\{id}"), "ProfileImagePath") else { continue };
        let path = expanded(&path);
        match world.readable(&path) {
            Ok(place) => homes.push(Home { place, path, account: Some(id) }),
            Err(failure) => seen.unread.push(Unread { path, why: UnreadReason::Failed(failure) }),
        }
    }
    homes
}

/// The home folders of the lines that have one of their own.
fn of_passwd(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.split(|octet| *octet == b'\n').filter_map(|line| {
        let home = std::str::from_utf8(line.split(|octet| *octet == b':').nth(5)?).ok()?;
        let home = home.trim_end_matches('/');
        let own = home.starts_with('/') && !home.contains('\0') && !Path::new(home).starts_with("/proc");
        (own && !Path::new(home).starts_with("/dev")).then(|| home.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::ReadFailure;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    #[test]
    fn profile_on_another_drive_and_account_that_is_not_signed_in_are_said() {
        let key = |id| format!(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\{id}");
        let (ann, bob) = (key("S-1-5-21-1"), key("S-1-5-21-2"));
        let text = |text: &str| Value::Text(text.to_owned());
        let both = [
            (ann.as_str(), "ProfileImagePath", text(r"C:\Users\ann")),
            (bob.as_str(), "ProfileImagePath", text(r"D:\Users\bob")),
            (r"HKU\S-1-5-21-1\Environment", "TEMP", text("x")),
        ];
        let look = |values: &[(&str, &str, Value)]| {
            let world = World {
                registry: Some(Memory::of(values)),
                ..World::from_system(Some(Path::new("/nonexistent")), None)
            };
            let mut seen = BrowsersSeen::default();
            let homes: Vec<String> = homes(&world, &mut seen).into_iter().map(|home| home.path).collect();
            (homes, seen)
        };
        let (homes, seen) = look(&both);
        let why = UnreadReason::Failed(ReadFailure::Code(None));
        assert_eq!(homes, [r"C:\Users\ann"]);
        assert_eq!(seen.unread, [Unread { path: r"D:\Users\bob".to_owned(), why }]);
        assert!(seen.not_signed_in);
        assert!(!look(&[both[0].clone(), both[2].clone()]).1.not_signed_in);
    }

    #[test]
    fn homes_come_from_sound_lines() {
        let passwd =
            b"root:x:0:0:root:/root:/bin/bash\nnobody:x:1:1::/:/bin/sh\nbad\n\xff\xfe\nb:x:1:1::relative:/bin/sh\n\
            c:x:1:1::/home/c/:\nd:x:1:1::/dev/null:\ne:x:1:1::/home/\xff:\n";
        assert_eq!(of_passwd(passwd).collect::<Vec<_>>(), ["/root", "/home/c"]);
    }
}
