//! A router between the machine and everything else that passes on small packets only, and never says so: a black hole as tunnels
//! make it where a firewall drops ICMP.

use std::fs;
use std::process::Command;

use super::lab::{Lab, Result};
use super::namespace::{batch, run};

/// The machine's own address.
const MACHINE: &str = "10.0.0.10";
/// The way to everything else.
const GATEWAY: &str = "10.0.0.1";

/// Routes between `a`, towards the machine, and `b`. It answers in both networks for what lies beyond it.
pub(super) fn start(lab: &Lab, largest: u32) -> Result<()> {
    let middle = lab.middle();
    batch(
        &middle,
        &format!(
            "link set lo up\naddress add 10.0.0.2/32 dev lo\nlink set dev a mtu {largest}\nroute add {MACHINE}/32 dev a\n\
             route add {GATEWAY}/32 dev b\nroute add default via {GATEWAY} dev b\n"
        ),
    )?;
    let inside = |program: &str| {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &middle, program]);
        command
    };
    let switches = "cd /proc/sys/net/ipv4 && echo 1 > ip_forward && for i in a b; do echo 1 > conf/$i/proxy_arp && echo 0 > neigh/$i/proxy_delay; done";
    run(inside("sh").args(["-c", switches]))?;
    let rules = lab.folder().join("router.nft");
    let lost = "icmp type destination-unreachable icmp code frag-needed drop";
    fs::write(
        &rules,
        format!("table ip quiet {{\nchain output {{\ntype filter hook output priority 0\n{lost}\n}}\n}}\n"),
    )?;
    run(inside("nft").arg("-f").arg(&rules))?;
    Ok(())
}
