//! A simulated Azure: real servers on loopback, described by a world file of about thirty lines of TOML.
//!
//! [`Scenario`] is the parsed file, [`start()`] opens its sockets, and [`Running`] is the world that the probes get: simulated
//! addresses that lead to loopback, files below a temporary folder, trust stores, a resolver like glibc's. Tests and
//! `ampls-doctor demo` use the same worlds. Nothing here judges, and nothing here reaches a network.
//!
//! A world file states what differs from a healthy private world:
//!
//! ```toml
//! title = "Custom DNS forwards to the internet"
//! story = "One sentence for the list of worlds."
//! dces = ["prod-ab12.westeurope-1"]          # data collection endpoints that exist and are asked for
//!
//! [vnet]                                     # what 168.63.129.16 shows
//! linked = ["monitor", "oms", "ods"]         # of monitor, oms, ods, agentsvc, blob
//! missing = ["<workspace>.ods.opinsights.azure.com"]
//!
//! [[server]]                                 # DNS servers; the machine uses them in this order
//! address = "10.1.0.4"
//! resolves = "public"                        # azure, hub or public
//! fault = "servfail"
//!
//! [[front]]                                  # what answers on 443
//! at = ["private"]                           # names, *.suffixes, addresses, ranges, private, public, all
//! tls = "expired"
//!
//! [expect]                                   # what the doctor must say
//! exit = 1
//! roots = ["DNS002"]
//! ```
//!
//! | module | responsible for |
//! |---|---|
//! | `scenario` | the world file |
//! | `names` | Azure Monitor's names in public DNS (pure) |
//! | `zones` | private zones in front of public DNS (pure) |
//! | `dns` | DNS servers and their faults |
//! | `system` | the machine's own lookup |
//! | `certificates` | authorities and leaf certificates |
//! | `front`, `http`, `doh` | what answers behind an address |
//! | `platform` | metadata service, wire server, proxy |
//! | `start` | sockets, routes, files |

mod certificates;
mod control;
mod dns;
mod doh;
mod front;
mod http;
mod names;
mod platform;
pub mod scenario;
mod start;
mod system;
/// The text with `<now>` and `<now-MINUTES>` replaced by moments.
pub fn at(now: jiff::Timestamp, text: &str) -> String {
    let mut parts = text.split("<now");
    let mut dated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let replaced = part.split_once('>').and_then(|(minutes, rest)| {
            let minutes: i64 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
            Some((now + jiff::SignedDuration::from_mins(minutes), rest))
        });
        match replaced {
            Some((at, rest)) => dated.extend([at.to_string().as_str(), rest]),
            None => dated.extend(["<now", part]),
        }
    }
    dated
}

#[cfg(test)]
mod peers;
#[cfg(test)]
mod testing;
mod zones;

pub use control::{ARC_KEY, INGESTION_TOKEN, TOKEN};
pub use names::Cloud;
pub use scenario::{Scenario, WorldFileError};
pub use start::{Running, start};

/// A world file inside the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Its name, without folder and extension.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Embedded {
    /// Reads it.
    pub fn parse(&self) -> Result<Scenario, WorldFileError> {
        Scenario::parse(self.name, self.text)
    }
}

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// The world that `demo` shows when none is named.
pub const DEFAULT: &str = "healthy-private";

/// The world files inside the program, by name.
pub fn scenarios() -> &'static [Embedded] {
    EMBEDDED
}

/// One of them.
pub fn scenario(name: &str) -> Option<&'static Embedded> {
    EMBEDDED.iter().find(|embedded| embedded.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_world_is_valid_and_starts() {
        assert!(scenario(DEFAULT).is_some());
        for embedded in scenarios() {
            let scenario = embedded.parse().unwrap_or_else(|error| panic!("{error}"));
            start(&scenario).unwrap_or_else(|error| panic!("`{}`: {error}", embedded.name));
        }
    }

    #[test]
    fn unknown_key_is_an_error_that_names_file_and_key() {
        let error = Scenario::parse("odd", "title = \"t\"\nstory = \"s\"\n[vnet]\nlinkd = []\n").expect_err("a typo");
        let text = error.to_string();
        assert!(text.contains("`odd`") && text.contains("linkd"), "{text}");
        let zone = Scenario::parse("odd", "title = \"t\"\nstory = \"s\"\n[vnet]\nlinked = [\"sql\"]\n")
            .expect_err("no such zone");
        assert!(zone.to_string().contains("`sql`"), "{zone}");
    }

    #[test]
    fn a_file_that_the_world_writes_itself_is_refused() {
        for (path, key) in [("/etc/hosts", "machine.hosts"), ("/etc/resolv.conf", "resolver")] {
            let text = format!("title = \"t\"\nstory = \"s\"\n[files]\n\"{path}\" = \"\"\n");
            let error = Scenario::parse("odd", &text).expect_err("a file that nothing would read").to_string();
            assert!([path, key, "odd"].iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
