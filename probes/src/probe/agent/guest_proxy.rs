//! The guest proxy agent of the Metadata Security Protocol: whether it is here, and whether it enforces its list.
//!
//! Source: <https://github.com/Azure/GuestProxyAgent>, <https://learn.microsoft.com/azure/virtual-machines/metadata-security-protocol/overview>

use serde_json::Value;

use super::files::Files;
use crate::observation::GuestProxy;

const STATUS: &str = "/var/log/azure-proxy-agent/status.json";
/// Its service and its extension: signs that it is installed.
const SIGNS: [&str; 2] = ["/usr/lib/systemd/system/azure-proxy-agent.service", "/usr/sbin/azure-proxy-agent"];
/// How deep in the status the state may stand.
const DEPTH: usize = 8;

pub(super) fn read(files: &mut Files<'_>) -> Option<GuestProxy> {
    if files.exists(STATUS) {
        let status = files.json(STATUS);
        let state = status.as_ref().and_then(|status| channel_state(status, DEPTH));
        return Some(GuestProxy { metadata_enforced: state.map(enforces), source: STATUS.to_owned() });
    }
    let sign = SIGNS.into_iter().find(|sign| files.exists(sign))?;
    Some(GuestProxy { metadata_enforced: None, source: sign.to_owned() })
}

fn channel_state(status: &Value, depth: usize) -> Option<&str> {
    let fields = status.as_object().filter(|_| depth > 0)?;
    let here = fields.get("secureChannelState").and_then(Value::as_str);
    here.or_else(|| fields.values().find_map(|value| channel_state(value, depth - 1)))
}

/// `WireServer Enforce - IMDS Enforce`
fn enforces(state: &str) -> bool {
    let words: Vec<String> = state.split_whitespace().map(str::to_ascii_lowercase).collect();
    words.windows(2).any(|pair| pair[0] == "imds" && pair[1].starts_with("enforce"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_the_metadata_service_is_distinguished_from_that_of_the_wire_server() {
        let table = [
            ("WireServer Enforce - IMDS Enforce", true),
            ("WireServer Enforce -  IMDS Audit", false),
            ("WireServer Audit - IMDS Enforce", true),
            ("disabled", false),
        ];
        for (state, expected) in table {
            let status =
                serde_json::json!({"proxyAgentStatus": {"keyLatchStatus": {"states": {"secureChannelState": state}}}});
            assert_eq!(channel_state(&status, DEPTH).map(enforces), Some(expected), "{state}");
        }
        assert_eq!(channel_state(&serde_json::json!({"a": [1]}), DEPTH), None);
    }
}
