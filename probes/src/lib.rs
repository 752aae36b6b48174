//! The eyes of `ampls-doctor`: the only crate that touches network, operating system, files, registry and clock.
//!
//! *Catalogue + [`Options`] → [`discover`](run::discover) → [`Discovered`](plan::Discovered) → [`plan`](plan::plan) →
//! [`Plan`] → [`run`](run::run) → [`Observations`].* What is seen is recorded and never judged here: this crate
//! knows no finding, severity, code or printing.
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
//! | [`os`] | what differs between operating systems |
//! | [`probe`] | one module a probe |
//! | [`secret`] | text that is used and never shown |
//! | [`run`] | the blocking face: runtime, limits, deadline |

pub mod addr;
pub mod azure;
pub mod catalogue;
pub mod endpoint;
pub mod no_proxy;
pub mod observation;
pub mod options;
pub mod os;
pub mod plan;
pub mod probe;
pub mod read;
pub mod run;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;
pub mod version;
pub mod world;

pub use catalogue::Catalogue;
pub use endpoint::Endpoint;
pub use observation::{Observation, Observations};
pub use options::Options;
pub use plan::Plan;
pub use world::World;
