//! Known lines of a log, as events.

use jiff::Timestamp;

use super::{Event, Target, What};
use crate::azure::WorkspaceId;
use crate::catalogue::refusals::{Channel, Refusals};
use crate::probe::agent::settings::{is_of_azure_monitor, workspace_of};

/// The events that the known lines of a log stand for.
pub(super) fn events<'t>(text: &'t str, path: &'t str, known: &'t Refusals) -> impl Iterator<Item = Event> + 't {
    dated(text).filter_map(move |(at, line)| {
        let line = line.to_ascii_lowercase();
        let (what, channel) = match known.refusal(&line) {
            Some((code, channel)) => (What::Refused(code), channel),
            None => (What::Succeeded, Some(known.success(&line)?)),
        };
        let target = target_in(&line);
        let channel = channel.or_else(|| of_words(&line, target.as_ref()));
        Some(Event { at, what, channel, target, source: path.to_owned() })
    })
}

/// What the agent was doing, by the host that it asked or the words around.
fn of_words(line: &str, target: Option<&Target>) -> Option<Channel> {
    match target {
        Some(Target::Workspace(_)) => return Some(Channel::Upload),
        Some(Target::Host(host)) if host.contains(".handler.control.") => return Some(Channel::Configuration),
        Some(Target::Host(host)) if host.contains(".ingest.") => return Some(Channel::Upload),
        _ => {}
    }
    (line.contains("upload") && line.contains("ods")).then_some(Channel::Upload)
}

/// Lines with their time. A line without one belongs to the line before it; lines before the first time are left out.
fn dated(text: &str) -> impl Iterator<Item = (Timestamp, &str)> {
    let mut last = None;
    text.lines().filter_map(move |line| {
        last = time(line).or(last);
        Some((last?, line))
    })
}

/// `2021-07-19T18:38:05.1166760Z: …` (AMA) or `2021-07-19 18:38:05 +0000 [error]: …` (OMS).
fn time(line: &str) -> Option<Timestamp> {
    let first = line.split_ascii_whitespace().next()?.trim_end_matches(':');
    if let Ok(at) = first.parse() {
        return Some(at);
    }
    let mut words = line.split_ascii_whitespace();
    let (date, time, offset) = (words.next()?, words.next()?, words.next()?);
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", format!("{date} {time} {offset}")).ok()
}

/// The first workspace or host of Azure Monitor that a line names. A heartbeat names the workspace by its id alone.
fn target_in(line: &str) -> Option<Target> {
    let words = line.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '.' | '-'));
    let host = words.map(|word| word.trim_matches(['.', '-'])).find(|word| is_of_azure_monitor(word));
    let host = host.filter(|host| host.len() <= 253).map(target_of_host);
    host.or_else(|| {
        let after = line.split_once("odsuploader https://")?.1;
        let id: WorkspaceId = after.get(..36)?.parse().ok()?;
        Some(Target::Workspace(id.to_string()))
    })
}

fn target_of_host(host: &str) -> Target {
    match workspace_of(host) {
        Some(id) => Target::Workspace(id.to_string()),
        None => Target::Host(host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_both_agents_is_read() {
        let expected: Timestamp = "2021-07-19T18:38:05Z".parse().expect("a time");
        for line in ["2021-07-19T18:38:05.0000000Z: Failed", "2021-07-19 20:38:05 +0200 [error]: x"] {
            assert_eq!(time(line), Some(expected), "{line}");
        }
        assert_eq!(time("Failed to upload"), None);
    }

    #[test]
    fn target_is_taken_and_what_stands_beside_it_is_not() {
        const ID: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
        let table = [
            (
                "from https://a-b1.westeurope-1.handler.control.monitor.azure.com/locations?token=abc.azure.com",
                Some(Target::Host("a-b1.westeurope-1.handler.control.monitor.azure.com".to_owned())),
            ),
            ("token=secret.azure.com", None),
            (&format!("post https://{ID}.ods.opinsights.azure.com/x"), Some(Target::Workspace(ID.to_owned()))),
            (&format!("heartbeating for odsuploader https://{ID}"), Some(Target::Workspace(ID.to_owned()))),
            ("heartbeating for odsuploader https://", None),
        ];
        for (line, expected) in table {
            assert_eq!(target_in(line), expected, "{line}");
        }
    }

    #[test]
    fn channel_of_a_fault_that_any_request_can_have_is_that_of_its_host() {
        let known = Refusals::builtin().expect("the built-in file");
        let table = [
            ("Failed to upload to ODS: Error resolving address", Some(Channel::Upload)),
            (
                "https://westeurope.handler.control.monitor.azure.com: Error in SSL handshake",
                Some(Channel::Configuration),
            ),
            ("Error in SSL handshake", None),
        ];
        for (line, channel) in table {
            let text = format!("2021-07-19T18:38:05Z: {line}\n");
            let found: Vec<_> = events(&text, "mdsd.err", &known).collect();
            assert_eq!((found.len(), found[0].channel), (1, channel), "{line}");
        }
    }
}
