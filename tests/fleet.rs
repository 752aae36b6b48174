//! Many machines through the built binary: what `fleet` and `what-if` print, how they end, and what they refuse.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::cli::{Folder, demo, doctor, json, ran, refused_in_one_line, status, text};
#[cfg(target_os = "linux")]
use super::page;

/// Reports of three worlds, as files of different kinds.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    for (world, wanted) in [("healthy-private", 0), ("zone-not-linked-ods", 1)] {
        named(&folder, world, wanted, world);
    }
    named(&folder, "zone-not-linked-ods", 1, "second");
    let digest = text(&demo("intercepted-untrusted", "compact").stdout);
    fs::write(folder.0.join("run-command.json"), serde_json::json!({"value": [{"message": digest}]}).to_string())
        .expect("written");
    folder
}

/// A world's report under a machine's name of its own.
fn named(folder: &Folder, world: &str, wanted: i32, name: &str) {
    let output = demo(world, "json");
    assert_eq!(status(&output), Some(wanted), "{}", text(&output.stderr));
    let mut saved = json(&text(&output.stdout));
    saved["host"]["name"] = name.into();
    saved["observations"]["machine"]["name"] = name.into();
    saved["host"]["azure"]["vm_id"] = Value::Null;
    saved["host"]["azure"]["resource_id"] =
        format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}").into();
    saved["observations"]["seen"].as_array_mut().expect("observations").retain(|seen| seen["probe"] != "metadata");
    fs::write(folder.path(&format!("{name}.json")), saved.to_string()).expect("written");
}

fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = doctor(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
    child.stdin.take().expect("a pipe").write_all(input).expect("written");
    child.wait_with_output().expect("an end")
}

#[test]
fn machines_with_one_cause_are_one_group_and_the_status_is_theirs() {
    let folder = folder("fleet-groups");
    let here = folder.0.to_str().expect("UTF-8");
    let output = ran(&["fleet", here, "--format", "json"]);
    assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
    let picture = json(&text(&output.stdout));
    assert_eq!(
        (&picture["kind"], &picture["machines"]["seen"], &picture["machines"]["error"]),
        (&"fleet".into(), &4.into(), &3.into())
    );
    let groups = picture["groups"].as_array().expect("groups");
    let codes: Vec<(&str, u64)> = groups
        .iter()
        .filter(|group| group["severity"] == "error")
        .map(|group| (group["code"].as_str().expect("a code"), group["machines"].as_u64().expect("a number")))
        .collect();
    assert_eq!(codes, [("DNS003", 2), ("TLS001", 1)]);
    let fix = groups[0]["fix"].to_string();
    assert!(fix.contains("az network private-dns link vnet create"), "{fix}");
    let table = text(&ran(&["fleet", here]).stdout);
    assert!(table.starts_with("4 machines: 3 broken, 1 "), "{table}");
    assert!(table.lines().count() <= 40, "{table}");
}

#[test]
fn a_machine_counts_once_and_only_errors_fail() {
    let folder = folder("fleet-once");
    let good = folder.path("healthy-private.json");
    let output = ran(&["fleet", &good, &good, "--format", "json"]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let picture = json(&text(&output.stdout));
    assert_eq!((&picture["machines"]["seen"], &picture["inputs"]["reports"]), (&1.into(), &2.into()));
    let bad = folder.path("second.json");
    assert_eq!(status(&ran(&["fleet", &bad, "--fail-on", "never"])), Some(0));
}

#[test]
fn standard_input_is_read_and_what_is_broken_is_counted_and_named() {
    let folder = folder("fleet-broken");
    let good = fs::read_to_string(folder.path("healthy-private.json")).expect("a report");
    let output = fed(&["fleet", "-", "--format", "json"], format!("{good}\n{{\"schema\":2,\n").as_bytes());
    assert_eq!(status(&output), Some(0));
    let picture = json(&text(&output.stdout));
    assert_eq!(picture["inputs"]["broken_named"][0]["input"], "standard input, line 2");
    let line = text(&output.stderr);
    assert!(line.contains("1 input was not read, e.g. `standard input, line 2`: is cut off"), "{line}");
    for arguments in [&["fleet", "no-such-file"][..], &["fleet", "no-such-*"], &["fleet", "/dev/zero"]] {
        refused_in_one_line(&ran(arguments), 2);
    }
    assert!(refused_in_one_line(&ran(&["fleet", "-", "--since", "-"]), 2).contains("standard input"));
    refused_in_one_line(&fed(&["fleet", "-"], b"\x00\x1b[2J"), 2);
}

#[test]
fn what_changed_since_an_earlier_folder_is_shown() {
    let folder = folder("fleet-since");
    let (before, now) = (folder.0.join("before"), folder.0.join("now"));
    fs::create_dir(&before).and_then(|()| fs::create_dir(&now)).expect("folders");
    fs::copy(folder.path("second.json"), before.join("a.json")).expect("copied");
    fs::copy(folder.path("healthy-private.json"), before.join("b.json")).expect("copied");
    fs::copy(folder.path("second.json"), now.join("a.json")).expect("copied");
    fs::copy(folder.path("zone-not-linked-ods.json"), now.join("c.json")).expect("copied");
    let paths = (now.to_str().expect("UTF-8"), before.to_str().expect("UTF-8"));
    let picture = json(&text(&ran(&["fleet", paths.0, "--since", paths.1, "--format", "json"]).stdout));
    let since = &picture["since"];
    assert_eq!(
        (&since["same"], &since["appeared"][0]["host"], &since["vanished"][0]["host"]),
        (&1.into(), &"zone-not-linked-ods".into(), &"healthy-private".into())
    );
    let table = text(&ran(&["fleet", paths.0, "--since", paths.1]).stdout);
    assert!(table.contains("Since  0 better, 0 worse, 1 as before, 1 appeared, 1 vanished"), "{table}");
}

#[test]
fn every_format_is_written_to_a_file_of_its_name() {
    let folder = folder("fleet-files");
    let here = folder.path("second.json");
    for (name, wanted) in [
        ("a.json", "\"kind\": \"fleet\""),
        ("a.ndjson", "\"kind\":\"fleet-row\""),
        ("a.csv", "machine,host,"),
        ("a.md", "## 1 machine"),
        ("a.html", "<!DOCTYPE html>"),
        ("a.prom", "# EOF"),
        ("a.txt", "1 machine: 1 broken"),
    ] {
        let file = folder.path(name);
        let output = ran(&["fleet", &here, "-o", &file]);
        assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("Picture of 1 machine:"), "{}", text(&output.stderr));
        assert!(fs::read_to_string(&file).expect("written").contains(wanted), "{name}");
    }
    assert!(
        refused_in_one_line(&ran(&["fleet", &here, "-o", &folder.path("a.xml")]), 2)
            .contains("there is no format junit here")
    );
}

#[test]
fn a_prediction_begins_with_its_coverage_and_fails_for_what_breaks() {
    let folder = folder("what-if");
    let good = folder.path("healthy-private.json");
    let output = ran(&["what-if", "--change", "unlink privatelink.ods.opinsights.azure.com", &good]);
    assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.starts_with("Reports cover 1 machine; others on these networks are not in it\n"), "{table}");
    assert!(table.contains("private -> public: breaks"), "{table}");
    let link = [
        "what-if",
        "--change",
        "link privatelink.ods.opinsights.azure.com",
        "--like",
        &good,
        &folder.path("second.json"),
        "--format",
        "json",
    ];
    let output = ran(&link);
    assert_eq!(status(&output), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let written = text(&output.stdout);
    let fields = ["\"schema\"", "\"kind\"", "\"version\"", "\"coverage\"", "\"changes\""];
    let places: Vec<_> = fields.iter().map(|field| written.find(field)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{written}");
    let document = json(&written);
    assert_eq!((&document["kind"], &document["machines"]["improves"]), (&"what-if".into(), &1.into()));
    let validator = jsonschema::draft202012::new(&json(&text(&ran(&["schema", "what-if"]).stdout))).expect("a schema");
    assert!(validator.is_valid(&document), "{document:#}");
    let digest = folder.path("run-command.json");
    let table =
        text(&ran(&["what-if", "--change", "unlink privatelink.ods.opinsights.azure.com", &good, &digest]).stdout);
    assert!(table.contains("1 input is not in it"), "{table}");
}

/// The records of a private endpoint as `az network private-endpoint show` prints them, for a machine whose zone lacks one.
#[test]
fn the_records_of_a_file_are_a_change_of_every_name_in_it() {
    let folder = Folder::new("what-if-records");
    named(&folder, "record-missing", 1, "lacking");
    let report = folder.path("lacking.json");
    let seen = json(&fs::read_to_string(&report).expect("a report"));
    let required = |endpoint: &&Value| endpoint["need"] == "required" && endpoint["route"] == "none";
    let lacking =
        seen["endpoints"].as_array().expect("endpoints").iter().find(required).expect("a name without a record");
    let name = lacking["fqdn"].as_str().expect("a name");
    let records = folder.path("endpoint.json");
    let endpoint = serde_json::json!({"customDnsConfigs": [{"fqdn": name, "ipAddresses": ["10.1.2.99"]}]});
    fs::write(&records, endpoint.to_string()).expect("written");
    let output = ran(&["what-if", "--change", &format!("records {records}"), &report, "--format", "json"]);
    assert_eq!(status(&output), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let document = json(&text(&output.stdout));
    let names = document["predictions"][0]["names"].as_array().expect("names");
    let predicted = names.iter().find(|it| it["fqdn"] == name).expect("the name");
    assert_eq!((&predicted["after"], &predicted["fate"]), (&"private".into(), &"improves".into()), "{predicted}");
    assert_eq!(predicted["addresses"], serde_json::json!(["10.1.2.99"]));
}

#[test]
fn changes_that_cannot_be_predicted_are_refused_with_what_is_wanted() {
    let folder = folder("what-if-refused");
    let good = folder.path("healthy-private.json");
    for (change, wanted) in [
        ("link privatelink.monitor.azure.com", "--like"),
        ("link monitor.azure.com", "did you mean `privatelink.monitor.azure.com`?"),
        ("rename x", "give link ZONE"),
        ("records missing.json", "missing.json"),
        ("unlink privatelink.monitr.azure.com", "no report looks at a name that this is about"),
    ] {
        let line = refused_in_one_line(&ran(&["what-if", "--change", change, &good]), 2);
        assert!(line.contains(wanted), "{line}");
    }
    refused_in_one_line(&ran(&["what-if", &good]), 2);
    refused_in_one_line(
        &ran(&["what-if", "--change", "unlink privatelink.monitor.azure.com", &folder.path("run-command.json")]),
        2,
    );
}

/// What Chromium makes of the page, of which nothing complains; `None` where it cannot be run.
#[cfg(target_os = "linux")]
fn drawn(folder: &Folder, page: &str) -> Option<String> {
    let output = page::opened(folder, page.as_ref())?;
    assert_eq!(page::complaints(folder, &output), Vec::<String>::new());
    let dom = text(&output.stdout);
    assert!(dom.contains("data-ready=\"yes\""), "{dom}");
    Some(dom)
}

/// The page of many machines in Chromium: every machine is there, and the list can be filtered and scrolled.
#[cfg(target_os = "linux")]
#[test]
fn the_page_shows_causes_and_draws_its_list() {
    let folder = folder("fleet-page");
    let page = folder.path("fleet.html");
    assert_eq!(status(&ran(&["fleet", folder.0.to_str().expect("UTF-8"), "-o", &page])), Some(1));
    let Some(dom) = drawn(&folder, &page) else { return };
    assert!(dom.contains("4 of 4 machines"), "{dom}");
    assert!(dom.contains("data-code=\"DNS003\" data-machines=\"2\""), "{dom}");
}

/// A filter of five hundred lines is long enough; what it leaves out, it says.
#[cfg(target_os = "linux")]
#[test]
fn filters_of_the_page_say_what_they_leave_out() {
    const SUBNETS: usize = 503;
    let folder = Folder::new("fleet-filters");
    let printed = text(&demo("zone-not-linked-ods", "compact").stdout);
    let digest = json(printed.lines().find(|line| line.starts_with('{')).expect("a digest"));
    let lines = (0..SUBNETS).map(|number| {
        let mut one = digest.clone();
        one["host"] = format!("vm-{number}").into();
        one["vm_id"] = format!("00000000-0000-4000-9000-{number:012}").into();
        one["resource_id"] = Value::Null;
        one["subnet"] = format!("10.{}.{}.0/24", number / 250, number % 250).into();
        format!("{one}\n")
    });
    let (all, page) = (folder.path("all.ndjson"), folder.path("fleet.html"));
    fs::write(&all, lines.collect::<String>()).expect("written");
    assert_eq!(status(&ran(&["fleet", &all, "-o", &page])), Some(1));
    let Some(dom) = drawn(&folder, &page) else { return };
    assert!(dom.contains("503 of 503 machines<"), "{dom}");
    let subnets = dom.split("id=\"subnet\"").nth(1).and_then(|rest| rest.split("</select>").next()).unwrap_or_default();
    // One is for all of them.
    assert_eq!(subnets.matches("<option").count(), 502, "{subnets}");
    assert!(subnets.contains("disabled=\"\">3 more are not listed here<"), "{subnets}");
}
