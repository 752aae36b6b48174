//! `ampls-doctor`: are this machine's paths to Azure Monitor private, and if not, why?
//!
//! # One line
//!
//! > catalogue + options → `discover(world)` → Discovered → `plan` → Plan → `run(world)` → Observations →
//! > `diagnose(RULES)` → Findings → Report → `compare` | `fleet` | `what_if` → `render`
//!
//! Left of the observations is the crate `ampls-probes`: the eyes, which may touch the world. Right of them is this crate:
//! the doctor, which may not. Probes observe; the doctor decides and speaks. A report carries all observations, so it can be
//! judged again, offline, years later, by newer rules.
//!
//! # Where things are
//!
//! | place | what | may touch |
//! |---|---|---|
//! | [`cli`] | arguments, one file a command in `cli/command/`, the exit status | report files, standard streams, the terminal |
//! | [`render`] | one format a file, written to a `Write` that is given; the words that formats share | nothing |
//! | [`compare`] | what differs between two reports | nothing |
//! | [`fleet`] | many reports, grouped by what their machines share | nothing |
//! | [`what_if`] | what a change would do, predicted from observations | nothing |
//! | [`report`] | the versioned JSON document, its verdict, its redaction | nothing |
//! | [`diagnose`] | rules over observations, and which finding explains which | nothing |
//! | [`expected`] | the addresses that names should have, as Azure's tools print them | nothing |
//! | [`facts_file`] | what Azure holds, as `packaging/azure-facts` collected it elsewhere | nothing |
//! | `extract/` | the few fields of a report that `fleet` reads | nothing |
//! | [`text`] | text from outside, made harmless | nothing |
//! | `probes/catalogue/*.toml` | the names of Azure Monitor, as data: one file a cloud | |
//! | `probes/src/azure.rs`, `endpoint.rs` | what Azure calls things; a name, a port and what is needed of them | nothing |
//! | `probes/src/plan.rs` | what will be looked at: a pure function | nothing |
//! | `probes/src/probe/*` | one probe a file | network, system, files below the world's root |
//! | `probes/src/os.rs` | what differs between operating systems | the system |
//! | `probes/src/run.rs` | runtime, limits, deadline | clock, signals |
//! | `probes/src/world.rs` | the seams: a test points a world at loopback | the real environment, once |
//! | `tests/world/` | a simulated Azure of real servers, also behind `demo` | loopback |
//! | `tests/scenarios/*.toml` | a world in thirty lines and the findings it must give | |
//!
//! # Where a change goes
//!
//! | change | place |
//! |---|---|
//! | an endpoint | its block in `probes/catalogue/<cloud>.toml` |
//! | a cloud | `probes/catalogue/<cloud>.toml`, and its line in `clouds!` of `probes/src/azure/cloud.rs` |
//! | a probe | `probes/src/probe/<what>.rs`, its variant in `probes/src/observation.rs`, its step in `probes/src/plan/steps.rs`, or where it asks nobody its line in `probes/src/run/board.rs` |
//! | what differs between operating systems | `probes/src/os/unix.rs`, `probes/src/os/windows.rs` |
//! | what is read of the Windows registry | `probes/src/probe/registry/` |
//! | an option | `src/cli/args.rs` takes it; where probes need it, `probes/src/options.rs` says what is valid |
//! | a limit of time or number of a run | `probes/src/options.rs` where it can be chosen, else the constant of the probe |
//! | a rule | `src/diagnose/rules/<code>_<name>.rs`, its line in `src/diagnose/rules.rs`, a world in `tests/scenarios/` |
//! | the severity, the owner, the page of a rule | the declaration `rule!` in the rule's file |
//! | a command in a fix | the rule's file; what several rules print, `src/diagnose/remedy/` |
//! | which finding explains which | `explains` in the root's file; how it is applied, `src/diagnose/cause.rs` |
//! | what is made of observations before rules see it (route, reachable) | `src/diagnose/facts/` |
//! | the headline, route and health of a run | `src/report/verdict.rs` |
//! | a field of the JSON report | `src/report.rs`, `src/report/<part>.rs` |
//! | what redaction replaces or keeps | `src/report/redact/` |
//! | the exit status | by findings, `exit_status` in `src/report.rs`; by failures, `src/cli/exit.rs` |
//! | the wording of a screen | `src/render/table/` (people), `html/`, `compact.rs`, `explain.rs`; words they share, `src/render/words.rs` |
//! | a new format | `src/render/<format>.rs` and its variant in `Format` of `src/render.rs` |
//! | a new command | `src/cli/command/<name>.rs`, its arguments in `src/cli/args.rs`, its line in `src/cli.rs` |
//! | how saved reports and digests are read again | `src/cli/saved.rs` |
//! | what Azure holds (`--facts`): a field of the file | `src/facts_file/document.rs`, its type in `src/facts_file.rs`; what follows from it, `src/report/held/` |
//! | what `fleet` reads of a report | `extract/src/lib.rs`, `src/fleet/reading.rs` |
//! | what makes two faults of two machines one cause | `src/fleet/cause.rs`, `src/fleet/group.rs` |
//! | a change that can be predicted | `src/what_if/change.rs` reads it, `src/what_if/predict.rs` applies it |
//! | in which wrappings reports of many machines are found | `src/cli/gather.rs`, `src/cli/saved/many.rs` |
//!
//! `.github/CONTRIBUTING.md` walks through an endpoint, a probe and a rule.
//!
//! # Floors
//!
//! A file imports its own room and rooms of lower floors, and files never import each other in a circle.
//! `tests/conventions/imports.rs` reads these lines and computes the rest.
//!
//! ```text
//! 5 cli
//! 4 render
//! 3 compare fleet what_if
//! 2 report
//! 1 diagnose expected facts_file
//! 0 text
//! ```
//!
//! Nothing here but [`cli`] names `run` or `World`, opens a file, asks for the time or writes to a standard stream. A rule
//! imports facts, finding, rule and observation types, never another rule. `tests/conventions.rs` enforces it, and the
//! manifest does: no network crate is a dependency of this package.
//!
//! # Why DNS is asked over messages
//!
//! The plain views of DNS (`probes/src/probe/dns.rs`) send and read single messages with `hickory-proto` and use no resolver
//! library. A resolver follows aliases, caches, retries and moves on to the next server, and gives the address that comes out.
//! A diagnosis needs what it hides: which server said what, with which alias, authority, time to live and truncation.

pub mod cli;
pub mod compare;
pub mod diagnose;
pub mod expected;
pub mod facts_file;
pub mod fleet;
#[cfg(test)]
mod judged;
pub mod render;
pub mod report;
pub mod text;
pub mod what_if;
