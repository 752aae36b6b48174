//! A whole company through files of every kind, in any order, with broken ones among them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ampls_probes::Catalogue;
use ampls_probes::observation::Stop;
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use uuid::Uuid;

use super::{Flight, Found, IN_FLIGHT, again, each, found_in, gather};
use crate::cli::saved::{Saved, judged};
use crate::diagnose::finding::{Finding, Severity};
use crate::diagnose::levels::Levels;
use crate::fleet::company::{Vm, odd, truth};
use crate::fleet::{Group, KnownDigests, Whole};
use crate::render::{compact, ndjson};
use crate::report::digest::Digest;
use crate::report::{FailOn, Report, exit_status, mixed};

/// Machines of the company; `FLEET_MACHINES` asks for more.
const MACHINES: usize = 1_000;

#[test]
fn a_line_that_is_broken_costs_itself_alone_wherever_it_stands() {
    let vms = [0, 1, 2].map(|number| Vm { number }.report());
    let reports: Vec<String> = vms.iter().map(json).collect();
    let rows: Vec<String> = vms.iter().map(|report| rows(report).trim_end().to_owned()).collect();
    let digests: Vec<String> = vms.iter().map(|it| serde_json::to_string(&Digest::new(it, 1)).unwrap()).collect();
    for lines in [reports, rows, digests] {
        for broken in ["{\"schema\":2,\"run\":", "Warning: Permanently added 'vm-1' to the list of known hosts."] {
            for place in 0..=lines.len() {
                let mut all = lines.clone();
                all.insert(place, broken.to_owned());
                let folder = Folder::new();
                let file = folder.write("all", all.join("\n") + "\n");
                let (machines, named) = seen(&[file]);
                // Digests stand below what people read, which is no broken input.
                let talk = broken.starts_with('W') && place == 0 && lines[0].contains("\"kind\":\"digest\"");
                assert_eq!((machines, named.len()), (3, usize::from(!talk)), "{place}: {named:?}");
            }
        }
    }
}

#[test]
fn a_first_line_may_be_longer_than_a_block_and_cut_off_at_its_beginning() {
    let long = |number: usize| {
        let mut report = serde_json::to_value(Vm { number }.report()).unwrap();
        report["later"] = "x".repeat(2 * 1024 * 1024).into();
        report.to_string()
    };
    let folder = Folder::new();
    let whole = format!("{}\n{{\"schema\":2,\n{}\n{}\n", long(0), long(1), json(&Vm { number: 2 }.report()));
    assert_eq!(seen(&[folder.write("whole", &whole)]).0, 3);
    let (machines, broken) = seen(&[folder.write("tail", &whole[1024 * 1024..])]);
    assert_eq!((machines, broken.len()), (2, 2), "{broken:?}");
    assert_eq!(seen(&[folder.write("marked", format!("\u{feff}{whole}"))]).0, 3);
}

#[test]
fn of_an_input_of_many_blocks_every_line_is_read_once_and_known_by_its_place() {
    const MACHINES: usize = 100;
    const BLOCKS: usize = 4;

    let mut lines = Vec::new();
    let mut broken_at = Vec::new();
    for number in 0..MACHINES {
        if number % 30 == 7 {
            lines.push("{\"schema\":2,".to_owned());
            broken_at.push(lines.len());
        }
        let mut report = serde_json::to_value(Vm { number }.report()).unwrap();
        report["later"] = "x".repeat(BLOCKS * 1024 * 1024 / MACHINES).into();
        lines.push(report.to_string());
    }
    // The last line does not end.
    let text = lines.join("\n");
    let folder = Folder::new();
    let plain = folder.write("plain", &text);

    let known = KnownDigests::default();
    let (mut runs, mut named) = (BTreeSet::new(), Vec::new());
    each(std::slice::from_ref(&plain), &|input| found_in(input, &known), |found| match found {
        Found::Sighting(sighting) => {
            let saved = again(&sighting.source.unwrap()).unwrap();
            assert_eq!(saved.id, sighting.run);
            assert!(runs.insert(sighting.run));
        }
        Found::Broken { input, why } => named.push(format!("{input}: {why}")),
    });
    assert_eq!(runs.len(), MACHINES);
    named.sort();
    let lines_named = |file: &Path, numbers: &[usize]| {
        let mut all: Vec<_> = numbers
            .iter()
            .map(|line| format!("{}, line {line}: is cut off: the JSON is incomplete", file.display()))
            .collect();
        all.sort();
        all
    };
    assert_eq!(named, lines_named(&plain, &broken_at));

    assert_eq!(seen(&[folder.write("packed", gzip(&text))]).0, MACHINES);
    // What was not whole is no machine, and both are said: the line, and that more may have followed.
    let mut cut = gzip(&text);
    cut.truncate(cut.len() - 64);
    let (machines, broken) = seen(&[folder.write("cut.gz", cut)]);
    assert_eq!((machines, broken.len()), (MACHINES - 1, broken_at.len() + 1), "{broken:?}");
    assert!(broken.iter().any(|it| it.contains("cannot be unpacked to its end")), "{broken:?}");
}

#[test]
fn two_threads_share_a_folder_of_many_and_lose_nothing_of_it() {
    const MANY: usize = 280;

    let folder = Folder::new();
    let of = |number: usize| json(&Vm { number }.report());
    for number in 0..MANY {
        folder.write(&format!("{number:03}.json"), of(number));
    }
    // Folders and what is broken lie in both halves.
    for (number, name) in [(MANY, "000/one.json"), (MANY + 1, "zzz/one.json")] {
        folder.write(name, of(number));
    }
    for name in ["001.broken", "zz.broken"] {
        folder.write(name, "{\"schema\":2,");
    }
    let (machines, broken) = seen(std::slice::from_ref(&folder.0));
    assert_eq!(machines, MANY + 2);
    assert_eq!(broken.len(), 2, "{broken:?}");

    // As Ansible fetches them: a folder for each host.
    let hosts = Folder::new();
    for number in 0..MANY {
        hosts.write(&format!("vm-{number}/var/lib/report.json"), of(number));
    }
    hosts.write("vm-7/var/lib/more/one.json", of(MANY));
    hosts.write("vm-7/var/lib/more/one.broken", "{\"schema\":2,");
    let (machines, broken) = seen(std::slice::from_ref(&hosts.0));
    assert_eq!(machines, MANY + 1);
    assert_eq!(broken.len(), 1, "{broken:?}");
}

#[test]
fn blocks_under_way_hold_no_more_than_the_room_for_all() {
    let flight = Arc::new(Flight::default());
    let first = Arc::clone(&flight).take(IN_FLIGHT * 4);
    let (room, more) = (
        Arc::clone(&flight),
        std::thread::spawn({
            let flight = Arc::clone(&flight);
            move || (Arc::clone(&flight).take(IN_FLIGHT / 2), flight.take(IN_FLIGHT / 2))
        }),
    );
    // Nothing more is taken before the large one has landed.
    assert_eq!(*room.bytes.lock().unwrap(), IN_FLIGHT * 4);
    drop(first);
    let (one, two) = more.join().unwrap();
    assert_eq!(*room.bytes.lock().unwrap(), IN_FLIGHT);
    drop((one, two));
    assert_eq!(*room.bytes.lock().unwrap(), 0);
}

/// What is shown of a name that is not UTF-8 is the name of another file.
#[cfg(target_os = "linux")]
#[test]
fn a_report_is_read_again_from_the_file_that_it_came_from() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let outside = folder.write("outside.json", json(&Vm { number: 1 }.report()));
    let reports = [2, 7].map(|number| json(&Vm { number }.report()));
    fs::create_dir(folder.0.join("in")).unwrap();
    fs::write(folder.0.join("in").join(OsStr::from_bytes(b"a\xff.json")), reports.join("\n")).unwrap();
    symlink(outside, folder.0.join("in/a\u{fffd}.json")).unwrap();
    let whole = gather(&[folder.0.join("in")]).whole("0.1.0", None, None);
    assert_eq!((whole.picture.machines.seen, whole.picture.inputs.broken), (2, 1));
    let newest: Vec<_> = whole.newest.iter().flatten().map(|source| again(source).unwrap().id).collect();
    assert!(!newest.is_empty());
    let runs: Vec<Uuid> = whole.machines.iter().map(|machine| machine.run).collect();
    assert!(newest.iter().all(|run| runs.contains(run)), "{newest:?} {runs:?}");
}

/// A folder that is gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("gather-{}", Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).unwrap()
}

fn digest(report: &Report) -> String {
    let mut out = Vec::new();
    compact::write(report, exit_status(report, FailOn::Error), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn rows(report: &Report) -> String {
    let mut out = Vec::new();
    ndjson::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

/// Writes the company in every form, and every hundredth file broken; gives how many are.
fn company(folder: &Folder, machines: usize) -> u64 {
    let mut lines = BufWriter::new(fs::File::create(folder.0.join("all.ndjson")).unwrap());
    let mut line = |text: &str| writeln!(lines, "{text}").unwrap();
    let (mut of_rows, mut broken) = (Vec::new(), 0);
    for number in 0..machines {
        let (report, name) = (Vm { number }.report(), format!("hub-{}/{number}", number % 7));
        match number % 8 {
            0 => _ = folder.write(&format!("{name}.json"), json(&report)),
            1 => _ = folder.write(&format!("{name}.json"), serde_json::to_string_pretty(&report).unwrap()),
            2 => _ = folder.write(&format!("{name}/var/report.json.gz"), gzip(&json(&report))),
            3 => _ = folder.write(&format!("{name}.zst"), zstd(&json(&report))),
            4 => _ = folder.write(&format!("{name}.txt"), digest(&report)),
            5 => {
                let said = format!("Enable succeeded: \n[stdout]\n{}\n[stderr]\n", digest(&report));
                let answer = serde_json::json!({"value": [{"code": "ProvisioningState/succeeded", "message": said}]});
                folder.write(&format!("{name}.json"), answer.to_string());
            }
            // A collector writes the lines of many machines among each other.
            6 => of_rows.extend(rows(&report).lines().map(str::to_owned)),
            _ => line(&json(&report)),
        }
        if number % 100 == 50 {
            let text = json(&report);
            folder.write(&format!("{name}-cut.json"), &text[..text.len() / 2]);
            line("{\"schema\":2,\"run\":");
            broken += 2;
        }
    }
    of_rows.iter().rev().for_each(|row| line(row));
    lines.flush().unwrap();
    broken
}

fn shared(group: &Group) -> Vec<String> {
    group
        .facts
        .iter()
        .flat_map(|fact| fact.values.iter().map(move |it| format!("{}={}", fact.name, it.value)))
        .collect()
}

fn machines() -> usize {
    std::env::var("FLEET_MACHINES").ok().and_then(|text| text.parse().ok()).unwrap_or(MACHINES)
}

#[test]
fn a_company_has_exactly_the_causes_that_were_put_into_it_in_any_order_of_inputs() {
    let folder = Folder::new();
    let count = machines();
    let broken = company(&folder, count);
    let whole = gather(std::slice::from_ref(&folder.0)).whole("0.1.0", None, None);
    assert_eq!(whole.picture.machines.seen, count);
    assert_eq!(whole.picture.inputs.broken, broken, "{:?}", whole.picture.inputs.broken_named);

    let mut wanted = truth(count);
    let errors = whole.picture.groups.iter().filter(|group| group.severity == Severity::Error);
    let (unnamed, errors): (Vec<&Group>, Vec<&Group>) = errors.partition(|group| group.not_named);
    // A digest names all of its first root; the agent stands behind it.
    assert!(unnamed.iter().all(|group| group.code == "AGT001"), "{:?}", titles(&whole));
    let unnamed: usize = unnamed.iter().map(|group| group.machines).sum();
    for group in errors {
        let facts = shared(group);
        let holds = |wanted: &str| {
            wanted
                .split(' ')
                .all(|fact| facts.iter().any(|it| it == fact || wanted.starts_with("issuer=") && it == wanted))
        };
        let key = wanted.keys().find(|(code, shared)| *code == group.code && holds(shared)).cloned();
        let key = key.unwrap_or_else(|| panic!("{}: nobody put that into it", group.id));
        let machines = group.machines + if group.code == "AGT001" { unnamed } else { 0 };
        assert_eq!(wanted.remove(&key), Some(machines), "{}: {:#?}", group.id, titles(&whole));
    }
    assert!(wanted.is_empty(), "not found: {wanted:?}");
    let (code, server) = odd();
    let alone: Vec<&Group> = whole.picture.outliers().filter(|group| group.code == code).collect();
    assert!(matches!(alone.as_slice(), [one] if shared(one).contains(&server)), "{:?}", titles(&whole));

    let mut files = Vec::new();
    list(&folder.0, &mut files);
    files.reverse();
    assert_eq!(gather(&files).whole("0.1.0", None, None), whole, "backwards");
    files.sort_by_key(|file| file.to_string_lossy().bytes().rev().collect::<Vec<_>>());
    assert_eq!(gather(&files).whole("0.1.0", None, None), whole, "by their last letters");
}

fn titles(whole: &Whole) -> Vec<&str> {
    whole.picture.groups.iter().map(|group| group.id.as_str()).collect()
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}

/// How many machines the paths hold, and what is broken.
fn seen(paths: &[PathBuf]) -> (usize, Vec<String>) {
    let picture = gather(paths).whole("0.1.0", None, None).picture;
    let broken = picture.inputs.broken_named.iter().map(|it| format!("{}: {}", it.input, it.why)).collect();
    (picture.machines.seen, broken)
}

#[test]
fn patterns_stand_for_files_and_what_is_not_there_is_named() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.write(&format!("{number}.json"), json(&Vm { number }.report()));
    }
    assert_eq!(seen(&[folder.0.join("*.json")]), (4, vec![]));
    assert_eq!(seen(&[folder.0.join("[01].json"), folder.0.join("1.json")]), (2, vec![]));
    let (machines, broken) = seen(&[folder.0.join("*.xml"), folder.0.join("no.json"), folder.0.join("2.json")]);
    assert_eq!((machines, broken.len()), (1, 2));
    assert!(broken[0].ends_with("stands for no file") && broken[1].ends_with("is not there"), "{broken:?}");
}

#[test]
fn frames_one_after_the_other_are_unpacked_and_a_bomb_of_one_line_ends() {
    let folder = Folder::new();
    let one = |number| json(&Vm { number }.report()) + "\n";
    let frames = [zstd(&one(0)), zstd(&one(1))].concat();
    let members = [gzip(&one(2)), gzip(&one(3))].concat();
    assert_eq!(seen(&[folder.write("a", frames.clone()), folder.write("b", members)]), (4, vec![]));
    let (machines, broken) = seen(&[folder.write("c.zst", &frames[..frames.len() - 9])]);
    assert_eq!((machines, broken.len()), (1, 1), "{broken:?}");
    assert!(broken[0].contains("cannot be unpacked"), "{broken:?}");
    let bomb = format!("{{\"a\":1}}\n{}", "0".repeat(40 * 1024 * 1024));
    let (machines, broken) = seen(&[folder.write("bomb.gz", gzip(&bomb))]);
    assert_eq!(machines, 0);
    assert!(broken.iter().any(|it| it.ends_with("line 2 is longer than 16 MiB")), "{broken:?}");
}

/// What tools that pack in parallel, or that can seek, write between frames (RFC 8878, 3.1.2).
#[test]
fn frames_of_something_else_are_passed_over_and_must_be_whole() {
    let folder = Folder::new();
    let other = |mark: u8, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[mark, 0x2a, 0x4d, 0x18], &length[..], content].concat()
    };
    let packed = |number| zstd(&(json(&Vm { number }.report()) + "\n"));
    let long = vec![b'{'; 100_000];
    let mixed =
        [other(0x50, b"size"), packed(0), other(0x5f, &long), other(0x5a, b""), packed(1), other(0x5e, b"places")];
    assert_eq!(seen(&[folder.write("mixed.zst", mixed.concat())]), (2, vec![]));
    let mut cut = mixed.concat();
    cut.truncate(cut.len() - 1);
    let (machines, broken) = seen(&[folder.write("cut.zst", cut)]);
    assert_eq!((machines, broken.len()), (2, 1), "{broken:?}");
    let (machines, broken) = seen(&[folder.write("nothing.zst", other(0x50, b"nothing"))]);
    assert_eq!((machines, broken.len()), (0, 1), "{broken:?}");
}

/// A frame of zstd of nothing but ends of lines: four bytes for 128 KiB of them (RFC 8878, 3.1.1.2).
fn bomb(octets: usize) -> Vec<u8> {
    const BLOCK: u32 = 128 * 1024;
    // A frame without a checksum and without its size; a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    let blocks = octets / BLOCK as usize;
    for block in 1..=blocks {
        let last = u32::from(block == blocks);
        // A block that repeats one byte.
        frame.extend(&((BLOCK << 3) | (1 << 1) | last).to_le_bytes()[..3]);
        frame.push(b'\n');
    }
    frame
}

#[test]
fn a_small_file_does_not_unpack_without_end() {
    let folder = Folder::new();
    let good = zstd(&(json(&Vm { number: 0 }.report()) + "\n"));
    let other = zstd(&json(&Vm { number: 1 }.report()));
    let harmless = [good.as_slice(), &bomb(8 * 1024 * 1024), &other].concat();
    assert_eq!(seen(&[folder.write("harmless.zst", harmless)]), (2, vec![]));
    let packed = [good.as_slice(), &bomb(1024 * 1024 * 1024), &other].concat();
    assert!(packed.len() < 64 * 1024, "{}", packed.len());
    let (machines, broken) = seen(&[folder.write("bomb.zst", packed)]);
    assert_eq!((machines, broken.len()), (1, 1), "{broken:?}");
    assert!(broken[0].ends_with("it is more than 1000 times as large as its file"), "{broken:?}");
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_folder_and_nothing_special_is_opened() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let outside = folder.write("outside/secret.json", json(&Vm { number: 1 }.report()));
    folder.write("in/a.json", json(&Vm { number: 0 }.report()));
    symlink(&outside, folder.0.join("in/link.json")).unwrap();
    symlink("../outside", folder.0.join("in/folder")).unwrap();
    symlink("a.json", folder.0.join("in/neighbour.json")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("in/socket")).unwrap();
    let (machines, broken) = seen(&[folder.0.join("in")]);
    assert_eq!(machines, 1);
    let wanted = [("folder", "leads out"), ("link.json", "leads out"), ("socket", "is not a regular file")];
    assert_eq!(broken.len(), wanted.len(), "{broken:?}");
    for (broken, (name, why)) in broken.iter().zip(wanted) {
        assert!(broken.contains(&format!("in/{name}: ")) && broken.contains(why), "{broken}");
    }
    // Twice as many folders at each level would take for ever.
    for level in 0..30 {
        let below = folder.0.join("deep").join("x/".repeat(level));
        fs::create_dir_all(below.join("x")).unwrap();
        symlink("x", below.join("y")).unwrap();
    }
    folder.write(&format!("deep/{}a.json", "x/".repeat(30)), json(&Vm { number: 0 }.report()));
    let picture = gather(&[folder.0.join("deep")]).whole("0.1.0", None, None).picture;
    assert_eq!((picture.inputs.reports, picture.inputs.broken), (1, 0));
    folder.write(&format!("deep/{}a.json", "x/".repeat(33)), "");
    assert!(seen(&[folder.0.join("deep")]).1[0].ends_with("lies deeper than 32 folders"));
    // The folder that the user names may be reached by a link.
    symlink(folder.0.join("in"), folder.0.join("named")).unwrap();
    assert_eq!(seen(&[folder.0.join("named")]).0, 1);
}

#[test]
fn reports_that_were_redacted_one_by_one_are_as_many_machines() {
    let folder = Folder::new();
    for number in [0, 2] {
        let seen = Vm { number }.report().observations;
        let key = [u8::try_from(number).unwrap() + 1; 16];
        let (observations, redacted) = crate::report::redact(&seen, &Catalogue::builtin().unwrap(), key).unwrap();
        let rules = Levels::default();
        let report = judged(
            Saved { id: Uuid::from_u128(number as u128 + 1), rules, observations, redacted: Some(redacted) },
            None,
        );
        folder.write(&format!("{number}.json"), json(&report));
        folder.write(&format!("{number}.txt"), digest(&report));
        folder.write(&format!("{number}.ndjson"), rows(&report));
    }
    let picture = gather(std::slice::from_ref(&folder.0)).whole("0.1.0", None, None).picture;
    assert_eq!((picture.machines.seen, picture.machines.error, picture.machines.redacted), (2, 1, 2));
    assert_eq!(picture.exit_status(FailOn::Error), 1);
}

#[test]
fn a_run_that_was_ended_before_anything_was_judged_is_no_health_in_any_form() {
    let mut report = Vm { number: 0 }.report();
    report.run.stopped = Some(Stop::Interrupt);
    report.endpoints.clear();
    report.findings =
        vec![Finding { code: "RUN001".to_owned(), severity: Severity::Warning, ..mixed().findings.remove(0) }];
    assert_eq!(exit_status(&report, FailOn::Error), 3);
    for text in [json(&report), digest(&report), rows(&report)] {
        let folder = Folder::new();
        folder.write("one", &text);
        let of = || gather(std::slice::from_ref(&folder.0)).whole("0.1.0", None, None).picture;
        assert_eq!((of().machines.unexamined, of().exit_status(FailOn::Error)), (1, 3), "{text}");
        folder.write("other", json(&Vm { number: 5 }.report()));
        let status = [FailOn::Error, FailOn::Never].map(|fail_on| of().exit_status(fail_on));
        let all = of().machines;
        assert_eq!((all.seen, all.unexamined, status), (2, 1, [1, 0]), "{text}");
    }
}

/// The status and how many machines are without a fault.
fn status_of(folder: &Folder) -> (u8, usize, usize) {
    let picture = gather(std::slice::from_ref(&folder.0)).whole("0.1.0", None, None).picture;
    (picture.exit_status(FailOn::Error), picture.machines.ok, picture.machines.incomplete)
}

#[test]
fn a_machine_whose_findings_were_cut_off_is_as_bad_as_its_verdict_says() {
    let rows = rows(&mixed());
    let lines: Vec<&str> = rows.lines().collect();
    for kept in 1..=lines.len() {
        let folder = Folder::new();
        folder.write("rows.ndjson", lines[..kept].join("\n") + "\n");
        let (status, ok, _) = status_of(&folder);
        assert_eq!((status, ok), (1, 0), "{kept} of {} lines", lines.len());
    }
    let folder = Folder::new();
    folder.write("one.ndjson", format!("{}\n{}\n", lines[0], lines[1]));
    let mut digest = Digest::new(&mixed(), 1);
    digest.dropped.codes = digest.codes.len();
    digest.codes.clear();
    digest.vm_id = Some(Uuid::from_u128(1).to_string());
    folder.write("digest.json", serde_json::to_string(&digest).unwrap());
    assert_eq!(status_of(&folder), (1, 0, 2));
}
