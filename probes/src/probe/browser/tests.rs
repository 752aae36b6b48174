//! Hostile homes in a folder of their own; what browsers really do is in the integration tests.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::observation::{SecureDnsMode, SetBy};
use crate::world::{Clock, Network, Roots, Routes};

struct Machine {
    root: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let root = std::env::temp_dir().join(format!("browser-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(root.join("home/a")).unwrap();
        Self { root }
    }

    fn file(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn read(&self) -> BrowsersSeen {
        let none = Arc::new(rustls::RootCertStore::empty());
        let world = World {
            root: self.root.clone(),
            environment: std::collections::BTreeMap::default(),
            network: Network::Simulated(Arc::new(Routes::default())),
            resolver: Arc::new(crate::world::OsResolver),
            clock: Clock::default(),
            roots: Roots::new(none.clone(), none),
            machine: crate::observation::Machine::default(),
            fetches_roots: false,
            registry: None,
            denied: std::collections::BTreeSet::default(),
            hanging: std::collections::BTreeSet::default(),
        };
        match read(&Arc::new(world), &[], BrowserSettings::All) {
            Outcome::Seen(seen) => seen,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

const STATE: &str = "home/a/.config/chromium/Local State";
const PREFS: &str = "home/a/.mozilla/firefox/x.default/prefs.js";

#[test]
fn machine_without_browsers_has_none() {
    assert_eq!(Machine::new().read(), BrowsersSeen::default());
}

#[test]
fn million_lines_are_read_to_their_end() {
    let mut text = b"user_pref(\"some.other.preference.of.a.profile\", \"value\");\n".repeat(1_000_000);
    text.extend(b"user_pref(\"network.trr.mode\", 3);\n");
    let machine = Machine::new().file(PREFS, &text);
    assert_eq!(machine.read().settings[0].trr_mode, Some(3));
}

#[test]
fn deep_huge_binary_and_mistyped_documents_are_recorded() {
    let mut huge = b"{\"a\": \"".to_vec();
    huge.resize(17 * 1024 * 1024, b'x');
    let deep = [b"{\"dns_over_https\":".repeat(200_000), b"1".to_vec()].concat();
    for (bytes, why) in [
        (huge.as_slice(), UnreadReason::LongerThan(16 * 1024 * 1024)),
        (&deep, UnreadReason::NotUnderstood),
        (b"\0\0\xff\xfe", UnreadReason::NotUnderstood),
        (b"[]", UnreadReason::NotUnderstood),
        (b"", UnreadReason::NotUnderstood),
    ] {
        let seen = Machine::new().file(STATE, bytes).read();
        assert_eq!(seen.settings, []);
        assert_eq!(seen.unread.len(), 1, "{why:?}");
        assert_eq!(seen.unread[0].why, why);
    }
    let seen = Machine::new().file(STATE, b"{\"dns_over_https\": {\"mode\": 3, \"templates\": []}}").read();
    assert_eq!(seen.settings[0].mode, SecureDnsMode::Unset);
}

#[cfg(unix)]
#[test]
fn links_fifos_and_folders_in_a_files_place_are_not_opened() {
    let machine = Machine::new()
        .file("secret", b"user_pref(\"network.trr.mode\", 3);")
        .file("home/a/.config/chromium/other", b"")
        .file("home/a/.mozilla/firefox/x/times.json", b"");
    std::os::unix::fs::symlink(machine.root.join("secret"), machine.root.join("home/a/.mozilla/firefox/x/prefs.js"))
        .unwrap();
    fs::create_dir(machine.root.join("home/a/.mozilla/firefox/x/user.js")).unwrap();
    let fifo = machine.root.join(STATE);
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let seen = machine.read();
    assert_eq!(seen.settings, []);
    let why: Vec<UnreadReason> = seen.unread.into_iter().map(|unread| unread.why).collect();
    let not_a_file = UnreadReason::Failed(ReadFailure::NotAFile);
    assert_eq!(why, [not_a_file.clone(), UnreadReason::Link, not_a_file]);
}

#[cfg(unix)]
#[test]
fn folder_that_is_a_link_to_another_home_gives_nothing() {
    let machine = Machine::new().file("home/b/.mozilla/firefox/x/prefs.js", b"user_pref(\"network.trr.mode\", 3);");
    std::os::unix::fs::symlink("../b/.mozilla", machine.root.join("home/a/.mozilla")).unwrap();
    let seen = machine.read();
    assert_eq!(
        seen.settings.iter().map(|setting| setting.profile.as_deref()).collect::<Vec<_>>(),
        [Some("/home/b/.mozilla/firefox/x")]
    );
    assert!(seen.unread.iter().all(|unread| unread.why == UnreadReason::Link), "{:?}", seen.unread);
}

#[test]
fn later_policy_file_wins_and_broken_ones_are_passed_over() {
    let folder = "etc/opt/chrome/policies/managed";
    let seen = Machine::new()
        .file(&format!("{folder}/10.json"), b"{\"DnsOverHttpsMode\": \"secure\",}")
        .file(&format!("{folder}/20.json"), b"// last\n{\"DnsOverHttpsMode\": \"off\"}")
        .file(&format!("{folder}/30.json"), b"{")
        .read();
    assert_eq!(
        (seen.settings.len(), seen.settings[0].mode, seen.settings[0].set_by),
        (1, SecureDnsMode::Off, SetBy::Policy)
    );
    assert_eq!(seen.settings[0].source, "/etc/opt/chrome/policies/managed/20.json");
    assert_eq!(seen.unread.len(), 1);
}
