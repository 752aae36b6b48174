//! The Azure Monitor Agent for Windows keeps two small files on what it reaches: `mcs\monagentcore.hr.json` (log ingestion) and
//! `mcs\monagentmanager.hr.json` (the control service).
//!
//! They hold no time of their own, so that of the file counts, and they prove that the agent reaches a service, not that data
//! arrived. Source: support articles on the agent's data store (copies imported on 2026-04-07).

use jiff::Timestamp;
use serde_json::Value;

use crate::azure::{AgentKind, HostName};
use crate::observation::{Refusal, RefusalCode, Upload, UploadProof};

/// Places that are kept of one file.
const KEPT: usize = 64;

/// `Connectivity.Ods.<host>`: whether log ingestion was reached when the file was written.
pub(super) fn uploads(document: &Value, written: Timestamp, path: &str) -> Vec<Upload> {
    let reached = |(host, reached): (String, bool)| Upload {
        agent: AgentKind::Ama,
        host: Some(host),
        proof: UploadProof::Reached,
        succeeded: reached.then_some(written),
        failing_since: (!reached).then_some(written),
        failed: (!reached).then_some(written),
        source: path.to_owned(),
    };
    connectivity(document, "Ods").into_iter().map(reached).collect()
}

/// `Connectivity.Amcs.<address>`: handlers of the control service that were not reached.
pub(super) fn refusals(document: &Value, written: Timestamp, path: &str) -> Vec<Refusal> {
    let missed = connectivity(document, "Amcs").into_iter().filter(|(_, reached)| !reached);
    let refusal = |(host, _)| Refusal {
        agent: AgentKind::Ama,
        code: RefusalCode::ConfigurationNotObtained,
        host: Some(host),
        at: written,
        since: Some(written),
        count: 1,
        source: path.to_owned(),
    };
    missed.map(refusal).collect()
}

/// Hosts and whether they were reached; what is neither a plain host nor `true` or `false` is passed over.
fn connectivity(document: &Value, service: &str) -> Vec<(String, bool)> {
    let places = document.get("Connectivity").and_then(|found| found.get(service)).and_then(Value::as_object);
    let place = |(name, reached): (&String, &Value)| Some((HostName::of_url(name)?.into(), reached.as_bool()?));
    places.into_iter().flatten().filter_map(place).take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODS: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.ods.opinsights.azure.com";
    const HANDLER: &str = "prod-ab12.westeurope-1.handler.control.monitor.azure.com";

    fn written() -> Timestamp {
        "2026-11-01T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn reached_is_no_delivery_and_not_reached_is_a_failure() {
        for reached in [true, false] {
            let document = serde_json::json!({
                "AgentVer": "1.39.0.0",
                "Context": "monagentcore",
                "Connectivity": {"Ods": {ODS: reached, "a b": true, "x.example.com": "yes"}}
            });
            let found = uploads(&document, written(), "monagentcore.hr.json");
            assert_eq!((found.len(), found[0].proof), (1, UploadProof::Reached));
            assert_eq!((found[0].succeeded.is_some(), found[0].failed.is_some()), (reached, !reached));
            assert_eq!(found[0].host.as_deref(), Some(ODS));
        }
    }

    #[test]
    fn control_service_that_was_not_reached_is_named() {
        let address = format!("https://{HANDLER}");
        for (reached, hosts) in [(false, vec![HANDLER]), (true, vec![])] {
            let document = serde_json::json!({"Connectivity": {"Amcs": {address.as_str(): reached}}});
            let found = refusals(&document, written(), "monagentmanager.hr.json");
            assert_eq!(found.iter().filter_map(|refusal| refusal.host.as_deref()).collect::<Vec<_>>(), hosts);
        }
        assert_eq!(uploads(&serde_json::json!({"Connectivity": []}), written(), "x"), []);
    }
}
