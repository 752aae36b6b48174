//! The largest packet that each network interface takes (MTU), which this machine asks of its peers.
//!
//! A path that lets only smaller ones through and loses the messages about it ends every large answer in silence.

use std::fs;
use std::time::Instant;

use crate::observation::{InterfaceMtu, Mtu, Outcome, ReadFailure, Skip, Timing};
use crate::options::Options;
use crate::probe::micros;
use crate::read::{self, Links};
use crate::world::World;

/// One folder an interface.
/// Source: <https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-net>
const INTERFACES: &str = "/sys/class/net";
/// Interfaces that are kept; those of containers come by the hundred.
const MOST: usize = 32;
/// Octets of a file of one line.
const FILE_LIMIT: u64 = 64;

/// Reads it of every interface that is up, but for loopback. `start` is when the run began.
pub fn read(world: &World, options: &Options, start: Instant) -> Mtu {
    let began = Instant::now();
    let outcome = if cfg!(not(target_os = "linux")) || options.files_only {
        Outcome::Skipped(Skip::NotOnThisSystem)
    } else {
        interfaces(world).map_or_else(Outcome::Failed, Outcome::Seen)
    };
    let timing = Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    Mtu { timing, outcome }
}

fn interfaces(world: &World) -> Result<Vec<InterfaceMtu>, ReadFailure> {
    let folder = fs::read_dir(world.readable(INTERFACES)?).map_err(|error| read::failure(&error))?;
    let mut names: Vec<String> = folder.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let line = |interface: &str, file: &str| {
        let path = world.readable(format!("{INTERFACES}/{interface}/{file}")).ok()?;
        let contents = read::contents(&path, Links::Follow, FILE_LIMIT).ok()?;
        Some(String::from_utf8_lossy(&contents.bytes).trim().to_owned())
    };
    let is_up = |name: &String| name != "lo" && line(name, "operstate").as_deref() != Some("down");
    let mtu = |name: String| Some(InterfaceMtu { mtu: line(&name, "mtu")?.parse().ok()?, interface: name });
    Ok(names.into_iter().filter(is_up).filter_map(mtu).take(MOST).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn interfaces_that_are_up_are_read() {
        let root = std::env::temp_dir().join(format!("mtu-{}", uuid::Uuid::new_v4()));
        for (interface, mtu, state) in [
            ("eth0", "1500\n", "up\n"),
            ("tun0", "1400", "unknown\n"),
            ("lo", "65536\n", "unknown\n"),
            ("eth1", "9000\n", "down\n"),
        ] {
            let folder = root.join("sys/class/net").join(interface);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("mtu"), mtu).unwrap();
            fs::write(folder.join("operstate"), state).unwrap();
        }
        fs::create_dir(root.join("sys/class/net/odd")).unwrap();
        let world = World::from_system(Some(&root), None);
        let seen = read(&world, &Options::default(), Instant::now());
        let found: Vec<_> = seen.outcome.seen().unwrap().iter().map(|it| (it.interface.as_str(), it.mtu)).collect();
        assert_eq!(found, [("eth0", 1500), ("tun0", 1400)]);

        let of_files = Options { files_only: true, ..Options::default() };
        assert_eq!(read(&world, &of_files, Instant::now()).outcome, Outcome::Skipped(Skip::NotOnThisSystem));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(read(&world, &Options::default(), Instant::now()).outcome, Outcome::Failed(ReadFailure::Missing));
    }
}
