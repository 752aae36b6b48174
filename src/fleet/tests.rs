//! The fold: which sightings count, in whatever order they come, and what groups them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::diagnose::finding::{Argument, Certainty, Severity};
use crate::report::{Digest, FailOn, mixed};

fn root(code: &str, severity: Severity, args: &[(&str, &[&str])]) -> Root {
    let list = |values: &[&str]| Argument::Many(values.iter().map(|value| (*value).to_owned()).collect());
    let args = args.iter().map(|(name, values)| ((*name).to_owned(), list(values))).collect();
    Root {
        code: code.to_owned(),
        severity,
        certainty: None,
        owner: None,
        affects: vec!["log upload"],
        args,
        unnamed: false,
    }
}

fn sighting(name: &str, hours: i64, roots: Vec<Root>) -> Sighting {
    let resource = format!("/subscriptions/s1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}");
    let first = Timestamp::from_second(1_795_341_600).unwrap();
    let shared = Shared {
        form: Form::Report,
        version: "0.1.0".to_owned(),
        cloud: None,
        place: Place::new(Some(&resource), Some("westeurope"), Some("10.1.0.0/24")),
        route: "private".to_owned(),
        names: Names::Originals,
        unexamined: false,
        health: None,
        servers: vec!["10.0.0.4".to_owned()],
        agents: Vec::new(),
        roots: Arc::new(roots),
    };
    Sighting {
        at: first.checked_add(SignedDuration::from_hours(hours)).unwrap(),
        run: Uuid::from_u128(u128::from(name.len() as u64) + u128::try_from(hours).unwrap()),
        key: MachineKey::new(None, Some(&resource), name),
        name: name.into(),
        resource_id: Some(resource.into()),
        shared: Arc::new(shared.bounded()),
        source: None,
    }
}

fn silent(server: &str) -> Root {
    root("DNS008", Severity::Error, &[("server", &[server])])
}

fn whole(sightings: impl IntoIterator<Item = Sighting>) -> Whole {
    let mut fleet = Fleet::default();
    sightings.into_iter().for_each(|sighting| fleet.add(sighting));
    fleet.whole("0.1.0", None, None)
}

fn titles(whole: &Whole) -> Vec<(String, usize)> {
    whole.picture.groups.iter().map(|group| (group.id.clone(), group.machines)).collect()
}

#[test]
fn the_newest_report_of_a_machine_counts_and_older_ones_say_since_when() {
    let old = sighting("a", 0, vec![silent("10.0.0.4:53")]);
    let now = sighting("a", 5, vec![silent("10.0.0.4:53"), silent("10.0.0.5:53")]);
    let past = sighting("a", 3, vec![silent("10.0.0.6:53")]);
    let expected = whole([old.clone(), past.clone(), now.clone()]);
    assert_eq!(titles(&expected), [("DNS008 server=10.0.0.4,10.0.0.5".to_owned(), 1)]);
    assert_eq!(expected.picture.groups[0].first_seen, old.at);
    assert_eq!(expected.picture.groups[0].last_seen, now.at);
    for order in [[&now, &old, &past], [&past, &now, &old], [&now, &past, &old]] {
        assert_eq!(whole(order.map(Clone::clone)), expected);
    }
    let again = whole([now.clone(), now.clone(), old.clone(), past.clone()]);
    assert_eq!(
        (again.picture.groups.clone(), again.machines.clone()),
        (expected.picture.groups.clone(), expected.machines)
    );
}

#[test]
fn rows_of_one_run_are_one_sighting_and_a_whole_report_says_more() {
    let row = |roots: Vec<Root>| {
        let mut row = sighting("a", 1, roots);
        Arc::make_mut(&mut row.shared).form = Form::Rows;
        row
    };
    let rows = [row(vec![silent("10.0.0.4")]), row(vec![]), row(vec![silent("10.0.0.9")])];
    let expected = whole(rows.clone());
    assert_eq!(titles(&expected).len(), 1, "{:?}", titles(&expected));
    assert_eq!(whole([rows[2].clone(), rows[0].clone(), rows[1].clone()]), expected);
    let report = sighting("a", 1, vec![silent("10.0.0.4")]);
    for order in [[&rows[0], &report, &rows[2]], [&rows[2], &rows[0], &report]] {
        assert_eq!(titles(&whole(order.map(Clone::clone))), [("DNS008 server=10.0.0.4".to_owned(), 1)]);
    }
}

#[test]
fn zones_of_one_server_are_one_cause_and_servers_of_other_machines_are_others() {
    let zones =
        |server: &str, zones: &[&str]| root("DNS002", Severity::Error, &[("server", &[server]), ("zones", zones)]);
    let seen = whole([
        sighting("a", 0, vec![zones("10.0.0.4", &["m", "ods"])]),
        sighting("b", 0, vec![zones("10.0.0.4", &["m", "ods", "oms"])]),
        sighting("c", 0, vec![zones("10.0.0.5", &["m", "ods"])]),
    ]);
    assert_eq!(
        titles(&seen),
        [("DNS002 server=10.0.0.4 zone=m,ods,oms".to_owned(), 2), ("DNS002 server=10.0.0.5 zone=m,ods".to_owned(), 1)]
    );
    let group = &seen.picture.groups[0];
    let zone = group.facts.iter().find(|fact| fact.name == "zone").unwrap();
    assert_eq!(zone.values.iter().map(|it| it.machines).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(!group.outlier && seen.picture.groups[1].outlier);
    assert_eq!(group.affects, [Counted { value: "log upload".to_owned(), machines: 2 }]);
}

#[test]
fn zones_that_other_machines_lack_are_causes_of_their_own() {
    let lacks = |zone: &str| root("DNS003", Severity::Error, &[("server", &["10.0.0.4"]), ("zones", &[zone])]);
    let seen = whole([sighting("a", 0, vec![lacks("ods")]), sighting("b", 0, vec![lacks("monitor")])]);
    assert_eq!(titles(&seen).len(), 2);
}

#[test]
fn a_machine_that_has_nothing_else_to_repair_is_counted() {
    let warning = root("DNS016", Severity::Warning, &[("server", &["10.0.0.4"])]);
    let info = root("AGT002", Severity::Info, &[]);
    let seen = whole([
        sighting("a", 0, vec![silent("10.0.0.4"), info.clone()]),
        sighting("b", 0, vec![silent("10.0.0.4"), warning]),
        sighting("c", 0, vec![info]),
    ]);
    let group = &seen.picture.groups[0];
    assert_eq!((group.machines, group.only_fault, group.percent.to_string()), (2, 1, "66.7".to_owned()));
    let all = &seen.picture.machines;
    assert_eq!((all.seen, all.error, all.warning, all.ok), (3, 2, 0, 1));
    assert_eq!(seen.picture.exit_status(FailOn::Error), 1);
    assert_eq!(seen.picture.exit_status(FailOn::Never), 0);
}

#[test]
fn a_cause_that_is_information_on_most_machines_is_an_error_on_the_others_alone() {
    let public = |severity| root("DNS001", severity, &[]);
    let expected = sighting("expected", 0, vec![public(Severity::Error)]);
    let others = (0..9).map(|number| sighting(&format!("n{number}"), 0, vec![public(Severity::Info)]));
    let seen = whole(others.chain([expected]));
    let groups: Vec<_> = seen.picture.groups.iter().map(|it| (it.severity, it.machines, it.only_fault)).collect();
    assert_eq!(groups, [(Severity::Error, 1, 1), (Severity::Info, 9, 0)]);
    assert_ne!(seen.picture.groups[0].id, seen.picture.groups[1].id);
    for row in rows(&seen) {
        let severity = if row.host == "expected" { Severity::Error } else { Severity::Info };
        assert_eq!(row.severity, Some(severity), "{}", row.host);
    }
}

#[test]
fn a_cause_has_the_same_id_however_many_machines_show_each_part_of_it() {
    let lacks = |zones: &[&str]| root("DNS003", Severity::Error, &[("server", &["10.0.0.4"]), ("zones", zones)]);
    let ids = |second: &[&str]| {
        titles(&whole([sighting("a", 0, vec![lacks(&["m", "ods"])]), sighting("b", 0, vec![lacks(second)])]))
    };
    assert_eq!(ids(&["m"]), ids(&["ods"]));
}

#[test]
fn two_causes_never_have_one_id() {
    let by = |issuers: &[&str]| root("TLS001", Severity::Error, &[("issuer", issuers)]);
    let seen = whole([
        sighting("a", 0, vec![by(&["CN=x", "CN=y"])]),
        sighting("b", 0, vec![by(&["CN=x,CN=y"])]),
        sighting("c", 0, vec![root("TLS001 issuer=\"CN=x\"", Severity::Error, &[])]),
        sighting("d", 0, vec![by(&["CN=x (warning)"])]),
        sighting("e", 0, vec![Root { severity: Severity::Warning, ..by(&["CN=x"]) }]),
    ]);
    let ids: std::collections::BTreeSet<String> = titles(&seen).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
}

#[test]
fn nobody_is_named_for_a_code_of_a_later_version() {
    let seen = whole([sighting("a", 0, vec![root("ZZZ999", Severity::Error, &[]), silent("10.0.0.4")])]);
    let owners: Vec<_> = seen.picture.groups.iter().map(|group| group.owner.is_some()).collect();
    assert_eq!(owners, [true, false]);
}

#[test]
fn what_a_digest_does_not_name_is_kept_apart_and_is_never_a_shared_thing() {
    let of = |host: &str, change: fn(&mut Digest)| {
        let mut digest = Digest::new(&mixed(), 1);
        host.clone_into(&mut digest.host);
        change(&mut digest);
        Sighting::from(&digest)
    };
    let count: fn(&mut Digest) =
        |digest| _ = digest.codes[0].args.insert("server".to_owned(), Argument::Counted { count: 2 });
    let nothing: fn(&mut Digest) = |digest| {
        digest.codes[0].args.clear();
        digest.dropped.args = 1;
    };
    let seen = whole([of("a", |_| ()), of("b", |_| ()), of("c", count), of("d", count), of("e", nothing)]);
    let groups: Vec<_> = seen.picture.groups.iter().filter(|group| group.code == "DNS003").collect();
    let counts: Vec<_> = groups.iter().map(|group| (group.machines, group.not_named)).collect();
    assert_eq!(counts, [(2, false), (2, true), (1, true)]);
    assert!(groups[1..].iter().all(|group| group.facts.iter().all(|fact| fact.name != "server")), "{groups:#?}");
    assert_eq!(seen.picture.machines.not_named, 3);
}

#[test]
fn a_cause_is_likely_as_soon_as_it_is_no_more_on_one_machine() {
    let sure = |certainty| Root { certainty, ..silent("10.0.0.4") };
    let of = |all: &[Option<Certainty>]| {
        let machines = all.iter().enumerate();
        let seen = whole(machines.map(|(number, it)| sighting(&format!("n{number}"), 0, vec![sure(*it)])));
        seen.picture.groups.iter().map(|group| group.certainty).collect::<Vec<_>>()
    };
    let (proven, likely) = (Some(Certainty::Proven), Some(Certainty::Likely));
    assert_eq!(of(&[proven, likely, None]), [likely]);
    assert_eq!(of(&[None, proven]), [proven]);
    assert_eq!(of(&[None]), [None]);
}

#[test]
fn a_machine_is_no_worse_because_another_one_is() {
    let bypassed = |severity| root("DNS002", severity, &[("server", &["10.0.0.4"])]);
    let mut earlier = Fleet::default();
    earlier.add(sighting("a", 0, vec![bypassed(Severity::Warning)]));
    let mut now = Fleet::default();
    now.add(sighting("a", 9, vec![bypassed(Severity::Warning)]));
    now.add(sighting("b", 9, vec![bypassed(Severity::Error)]));
    let since = now.whole("0.1.0", None, Some(earlier)).picture.since.unwrap();
    assert_eq!((since.same, since.worse, since.appeared.len()), (1, vec![], 1));
    let causes: Vec<_> = since.causes.iter().map(|it| (it.severity, it.before, it.now)).collect();
    assert_eq!(causes, [(Severity::Error, 0, 1)]);
}

#[test]
fn what_changed_is_listed_by_machine_and_cause() {
    let mut earlier = Fleet::default();
    for (name, roots) in
        [("better", vec![silent("10.0.0.4")]), ("worse", vec![]), ("same", vec![silent("10.0.0.4")]), ("gone", vec![])]
    {
        earlier.add(sighting(name, 0, roots));
    }
    let mut now = Fleet::default();
    for (name, roots) in
        [("better", vec![]), ("worse", vec![silent("10.0.0.9")]), ("same", vec![silent("10.0.0.4")]), ("new", vec![])]
    {
        now.add(sighting(name, 9, roots));
    }
    let since = now.whole("0.1.0", None, Some(earlier)).picture.since.unwrap();
    let hosts = |changes: &[Change]| changes.iter().map(|change| change.host.clone()).collect::<Vec<_>>();
    assert_eq!((hosts(&since.better), hosts(&since.worse)), (vec!["better".to_owned()], vec!["worse".to_owned()]));
    assert_eq!(
        (hosts(&since.appeared), hosts(&since.vanished), since.same),
        (vec!["new".to_owned()], vec!["gone".to_owned()], 1)
    );
    let causes: Vec<_> = since.causes.iter().map(|cause| (cause.title.as_str(), cause.before, cause.now)).collect();
    assert_eq!(causes, [("no answer from 10.0.0.4", 2, 1), ("no answer from 10.0.0.9", 0, 1)]);
}

#[test]
fn a_cut_counts_a_machine_under_each_of_its_values() {
    let mut fleet = Fleet::default();
    let mut one = sighting("a", 0, vec![silent("10.0.0.4")]);
    Arc::make_mut(&mut one.shared).servers = vec!["10.0.0.4".to_owned(), "10.0.0.5".to_owned()];
    fleet.add(one);
    fleet.add(sighting("b", 0, vec![]));
    let cut = fleet.whole("0.1.0", Some(Dimension::Server), None).picture.by.unwrap();
    let slices: Vec<_> = cut.slices.iter().map(|slice| (slice.value.as_str(), slice.machines, slice.error)).collect();
    assert_eq!(slices, [("10.0.0.4", 2, 1), ("10.0.0.5", 1, 1)]);
}

#[test]
fn broken_inputs_are_counted_and_some_are_named_whatever_their_order() {
    let names: Vec<String> = (0..250).map(|number| format!("file-{number:03}")).collect();
    let inputs_of = |names: &mut dyn Iterator<Item = &String>| {
        let mut fleet = Fleet::default();
        names.for_each(|name| fleet.add_broken(name, "is empty"));
        fleet.whole("0.1.0", None, None).picture.inputs
    };
    let inputs = inputs_of(&mut names.iter());
    assert_eq!(
        (inputs.broken, inputs.broken_named.len(), inputs.broken_named[0].input.as_str()),
        (250, 100, "file-000")
    );
    assert_eq!(inputs_of(&mut names.iter().rev()), inputs);
}
