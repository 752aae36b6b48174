//! The eyes of `ampls-doctor`: the only crate that touches network, operating system, files, registry and clock.
//!
//! *Catalogue + [`Options`] → [`discover`](run::discover) → [`Discovered`](plan::Discovered) → [`plan`](plan::plan) →
//! [`Plan`] → [`run`](run::run) → [`Observations`].* What is seen is recorded and never judged here: this crate
//! knows no finding, severity, code or printing.
//!
//! # Why DNS is asked over `hickory-proto`
//!
//! A resolver library answers "which address"; a diagnosis needs what each server really answered. `hickory-resolver` retries,
//! falls back to TCP, follows aliases and reports an alias that ends in nothing as "no records", without the alias. So the
//! plain views use `hickory-proto` for the wire format only and send each question themselves, once per try, over sockets of
//! the [`World`]. That keeps apart loss and refusal, truncation and a closed TCP port, a denied name and a denied alias, and
//! shows the authority of every answer. HTTP has no such needs where it is only a carrier: the metadata service is asked with
//! `reqwest`, without proxies and redirects, within the limits of every other probe.
//!
//! # Modules
//!
//! | module | responsible for |
//! |---|---|
//! | [`azure`] | what Azure calls things: clouds, regions, workspaces, host names (pure) |
//! | [`endpoint`] | a name and a port, what is needed of them and expected (pure) |
//! | [`addr`] | what kind of address an address is (pure) |
//! | [`catalogue`] | the names of Azure Monitor as data (pure) |
//! | [`no_proxy`] | which hosts go around a proxy (pure) |
//! | [`version`] | dotted versions, parsed and ordered (pure) |
//! | [`options`] | what was asked for, parsed and valid (pure) |
//! | [`plan`] | which steps follow from catalogue, options and discoveries (pure) |
//! | [`observation`] | what was seen |
//! | [`world`] | the seams: addresses, trust roots, filesystem root, environment, clock |
//! | [`read`] | bounded reading of local files |
//! | [`registry`] | the registry of Windows: of this machine, or in the hives of a mounted disk |
//! | [`os`] | what differs between operating systems |
//! | [`probe`] | one module a probe |
//! | [`secret`] | text that is used and never shown |
//! | [`run`] | the blocking face: runtime, limits, deadline |
//!
//! # Floors
//!
//! A file imports its own room and rooms of lower floors, and files never import each other in a circle.
//!
//! ```text
//! 8 run
//! 7 probe
//! 6 world plan
//! 5 registry
//! 4 read
//! 3 catalogue options os
//! 2 no_proxy observation
//! 1 addr azure endpoint secret version
//! 0 json packed
//! ```

pub mod addr;
pub mod azure;
pub mod catalogue;
pub mod endpoint;
pub mod json;
pub mod no_proxy;
pub mod observation;
pub mod options;
pub mod os;
pub mod packed;
pub mod plan;
pub mod probe;
pub mod read;
pub mod registry;
pub mod run;
pub mod secret;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod version;
pub mod world;

pub use catalogue::Catalogue;
pub use endpoint::Endpoint;
pub use observation::{Observation, Observations};
pub use options::Options;
pub use plan::Plan;
pub use world::World;
