//! What Azure holds: the script that collects it, asked with recorded answers, and its file through every command that takes
//! one; over all worlds, what a file leaves open of the commands and notes that were open without it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::cli::{Folder, demo, json as parsed, ran, refused_in_one_line, report, status, text};
use super::needs;

pub(crate) mod held;

const GROUPS: &str = "/subscriptions/subid/resourceGroups";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs the script with recorded answers in the place of Azure's.
fn collected(folder: &Folder, answers: &Path) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command
        .arg(here("packaging/azure-facts/collect.sh"))
        .arg(folder.path("facts.json"))
        .env("PATH", format!("{}:{path}", here("tests/azure").display()))
        .env("AZ_ANSWERS", answers)
        .env("AZ_LOG", folder.path("asked"));
    command.output().expect("bash")
}

/// The recorded answers under the names of a private link: the zone, scope, network and record of the examples are called as
/// a private link calls them, and everything else is as it was recorded.
fn of_a_private_link(folder: &Folder) -> PathBuf {
    let names = [
        ("privatezone1.com", "privatelink.monitor.azure.com"),
        ("privatelink.contoso.com", "privatelink.monitor.azure.com"),
        ("zone1.com", "privatelink.monitor.azure.com"),
        ("recorda1", "global.handler.control"),
        ("/subscriptions/subscriptionId/", "/subscriptions/subid/"),
        ("/subscriptions/subId/", "/subscriptions/subid/"),
        ("Microsoft.Network/privateLinkServices/testPls1", "microsoft.insights/privateLinkScopes/testPls1"),
        (
            "/subscriptions/virtualNetworkSubscriptionId/resourceGroups/virtualNetworkResourceGroup/providers/Microsoft.Network/virtualNetworks/virtualNetworkName",
            "/subscriptions/subid/resourceGroups/rg1/providers/Microsoft.Network/virtualNetworks/vnet1",
        ),
        (
            "resourceProvider1/resourceType1/resourceName1",
            "Microsoft.Network/privateDnsZones/privatelink.monitor.azure.com",
        ),
        ("/subscriptions/subscriptionId1/", "/subscriptions/subid/"),
    ];
    let answers = folder.0.join("answers");
    fs::create_dir(&answers).expect("a folder");
    for file in fs::read_dir(here("tests/azure/answers")).expect("answers") {
        let file = file.expect("an answer").path();
        let mut answer = fs::read_to_string(&file).expect("an answer");
        for (recorded, name) in names {
            answer = answer.replace(recorded, name);
        }
        fs::write(answers.join(file.file_name().expect("a name")), answer).expect("written");
    }
    answers
}

fn facts(folder: &Folder) -> Value {
    parsed(&fs::read_to_string(folder.path("facts.json")).expect("a file"))
}

#[test]
fn the_script_writes_what_was_recorded_and_nothing_of_people_and_settings() {
    if !needs::programs(&["bash", "jq"]) {
        return;
    }
    let folder = Folder::new("facts-recorded");
    let output = collected(&folder, &here("tests/azure/answers"));
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let facts = facts(&folder);
    for (list, count) in [
        ("scopes", 2),
        ("endpoints", 0),
        ("zones", 0),
        ("rulesets", 2),
        ("inbound", 2),
        ("networks", 2),
        ("route_tables", 2),
        ("interfaces", 1),
        ("workspaces", 1),
        ("collection_endpoints", 2),
        ("associations", 3),
        ("changes", 2),
    ] {
        assert_eq!(facts[list].as_array().map(Vec::len), Some(count), "{list}: {}", facts[list]);
    }
    let written = facts.to_string();
    for kept_out in ["bobby", "user1", "tag1", "someValue", "macAddress", "PerGB2018", "etag"] {
        assert!(!written.contains(kept_out), "{kept_out}");
    }
    let asked = fs::read_to_string(folder.path("asked")).expect("what was asked");
    let reads = |line: &str| {
        line.starts_with("cloud show ")
            || line.starts_with("rest --method get ")
            || line.contains("ResourceGraph/resources?")
    };
    assert!(asked.lines().filter(|line| line.starts_with("rest") || line.starts_with("cloud")).all(reads), "{asked}");
}

#[test]
fn what_the_script_may_not_read_stands_in_the_file() {
    if !needs::programs(&["bash", "jq"]) {
        return;
    }
    let folder = Folder::new("facts-refused");
    let answers = of_a_private_link(&folder);
    fs::write(answers.join("refused"), "A\nscopedResources\n").expect("written");
    let output = collected(&folder, &answers);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let facts = facts(&folder);
    assert_eq!((&facts["zones"][0]["records"], &facts["scopes"][0]["resources"]), (&Value::Null, &Value::Null));
    let said = facts["not_read"].to_string();
    assert!(
        said.contains("records of privatelink.monitor.azure.com") && said.contains("what the scope holds"),
        "{said}"
    );
}

/// A report of a machine in the recorded network `vnet1`.
fn of_the_network(folder: &Folder, world: &str, wanted: i32) -> String {
    let file = report(folder, world, wanted);
    let mut saved = parsed(&fs::read_to_string(&file).expect("a report"));
    for seen in saved["observations"]["seen"].as_array_mut().expect("observations") {
        if seen["probe"] == "metadata" {
            seen["outcome"] = "seen".into();
            seen["what"] = json!({
                "location": "westus", "environment": "AzurePublicCloud", "vm_id": null, "name": "vm9",
                "resource_id": format!("{GROUPS}/rg9/providers/Microsoft.Compute/virtualMachines/vm9"),
                "subnets": [{"cidr": "10.0.0.0/24"}],
            });
        }
    }
    // `fleet` places a machine by what the report says of it.
    saved["host"]["azure"] = json!({
        "cloud": "public", "region": "westus", "vm_id": null, "subnet": "10.0.0.0/24",
        "resource_id": format!("{GROUPS}/rg9/providers/Microsoft.Compute/virtualMachines/vm9"),
    });
    fs::write(&file, saved.to_string()).expect("written");
    file
}

#[test]
fn the_file_goes_through_every_command() {
    if !needs::programs(&["bash", "jq"]) {
        return;
    }
    let folder = Folder::new("facts-commands");
    let output = collected(&folder, &of_a_private_link(&folder));
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let (facts, file) = (folder.path("facts.json"), of_the_network(&folder, "zone-not-linked-monitor", 1));
    let (facts, file) = (facts.as_str(), file.as_str());

    let plain = ran(&["judge", file, "--format", "json"]);
    let judged = ran(&["judge", file, "--facts", facts, "--format", "json"]);
    assert_eq!((status(&judged), text(&judged.stderr)), (Some(1), String::new()), "all of the file is of its form");
    let (plain, judged) = (parsed(&text(&plain.stdout)), parsed(&text(&judged.stdout)));
    assert_eq!(
        judged["run"]["facts"]["network"],
        format!("{GROUPS}/rg1/providers/Microsoft.Network/virtualNetworks/vnet1")
    );
    assert_eq!((&judged["verdict"], &judged["endpoints"]), (&plain["verdict"], &plain["endpoints"]));
    let fixes = judged["findings"][0]["fix"].to_string();
    assert!(fixes.contains("-g resourceGroup1 -z privatelink.monitor.azure.com"), "{fixes}");
    let notes = judged["notes"].to_string();
    assert!(notes.contains("subnet `test-1` of virtual network `vnet1`"), "{notes}");

    let picture = parsed(&text(&ran(&["fleet", file, "--facts", facts, "--format", "json"]).stdout));
    let advice = picture["groups"].to_string();
    assert!(advice.contains("-g resourceGroup1 -z privatelink.monitor.azure.com"), "{advice}");

    let change =
        ["what-if", "--change", "link privatelink.monitor.azure.com", "--facts", facts, file, "--format", "json"];
    let predicted = ran(&change);
    let machine = parsed(&text(&predicted.stdout))["predictions"][0].clone();
    let names = machine["names"].as_array().expect("names").clone();
    let handler =
        names.iter().find(|name| name["fqdn"] == "global.handler.control.monitor.azure.com").expect("the handler");
    assert_eq!((&handler["addresses"], &handler["before"]), (&json!(["1.2.3.4"]), &json!("public")), "{machine}");

    // Files alone are looked at: no packet is sent.
    let root = folder.0.join("disk");
    fs::create_dir(&root).expect("a folder");
    let root = root.to_str().expect("UTF-8");
    let checked = ran(&["check", "--root", root, "--facts", facts, "--format", "json"]);
    let checked = parsed(&text(&checked.stdout));
    assert_eq!(
        (&checked["run"]["facts"]["network"], &checked["run"]["facts"]["resolved_in"]),
        (&Value::Null, &json!([]))
    );
    assert!(
        checked["notes"][0]["text"].as_str().is_some_and(|text| text.contains("are not used")),
        "{}",
        checked["notes"][0]
    );
}

#[test]
fn a_file_that_cannot_be_used_ends_in_one_line() {
    let folder = Folder::new("facts-refusals");
    let (file, wrong) = (report(&folder, "healthy-private", 0), folder.path("wrong.json"));
    let (file, wrong) = (file.as_str(), wrong.as_str());
    fs::write(wrong, r#"{"kind":"azure-facts","schema":9}"#).expect("written");
    let unlink = "unlink privatelink.monitor.azure.com";
    for command in [vec!["judge", file], vec!["fleet", file], vec!["what-if", "--change", unlink, file]] {
        let all: Vec<&str> = command.into_iter().chain(["--facts", wrong]).collect();
        let line = refused_in_one_line(&ran(&all), 2);
        assert!(line.contains("--facts") && line.contains("schema 9") && line.contains("collect.sh"), "{line}");
    }
    let redacted = folder.path("redacted.json");
    fs::write(&redacted, &ran(&["redact", file]).stdout).expect("written");
    let scope = json!({"id": format!("{GROUPS}/a/providers/b/c/d")});
    let right = json!({"kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z", "scopes": [scope]});
    fs::write(wrong, right.to_string()).expect("written");
    for command in [vec!["judge", redacted.as_str()], vec!["judge", file, "--redact"]] {
        let all: Vec<&str> = command.into_iter().chain(["--facts", wrong]).collect();
        let line = refused_in_one_line(&ran(&all), 2);
        assert!(line.contains("must not stand beside pseudonyms"), "{line}");
    }
    let digest = folder.path("digest.txt");
    fs::write(&digest, &demo("healthy-private", "compact").stdout).expect("written");
    let line = refused_in_one_line(&ran(&["judge", digest.as_str(), "--facts", wrong]), 2);
    assert!(line.contains("digest"), "{line}");
}

#[test]
fn without_facts_a_report_is_judged_as_before() {
    let folder = Folder::new("facts-none");
    let file = report(&folder, "zone-not-linked-monitor", 1);
    let judged = text(&ran(&["judge", &file, "--format", "json"]).stdout);
    assert_eq!(judged, text(&demo("zone-not-linked-monitor", "json").stdout));
    let judged = parsed(&judged);
    let is_answered = |note: &Value| note.get("answered").is_some();
    assert!(
        judged["run"].get("facts").is_none() && !judged["notes"].as_array().expect("notes").iter().any(is_answered)
    );
}

/// The queries of Resource Graph in a script, each from its table to its order.
fn queries(script: &str) -> Vec<String> {
    let text = fs::read_to_string(here(script)).expect("a script");
    let tables = ["resources\n", "insightsresources\n", "resourcechanges\n"];
    let of = |table: &&str| {
        let start = text
            .find(&format!("\"{table}"))
            .map(|at| at + 1)
            .or_else(|| text.find(&format!("\n{table}")).map(|at| at + 1))?;
        let rest = text.get(start..)?;
        rest.get(..rest.find("order by id asc")?).map(str::to_owned)
    };
    tables.iter().filter_map(of).collect()
}

#[test]
fn both_scripts_ask_the_same() {
    let (bash, powershell) =
        (queries("packaging/azure-facts/collect.sh"), queries("packaging/azure-facts/collect.ps1"));
    assert_eq!((bash.len(), &bash), (3, &powershell));
    let lists = |script: &str| {
        let text = fs::read_to_string(here(script)).expect("a script");
        [
            "scopedResources",
            "privateDnsZoneGroups",
            "AAAA",
            "forwardingRules",
            "virtualNetworkLinks",
            "2021-07-01-preview",
            "2024-06-01",
        ]
        .into_iter()
        .filter(|word| text.contains(word))
        .count()
    };
    assert_eq!((lists("packaging/azure-facts/collect.sh"), lists("packaging/azure-facts/collect.ps1")), (7, 7));
}
