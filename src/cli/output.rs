//! Where a document goes: standard output, or a file that appears whole or not at all.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use ampls_probes::run::{Unbroken, Undisturbed, oversize_is_an_error};
use uuid::Uuid;

use super::args::{Colour, TalkArgs};
use crate::render::page::{Detail, Style};
use crate::text::quote;

/// Source: <https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499->
const ERROR_PIPE_NOT_CONNECTED: i32 = 233;

/// Somewhere to write a document.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard output.
    Stdout,
    /// This file, which appears whole or not at all.
    File(PathBuf),
}

/// Why a document could not be written.
#[derive(Debug)]
pub(super) struct OutputError {
    what: String,
    source: io::Error,
}

impl OutputError {
    fn new(what: String, source: io::Error) -> Self {
        Self { what, source }
    }

    /// The reader of the output has gone: it has what it wanted.
    pub(super) fn is_broken_pipe(&self) -> bool {
        // Windows has a second number for it, which the standard library does not know.
        let not_connected = cfg!(windows) && self.source.raw_os_error() == Some(ERROR_PIPE_NOT_CONNECTED);
        self.source.kind() == io::ErrorKind::BrokenPipe || not_connected
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot write {}: {}", self.what, self.source)
    }
}

impl std::error::Error for OutputError {}

impl Output {
    /// A destination; standard output where none is given, or `-`. A file that cannot be written is refused here, before the
    /// work, rather than after it.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, OutputError> {
        let Some(wanted) = file.filter(|file| file.as_os_str() != "-") else { return Ok(Self::Stdout) };
        let tried = replaceable(wanted).and_then(|()| Draft::beside(wanted));
        // What is opened here is removed at once: until there is something to write, nothing can be left behind.
        drop(tried.map_err(|error| OutputError::new(quote(&wanted.to_string_lossy()), error))?);
        Ok(Self::File(wanted.to_owned()))
    }

    /// Whether a person reads along.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Writes the document.
    pub(super) fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
        oversize_is_an_error();
        match self {
            Self::Stdout => {
                let _unbroken = Unbroken::begin();
                let mut document = Vec::new();
                let written = write(&mut document).and_then(|()| {
                    let mut out = io::stdout().lock();
                    out.write_all(&document)?;
                    out.flush()
                });
                written.map_err(|error| OutputError::new("to standard output".to_owned(), error))
            }
            Self::File(wanted) => {
                replace(&wanted, write).map_err(|error| OutputError::new(quote(&wanted.to_string_lossy()), error))
            }
        }
    }
}

fn replace(wanted: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut document = Vec::new();
    write(&mut document)?;
    // From the draft's beginning to its end no signal may leave it behind.
    let _undisturbed = Undisturbed::begin();
    let mut draft = Draft::beside(wanted)?;
    draft.fill(&document)?;
    draft.become_file(wanted)
}

/// Renaming replaces whatever stands there: only a file, or a link that leads to one or to nothing, may be replaced. A link
/// itself is replaced, never what it leads to.
fn replaceable(wanted: &Path) -> io::Result<()> {
    if is_open_stream(wanted) {
        return Err(refusal("it is an open stream; give `-` for standard output"));
    }
    if cfg!(windows) && is_device(wanted) {
        return Err(refusal("it is not a regular file; give `-` for standard output"));
    }
    match fs::metadata(wanted) {
        Ok(there) if there.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        Ok(there) if !there.is_file() => Err(refusal("it is not a regular file; give `-` for standard output")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether Windows takes the name for a device, in whatever folder.
/// Source: <https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions>
fn is_device(wanted: &Path) -> bool {
    let name = wanted.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
    let name = name.split('.').next().unwrap_or_default().trim_end();
    let is_number = |rest: &str| matches!(rest.as_bytes(), [b'0'..=b'9']) || matches!(rest, "¹" | "²" | "³");
    let numbered = |kind: &str| name.strip_prefix(kind).is_some_and(is_number);
    matches!(name, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

fn refusal(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Whether the name leads through the links of Linux to what a process has opened, as `/dev/stdout` does: where that is a file,
/// the link would look like any other that may be replaced, and nobody on the machine had a `/dev/stdout` any more.
fn is_open_stream(wanted: &Path) -> bool {
    let mut path = wanted.to_owned();
    // As many links as Linux follows (`man 7 path_resolution`).
    for _ in 0..40 {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if fs::canonicalize(folder).is_ok_and(|folder| folder.starts_with("/proc")) {
            return true;
        }
        let Ok(next) = fs::read_link(&path) else { return false };
        path = folder.join(next);
    }
    false
}

/// A file under a name that nobody can foresee, removed unless it becomes the wanted one.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    file: Option<File>,
}

impl Draft {
    fn beside(wanted: &Path) -> io::Result<Self> {
        if wanted.file_name().is_none() {
            return Err(refusal("it names no file"));
        }
        // Short whatever the wanted name is: that one may be as long as the file system takes.
        let unforeseen = Uuid::new_v4().simple().to_string();
        let path = wanted.with_file_name(format!(".ampls-doctor-{unforeseen}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        let file = options.open(&path)?;
        Ok(Self { path, file: Some(file) })
    }

    fn fill(&mut self, document: &[u8]) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.write_all(document)?;
        file.sync_all()
    }

    fn become_file(&mut self, wanted: &Path) -> io::Result<()> {
        fs::rename(&self.path, wanted)?;
        self.path.clear();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Windows removes no file that is still open.
        drop(self.file.take());
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A report names hosts, addresses and workspaces: it is for its owner alone.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// On Windows a new file takes the permissions of its folder.
#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// Columns of a terminal that gives no width.
const COLUMNS: usize = 80;

/// How to write for people to this destination.
pub(super) fn style(output: &Output, talk: TalkArgs) -> Style {
    let terminal = output.is_terminal();
    let width = terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0));
    Style {
        width: terminal.then(|| width.clamp(40, 200)),
        colour: colour(talk.color, terminal && shows_colours(), |name| std::env::var_os(name)),
        ascii: terminal && !speaks_utf8(),
        detail: match (talk.quiet, talk.verbose) {
            (true, _) => Detail::Answer,
            (false, 0) => Detail::Usual,
            (false, 1) => Detail::More,
            (false, _) => Detail::Everything,
        },
    }
}

/// Whether the terminal shows colours. Consoles of Windows print the codes of colours until they are asked to obey them, and old
/// ones do not obey.
fn shows_colours() -> bool {
    anstyle_query::windows::enable_ansi_colors().unwrap_or(true)
}

/// Whether to colour, by what is asked, whether a terminal that can is written to, and the environment.
fn colour(asked: Colour, terminal: bool, environment: impl Fn(&str) -> Option<OsString>) -> bool {
    match asked {
        Colour::Always => true,
        Colour::Never => false,
        // https://no-color.org: present and not empty.
        Colour::Auto => {
            let unwanted = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = environment("TERM").is_some_and(|value| value == "dumb");
            terminal && !unwanted && !dumb
        }
    }
}

/// Whether a terminal here shows characters beyond ASCII. The Rust runtime writes UTF-16 to a Windows console.
pub(super) fn speaks_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(|value| value.to_string_lossy().to_ascii_lowercase())
    });
    locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("ampls-doctor-output-{}", Uuid::new_v4().simple()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_document_that_could_not_be_written_leaves_nothing_behind_and_the_old_one_whole() {
        let folder = Folder::new();
        let wanted = folder.0.join("report.json");
        fs::write(&wanted, "old").unwrap();
        let output = Output::open(Some(&wanted)).unwrap();
        let failed = output.write(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&wanted).unwrap(), "old");
        assert_eq!(folder.names(), ["report.json"]);
    }

    #[test]
    fn a_folder_is_refused_before_the_work() {
        let folder = Folder::new();
        assert!(Output::open(Some(&folder.0)).is_err());
        assert!(Output::open(Some(&folder.0.join("missing/report.json"))).is_err());
        assert!(folder.names().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_not_touched() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let (victim, link) = (folder.0.join("victim"), folder.0.join("report.json"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        Output::open(Some(&link)).unwrap().write(|out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&link).unwrap(), "new");
        let kind = fs::symlink_metadata(&link).unwrap();
        assert!(kind.is_file());
        assert_eq!(kind.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn devices_of_windows_are_known_in_every_folder() {
        for (path, expected) in [
            ("NUL", true),
            ("x/nul.txt", true),
            ("com1", true),
            ("COM10", false),
            ("LPT0.csv", true),
            ("COM¹.txt", true),
            ("lpt³", true),
            ("CONIN$", true),
            ("conout$", true),
            ("comp.json", false),
            ("coms.txt", false),
            ("lptx.csv", false),
            ("null", false),
            ("report.json", false),
        ] {
            assert_eq!(is_device(Path::new(path)), expected, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_never_replaced_and_the_way_to_standard_output_is_named() {
        let refused = Output::open(Some(Path::new("/dev/null"))).unwrap_err().to_string();
        assert_eq!(refused, "cannot write `/dev/null`: it is not a regular file; give `-` for standard output");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_to_an_open_stream_is_never_replaced() {
        use std::os::fd::AsRawFd;
        let folder = Folder::new();
        let stream = File::create(folder.0.join("stream")).unwrap();
        let (link, further) = (folder.0.join("stdout"), folder.0.join("further"));
        std::os::unix::fs::symlink(format!("/proc/self/fd/{}", stream.as_raw_fd()), &link).unwrap();
        std::os::unix::fs::symlink("stdout", &further).unwrap();
        for wanted in [link, further] {
            let refused = Output::open(Some(&wanted)).map(|_| ()).unwrap_err().to_string();
            assert!(refused.ends_with("it is an open stream; give `-` for standard output"), "{refused}");
        }
    }

    #[test]
    fn a_draft_exists_only_while_it_is_written() {
        let folder = Folder::new();
        let wanted = folder.0.join("report.json");
        let output = Output::open(Some(&wanted)).unwrap();
        assert!(folder.names().is_empty());
        output
            .write(|out| {
                assert!(folder.names().is_empty());
                out.write_all(b"new")
            })
            .unwrap();
        assert_eq!(folder.names(), ["report.json"]);
    }

    #[test]
    fn colour_is_for_terminals_that_can_and_people_who_want_it() {
        let colour = |asked, terminal, variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            super::colour(asked, terminal, |name| find(name).map(|(_, value)| OsString::from(value)))
        };
        assert!(colour(Colour::Auto, true, &[("TERM", "xterm")]) && colour(Colour::Auto, true, &[]));
        assert!(!colour(Colour::Auto, false, &[("TERM", "xterm")]));
        assert!(!colour(Colour::Auto, true, &[("TERM", "dumb")]));
        assert!(!colour(Colour::Auto, true, &[("NO_COLOR", "1")]) && colour(Colour::Auto, true, &[("NO_COLOR", "")]));
        assert!(colour(Colour::Always, false, &[("TERM", "dumb"), ("NO_COLOR", "1")]));
        assert!(!colour(Colour::Never, true, &[]));
    }
}
