//! The registry of a mounted disk: each part in the hive where Windows keeps it.
//!
//! Source: <https://learn.microsoft.com/windows/win32/sysinfo/registry-hives>

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::hive::Hive;
use super::{Registry, SOFTWARE, SYSTEM, Value, expanded};
use crate::observation::{ReadFailure, UnreadReason};
use crate::read::root::{Case, below, below_drive};
use crate::read::{self, Links};

/// Users that are services: their ids are the same everywhere.
/// Source: <https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers>
const SERVICES: [(&str, &str); 3] = [
    ("S-1-5-18", r"C:\Windows\System32\config\DEFAULT"),
    ("S-1-5-19", r"C:\Windows\ServiceProfiles\LocalService\NTUSER.DAT"),
    ("S-1-5-20", r"C:\Windows\ServiceProfiles\NetworkService\NTUSER.DAT"),
];
const PROFILES: &str = r"Microsoft\Windows NT\CurrentVersion\ProfileList";

const MISSING: UnreadReason = UnreadReason::Failed(ReadFailure::Missing);

type Opened = Result<Arc<Hive<File>>, UnreadReason>;

/// The hives of a disk, opened when they are first asked for.
pub(super) struct Disk {
    root: PathBuf,
    hives: Mutex<BTreeMap<String, Opened>>,
}

impl Disk {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), hives: Mutex::default() }
    }

    fn hive(&self, path: &str) -> Opened {
        let mut hives = self.hives.lock().unwrap_or_else(PoisonError::into_inner);
        hives.entry(path.to_owned()).or_insert_with(|| self.open(path)).clone()
    }

    fn open(&self, path: &str) -> Opened {
        // A profile may lie on another disk than this one.
        let below_root = below_drive(Path::new(path)).map_err(|_| UnreadReason::Failed(ReadFailure::Code(None)))?;
        let place = below(&self.root, &below_root, Case::IsIgnored);
        let file = read::open(&place, Links::Refuse).map_err(|failure| match failure {
            // Every Windows has these: without them nothing follows from what is missing.
            ReadFailure::Missing if [SYSTEM, SOFTWARE].contains(&path) => UnreadReason::Failed(ReadFailure::Code(None)),
            failure => UnreadReason::Failed(failure),
        })?;
        Hive::open(file).map(Arc::new)
    }

    /// The hive of a key and the key's path in it.
    fn place(&self, key: &str) -> Result<(Arc<Hive<File>>, String), UnreadReason> {
        let (root, rest) = first(key);
        let (part, rest) = first(rest);
        if root == "HKU" {
            return Ok((self.hive(&self.of_user(part)?)?, rest.to_owned()));
        }
        match part.to_ascii_uppercase().as_str() {
            "SOFTWARE" if root == "HKLM" => Ok((self.hive(SOFTWARE)?, rest.to_owned())),
            "SYSTEM" if root == "HKLM" => {
                let hive = self.hive(SYSTEM)?;
                let (set, below) = first(rest);
                if !set.eq_ignore_ascii_case("CurrentControlSet") {
                    return Ok((hive, rest.to_owned()));
                }
                // The link to the set in use is made when Windows starts.
                let Value::Number(current) = hive.value("Select", "Current")? else {
                    return Err(UnreadReason::NotUnderstood);
                };
                Ok((hive, format!(r"ControlSet{current:03}\{below}")))
            }
            _ => Err(MISSING),
        }
    }

    fn of_user(&self, id: &str) -> Result<String, UnreadReason> {
        if let Some((_, path)) = SERVICES.iter().find(|(known, _)| *known == id) {
            return Ok((*path).to_owned());
        }
        let folder = self.hive(SOFTWARE)?.value(&format!(r"{PROFILES}\{id}"), "ProfileImagePath")?;
        let Value::Text(folder) = folder else { return Err(UnreadReason::NotUnderstood) };
        Ok(format!(r"{}\NTUSER.DAT", expanded(&folder)))
    }
}

/// The first part of a key, and the rest.
fn first(key: &str) -> (&str, &str) {
    key.split_once('\\').unwrap_or((key, ""))
}

impl Registry for Disk {
    fn value(&self, key: &str, name: &str) -> Result<Value, UnreadReason> {
        let (hive, path) = self.place(key)?;
        hive.value(&path, name)
    }

    fn names(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        let (hive, path) = self.place(key)?;
        hive.names(&path)
    }

    fn keys(&self, key: &str) -> Result<Vec<String>, UnreadReason> {
        if key != "HKU" {
            let (hive, path) = self.place(key)?;
            return hive.keys(&path);
        }
        let mut users: Vec<String> = SERVICES.iter().map(|(id, _)| (*id).to_owned()).collect();
        let others = self.hive(SOFTWARE)?.keys(PROFILES)?;
        users.extend(others.into_iter().filter(|id| !SERVICES.iter().any(|(known, _)| known == id)));
        Ok(users)
    }

    fn stale(&self) -> Vec<String> {
        let hives = self.hives.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = hives.iter().filter(|(_, hive)| hive.as_ref().is_ok_and(|hive| hive.is_stale()));
        stale.map(|(path, _)| path.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::read::below::is_missing;
    use crate::registry::writer::hive;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("hives-{}", uuid::Uuid::new_v4())))
        }

        fn write(&self, path: &str, octets: &[u8]) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, octets).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn of(keys: &[(&str, &str, Value)]) -> Vec<u8> {
        hive(
            &keys
                .iter()
                .map(|(key, name, value)| ((*key).to_owned(), vec![((*name).to_owned(), value.clone())]))
                .collect(),
        )
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn parts_are_found_in_their_hives() {
        let folder = Folder::new();
        folder.write(
            "windows/SYSTEM32/config/system",
            &of(&[("Select", "Current", Value::Number(2)), (r"ControlSet002\Services\X", "Start", Value::Number(4))]),
        );
        let profile = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1";
        folder.write(
            "windows/SYSTEM32/config/SOFTWARE",
            &of(&[
                (profile, "ProfileImagePath", text(r"%SystemDrive%\Users\ann")),
                (&profile.replace("21-1", "21-2"), "ProfileImagePath", text(r"D:\Users\ann")),
                ("A", "b", text("c")),
            ]),
        );
        folder.write("Users/ann/ntuser.dat", &of(&[("Software", "x", text("y"))]));
        let disk = Disk::new(&folder.0);
        assert_eq!(disk.value(r"HKLM\SYSTEM\CurrentControlSet\Services\X", "Start"), Ok(Value::Number(4)));
        assert_eq!(disk.value(r"HKLM\Software\A", "b"), Ok(text("c")));
        assert_eq!(disk.value(r"HKU\S-1-5-21-1\Software", "x"), Ok(text("y")));
        assert_eq!(disk.keys("HKU").unwrap(), ["S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-21-1", "S-1-5-21-2"]);
        assert!(is_missing(&disk.value(r"HKU\S-1-5-18\Software", "x").unwrap_err()));
        assert_eq!(disk.value(r"HKU\S-1-5-21-2\Software", "x"), Err(UnreadReason::Failed(ReadFailure::Code(None))));
        assert!(is_missing(&disk.value(r"HKCR\x", "x").unwrap_err()));
        assert!(disk.stale().is_empty());
    }

    #[test]
    fn hive_of_the_machine_that_is_not_there_is_not_an_empty_one() {
        let folder = Folder::new();
        folder.write("Windows/System32/config/SYSTEM", &of(&[("Select", "Current", Value::Number(1))]));
        let disk = Disk::new(&folder.0);
        assert!(!is_missing(&disk.value(r"HKLM\SOFTWARE\A", "b").unwrap_err()));
        assert!(is_missing(&disk.value(r"HKU\S-1-5-18\Software", "x").unwrap_err()));
    }

    #[test]
    fn hive_that_is_none_is_not_understood_and_others_are_read() {
        let folder = Folder::new();
        folder.write("Windows/System32/config/SYSTEM", b"no hive");
        folder.write("Windows/System32/config/SOFTWARE", &of(&[("A", "b", text("c"))]));
        let disk = Disk::new(&folder.0);
        assert_eq!(disk.keys(r"HKLM\SYSTEM\Select"), Err(UnreadReason::NotUnderstood));
        assert_eq!(disk.value(r"HKLM\SOFTWARE\A", "b"), Ok(text("c")));
    }

    #[test]
    fn hive_of_a_machine_that_was_not_shut_down_is_named() {
        let folder = Folder::new();
        let mut octets = of(&[("A", "b", text("c"))]);
        octets[4] = 9;
        folder.write("Windows/System32/config/SOFTWARE", &octets);
        let disk = Disk::new(&folder.0);
        assert!(disk.value(r"HKLM\SOFTWARE\A", "b").is_ok());
        assert_eq!(disk.stale(), [SOFTWARE]);
    }
}
