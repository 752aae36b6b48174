//! The policies of Chromium and its relatives, as their folders hold them, or on Windows the registry.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::homes::Home;
use super::{Look, json, windows};
use crate::catalogue::ChromiumPlaces;
use crate::observation::{ReadFailure, UnreadReason};
use crate::read::{self, Links};

/// Octets of a policy file.
const POLICY_LIMIT: u64 = 1024 * 1024;
/// Files of a policy folder.
const POLICY_FILES: usize = 256;

/// Whether names are asked encrypted, and where.
pub(super) const MODE: &str = "DnsOverHttpsMode";
pub(super) const TEMPLATES: &str = "DnsOverHttpsTemplates";
/// Policies about requests to private addresses in the order in which they count, and whether they block.
pub(super) const LOCAL_NETWORK: [(&str, bool); 4] = [
    ("LocalNetworkBlockedForUrls", true),
    ("LocalNetworkAllowedForUrls", false),
    ("LocalNetworkAccessBlockedForUrls", true),
    ("LocalNetworkAccessAllowedForUrls", false),
];

/// A policy and the file or key that sets it.
#[derive(Clone)]
pub(super) struct Policy {
    pub(super) value: Value,
    pub(super) source: String,
}

/// The policies of a browser.
#[derive(Clone, Default)]
pub(super) struct Policies {
    mandatory: BTreeMap<String, Policy>,
    /// The first file or key, mandatory or recommended, that sets any policy.
    pub(super) first: Option<String>,
}

impl Policies {
    pub(super) fn read(look: &mut Look<'_>, places: &ChromiumPlaces) -> Self {
        let mut policies = Self::default();
        if look.world.is_windows() {
            policies.take_key(look, places, "HKLM");
            return policies;
        }
        for (folders, mandatory) in [(&places.managed, true), (&places.recommended, false)] {
            for folder in folders {
                for path in files(look, folder) {
                    policies.take(look, &path, mandatory);
                }
            }
        }
        policies
    }

    /// The same with those of one account, which count where the machine's say nothing.
    pub(super) fn with_account(&self, look: &mut Look<'_>, places: &ChromiumPlaces, home: &Home) -> Self {
        let mut policies = self.clone();
        if let Some(account) = &home.account {
            policies.take_key(look, places, &format!(r"HKU\{account}"));
        }
        policies
    }

    /// Takes in the browser's key below a root; of two that set the same policy the first one counts.
    fn take_key(&mut self, look: &mut Look<'_>, places: &ChromiumPlaces, root: &str) {
        let Some(places) = &places.windows else { return };
        let lists = LOCAL_NETWORK.map(|(name, _)| name);
        let found = windows::chromium(look, root, &places.policy, &[MODE, TEMPLATES], &lists);
        for (name, value) in found.set {
            let policy = Policy { value, source: found.source.clone() };
            self.mandatory.entry(name.to_owned()).or_insert(policy);
        }
        self.first = self.first.take().or(found.first);
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
