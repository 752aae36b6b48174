//! `mdsd.qos`: what the Azure Monitor Agent for Linux counts, a block of rows for each quarter of an hour.
//!
//! ```text
//! #Time: 2022-02-28T19:55:23.5432920Z
//! #Fields: Operation,Object,TotalCount,SuccessCount,Retries,…
//! MaODSRequest,https://<workspace>_LogManagement_LINUX_PERF_BLOB,15,15,0,…
//! ```
//!
//! Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Event, Target, What};
use crate::azure::{HostName, WorkspaceId};
use crate::catalogue::refusals::Channel;
use crate::probe::agent::settings::workspace_of;

/// One event for each block and place: a success if any request succeeded, a failure if there were some and none did.
pub(super) fn events(text: &str, path: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut block = Block::default();
    for line in text.lines().map(str::trim) {
        if let Some(time) = line.strip_prefix("#Time:") {
            events.extend(std::mem::take(&mut block).events(path));
            block.at = time.trim().parse().ok();
        } else if let Some(fields) = line.strip_prefix("#Fields:") {
            block.columns = Columns::of(fields);
        } else {
            block.row(line);
        }
    }
    events.extend(block.events(path));
    events
}

#[derive(Default)]
struct Block {
    at: Option<Timestamp>,
    columns: Columns,
    /// Requests and successes by place.
    counts: BTreeMap<Target, (u64, u64)>,
}

impl Block {
    fn row(&mut self, line: &str) {
        let fields: Vec<&str> = line.split(',').collect();
        let count = |column: usize| fields.get(column)?.trim().parse::<u64>().ok();
        let Some(target) = fields.get(self.columns.object).and_then(|object| target(object)) else { return };
        let (Some(total), Some(success)) = (count(self.columns.total), count(self.columns.success)) else { return };
        let counts = self.counts.entry(target).or_default();
        counts.0 = counts.0.saturating_add(total);
        counts.1 = counts.1.saturating_add(success);
    }

    /// A block whose time was cut off says nothing about when.
    fn events(self, path: &str) -> Vec<Event> {
        let Some(at) = self.at else { return Vec::new() };
        let event = |(target, (total, success)): (Target, (u64, u64))| {
            let what = match (total, success) {
                (0, 0) => return None,
                (_, 0) => What::Failed,
                _ => What::Succeeded,
            };
            Some(Event { at, what, channel: Some(Channel::Upload), target: Some(target), source: path.to_owned() })
        };
        self.counts.into_iter().filter_map(event).collect()
    }
}

/// Where the columns stand.
struct Columns {
    object: usize,
    total: usize,
    success: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { object: 1, total: 2, success: 3 }
    }
}

impl Columns {
    fn of(fields: &str) -> Self {
        let place = |wanted: &str| fields.split(',').position(|name| name.trim() == wanted);
        let usual = Self::default();
        Self {
            object: place("Object").unwrap_or(usual.object),
            total: place("TotalCount").unwrap_or(usual.total),
            success: place("SuccessCount").unwrap_or(usual.success),
        }
    }
}

/// The place behind `https://<workspace>_LogManagement_…` or `https://<host>/…`; other rows count local work.
fn target(object: &str) -> Option<Target> {
    let rest = object.trim().strip_prefix("https://")?;
    let workspace = rest.get(..36).and_then(|id| id.parse::<WorkspaceId>().ok());
    if let Some(id) = workspace {
        return Some(Target::Workspace(id.to_string()));
    }
    let host = HostName::of_url(object)?;
    Some(workspace_of(&host).map_or_else(|| Target::Host(host.to_string()), |id| Target::Workspace(id.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "e73fd5e3-ea2b-4637-8da0-5c8144b670c8";
    const HEAD: &str = "#Fields: Operation,Object,TotalCount,SuccessCount,Retries,AverageDuration,AverageSize,\
                        AverageDelay,TotalSize,TotalRowsRead,TotalRowsSent";

    fn found(text: &str) -> Vec<(String, What)> {
        events(text, "mdsd.qos").into_iter().map(|event| (event.at.to_string(), event.what)).collect()
    }

    #[test]
    fn block_is_a_success_as_soon_as_one_request_of_the_place_succeeded() {
        let text = format!(
            "MaODSRequest,https://{ID}_LogManagement_X,9,9\n#Time: 2022-02-28T19:40:23.5Z\n{HEAD}\nMaRunTaskLocal,daemon.info,15,15,0\n\
             MaODSRequest,https://{ID}_LogManagement_LINUX_PERF_BLOB,15,0,0,4\nMaODSRequest,https://{ID}_LogManagement_Y,1,1,0,4\n\
             #Time: 2022-02-28T19:55:23.5Z\n{HEAD}\nMaODSRequest,https://{ID}_LogManagement_LINUX_PERF_BLOB,15,0,45\n\
             #Time: 2022-02-28T20:10:23.5Z\n{HEAD}\nMaODSRequest,https://{ID}_LogManagement_LINUX_PERF_BLOB,0,0,0\n"
        );
        assert_eq!(
            found(&text),
            [
                ("2022-02-28T19:40:23.5Z".to_owned(), What::Succeeded),
                ("2022-02-28T19:55:23.5Z".to_owned(), What::Failed)
            ]
        );
    }

    #[test]
    fn columns_are_found_by_name_and_half_a_row_is_none() {
        let text = format!(
            "#Time: 2022-02-28T19:40:23Z\n#Fields: SuccessCount,Object,TotalCount\n2,https://{ID}_L,3\n3,https://{ID}\n"
        );
        assert_eq!(found(&text), [("2022-02-28T19:40:23Z".to_owned(), What::Succeeded)]);
        assert_eq!(found("#Time: yesterday\nMaODSRequest,https://x.ingest.monitor.azure.com/y,1,1"), []);
    }
}
