//! The progress of a run while it lasts.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use ampls_doctor::cli::args::{Cli, Command};
use ampls_probes::Catalogue;
use ampls_probes::run::{Progress, Stage, Waiting, run};
use clap::Parser;

/// Every progress report of a run in this world.
fn looked_at(world: &str) -> Vec<Progress> {
    let world = ampls_world::scenario(world).expect("the world").parse().expect("a world");
    let line = ["ampls-doctor".to_owned(), "check".to_owned()].into_iter().chain(world.arguments());
    let (command, _) = Cli::try_parse_from(line).expect("arguments").into_command();
    let Command::Check(check) = command else { panic!("not `check`") };
    let running = ampls_world::start(&world).expect("the world starts");
    let reports = Mutex::new(Vec::new());
    let note = |progress: &Progress| reports.lock().unwrap_or_else(PoisonError::into_inner).push(progress.clone());
    let (options, catalogue) = (check.options().expect("options"), Catalogue::builtin().expect("the catalogue"));
    run(running.world.clone(), options, &catalogue, &note).expect("a run");
    reports.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn progress_names_which_steps_are_waited_for_while_none_ends() {
    let reports = looked_at("black-hole");
    let ticks = reports.windows(2).filter(|pair| pair[0].done == pair[1].done && pair[0].elapsed < pair[1].elapsed);
    assert!(ticks.count() >= 2, "{reports:?}");
    for pair in reports.windows(2) {
        assert!(pair[0].done <= pair[1].done && pair[0].total <= pair[1].total, "{pair:?}");
    }
    let (last, before) = reports.split_last().expect("more than one");
    assert!(last.done <= last.total, "{last:?}");
    for progress in before {
        assert_eq!(
            progress.waiting_for.is_empty(),
            progress.done == progress.total && progress.total > 0,
            "{progress:?}"
        );
    }
    let waited =
        |wanted: &dyn Fn(&Waiting) -> bool| reports.iter().flat_map(|progress| &progress.waiting_for).any(wanted);
    assert!(waited(&|waiting| *waiting == Waiting::Metadata));
    assert!(waited(&|waiting| *waiting == Waiting::Dns([168, 63, 129, 16].into())));
    let name = "global.handler.control.monitor.azure.com";
    let lookup = Waiting::Endpoint { stage: Stage::Lookup, name: name.to_owned() };
    assert!(waited(&|waiting| *waiting == lookup));
}

#[test]
fn each_step_of_an_endpoint_is_known_by_its_name() {
    let reports = looked_at("http-silent");
    let waiting = reports.iter().flat_map(|progress| &progress.waiting_for);
    let stages: BTreeSet<Stage> = waiting
        .filter_map(|waiting| match waiting {
            Waiting::Endpoint { stage, .. } => Some(*stage),
            _ => None,
        })
        .collect();
    assert!(stages.contains(&Stage::Http) && stages.contains(&Stage::Lookup), "{stages:?}");
}
