//! `ampls-doctor`: are this machine's paths to Azure Monitor private, and if not, why?
//!
//! # One line
//!
//! > catalogue + options → `discover(world)` → Discovered → `plan` → Plan → `run(world)` → Observations →
//! > `diagnose(RULES)` → Findings → Report → `render`
//!
//! Left of the observations is the crate `ampls-probes`: the eyes, which may touch the world. Right of them is this crate:
//! the doctor, which may not. Probes observe; the doctor decides and speaks. A report carries all observations, so it can be
//! judged again, offline, years later, by newer rules.
//!
//! # Where things are
//!
//! | place | what | may touch |
//! |---|---|---|
//! | [`diagnose`] | rules over observations, and which finding explains which | nothing |
//! | [`expected`] | the addresses that names should have, as Azure's tools print them | nothing |
//! | [`report`] | the versioned JSON document | nothing |
//! | [`compare`] | what differs between two reports | nothing |
//! | [`render`] | one format a file, written to a `Write` that is given | nothing |
//! | [`cli`] | arguments and dispatch | report files, standard streams, the terminal |
//! | `probes/catalogue/*.toml` | the names of Azure Monitor, as data | |
//! | `probes/src/plan.rs` | what will be looked at: a pure function | nothing |
//! | `probes/src/probe/*` | one probe a file | network, system, files below the world's root |
//! | `probes/src/run.rs` | runtime, limits, deadline | clock, signals |
//! | `probes/src/world.rs` | the seams: a test points a world at loopback | the real environment, once |
//! | `tests/world/` | a simulated Azure of real servers, also behind `demo` | loopback |
//! | `tests/scenarios/*.toml` | a world in thirty lines and the findings it must give | |
//!
//! # The import rule
//!
//! `addr, version, azure, endpoint ← catalogue, options ← world, observation ← probe/* ← plan, run` in the probes;
//! *data types of the probes* `← diagnose ← report ← render ← cli` here. Nothing here but [`cli`] names `run` or `World`, opens a
//! file, asks for the time or writes to a standard stream. A rule imports facts, finding, rule and observation types, never
//! another rule. `tests/conventions.rs` enforces it, and the manifest does: no network crate is a dependency of this package.
//!
//! # Why DNS is asked without a resolver library
//!
//! Plain DNS questions are written and read with `hickory-proto` and sent over sockets of our own: a resolver library hides
//! what a diagnosis needs, like truncation, lost packets, and an alias whose target is denied.
//! The docs of `ampls-probes` say more.
//!
//! # Three journeys
//!
//! A new endpoint is one block in the catalogue; a new probe is one file and one variant; a new rule is one file and one line.
//! `.github/CONTRIBUTING.md` walks through each.

pub mod cli;
pub mod compare;
pub mod diagnose;
pub mod expected;
pub mod render;
pub mod report;
pub mod text;
