//! Which packages are installed: the database of dpkg, and those of rpm.

use std::io::{BufRead, BufReader, Read};

use super::files::Files;
use crate::observation::{Installed, UnreadReason};

mod rpm;

const DPKG: &str = "/var/lib/dpkg/status";
/// Octets that are read: some hundred times what a server has.
const DPKG_LIMIT: u64 = 256 * 1024 * 1024;
/// Octets of one line.
const LINE_LIMIT: u64 = 64 * 1024;
/// Packages that anybody asks for.
const WANTED: [&str; 3] = ["omsagent", "azuremonitoragent", "azcmagent"];

/// The installed packages among those that anybody asks for, with where they are recorded.
#[derive(Default)]
pub(super) struct Packages(Vec<(String, Installed)>);

impl Packages {
    pub(super) fn read(files: &mut Files<'_>) -> Self {
        let mut packages = Self::default();
        if let Some(file) = files.open(DPKG, DPKG_LIMIT) {
            let mut input = BufReader::new(file);
            packages.dpkg(&mut input);
            if input.get_ref().limit() == 0 {
                files.note(DPKG, UnreadReason::LongerThan(DPKG_LIMIT));
            }
        }
        for place in rpm::PLACES {
            let Some(file) = files.open(place, u64::MAX) else { continue };
            let read = rpm::read(file.into_inner(), |name, version| packages.add(name, version, place));
            if read.is_none() {
                files.note(place, UnreadReason::NotUnderstood);
            }
        }
        packages
    }

    /// The versions of a package.
    pub(super) fn versions(&self, name: &str) -> impl Iterator<Item = Installed> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, installed)| installed.clone())
    }

    fn add(&mut self, name: &str, version: &str, source: &str) {
        if WANTED.contains(&name) {
            let installed = Installed { version: version.to_owned(), source: source.to_owned() };
            self.0.push((name.to_owned(), installed));
        }
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
