//! Which packages are installed: the database of dpkg, and those of rpm.

use std::io::{BufRead, BufReader, Read};

use super::files::Files;
use crate::observation::{Installed, UnreadReason};

mod rpm;

const DPKG: &str = "/var/lib/dpkg/status";
/// Octets that are read: some twenty times what a server has.
const DPKG_LIMIT: u64 = 64 * 1024 * 1024;
/// Octets of one line.
const LINE_LIMIT: u64 = 64 * 1024;
/// Packages that anybody asks for.
const WANTED: [&str; 3] = ["omsagent", "azuremonitoragent", "azcmagent"];
/// Versions that are kept of them: a package is installed once, seldom twice.
const MOST_VERSIONS: usize = 64;
/// Octets of a version.
const VERSION_LIMIT: usize = 256;

/// The installed packages among those that anybody asks for, with where they are recorded.
#[derive(Default)]
pub(super) struct Packages {
    found: Vec<(String, Installed)>,
    /// There were more than are kept.
    crowded: bool,
}

impl Packages {
    pub(super) fn read(files: &mut Files<'_>) -> Self {
        let mut packages = Self::default();
        if let Some(file) = files.open(DPKG, DPKG_LIMIT) {
            let mut input = BufReader::new(file);
            packages.dpkg(&mut input);
            if input.get_ref().limit() == 0 {
                files.note(DPKG, UnreadReason::LongerThan(DPKG_LIMIT));
            }
            packages.note(files, DPKG);
        }
        let mut budget = rpm::Budget::new();
        for place in rpm::PLACES {
            let Some(file) = files.open(place, u64::MAX) else { continue };
            let read = rpm::read(file.into_inner(), &mut budget, |name, version| packages.add(name, version, place));
            if read.is_none() {
                files.note(place, UnreadReason::NotUnderstood);
            }
            packages.note(files, place);
        }
        packages
    }

    /// Records that a database holds more versions than are kept.
    fn note(&mut self, files: &mut Files<'_>, source: &str) {
        if std::mem::take(&mut self.crowded) {
            files.note(source, UnreadReason::NotUnderstood);
        }
    }

    /// The versions of a package.
    pub(super) fn versions(&self, name: &str) -> impl Iterator<Item = Installed> {
        self.found.iter().filter(move |(known, _)| known == name).map(|(_, installed)| installed.clone())
    }

    fn add(&mut self, name: &str, version: &str, source: &str) {
        if !WANTED.contains(&name) {
            return;
        }
        let known = |(known, installed): &(String, Installed)| {
            known == name && installed.version == version && installed.source == source
        };
        if self.found.iter().any(known) {
            return;
        }
        if version.len() > VERSION_LIMIT || self.found.len() == MOST_VERSIONS {
            self.crowded = true;
            return;
        }
        let installed = Installed { version: version.to_owned(), source: source.to_owned() };
        self.found.push((name.to_owned(), installed));
    }

    /// Paragraphs of `Key: value`, separated by empty lines.
    /// Source: <https://man7.org/linux/man-pages/man1/dpkg.1.html>, deb-control(5)
    fn dpkg(&mut self, input: &mut impl BufRead) {
        let mut paragraph = Paragraph::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = input.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line).unwrap_or(0);
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if read == 0 || text.is_empty() {
                if let Some((name, version)) = std::mem::take(&mut paragraph).installed() {
                    self.add(&name, &version, DPKG);
                }
                if read == 0 {
                    return;
                }
                continue;
            }
            match text.split_once(':') {
                Some(("Package", name)) => name.trim().clone_into(&mut paragraph.name),
                Some(("Version", version)) => version.trim().clone_into(&mut paragraph.version),
                Some(("Status", status)) => paragraph.installed = status.trim().ends_with(" installed"),
                _ => {}
            }
        }
    }
}

#[derive(Default)]
struct Paragraph {
    name: String,
    version: String,
    installed: bool,
}

impl Paragraph {
    fn installed(self) -> Option<(String, String)> {
        (self.installed && !self.version.is_empty()).then_some((self.name, self.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn million_paragraphs_of_one_package_are_kept_once_and_a_thousand_versions_up_to_the_limit() {
        let mut packages = Packages::default();
        let same = "Package: omsagent\nStatus: install ok installed\nVersion: 1.14.9\n\n".repeat(20_000);
        packages.dpkg(&mut same.as_bytes());
        assert_eq!((packages.found.len(), packages.crowded), (1, false));
        let versions =
            (0..1_000).map(|n| format!("Package: omsagent\nStatus: install ok installed\nVersion: 1.{n}\n\n"));
        let other = versions.collect::<Vec<String>>().concat();
        packages.dpkg(&mut other.as_bytes());
        assert_eq!((packages.found.len(), packages.crowded), (MOST_VERSIONS, true));
    }

    #[test]
    fn version_longer_than_any_is_not_kept() {
        let mut packages = Packages::default();
        packages.add("omsagent", &"1".repeat(VERSION_LIMIT + 1), DPKG);
        packages.add("somebody-elses", "1", DPKG);
        assert_eq!((packages.found.len(), packages.crowded), (0, true));
    }
}
