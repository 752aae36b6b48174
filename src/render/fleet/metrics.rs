//! The picture as `OpenMetrics` text.

use std::io::{self, Write};

use crate::diagnose::finding::Owner;
use crate::fleet::Picture;
use crate::render::metrics::Family;

/// Causes that get a series of their own: what an attacker puts into reports must not fill a database.
const MOST: usize = 500;

/// Writes the text.
pub(super) fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let all = &picture.machines;
    let mut build = Family::new("ampls_doctor_fleet_build_info", "The program that wrote it; always 1.");
    build.add(&[("version", &picture.version)], 1);
    let mut machines = Family::new("ampls_doctor_fleet_machines", "Machines, by how their newest report shows them.");
    for (state, count) in
        [("ok", all.ok), ("warning", all.warning), ("error", all.error), ("unexamined", all.unexamined)]
    {
        machines.add(&[("state", state)], count);
    }
    let mut inputs = Family::new("ampls_doctor_fleet_inputs", "What was read, and what could not be read.");
    let read = &picture.inputs;
    for (kind, count) in
        [("report", read.reports), ("digest", read.digests), ("row", read.rows), ("broken", read.broken)]
    {
        inputs.add(&[("kind", kind)], count);
    }
    let mut causes = Family::new("ampls_doctor_fleet_cause_machines", "Machines with one cause.");
    for group in picture.causes().take(MOST) {
        let owner = group.owner.map(Owner::as_str).unwrap_or_default();
        let labels = [
            ("code", group.code.as_str()),
            ("name", group.name.as_str()),
            ("severity", group.severity.as_str()),
            ("owner", owner),
            ("cause", group.id.as_str()),
        ];
        causes.add(&labels, group.machines);
    }
    let mut times = Family::new("ampls_doctor_fleet_report_timestamp_seconds", "When the runs that count began.");
    for (which, at) in [("oldest", all.oldest), ("newest", all.newest)] {
        if let Some(at) = at {
            times.add(&[("which", which)], at.as_second());
        }
    }
    let outliers =
        Family::one("ampls_doctor_fleet_outliers", "Causes that one machine alone has.", picture.outliers().count());
    for family in [build, machines, inputs, causes, outliers, times] {
        family.write(out)?;
    }
    writeln!(out, "# EOF")
}
