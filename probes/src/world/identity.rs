//! What tells this machine from others without asking anybody. It is no part of a report.

use std::path::Path;

use sysinfo::System;

use crate::os;
use crate::read::{self, Links};
use crate::registry::{self, Keys, Registry};

/// Octets that are read of a file of one line.
const FILE_LIMIT: u64 = 1024;

/// Where systemd and D-Bus keep the id that an installation made for itself (machine-id(5)).
const FILES: [&str; 2] = ["etc/machine-id", "var/lib/dbus/machine-id"];

/// Where Windows keeps its own.
const KEY: (&str, &str) = (r"HKLM\SOFTWARE\Microsoft\Cryptography", "MachineGuid");

/// The id that this installation made for itself, and the machine's name: both outlive a restart, and machines that were cloned
/// with the id of their image differ by their names. `None` where the machine has neither.
pub fn identity() -> Option<String> {
    joined(id(&os::root(), registry::of_this_machine().as_deref()), System::host_name().ok())
}

fn id(root: &Path, registry: Option<&dyn Registry>) -> Option<String> {
    if let Some(registry) = registry {
        return Keys::new(registry).text(KEY.0, KEY.1);
    }
    let text = |file: &str| {
        let contents = read::contents(&root.join(file), Links::Follow, FILE_LIMIT).ok()?;
        Some(String::from_utf8_lossy(&contents.bytes).trim().to_owned()).filter(|text| !text.is_empty())
    };
    FILES.iter().find_map(|file| text(file))
}

fn joined(id: Option<String>, name: Option<String>) -> Option<String> {
    let parts: Vec<String> = [id, name].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    #[test]
    fn machines_of_one_image_differ_by_their_names() {
        let of = |name: &str| joined(Some("5f1c".to_owned()), Some(name.to_owned()));
        assert_ne!(of("vm-1"), of("vm-2"));
        assert_eq!(joined(None, Some("vm-1".to_owned())), Some("vm-1".to_owned()));
        assert_eq!(joined(None, Some(String::new())), None);
    }

    #[test]
    fn the_id_is_that_of_the_installation() {
        let root = std::env::temp_dir().join(format!("identity-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::create_dir_all(root.join("var/lib/dbus")).unwrap();
        assert_eq!(id(&root, None), None);
        std::fs::write(root.join("var/lib/dbus/machine-id"), "cafe\n").unwrap();
        // What an image has before its first boot.
        std::fs::write(root.join("etc/machine-id"), "\n").unwrap();
        assert_eq!(id(&root, None).as_deref(), Some("cafe"));
        std::fs::write(root.join("etc/machine-id"), "beef\n").unwrap();
        assert_eq!(id(&root, None).as_deref(), Some("beef"));
        std::fs::remove_dir_all(&root).unwrap();
        let registry = Memory::of(&[(KEY.0, KEY.1, Value::Text("2b5c-7".to_owned()))]);
        assert_eq!(id(&root, Some(registry.as_ref())).as_deref(), Some("2b5c-7"));
    }
}
