//! The policies of Chromium and its relatives, as their folders hold them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{Look, json};
use crate::catalogue::ChromiumPlaces;
use crate::observation::{ReadFailure, UnreadReason};
use crate::read::{self, Links};

/// Octets of a policy file.
const POLICY_LIMIT: u64 = 1024 * 1024;
/// Files of a policy folder.
const POLICY_FILES: usize = 256;

/// A policy and the file that sets it.
pub(super) struct Policy {
    pub(super) value: Value,
    pub(super) source: String,
}

/// The policies of a browser.
#[derive(Default)]
pub(super) struct Policies {
    mandatory: BTreeMap<String, Policy>,
    /// The first file, mandatory or recommended, that sets any policy.
    pub(super) first: Option<String>,
}

impl Policies {
    pub(super) fn read(look: &mut Look<'_>, places: &ChromiumPlaces) -> Self {
        let mut policies = Self::default();
        for (folders, mandatory) in [(&places.managed, true), (&places.recommended, false)] {
            for folder in folders {
                for path in files(look, folder) {
                    policies.take(look, &path, mandatory);
                }
            }
        }
        policies
    }

    /// Takes in a file; of two that set the same policy the later counts.
    fn take(&mut self, look: &mut Look<'_>, path: &str, mandatory: bool) {
        let contents = match read::contents(&look.world.path(path), Links::Follow, POLICY_LIMIT) {
            Ok(contents) if contents.truncated => return look.unread(path, UnreadReason::LongerThan(POLICY_LIMIT)),
            Ok(contents) => contents,
            // Only regular files are policies.
            Err(ReadFailure::NotAFile) => return,
            Err(failure) => return look.unread(path, UnreadReason::Failed(failure)),
        };
        let Some(Value::Object(found)) = json::lenient(&contents.bytes) else {
            return look.unread(path, UnreadReason::NotUnderstood);
        };
        if !found.is_empty() && self.first.is_none() {
            self.first = Some(path.to_owned());
        }
        if mandatory {
            for (name, value) in found {
                self.mandatory.insert(name, Policy { value, source: path.to_owned() });
            }
        }
    }

    /// A mandatory policy.
    pub(super) fn managed(&self, name: &str) -> Option<&Policy> {
        self.mandatory.get(name)
    }
}

/// The entries of a policy folder in lexicographic order, as paths below the root.
fn files(look: &mut Look<'_>, folder: &str) -> Vec<String> {
    let entries = match fs::read_dir(look.world.path(folder)) {
        Ok(entries) => entries,
        Err(error) => {
            look.unread(folder, UnreadReason::Failed(read::failure(&error)));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = Vec::new();
    for entry in entries.flatten() {
        if names.len() == POLICY_FILES {
            look.seen.truncated = true;
            break;
        }
        names.extend(entry.file_name().to_str().map(|name| format!("{folder}/{name}")));
    }
    names.sort();
    names
}
