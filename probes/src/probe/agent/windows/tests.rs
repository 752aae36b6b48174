//! What the disks of the integration tests cannot show: processes, and keys that are refused.

use super::*;
use crate::registry::Value;
use crate::registry::memory::Memory;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn found(values: &[(&str, &str, Value)]) -> Found {
    let registry = Memory::of(values);
    let world = World {
        registry: Some(registry.clone()),
        ..World::from_system(Some(std::path::Path::new("/nonexistent")), None)
    };
    let mut found = Found::default();
    let known = Known::builtin().expect("the built-in file");
    look(&known, &mut Files::new(&world), registry.as_ref(), &mut found, &world);
    found
}

const HEALTH_SERVICE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\HealthService";
const SETUP: &str = r"HKLM\SOFTWARE\Microsoft\Microsoft Operations Manager\3.0\Setup";
const ID: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";

#[test]
fn service_says_how_it_is_started() {
    for (number, start) in [(2, ServiceStart::Automatic), (3, ServiceStart::Manual), (4, ServiceStart::Disabled)] {
        let found = found(&[(HEALTH_SERVICE, "Start", Value::Number(number))]);
        let services = &found.agents.found[0].services;
        assert_eq!((services[0].name.as_str(), services[0].start), ("HealthService", start));
        assert_eq!(found.agents.found[0].source, HEALTH_SERVICE);
    }
}

#[test]
fn management_server_of_operations_manager_is_no_agent_and_with_a_workspace_its_version_is_unknown() {
    let server = [
        (HEALTH_SERVICE, "Start", Value::Number(2)),
        (SETUP, "AgentVersion", text("10.19.10014.0")),
        (SETUP, "ServerVersion", text("10.19.10050.0")),
    ];
    assert!(found(&server).agents.found.is_empty());
    let key = format!(r"{HEALTH_SERVICE}\Parameters\Service Connector Services\Log Analytics - {ID}");
    let mut with_workspace = server.to_vec();
    with_workspace.push((&key, "Azure Cloud Type", Value::Number(0)));
    let found = found(&with_workspace);
    assert_eq!((found.agents.found[0].versions.len(), found.agents.found[0].workspaces.len()), (0, 1));
}

#[test]
fn agent_of_operations_manager_reports_to_no_workspace() {
    let found = found(&[
        (HEALTH_SERVICE, "Start", Value::Number(2)),
        (SETUP, "AgentVersion", text("10.20.18029.0")),
        (SETUP, "Product", text("Microsoft Monitoring Agent")),
    ]);
    assert_eq!(found.agents.found[0].meets_minimum, Some(false));
    assert!(found.agents.found[0].workspaces.is_empty());
}

#[test]
fn cloud_comes_from_the_address_of_the_connector() {
    let key = format!(r"{HEALTH_SERVICE}\Parameters\Service Connector Services\Log Analytics - {ID}");
    let address = format!("https://{ID}.oms.opinsights.azure.us/AgentService.svc/AgentTopologyRequest");
    let found = found(&[(&key, "Topology Request Url", text(&address))]);
    assert_eq!(found.seen.cloud, Some(crate::azure::Cloud::UsGov));
    assert_eq!(found.seen.workspaces.len(), 1);
}

#[test]
fn agent_says_itself_whether_it_is_connected() {
    let key = format!(r"{HEALTH_SERVICE}\Parameters\Service Connector Services\Log Analytics - {ID}");
    for (status, connection) in [(Some(0), Some(0)), (Some(3), Some(3)), (None, None)] {
        let address = ("Azure Cloud Type", Value::Number(0));
        let status = status.map(|number| ("Connection Status", Value::Number(number)));
        let values = [Some(address), status].into_iter().flatten();
        let values: Vec<_> = values.map(|(name, value)| (key.as_str(), name, value)).collect();
        assert_eq!(found(&values).agents.found[0].workspaces[0].connection, connection);
    }
}

#[test]
fn services_that_install_extensions_are_listed_as_they_are_set() {
    let service = r"HKLM\SYSTEM\CurrentControlSet\Services\WindowsAzureGuestAgent";
    let installers = found(&[(service, "Start", Value::Number(4))]).agents.installers;
    assert_eq!((installers[0].name.as_str(), installers[0].start), ("WindowsAzureGuestAgent", ServiceStart::Disabled));
    assert!(found(&[]).agents.installers.is_empty());
}

#[test]
fn registry_without_the_keys_of_every_windows_is_not_one_without_agents() {
    let unread: Vec<_> = found(&[]).agents.unread.into_iter().map(|unread| unread.path).collect();
    assert_eq!(unread, [r"C:\Windows\System32\config\SYSTEM", r"C:\Windows\System32\config\SOFTWARE"]);
}

#[test]
fn extension_tells_the_version_of_the_agent() {
    for (version, expected) in [("1.0.18069.0", "10.20.18069.0"), ("1.0.11049.5", "10.20.11049.0"), ("2.1", "2.1")] {
        let installed = Installed { version: version.to_owned(), source: "x".to_owned() };
        assert_eq!(mma::of_extension(installed).version, expected);
    }
}
