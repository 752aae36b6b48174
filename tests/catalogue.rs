//! The table of faults beside the worlds names every row and only worlds that exist.

use std::path::Path;

#[test]
fn every_fault_has_its_worlds_or_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let table = std::fs::read_to_string(folder.join("CATALOGUE.md")).expect("the table");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let sections = [('A', 17), ('B', 13), ('C', 20), ('D', 19)];
    let wanted = sections.into_iter().flat_map(|(section, last)| (1..=last).map(move |row| format!("{section}{row}")));
    for row in wanted {
        let cells = rows.iter().find(|cells| cells.first() == Some(&row.as_str()));
        let Some([_, _, worlds, remark, ..]) = cells.map(Vec::as_slice) else { panic!("{row} is missing") };
        if *worlds == "—" {
            assert!(!remark.is_empty(), "{row} has neither a world nor a reason");
            continue;
        }
        for world in worlds.split(", ") {
            assert!(folder.join(format!("{world}.toml")).is_file(), "{row} names `{world}`, which does not exist");
        }
    }
}
