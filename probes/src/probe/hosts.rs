//! The hosts file: which lines name an endpoint. Whether that is wanted is not judged here.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::time::Instant;

use crate::observation::{Hosts, HostsEntry, HostsFile, Outcome, ReadFailure, Timing};
use crate::probe::micros;
use crate::read::{self, Links};
use crate::registry::{Keys, expanded};
use crate::world::World;

/// Octets that are read: more than two million lines.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;
/// Octets of a line that are looked at.
const LINE_LIMIT: u64 = 64 * 1024;
/// Entries that are kept.
const ENTRY_LIMIT: usize = 1000;

/// Reads the entries that name one of `names` (lower case, without trailing dot). `start` is when the run began.
pub fn read(world: &World, start: Instant, names: &BTreeSet<String>) -> Hosts {
    let began = Instant::now();
    let (unread, outcome) = match file(world) {
        Ok(source) => {
            let file = world.readable(&source).and_then(|path| read::open(&path, Links::Follow));
            match file.and_then(|file| entries_of(file, source.clone(), names)) {
                Ok(file) => (None, Outcome::Seen(file)),
                Err(failure) => (Some(source), Outcome::Failed(failure)),
            }
        }
        Err((key, failure)) => (Some(key), Outcome::Failed(failure)),
    };
    let timing = Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    Hosts { timing, outcome, unread }
}

/// Where the examined system has its hosts file. Windows lets its folder be moved: where the key that says so cannot be read, that
/// is given, and why.
/// Source: <https://learn.microsoft.com/troubleshoot/windows-client/networking/tcpip-and-nbt-configuration-parameters>
fn file(world: &World) -> Result<String, (String, ReadFailure)> {
    const PARAMETERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
    let Some(registry) = &world.registry else { return Ok("/etc/hosts".to_owned()) };
    let mut keys = Keys::new(registry.as_ref());
    let moved = keys.text(PARAMETERS, "DataBasePath");
    if let Some((key, failure)) = keys.failure() {
        return Err((key.to_owned(), failure));
    }
    let folder = moved.map_or_else(|| r"C:\Windows\System32\drivers\etc".to_owned(), |moved| expanded(&moved));
    Ok(format!(r"{}\hosts", folder.trim_end_matches('\\')))
}

fn entries_of(file: File, source: String, names: &BTreeSet<String>) -> Result<HostsFile, ReadFailure> {
    let mut found = parse(BufReader::new(file), FILE_LIMIT, names).map_err(|error| read::failure(&error))?;
    found.source = source;
    Ok(found)
}

/// Reads line by line, so that a file of any length takes no memory; `source` is left empty.
fn parse(input: impl BufRead, limit: u64, names: &BTreeSet<String>) -> io::Result<HostsFile> {
    let mut input = input.take(limit);
    let mut found = HostsFile::default();
    let mut line = Vec::new();
    let mut number: u32 = 0;
    loop {
        line.clear();
        if (&mut input).take(LINE_LIMIT).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number = number.saturating_add(1);
        if line.last() != Some(&b'\n') && skip_line(&mut input)? {
            found.truncated = true;
        }
        for entry in entries(&line, number, names) {
            if found.entries.len() == ENTRY_LIMIT {
                found.truncated = true;
                return Ok(found);
            }
            found.entries.push(entry);
        }
    }
    found.truncated |= input.limit() == 0 && !input.get_mut().fill_buf()?.is_empty();
    Ok(found)
}

/// Passes over the rest of a line; true when there was any.
fn skip_line(input: &mut impl BufRead) -> io::Result<bool> {
    let mut skipped = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|octet| *octet == b'\n');
        skipped |= end != Some(0);
        let length = end.map_or(buffer.len(), |end| end + 1);
        input.consume(length);
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

/// The entries of one line. A NUL ends it as `#` does: the readers of this file handle C strings.
fn entries(line: &[u8], number: u32, names: &BTreeSet<String>) -> Vec<HostsEntry> {
    let meant = line.split(|octet| matches!(octet, b'#' | 0)).next().unwrap_or_default();
    let mut words = meant.split(|octet| octet.is_ascii_whitespace() || *octet == 0x0b).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return Vec::new() };
    let mut entries: Vec<HostsEntry> = Vec::new();
    let mut lower = String::new();
    for word in words {
        let Ok(word) = std::str::from_utf8(word) else { continue };
        lower.clear();
        lower.push_str(word);
        lower.make_ascii_lowercase();
        if !names.contains(lower.as_str()) || entries.iter().any(|entry| entry.name == lower) {
            continue;
        }
        let Some(address) = address(first) else { return entries };
        entries.push(HostsEntry { line: number, address, name: lower.clone() });
    }
    entries
}

fn address(word: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    const NAME: &str = "global.handler.control.monitor.azure.com";

    fn names() -> BTreeSet<String> {
        BTreeSet::from([NAME.to_owned(), "api.monitor.azure.com".to_owned()])
    }

    fn parsed(text: impl AsRef<[u8]>) -> Vec<(u32, String, String)> {
        let found = parse(text.as_ref(), FILE_LIMIT, &names()).unwrap();
        found.entries.into_iter().map(|entry| (entry.line, entry.address.to_string(), entry.name)).collect()
    }

    #[test]
    fn lines_that_name_an_endpoint_are_found() {
        let name = NAME.to_owned();
        for (text, expected) in [
            (format!("10.0.0.4 {NAME}\n"), vec![(1, "10.0.0.4", NAME)]),
            (format!("127.0.0.1 localhost\r\n10.0.0.4\t{NAME}\r\n"), vec![(2, "10.0.0.4", NAME)]),
            (
                format!("  10.0.0.4 vm {} {NAME} api.monitor.azure.com", name.to_uppercase()),
                vec![(1, "10.0.0.4", NAME), (1, "10.0.0.4", "api.monitor.azure.com")],
            ),
            (format!("fd00::4 {NAME} # the endpoint\n"), vec![(1, "fd00::4", NAME)]),
            (format!("10.0.0.4 {NAME}\n\n10.0.0.5 {NAME}"), vec![(1, "10.0.0.4", NAME), (3, "10.0.0.5", NAME)]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(l, a, n)| (*l, (*a).to_owned(), (*n).to_owned())).collect();
            assert_eq!(parsed(&text), expected, "{text}");
        }
    }

    #[test]
    fn lines_that_mean_nothing_are_passed_over() {
        for text in [
            format!("# 10.0.0.4 {NAME}\n"),
            format!("10.0.0.4 other # {NAME}\n"),
            format!("10.0.0.4 other\0{NAME}\n"),
            format!("300.0.0.4 {NAME}\n"),
            format!("{NAME} 10.0.0.4\n"),
            format!("10.0.0.4 {NAME}.\n"),
            format!("10.0.0.4 x{NAME}\n"),
            format!("fe80::1%eth0 {NAME}\n"),
            "\n\0\n#\n \t \n".to_owned(),
            String::new(),
        ] {
            assert_eq!(parsed(&text), Vec::new(), "{text:?}");
        }
    }

    #[test]
    fn octets_that_are_no_text_do_not_hide_the_rest() {
        let mut text = b"10.0.0.3 h\xf6st\n\xff\xfe\n10.0.0.4 \xff ".to_vec();
        text.extend_from_slice(NAME.as_bytes());
        assert_eq!(parsed(text), vec![(3, "10.0.0.4".to_owned(), NAME.to_owned())]);
    }

    #[test]
    fn million_lines_are_read_to_the_end() {
        let mut text = "0.0.0.0 ads.example.net\n".repeat(1_000_000);
        text.push_str("10.0.0.4 ");
        text.push_str(NAME);
        assert_eq!(parsed(&text), vec![(1_000_001, "10.0.0.4".to_owned(), NAME.to_owned())]);
    }

    #[test]
    fn longer_file_than_is_read_is_truncated() {
        let text = format!("10.0.0.4 {NAME}\n10.0.0.5 {NAME}\n");
        let first = u64::try_from(text.len() / 2).unwrap();
        let found = parse(text.as_bytes(), first, &names()).unwrap();
        assert_eq!((found.entries.len(), found.truncated), (1, true));
        let all = parse(text.as_bytes(), first * 2, &names()).unwrap();
        assert_eq!((all.entries.len(), all.truncated), (2, false));
    }

    #[test]
    fn endless_line_is_cut_and_the_next_is_read() {
        let text = format!("10.0.0.3 {}\n10.0.0.4 {NAME}\n", "a ".repeat(200_000));
        let found = parse(text.as_bytes(), FILE_LIMIT, &names()).unwrap();
        assert_eq!(found.entries.first().map(|entry| entry.line), Some(2));
        assert!(found.truncated);
    }

    #[test]
    fn entries_are_bounded() {
        let text = format!("10.0.0.4 {NAME}\n").repeat(ENTRY_LIMIT + 1);
        let found = parse(text.as_bytes(), FILE_LIMIT, &names()).unwrap();
        assert_eq!((found.entries.len(), found.truncated), (ENTRY_LIMIT, true));
    }

    #[test]
    fn file_below_the_root_is_read() {
        let root = std::env::temp_dir().join(format!("hosts-{}", uuid::Uuid::new_v4()));
        let start = Instant::now();
        let world = World::from_system(Some(&root), None);
        assert_eq!(read(&world, start, &names()).outcome, Outcome::Failed(ReadFailure::Missing));
        let path = world.path("/etc/hosts");
        std::fs::create_dir_all(&path).unwrap();
        assert_eq!(read(&world, start, &names()).outcome, Outcome::Failed(ReadFailure::NotAFile));
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, format!("10.0.0.4 {NAME}\n")).unwrap();
        let hosts = read(&world, start, &names());
        let file = hosts.outcome.seen().unwrap();
        assert_eq!((file.source.as_str(), file.entries.len()), ("/etc/hosts", 1));
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn folder_of_windows_may_be_moved() {
        const PARAMETERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
        let world = |keys: &[(&str, &str, Value)]| World {
            registry: Some(Memory::of(keys)),
            ..World::from_system(Some(std::path::Path::new("/nonexistent")), None)
        };
        assert_eq!(file(&world(&[])).unwrap(), r"C:\Windows\System32\drivers\etc\hosts");
        for moved in [r"D:\names", r"D:\names\"] {
            let moved = Value::Text(moved.to_owned());
            let world = world(&[(PARAMETERS, "DataBasePath", moved)]);
            assert_eq!(file(&world).unwrap(), r"D:\names\hosts");
            let hosts = read(&world, Instant::now(), &names());
            assert_eq!(hosts.outcome, Outcome::Failed(ReadFailure::Code(None)), "that drive is not this disk");
            assert_eq!(hosts.unread.as_deref(), Some(r"D:\names\hosts"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_read(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let line = [b"10.0.0.4 ".as_slice(), NAME.as_bytes(), b"\n"].concat();
            let text = [octets.as_slice(), b"\n", &line].concat();
            let found = parse(text.as_slice(), FILE_LIMIT, &names()).unwrap();
            proptest::prop_assert!(found.entries.iter().any(|entry| entry.name == NAME));
        }
    }
}
