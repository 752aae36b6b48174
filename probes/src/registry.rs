//! The registry of Windows: of this machine, or in the hives of a mounted disk.
//!
//! Reading is here; what a key means is for the probe that asks for it. Keys are written as Windows writes them
//! (`HKLM\SOFTWARE\…`, `HKU\<SID>\…`), in any case of letters. Nothing is ever written, and a value is read by its name: those
//! that hold keys and passwords are not asked for.

use std::path::Path;
use std::sync::Arc;

use crate::observation::{ReadFailure, Unread, UnreadReason};
use crate::read::below;
use crate::read::root::is_of_windows;

mod disk;
mod hive;
pub mod memory;
#[cfg(windows)]
#[path = "registry/live.rs"]
mod own;
#[cfg(not(windows))]
#[path = "registry/absent.rs"]
mod own;
mod value;
#[cfg(any(test, feature = "testing"))]
pub mod writer;

pub use value::Value;

/// The hives of the machine itself.
const SYSTEM: &str = r"C:\Windows\System32\config\SYSTEM";
const SOFTWARE: &str = r"C:\Windows\System32\config\SOFTWARE";
/// Keys that every Windows has, and the hives that they lie in.
const HIVES: [(&str, &str); 2] =
    [(r"HKLM\SYSTEM\CurrentControlSet\Services", SYSTEM), (r"HKLM\SOFTWARE\Microsoft", SOFTWARE)];

/// Octets of a value that are kept.
const VALUE_LIMIT: usize = 1024 * 1024;
/// Names of keys or values that are listed of one key.
const NAMES_LIMIT: usize = 4096;
/// Keys that are recorded as unreadable.
const UNREAD_LIMIT: usize = 100;

/// Where the registry is read.
pub trait Registry: Send + Sync {
    /// The value of a key that has this name.
    fn value(&self, key: &str, name: &str) -> Result<Value, UnreadReason>;

    /// The names of a key's values, at most some thousand.
    fn names(&self, key: &str) -> Result<Vec<String>, UnreadReason>;

    /// The names of the keys below a key, at most some thousand. Below `HKU` they are those of the users that are known.
    fn keys(&self, key: &str) -> Result<Vec<String>, UnreadReason>;

    /// The hives whose last changes are still in their logs, which are not read, in the order opened. On a disk that is not in
    /// use only a machine that was not shut down leaves such.
    fn stale(&self) -> Vec<String>;
}

/// The registry of the running system; `None` where it has none.
pub fn of_this_machine() -> Option<Arc<dyn Registry>> {
    own::registry()
}

/// The registry of the disk below a folder; `None` where that is not a disk of Windows.
pub fn of_disk(root: &Path) -> Option<Arc<dyn Registry>> {
    is_of_windows(root).then(|| Arc::new(disk::Disk::new(root)) as Arc<dyn Registry>)
}

/// The hives without the keys that every Windows has: they are not there, or not hives, and nothing follows from what is missing
/// in them.
pub fn lost(registry: &dyn Registry) -> Vec<Unread> {
    let of_hive = |(key, hive): &(&str, &str)| {
        let why = match registry.keys(key).err()? {
            UnreadReason::Failed(ReadFailure::NotPermitted) => ReadFailure::NotPermitted,
            _ => ReadFailure::Code(None),
        };
        Some(Unread { path: (*hive).to_owned(), why: UnreadReason::Failed(why) })
    };
    HIVES.iter().filter_map(of_hive).collect()
}

/// Reads keys and remembers those that could not be read.
pub struct Keys<'r> {
    registry: &'r dyn Registry,
    unread: Vec<Unread>,
}

impl<'r> Keys<'r> {
    /// A look at a registry.
    pub fn new(registry: &'r dyn Registry) -> Self {
        Self { registry, unread: Vec::new() }
    }

    /// Everything that could not be read, each key once.
    pub fn into_unread(self) -> Vec<Unread> {
        self.unread
    }

    /// The first that could not be read, and why; `None` where everything was.
    pub fn failure(&self) -> Option<(&str, ReadFailure)> {
        let unread = self.unread.first()?;
        let why = match &unread.why {
            UnreadReason::Failed(failure) => failure.clone(),
            _ => ReadFailure::Code(None),
        };
        Some((&unread.path, why))
    }

    /// Whether a key is among them.
    pub fn is_unread(&self, key: &str) -> bool {
        self.unread.iter().any(|unread| unread.path == key)
    }

    /// The text of a value; that of a list is its first text. Blank text counts as none.
    pub fn text(&mut self, key: &str, name: &str) -> Option<String> {
        let text = match self.value(key, name)? {
            Value::Text(text) => text,
            Value::List(list) => list.into_iter().next()?,
            Value::Number(_) | Value::Octets(_) => return None,
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The texts of a value; a single text is split at `separators`.
    pub fn list(&mut self, key: &str, name: &str, separators: &[char]) -> Vec<String> {
        let texts = match self.value(key, name) {
            Some(Value::Text(text)) => text.split(separators).map(str::to_owned).collect(),
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        };
        texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    /// The number of a value; some programs write it as text.
    pub fn number(&mut self, key: &str, name: &str) -> Option<u64> {
        match self.value(key, name)? {
            Value::Number(number) => Some(number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::List(_) | Value::Octets(_) => None,
        }
    }

    /// The octets of a binary value.
    pub fn octets(&mut self, key: &str, name: &str) -> Option<Vec<u8>> {
        match self.value(key, name)? {
            Value::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    /// A value as it is.
    pub fn value(&mut self, key: &str, name: &str) -> Option<Value> {
        let read = self.registry.value(key, name);
        self.seen(key, read)
    }

    /// The names of a key's values; none where it is not there.
    pub fn names(&mut self, key: &str) -> Vec<String> {
        let read = self.registry.names(key);
        self.seen(key, read).unwrap_or_default()
    }

    /// The names of the keys below a key; none where it is not there.
    pub fn keys(&mut self, key: &str) -> Vec<String> {
        let read = self.registry.keys(key);
        self.seen(key, read).unwrap_or_default()
    }

    /// Whether a key is there.
    pub fn exists(&mut self, key: &str) -> bool {
        let read = self.registry.keys(key);
        self.seen(key, read).is_some()
    }

    fn seen<T>(&mut self, key: &str, read: Result<T, UnreadReason>) -> Option<T> {
        match read {
            Ok(seen) => return Some(seen),
            Err(why) if below::is_missing(&why) => {}
            Err(why) => {
                if !self.is_unread(key) && self.unread.len() < UNREAD_LIMIT {
                    self.unread.push(Unread { path: key.to_owned(), why });
                }
            }
        }
        None
    }
}

/// Puts the folders of Windows in the place of the variables that stand for them in paths.
pub fn expanded(path: &str) -> String {
    const VARIABLES: [(&str, &str); 6] = [
        ("%systemroot%", r"C:\Windows"),
        ("%windir%", r"C:\Windows"),
        ("%systemdrive%", "C:"),
        ("%programfiles%", r"C:\Program Files"),
        ("%programdata%", r"C:\ProgramData"),
        ("%allusersprofile%", r"C:\ProgramData"),
    ];
    let lower = path.to_ascii_lowercase();
    let known = VARIABLES.iter().find(|(variable, _)| lower.starts_with(variable));
    known.map_or_else(
        || path.to_owned(),
        |(variable, folder)| format!("{folder}{}", path.get(variable.len()..).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registry of one key that is refused.
    struct Refused;

    impl Registry for Refused {
        fn value(&self, _: &str, _: &str) -> Result<Value, UnreadReason> {
            Err(UnreadReason::Failed(ReadFailure::NotPermitted))
        }

        fn names(&self, _: &str) -> Result<Vec<String>, UnreadReason> {
            Err(UnreadReason::Failed(ReadFailure::Missing))
        }

        fn keys(&self, _: &str) -> Result<Vec<String>, UnreadReason> {
            Err(UnreadReason::NotUnderstood)
        }

        fn stale(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn refused_key_is_recorded_once_and_a_missing_one_never() {
        let mut keys = Keys::new(&Refused);
        assert_eq!((keys.text("HKLM\\A", "x"), keys.number("HKLM\\A", "y")), (None, None));
        assert!(keys.names("HKLM\\B").is_empty() && !keys.exists("HKLM\\C"));
        let unread: Vec<_> = keys.into_unread().into_iter().map(|unread| unread.path).collect();
        assert_eq!(unread, ["HKLM\\A", "HKLM\\C"]);
    }

    #[test]
    fn variables_of_paths_are_replaced_in_either_case() {
        for (path, expected) in [
            (r"%SystemRoot%\System32\drivers\etc", r"C:\Windows\System32\drivers\etc"),
            (r"%systemdrive%\etc", r"C:\etc"),
            (r"D:\etc", r"D:\etc"),
            (r"%unknown%\x", r"%unknown%\x"),
        ] {
            assert_eq!(expanded(path), expected);
        }
    }
}
