//! `redact`: saved reports under pseudonyms.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ampls_probes::Catalogue;
use uuid::Uuid;

use super::catalogue;
use crate::cli::args::{Format, RedactArgs, TalkArgs};
use crate::cli::exit::{Failure, exit_code, replaced, say};
use crate::cli::input;
use crate::cli::output::{self, Output};
use crate::cli::saved::{self, Saved, judged};
use crate::render;
use crate::report::{FailOn, Redactor};
use crate::text::quote;

pub(in crate::cli) fn redact(arguments: &RedactArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let format = arguments.format().map_err(Failure::Usage)?;
    match arguments.files.as_slice() {
        [file] => {
            let output = Output::open(arguments.output.as_deref())?;
            let saved = redacted(saved::read(file)?, &catalogue()?, key())?;
            write(saved, format, output, &place(arguments.output.as_deref()), talk)
        }
        files => several(files, format, arguments.output.as_deref(), talk),
    }
}

/// Several reports, whose names and addresses get the same pseudonyms. Their files are named by numbers: a file is often
/// called like its machine.
fn several(files: &[PathBuf], format: Format, folder: Option<&Path>, talk: TalkArgs) -> Result<u8, Failure> {
    let Some(folder) = folder.filter(|folder| folder.as_os_str() != "-") else {
        return Err(Failure::Usage("several reports need a folder to go to: give one with -o".to_owned()));
    };
    if files.iter().filter(|file| input::is_stdin(file)).count() > 1 {
        return Err(Failure::Usage("standard input holds one report only; give the others as files".to_owned()));
    }
    let reports: Vec<Saved> = files.iter().map(|file| saved::read(file)).collect::<Result<_, _>>()?;
    let made = |error: io::Error| {
        Failure::Impossible(format!("cannot make the folder {}: {error}", quote(&folder.to_string_lossy())))
    };
    fs::create_dir_all(folder).map_err(made)?;
    let all: Vec<_> = reports.iter().map(|report| &report.observations).collect();
    let redactor = Redactor::new(&all, &catalogue()?, key()).map_err(|error| cannot(&error))?;
    for (number, (file, report)) in files.iter().zip(&reports).enumerate() {
        let to = folder.join(format!("report-{}.{}", number + 1, RedactArgs::extension(format)));
        let (observations, manifest) = redactor.redact(&report.observations).map_err(|error| cannot(&error))?;
        let rules = report.rules.clone().of_known_codes();
        let saved = Saved { id: Uuid::new_v4(), rules, observations, redacted: Some(manifest) };
        let place = format!("{} to {}: ", quote(&file.to_string_lossy()), quote(&to.to_string_lossy()));
        write(saved, format, Output::open(Some(&to))?, &place, talk)?;
    }
    Ok(0)
}

fn write(saved: Saved, format: Format, output: Output, place: &str, talk: TalkArgs) -> Result<u8, Failure> {
    let style = output::style(&output, talk);
    let report = judged(saved, None);
    let status = exit_code(output.write(|out| render::write(format, &report, FailOn::Error, &style, out)), 0)?;
    if let Some(redacted) = &report.redacted {
        say(talk, &format!("{place}{}", replaced(redacted)));
    }
    Ok(status)
}

fn place(file: Option<&Path>) -> String {
    let file = file.filter(|file| file.as_os_str() != "-");
    file.map(|file| format!("{}: ", quote(&file.to_string_lossy()))).unwrap_or_default()
}

fn cannot(error: &serde_json::Error) -> Failure {
    Failure::Impossible(format!("the report cannot be redacted: {error}"))
}

/// Why what Azure holds does not go with a redacted report.
pub(super) const NOT_UNDER_PSEUDONYMS: &str =
    "--facts holds the real names, which must not stand beside pseudonyms: use it with the whole report";

/// A key for pseudonyms, forgotten when the program ends.
pub(super) fn key() -> [u8; 16] {
    Uuid::new_v4().into_bytes()
}

/// What was seen, under pseudonyms that nobody can undo; fails when a replaced value no longer fits its field. The run's id would lead back to the original.
pub(super) fn redacted(seen: Saved, catalogue: &Catalogue, key: [u8; 16]) -> Result<Saved, Failure> {
    let (observations, redacted) =
        crate::report::redact(&seen.observations, catalogue, key).map_err(|error| cannot(&error))?;
    Ok(Saved { id: Uuid::new_v4(), rules: seen.rules.of_known_codes(), observations, redacted: Some(redacted) })
}
