//! What a shared change does to other machines: `what-if` predicts it from their reports.

use crate::diagnose::command::{Address, Command, Zone, command};
use crate::diagnose::finding::Fix;
use crate::diagnose::need::Zones;

/// Who breaks where these zones are linked.
pub(in crate::diagnose) fn links(zones: &[&str]) -> Fix {
    who_breaks(zones.iter().map(|zone| {
        command!(Any, "ampls-doctor what-if --change \"link {}\" --like LINKED_REPORT REPORTS_FOLDER", Zone::new(zone))
    }))
}

/// Who breaks where the link of this zone is removed.
pub(in crate::diagnose) fn unlink(zone: &str) -> Option<Fix> {
    let is_of_private_link = zone.starts_with("privatelink.");
    is_of_private_link.then(|| {
        who_breaks([command!(Any, "ampls-doctor what-if --change \"unlink {}\" REPORTS_FOLDER", Zone::new(zone))])
    })
}

/// Who breaks where this server asks Azure's DNS for the public zones.
pub(in crate::diagnose) fn forward(zones: &Zones, server: &str) -> Fix {
    who_breaks(zones.now.iter().map(|zone| {
        command!(
            Any,
            "ampls-doctor what-if --change \"forward {} {}=168.63.129.16\" --like LINKED_REPORT REPORTS_FOLDER",
            Address::new(server),
            Zone::new(zone).map(|zone| zone.public())
        )
    }))
}

fn who_breaks(commands: impl IntoIterator<Item = Command>) -> Fix {
    Fix::look("predict whom the change breaks, from the reports of machines that use the same DNS", commands)
}
