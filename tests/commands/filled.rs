//! How many of the printed commands hold a placeholder that nothing printed before fills, over all worlds; and what every
//! changing step has to say.
//!
//! A placeholder is filled where a command that stands earlier in the same finding prints its value under its name
//! (`Command::gives`): what to look at first, the change and what takes it back count in the order in which they are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use ampls_doctor::diagnose::command::{Command, Language};
use ampls_doctor::diagnose::finding::{Finding, Fix};

use super::extensions;
use crate::cli::refusals;

/// The share of the printed commands, in percent, that may hold a placeholder that nothing fills.
const MOST: usize = 10;

/// What was printed in the worlds examined so far.
#[derive(Default)]
struct Printed {
    commands: usize,
    unfilled: usize,
    /// The placeholders that nothing fills, by how many commands hold them.
    wanted: BTreeMap<&'static str, usize>,
    az: BTreeSet<String>,
}

static PRINTED: Mutex<Option<Printed>> = Mutex::new(None);

/// Counts the commands of one world's findings; what is wrong with them, a line each.
pub(crate) fn examine(findings: &[Finding]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let printed = printed.get_or_insert_default();
    for finding in findings {
        let mut given: BTreeSet<&str> = BTreeSet::new();
        for fix in &finding.fix {
            faults.extend(incomplete(finding, fix));
            for command in fix.all_commands() {
                printed.commands += 1;
                let missing: Vec<&'static str> =
                    command.asks().into_iter().filter(|name| !given.contains(name)).collect();
                printed.unfilled += usize::from(!missing.is_empty());
                for name in missing {
                    *printed.wanted.entry(name).or_default() += 1;
                }
                given.extend(command.gives());
                if command.as_str().starts_with("az ") {
                    faults.extend(unsafe_az(command));
                    printed.az.insert(command.as_str().to_owned());
                }
            }
        }
    }
    faults
}

/// What a step lacks of what CONTRACT asks of it.
fn incomplete(finding: &Finding, fix: &Fix) -> Vec<String> {
    let has = [
        ("needs", fix.read_only || fix.needs.is_some()),
        ("policy", fix.read_only || fix.policy.is_some()),
        ("check_first", fix.read_only || fix.check_first.is_some()),
        ("undo", fix.read_only || fix.undo.is_some()),
    ];
    let missing = has.iter().filter(|(_, has)| !has);
    missing.map(|(what, _)| format!("{}: `{}` has no `{what}`", finding.id, fix.text)).collect()
}

/// What no line of `az` may hold: a look-up has to reach every subscription, and a deletion must not ask.
fn unsafe_az(command: &Command) -> Vec<String> {
    let line = command.as_str();
    let mut faults: Vec<String> = extensions::refusal(line).into_iter().collect();
    if line.contains(" -g ") && !line.contains(" --subscription ") {
        faults.push(format!("it finds nothing in another subscription: {line}"));
    }
    if line.contains("--expand instanceView") || line.contains("customDnsConfigs") {
        faults.push(format!("that form is not to be relied on: {line}"));
    }
    if command.language() != Language::Any && command.language() != Language::Sh {
        faults.push(format!("`az` is read by every shell: {line}"));
    }
    faults
}

/// After all worlds: too many placeholders that nothing fills, or nothing. `AMPLS_AZ_LINES` names a file for every `az` line.
#[expect(clippy::print_stderr, reason = "the figures are what the test is for")]
pub(crate) fn summary() -> Result<(), String> {
    let printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(printed) = printed.as_ref() else { return Err("no world was examined".to_owned()) };
    if let Some(file) = std::env::var_os("AMPLS_AZ_LINES") {
        let lines: BTreeSet<String> = printed.az.iter().cloned().chain(refusals::az_lines()).collect();
        let lines: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        std::fs::write(file, lines).map_err(|error| error.to_string())?;
    }
    let share = printed.unfilled * 100 / printed.commands.max(1);
    let told = format!(
        "{} of {} printed commands ({share} %) hold a placeholder that no earlier look-up fills: {:?}",
        printed.unfilled, printed.commands, printed.wanted
    );
    eprintln!("{told}");
    if share > MOST { Err(told) } else { Ok(()) }
}

#[test]
fn a_placeholder_is_filled_by_what_was_printed_before() {
    use ampls_doctor::diagnose::command::command;

    let find = command!(Any, "az graph query -q \"resources | project VNET_ID=id, names\" --query data");
    let list = command!(Any, "az network x list --ids VNET_ID --query \"[].{LINK_NAME:name}\"");
    assert_eq!((find.gives().into_iter().collect::<Vec<_>>(), find.asks().len()), (vec!["VNET_ID"], 0));
    assert_eq!(list.asks().into_iter().collect::<Vec<_>>(), ["VNET_ID"]);
    assert_eq!(list.gives().into_iter().collect::<Vec<_>>(), ["LINK_NAME"]);
    let compared = command!(Any, "az x --query \"[?name=='LINK_NAME']\"");
    assert_eq!((compared.asks().len(), compared.gives().len()), (1, 0));
    let shown = command!(PowerShell, "Get-X | Format-List @{l='REPLICATION_SCOPE';e='ReplicationScope'}");
    assert_eq!(shown.gives().into_iter().collect::<Vec<_>>(), ["REPLICATION_SCOPE"]);
}
