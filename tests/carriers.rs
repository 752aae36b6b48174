//! Run Command over many machines: `packaging/run-command/fleet` with an `az` that answers as recorded.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::cli::{Folder, demo, json, ran, status, text};
use super::needs;

const SUBSCRIPTION: &str = "00000000-0000-4000-8000-000000000001";

fn compute(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/{rest}")
}

/// A subscription, and where its `az` keeps what it was asked.
struct Azure {
    folder: Folder,
    python: String,
}

impl Azure {
    /// `None` where Python lacks what `az` reads its queries with.
    fn new(name: &str) -> Option<Self> {
        let python = std::env::var("AMPLS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let reader = Command::new(&python).args(["-c", "import jmespath"]).output();
        if !reader.is_ok_and(|output| output.status.success()) {
            needs::without("jmespath for Python");
            return None;
        }
        let folder = Folder::new(name);
        let vm = |place: &str| json!({"location": place, "os": "Linux", "power": "PowerState/running"});
        let mut machines: BTreeMap<String, Value> =
            (0..4).map(|number| (compute(&format!("virtualMachines/vm-{number}")), vm("westeurope"))).collect();
        let mut windows = vm("northeurope");
        windows["os"] = "Windows".into();
        machines.insert(compute("virtualMachines/win"), windows);
        let mut asleep = vm("westeurope");
        asleep["power"] = "PowerState/deallocated".into();
        machines.insert(compute("virtualMachines/asleep"), asleep);
        let mut flexible = vm("westeurope");
        flexible["set"] = compute("virtualMachineScaleSets/flexible").into();
        machines.insert(compute("virtualMachines/flexible_1"), flexible);
        for instance in [0, 7] {
            let id = compute(&format!("virtualMachineScaleSets/uniform/virtualMachines/{instance}"));
            machines.insert(id, vm("westeurope"));
        }
        let azure = Self { folder, python };
        azure.write("machines.json", &json!(machines).to_string());
        azure.write("digest", &text(&demo("zone-not-linked-ods", "compact").stdout));
        Some(azure)
    }

    fn write(&self, name: &str, contents: &str) {
        fs::write(self.folder.path(name), contents).expect("written");
    }

    /// What is wrong with a machine from now on.
    fn machine(&self, name: &str, fails: Option<&str>) {
        let mut machines = json(&fs::read_to_string(self.folder.path("machines.json")).expect("machines"));
        machines[compute(&format!("virtualMachines/{name}"))]["fails"] = fails.into();
        self.write("machines.json", &machines.to_string());
    }

    fn fleet(&self, arguments: &[&str], throttled: usize) -> Output {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bin = self.folder.0.join("bin");
        fs::create_dir_all(&bin).expect("a folder");
        let az = format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", self.python, here.join("tests/carriers/az").display());
        fs::write(bin.join("az"), az).expect("a script");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(bin.join("az"), mode).expect("its mode");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
        let mut command = Command::new(here.join("packaging/run-command/fleet"));
        command.args(["-o", &self.folder.path("out"), "--at-once", "3"]).args(arguments).env("PATH", path);
        command.env("FAKE_AZ", &self.folder.0).env("FAKE_AZ_THROTTLED", throttled.to_string()).env("AMPLS_PAUSE", "1");
        command.output().expect("bash runs")
    }

    /// The calls so far: what was asked, and of which machine.
    fn calls(&self) -> Vec<(String, Value)> {
        let log = fs::read_to_string(self.folder.path("log")).unwrap_or_default();
        let calls = log.lines().map(json).map(|it| (it["command"].as_str().expect("a command").to_owned(), it));
        calls.collect()
    }

    fn answers(&self) -> usize {
        let files = fs::read_dir(self.folder.0.join("out")).expect("the folder");
        files.filter(|file| file.as_ref().expect("a file").path().extension().is_some_and(|it| it == "json")).count()
    }

    /// Commands that lie on machines.
    fn left(&self) -> usize {
        fs::read_dir(self.folder.0.join("commands")).map_or(0, Iterator::count)
    }
}

#[test]
fn every_running_machine_of_a_subscription_answers_once_and_nothing_stays_on_it() {
    let Some(azure) = Azure::new("carrier-all") else { return };
    azure.machine("vm-2", Some("create"));
    azure.machine("vm-3", Some("script"));
    let arguments =
        ["--parameters", "SOURCE=vmapp:ampls-doctor", "ARGUMENTS=--expect=private", "--subscription", SUBSCRIPTION];
    // Every kind of call is refused twice first.
    let output = azure.fleet(&arguments, 2);
    let said = text(&output.stderr);
    assert_eq!(status(&output), Some(1), "{said}");
    assert!(said.contains("answered: 6 now, 0 before; failed: 2; not running: 1"), "{said}");
    assert_eq!((azure.answers(), azure.left()), (6, 0), "{said}");
    let failed = fs::read_to_string(azure.folder.path("out/failed")).expect("what failed");
    assert!(failed.contains("vm-2\tERROR: (OperationNotAllowed)"), "{failed}");
    assert!(failed.contains("vm-3\tno digest came back") && failed.contains("cannot fetch"), "{failed}");
    let created = azure.calls().into_iter().filter(|(command, _)| command == "vm run-command create");
    for (_, call) in created {
        assert_eq!(call["given"]["parameters"], json!(["SOURCE=vmapp:ampls-doctor", "ARGUMENTS=--expect=private"]));
    }

    // What failed runs again, and nothing else.
    azure.machine("vm-2", None);
    azure.machine("vm-3", None);
    let before = azure.calls().len();
    let output = azure.fleet(&arguments, 0);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("answered: 2 now, 6 before; failed: 0"), "{}", text(&output.stderr));
    let again: Vec<String> = azure.calls().split_off(before).into_iter().map(|(command, _)| command).collect();
    assert_eq!(again.iter().filter(|command| command.ends_with(" create")).count(), 2, "{again:?}");
    assert_eq!((azure.answers(), azure.left(), azure.folder.0.join("out/failed").exists()), (8, 0, false));

    let picture = json(&text(&ran(&["fleet", &azure.folder.path("out"), "--format", "json"]).stdout));
    assert_eq!((&picture["inputs"]["digests"], &picture["inputs"]["broken"]), (&8.into(), &0.into()), "{picture}");
}

#[test]
fn a_scale_set_and_a_list_are_looked_at_and_nothing_beside_them() {
    let Some(azure) = Azure::new("carrier-some") else { return };
    for (set, instances) in [("uniform", 2), ("flexible", 1)] {
        let output = azure.fleet(&["--scale-set", &compute(&format!("virtualMachineScaleSets/{set}"))], 0);
        assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(&format!("answered: {instances} now")), "{}", text(&output.stderr));
    }
    let list =
        format!("# of the hub\r\n{}\r\n{}\n", compute("virtualMachines/vm-1"), compute("virtualMachines/asleep"));
    azure.write("list", &list);
    let output = azure.fleet(&["--vms", &azure.folder.path("list")], 0);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("answered: 1 now, 0 before; failed: 0; not running: 1"));
    assert_eq!((azure.answers(), azure.left()), (4, 0));
}

#[test]
fn a_list_may_name_instances_of_scale_sets_and_what_azure_does_not_know_is_named() {
    let Some(azure) = Azure::new("carrier-instances") else { return };
    let instance = compute("virtualMachineScaleSets/uniform/virtualMachines/7");
    let otherwise = instance.replace("resourceGroups", "resourcegroups").replace("uniform", "UNIFORM");
    let (gone, of_no_set) = (compute("virtualMachines/gone"), instance.replace("/7", "/9"));
    let list = [&compute("virtualMachines/vm-0"), &instance, &otherwise, &gone, &of_no_set];
    azure.write("list", &list.map(|id| id.clone() + "\n").concat());
    let output = azure.fleet(&["--vms", &azure.folder.path("list")], 0);
    let said = text(&output.stderr);
    assert_eq!(status(&output), Some(1), "{said}");
    assert!(said.contains("answered: 2 now, 0 before; failed: 2; not running: 0"), "{said}");
    let failed = fs::read_to_string(azure.folder.path("out/failed")).expect("what failed");
    for id in [&gone, &of_no_set] {
        assert!(failed.contains(&format!("{id}\tAzure knows no such machine")), "{failed}");
    }
    let looked_at: Vec<String> = azure.calls().into_iter().map(|(command, _)| command).collect();
    assert_eq!(looked_at.iter().filter(|it| *it == "vmss run-command create").count(), 1, "{looked_at:?}");

    // A list of instances alone asks for no machine.
    azure.write("list", &(instance + "\n"));
    let output = azure.fleet(&["--vms", &azure.folder.path("list")], 0);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("answered: 0 now, 1 before; failed: 0"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_meant_is_refused_before_azure_is_asked() {
    let Some(azure) = Azure::new("carrier-refused") else { return };
    azure.write("list", "/subscriptions/x' or 1 == 1 //\n");
    let list = azure.folder.path("list");
    let table: [(&[&str], i32); 6] = [
        (&["--subscription", "everything"], 2),
        (&["--scale-set", "/subscriptions/x/y"], 2),
        (&["--subscription", SUBSCRIPTION, "--vms", "-"], 2),
        (&["--subscription", SUBSCRIPTION, "--at-once", "many"], 2),
        (&[], 2),
        (&["--vms", &list], 3),
    ];
    for (arguments, wanted) in table {
        let output = azure.fleet(arguments, 0);
        assert_eq!(status(&output), Some(wanted), "{arguments:?}: {}", text(&output.stderr));
    }
    assert!(azure.calls().is_empty());
}
