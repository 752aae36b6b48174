//! Rules with levels, and looking more than once.

use std::time::{Duration, Instant};

use ampls_doctor::cli::splay::part;

use super::*;

#[test]
fn a_rule_that_is_off_is_left_out_and_the_report_says_so() {
    let folder = Folder::new("rules");
    let file = report(&folder, "zone-not-linked-ods", 1);
    let off = ran(&["judge", &file, "--rule", "dns003=off", "--format", "json"]);
    assert_eq!(status(&off), Some(0));
    let document = json(&text(&off.stdout));
    assert_eq!(document["run"]["rules"]["DNS003"], "off");
    assert!(!document["findings"].to_string().contains("DNS003"), "{document:#}");

    let saved = folder.path("off.json");
    fs::write(&saved, &off.stdout).expect("written");
    let again = ran(&["judge", &saved, "--format", "json"]);
    assert_eq!(json(&text(&again.stdout))["findings"], document["findings"], "the levels are part of the report");
    assert_eq!(status(&ran(&["judge", &saved, "--rule", "DNS003=error"])), Some(1), "given ones replace them");

    assert_eq!(status(&ran(&["judge", &file, "--rule", "zone-not-linked=warning"])), Some(0));
    let warned = ["judge", &file, "--rule", "NET001=off,DNS003=warning", "--fail-on", "warning", "-q"];
    assert_eq!(status(&ran(&warned)), Some(1));
    assert_eq!(status(&ran(&["demo", "zone-not-linked-ods", "--rule", "DNS003=info", "-q"])), Some(0));
}

#[test]
fn arguments_of_looking_again_are_checked() {
    let table: &[(&[&str], &str)] = &[
        (&["demo", "--rule", "DNS999=off"], "DNS999"),
        (&["demo", "--rule", "DNS003"], "off, info"),
        (&["demo", "--rule", "DNS003=fatal"], "`fatal`"),
        (&["demo", "--rule", "DNS003=off,\u{1b}[2J=off"], "no code"),
        (&["demo", "--wait", "green"], "healthy"),
        (&["demo", "--wait", "healthy", "--for", "0"], "time to wait"),
        (&["demo", "--wait", "healthy", "--for", "1e9"], "time to wait"),
        (&["demo", "--for", "10"], "--wait"),
        (&["demo", "--every", "0.5"], "one second"),
        (&["demo", "--splay", "soon"], "number of seconds"),
        (&["demo", "--splay", "1e9"], "number of seconds"),
        (&["demo", "--every", "2", "--wait", "healthy"], "--every"),
        (&["demo", "public-wanted", "--wait", "private"], "contradicts"),
    ];
    for (arguments, wanted) in table {
        let line = refused_in_one_line(&ran(arguments), 2);
        assert!(line.contains(wanted), "{arguments:?}: {line}");
    }
}

#[test]
fn waiting_ends_when_the_verdict_is_reached() {
    let output = ran(&["demo", "server-recovers", "--wait", "private", "--for", "60"]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("PRIVATE, network healthy; "), "{}", text(&output.stdout));
    let talk = text(&output.stderr);
    assert!(talk.starts_with("ampls-doctor: waiting for private: UNRESOLVED, 1 error"), "{talk}");
    assert!(talk.contains("next look in"), "{talk}");
}

#[test]
fn waiting_in_vain_ends_in_time_and_is_status_one() {
    let began = Instant::now();
    let output = ran(&["demo", "healthy-public", "--wait", "private", "--for", "4", "-q"]);
    assert_eq!(status(&output), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("PUBLIC, "), "{}", text(&output.stdout));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    assert!(began.elapsed() < HANGS);
}

#[test]
fn the_wait_before_the_first_look_is_this_machines_part_and_outside_the_deadline() {
    let identity = ampls_probes::world::identity().expect("this machine has a name");
    let share = part(Duration::from_secs(1_000), &identity).as_secs_f64() / 1_000.0;
    let splay = Duration::from_secs_f64((1.5 / share).min(86_000.0));
    let folder = Folder::new("splay");
    let (root, splay_seconds) = (folder.path(""), splay.as_secs_f64().to_string());
    let began = Instant::now();
    let arguments = ["check", "--root", &root, "--only", "agent", "--deadline", "1", "--splay"];
    let output = ran(&[&arguments[..], &[&splay_seconds[..splay_seconds.len().min(12)], "--format", "json"]].concat());
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(began.elapsed() + Duration::from_millis(1) >= part(splay, &identity), "{:?}", began.elapsed());
    assert_eq!(json(&text(&output.stdout))["run"]["complete"], true);
    assert_eq!(status(&ran(&["demo", "healthy-private", "--splay", "0", "-q"])), Some(0));
}

#[cfg(unix)]
#[test]
fn looking_for_ever_ends_with_a_signal_and_the_last_verdict() {
    use std::io::{BufRead, BufReader};

    for (format, signal) in [("json", "TERM"), ("table", "INT")] {
        let mut child = doctor(&["demo", "zone-not-linked-ods", "--every", "1", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        match format {
            "json" => {
                for _ in 0..2 {
                    let document = json(&lines.next().expect("one document a line"));
                    assert_eq!(document["findings"][0]["code"], "DNS003");
                }
            }
            _ => assert!(lines.any(|line| line.ends_with("; no change")), "a line for the second look"),
        }
        assert!(send(&child, signal));
        let output = child.wait_with_output().expect("an end");
        assert_eq!(status(&output), Some(1), "{format}: {}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_program_while_nobody_reads_its_report() {
    use std::io::Read;

    let mut child = doctor(&["demo", "healthy-private", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let mut pipe = child.stdout.take().expect("a pipe");
    // The run is over once something is written; what does not fit into the pipe waits for a reader that does not come.
    pipe.read_exact(&mut [0; 1]).expect("the beginning of a report");
    std::thread::sleep(Duration::from_millis(500));
    assert!(send(&child, "INT"));
    let began = Instant::now();
    let ended = loop {
        match child.try_wait().expect("a child") {
            Some(ended) => break Some(ended),
            None if began.elapsed() > HANGS => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    assert_eq!(ended.and_then(|ended| ended.code()), Some(130));
}
