//! The one integration binary.
//!
//! - `asking`: Azure itself is asked, and no token is seen anywhere.
//! - `browsers`: fake roots with browsers of every kind and setting.
//! - `carriers`: Run Command over many machines, with an `az` that answers as recorded.
//! - `catalogue`: every known fault has a world, or a reason why none can show it.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `commands`: nothing that a stranger writes becomes a command.
//! - `consumers`: each format, loaded by a program that people load it with.
//! - `conventions`: the house's own rules.
//! - `delivery`: a network where all is well, and agents that deliver or do not.
//! - `encrypted`: the resolvers that browsers and the system ask encrypted are asked too, for shared names alone.
//! - `facts`: what Azure holds: the script that collects it, and its file through every command.
//! - `fleet`: reports of many machines, and changes tried on them, as the built binary writes them.
//! - `formats`: the faces of a report as the built binary writes them: digests, redaction, metrics, saved reports.
//! - `generated`: files made from the code are fresh.
//! - `healthy`: every kind of healthy network has a world without findings.
//! - `hosts`: fake roots with agents as found on real machines, through `--root`.
//! - `judged`: what was seen in every world and on every fake machine, kept for the tests beside the rules.
//! - `model`: random networks, what is truly wrong with them, and what the doctor says.
//! - `needs`: programs that some tests need, and what happens without them.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `output`: disks that are full, folders that take nothing.
//! - `packaging`: what ships beside the program: binaries, the service, alerts, scripts of a release.
//! - `page`: the page in a browser.
//! - `pairs`: every pair of independent faults gives both roots.
//! - `questions`: how many questions each DNS server gets, and how many at once.
//! - `reading`: reports of later versions, hand-made ones of any size, digests wherever they stand.
//! - `redaction`: what a redacted report of any world holds does not depend on how the customer calls his things.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.
//! - `screen`: the answer on one screen, and the words it is given in.

mod asking;
mod browsers;
mod carriers;
mod catalogue;
mod cli;
mod commands;
mod consumers;
mod conventions;
mod delivery;
mod encrypted;
mod facts;
mod fleet;
mod formats;
mod generated;
mod healthy;
mod hosts;
mod judged;
mod model;
mod needs;
mod netns;
mod output;
mod packaging;
mod page;
mod pairs;
mod questions;
mod reading;
mod redaction;
mod scenarios;
mod screen;
