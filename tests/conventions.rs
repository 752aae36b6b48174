//! The house's own rules: who may touch the world, how large files are, what every rule and catalogue entry must have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ampls_doctor::diagnose::rules::RULES;
use ampls_probes::Catalogue;
use ampls_probes::endpoint::{Expectation, Need};

mod imports;

/// A place, and what must not be named there, each with the reason a newcomer needs.
struct Ban {
    place: &'static str,
    except: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

const IO: &[&str] =
    &["std::fs", "std::env", "std::process", "std::thread", "tokio", "TcpStream", "UdpSocket", "File::"];
const TIME: &[&str] = &["SystemTime", "Instant", "Timestamp::now", "Zoned::now"];
const PRINT: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"];

const BANS: &[Ban] = &[
    Ban {
        place: "src",
        // The last is a test alone, of what is kept in a file.
        except: &["src/cli", "src/cli.rs", "src/main.rs", "src/judged.rs"],
        words: IO,
        why: "the doctor does no I/O",
    },
    Ban {
        place: "src",
        except: &["src/cli", "src/cli.rs", "src/main.rs"],
        words: TIME,
        why: "rules use the observations' own clock",
    },
    Ban {
        place: "src",
        except: &["src/cli", "src/cli.rs", "src/main.rs"],
        words: PRINT,
        why: "renderers write to the `Write` they are given",
    },
    Ban {
        place: "src",
        except: &["src/cli", "src/cli.rs", "src/main.rs"],
        words: &["ampls_probes::run", "ampls_probes::world", "ampls_probes::World", "ampls_probes::probe"],
        why: "only `cli` runs the probes",
    },
    Ban {
        place: "src/diagnose/rules",
        except: &[],
        words: &["super::dns", "super::net", "super::tls", "rules::dns", "rules::net", "rules::tls"],
        why: "a rule never imports another rule",
    },
    Ban {
        place: "src/diagnose",
        except: &[],
        words: &["crate::report", "crate::render", "crate::cli"],
        why: "judging knows no report",
    },
    Ban {
        place: "src/report",
        except: &[],
        words: &["crate::render", "crate::cli"],
        why: "the report knows no format",
    },
    Ban {
        place: "src/fleet",
        except: &[],
        words: &["crate::render", "crate::cli"],
        why: "many reports know no format and no file",
    },
    Ban {
        place: "src/what_if",
        except: &[],
        words: &["crate::render", "crate::cli", "crate::report"],
        why: "a prediction follows from observations alone",
    },
    Ban { place: "src/render", except: &[], words: &["crate::cli"], why: "a format knows no terminal" },
    Ban { place: "extract/src", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/addr.rs", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/catalogue", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/catalogue.rs", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/options", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/options.rs", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/plan", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/plan.rs", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/observation", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/observation.rs", except: &[], words: IO, why: "pure" },
    Ban { place: "probes/src/plan.rs", except: &[], words: TIME, why: "a plan is the same at any time" },
    Ban { place: "probes/src", except: &[], words: &["Finding", "Severity"], why: "probes observe and never judge" },
    Ban { place: "probes/src", except: &[], words: PRINT, why: "probes do not print" },
    Ban {
        place: "probes/src",
        except: &[],
        words: &["process::Command", "Command::new("],
        why: "no child process is ever started",
    },
    Ban {
        place: "src",
        // A test alone, which asks other engines what `fleet` says.
        except: &["src/cli/gather/engines.rs"],
        words: &["process::Command", "Command::new(\""],
        why: "no child process is ever started",
    },
];

#[test]
fn nothing_is_named_where_it_does_not_belong() {
    let mut faults = Vec::new();
    for ban in BANS {
        for file in rust_files(ban.place) {
            if ban.except.iter().any(|except| file.starts_with(except)) {
                continue;
            }
            let text = product_code(&read(&file));
            for word in ban.words.iter().filter(|word| names(&text, word)) {
                faults.push(format!("{}: `{word}`: {}", file.display(), ban.why));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_banned_word_would_be_found() {
    assert!(names("use std::fs;\n", "std::fs"));
    assert!(names("let x = Instant::now();", "Instant"));
    assert!(!names("let x = SomeInstantly;", "Instant"));
    assert!(!names(&product_code("// std::fs\nfn x() {}\n#[cfg(test)]\nmod tests { use std::fs; }\n"), "std::fs"));
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut faults = Vec::new();
    for file in ["src", "extract/src", "probes/src", "tests"].iter().flat_map(|place| rust_files(place)) {
        let text = read(&file);
        let lines = text.lines().count();
        if lines > 600 {
            faults.push(format!("{}: {lines} lines, the ceiling is 600", file.display()));
        }
        if !text.starts_with("//!") && !text.starts_with("#!") {
            faults.push(format!("{}: does not begin with what it is responsible for (`//!`)", file.display()));
        }
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!("{}: `foo.rs` beside `foo/`, no `mod.rs`", file.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rules_are_unique_ordered_and_complete() {
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), codes.len(), "two rules share a name");
    let mut faults = Vec::new();
    for rule in RULES {
        let stem = format!("{}_{}", rule.code.to_lowercase(), rule.name.replace('-', "_"));
        let file = PathBuf::from(format!("src/diagnose/rules/{stem}.rs"));
        if !root().join(&file).is_file() {
            faults.push(format!("{}: no file {}", rule.code, file.display()));
            continue;
        }
        let text = read(&file);
        for test in ["fn fires_", "fn silent_"] {
            if !text.contains(test) {
                faults.push(format!("{}: no test `{test}…`", file.display()));
            }
        }
        if !root().join(format!("packaging/docs/codes/{}.md", rule.code)).is_file() {
            faults.push(format!("{}: no page in packaging/docs/codes (UPDATE=1 cargo test)", rule.code));
        }
        if !scenarios().iter().any(|text| text.contains(&format!("\"{}\"", rule.code))) {
            faults.push(format!("{}: no world in tests/scenarios expects it", rule.code));
        }
    }
    let on_disk = rust_files("src/diagnose/rules").len();
    if on_disk != RULES.len() {
        faults.push(format!("{on_disk} files in src/diagnose/rules, {} lines in RULES", RULES.len()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn catalogue_entries_have_sources_and_promise_nothing_unconfirmed() {
    let catalogue = Catalogue::builtin().expect("the built-in catalogue parses");
    let mut faults = Vec::new();
    for cloud in &catalogue.clouds {
        for endpoint in &cloud.entries {
            let place = format!("{}: {}", cloud.cloud, endpoint.id);
            if !endpoint.source.iter().any(|key| cloud.sources.contains_key(key)) {
                faults.push(format!("{place}: no source that is named"));
            }
            if endpoint.purpose.trim().is_empty() {
                faults.push(format!("{place}: no purpose"));
            }
            if !endpoint.confirmed && endpoint.include.iter().any(|include| include.need == Need::Required) {
                faults.push(format!("{place}: unconfirmed and yet required"));
            }
            if endpoint.expected == Expectation::Private && endpoint.zone.is_none() {
                faults.push(format!("{place}: expected private without an AMPLS zone"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn scenarios() -> Vec<String> {
    fs::read_dir(root().join("tests/scenarios"))
        .expect("tests/scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| fs::read_to_string(path).expect("a world file"))
        .collect()
}

/// Every Rust file at or below a place, relative to the repository; a place that is not there is a fault of its own.
fn rust_files(place: &str) -> Vec<PathBuf> {
    let start = root().join(place);
    let mut files = Vec::new();
    let mut folders = vec![start.clone()];
    if start.is_file() {
        return vec![PathBuf::from(place)];
    }
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The code that ships: comments left out, and the tests at the end of the file.
fn product_code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    shipped.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether a word stands in a text as a word of its own.
fn names(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let starts = !word.starts_with(part) || !before.is_some_and(part);
        let ends = !word.ends_with(part) || !after.is_some_and(part);
        starts && ends
    })
}
