//! `-o`: which file a document goes to, and the format that the file's name asks for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::{Arg, Command, Error};

use super::value::{meant, refusal};
use crate::text::quote;

/// Words that other programs take behind `-o` as a format. A file of such a name is given as `./json`.
const FORMATS_ELSEWHERE: [&str; 22] = [
    "json",
    "jsonc",
    "ndjson",
    "jsonl",
    "yaml",
    "yamlc",
    "yml",
    "table",
    "text",
    "plain",
    "wide",
    "csv",
    "tsv",
    "html",
    "htm",
    "xml",
    "junit",
    "markdown",
    "md",
    "metrics",
    "prometheus",
    "compact",
];

/// What a file's extension stands for.
const EXTENSIONS: [(&str, &str); 12] = [
    ("json", "json"),
    ("ndjson", "ndjson"),
    ("jsonl", "ndjson"),
    ("html", "html"),
    ("htm", "html"),
    ("xml", "junit"),
    ("prom", "metrics"),
    ("md", "markdown"),
    ("csv", "csv"),
    ("txt", "table"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
];

/// The value parser of `-o`.
#[derive(Clone)]
pub(super) struct Destination;

impl TypedValueParser for Destination {
    type Value = PathBuf;

    fn parse_ref(&self, _command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<PathBuf, Error> {
        let text = value.to_string_lossy().to_ascii_lowercase();
        if FORMATS_ELSEWHERE.contains(&text.as_str()) {
            let format = meant(&text, &["table", "json", "ndjson", "compact", "html", "markdown", "junit", "metrics"]);
            return Err(refusal(
                argument,
                &format!(
                    "-o names a file; for the format use --format {} (for a file of that name: -o ./{text})",
                    format.unwrap_or("json")
                ),
            ));
        }
        Ok(PathBuf::from(value))
    }
}

/// The format: the one that was asked for, else the one that the file's name asks for, else the usual one. Fails where the
/// name asks for a format that the command does not have.
pub(super) fn format<T: Copy>(
    asked: Option<T>,
    file: Option<&Path>,
    formats: &[(&'static str, T)],
    usual: T,
) -> Result<T, String> {
    if let Some(asked) = asked {
        return Ok(asked);
    }
    let extension = file.and_then(Path::extension).map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let wanted = EXTENSIONS.iter().find(|(known, _)| Some(*known) == extension.as_deref()).map(|(_, format)| *format);
    let Some(wanted) = wanted else { return Ok(usual) };
    let known = formats.iter().find(|(name, _)| *name == wanted).map(|(_, format)| *format);
    known.ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|(name, _)| *name).collect();
        let file = quote(&file.unwrap_or(Path::new("")).to_string_lossy());
        let names = names.join(", ");
        format!("-o {file}: there is no format {wanted} here; name the file for another one, or give --format with one of {names}")
    })
}

/// How files of a format are called.
pub(super) fn extension<T: PartialEq>(wanted: &T, formats: &[(&'static str, T)]) -> &'static str {
    let name = formats.iter().find(|(_, format)| format == wanted).map(|(name, _)| *name);
    EXTENSIONS.iter().find(|(_, format)| Some(*format) == name).map_or("txt", |(extension, _)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [(&str, u8); 3] = [("table", 0), ("json", 1), ("junit", 2)];

    fn chosen(asked: Option<u8>, file: &str) -> Result<u8, String> {
        format(asked, Some(Path::new(file)), &FORMATS, 0)
    }

    #[test]
    fn the_files_name_chooses_the_format_unless_one_is_given() {
        for (file, format) in [("a.json", 1), ("A.JSON", 1), ("x.y.xml", 2), ("a.txt", 0), ("a.log", 0), ("json", 0)] {
            assert_eq!(chosen(None, file), Ok(format), "{file}");
        }
        assert_eq!(chosen(Some(2), "a.json"), Ok(2));
        assert_eq!(chosen(Some(0), "a.md"), Ok(0));
        assert_eq!(format(None, None, &FORMATS, 1), Ok(1));
    }

    #[test]
    fn files_are_called_by_their_format() {
        let named = |format: u8| extension(&format, &FORMATS);
        assert_eq!((named(0), named(1), named(2), named(9)), ("txt", "json", "xml", "txt"));
    }

    #[test]
    fn a_name_for_a_format_that_is_not_there_is_refused() {
        for file in ["a.md", "a.yaml", "a.csv", "a.html"] {
            let refused = chosen(None, file).unwrap_err();
            assert!(refused.contains(file) && refused.ends_with("table, json, junit"), "{refused}");
        }
    }
}
