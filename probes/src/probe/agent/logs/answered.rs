//! Which later success answers a refusal: the same channel, and the same workspace or host.

use super::{Event, Target, What};
use crate::catalogue::refusals::Channel;
use crate::observation::Agent;

/// Whether something that happened later shows that the refusal is over.
pub(super) fn is_answered(refused: &Event, events: &[Event], agent: &Agent) -> bool {
    let later = |event: &&Event| event.what == What::Succeeded && event.at > refused.at;
    match refused.channel {
        Some(Channel::Upload) | None => {
            upload_answers(refused, &events.iter().filter(later).collect::<Vec<_>>(), agent)
        }
        Some(channel) => events.iter().filter(later).any(|success| answers(success, channel, refused.target.as_ref())),
    }
}

fn answers(success: &Event, refused: Channel, target: Option<&Target>) -> bool {
    let Some(channel) = success.channel else { return false };
    match refused {
        // Rules and upload tokens are given for a token of the machine's identity only.
        Channel::Metadata => matches!(channel, Channel::Metadata | Channel::Configuration | Channel::Token),
        Channel::Configuration => match channel {
            // The service names the endpoint in place of the global or regional handler: that one has answered.
            Channel::Configuration => target.is_none_or(|target| !is_endpoint(target)),
            Channel::Token => true,
            Channel::Metadata | Channel::Upload => false,
        },
        Channel::Token => channel == Channel::Token,
        Channel::Upload => false,
    }
}

/// The handler of a data collection endpoint, not the global or a regional one.
fn is_endpoint(target: &Target) -> bool {
    matches!(target, Target::Host(host) if host.split(".handler.control.").next().is_some_and(|stem| stem.contains('.')))
}

/// A refusal that names no place is answered when every workspace of the agent has had data since.
fn upload_answers(refused: &Event, later: &[&Event], agent: &Agent) -> bool {
    let delivered = |wanted: Option<&Target>| {
        later.iter().any(|event| {
            event.channel == Some(Channel::Upload) && wanted.is_none_or(|wanted| event.target.as_ref() == Some(wanted))
        })
    };
    match &refused.target {
        Some(target) => delivered(Some(target)),
        None if agent.workspaces.is_empty() => delivered(None),
        None => agent.workspaces.iter().all(|workspace| delivered(Some(&Target::Workspace(workspace.id.clone())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::AgentKind;
    use crate::observation::{AgentWorkspace, RefusalCode};

    const ID: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    const GLOBAL: &str = "global.handler.control.monitor.azure.com";
    const ENDPOINT: &str = "a-b1.westeurope-1.handler.control.monitor.azure.com";

    fn event(second: i64, what: What, channel: Channel, target: Option<Target>) -> Event {
        let at = jiff::Timestamp::from_second(second).expect("a time");
        Event { at, what, channel: Some(channel), target, source: String::new() }
    }

    fn host(name: &str) -> Target {
        Target::Host(name.to_owned())
    }

    fn workspace(id: &str) -> Target {
        Target::Workspace(id.to_owned())
    }

    #[test]
    fn each_channel_is_answered_by_its_own_success() {
        use Channel::{Configuration, Metadata, Token, Upload};

        let other = "00000000-1111-4222-8333-444444444444";
        let table = [
            (Metadata, None, Metadata, None, true),
            (Metadata, None, Configuration, Some(host(ENDPOINT)), true),
            (Metadata, None, Upload, Some(workspace(ID)), false),
            (Configuration, Some(host(GLOBAL)), Configuration, Some(host(ENDPOINT)), true),
            (Configuration, Some(host(ENDPOINT)), Configuration, Some(host(ENDPOINT)), false),
            (Configuration, Some(host(ENDPOINT)), Token, None, true),
            (Configuration, Some(host(GLOBAL)), Metadata, None, false),
            (Token, Some(host(ENDPOINT)), Token, None, true),
            (Token, Some(host(ENDPOINT)), Upload, Some(workspace(ID)), false),
            (Upload, Some(workspace(ID)), Upload, Some(workspace(ID)), true),
            (Upload, Some(workspace(ID)), Upload, Some(workspace(other)), false),
            (Upload, None, Upload, Some(workspace(other)), false),
            (Upload, None, Upload, Some(workspace(ID)), true),
            (Upload, Some(host("x.ingest.monitor.azure.com")), Upload, Some(workspace(ID)), false),
        ];
        let ama = Agent {
            kind: AgentKind::Ama,
            name: String::new(),
            versions: Vec::new(),
            minimum: None,
            meets_minimum: None,
            retired: None,
            running: None,
            services: Vec::new(),
            workspaces: vec![AgentWorkspace { id: ID.to_owned(), source: String::new(), connection: None }],
            endpoints: Vec::new(),
            cached: None,
            source: String::new(),
        };
        for (refused, from, success, to, expected) in table {
            let refusal = event(10, What::Refused(RefusalCode::UploadFailed), refused, from);
            let now = event(11, What::Succeeded, success, to.clone());
            let before = event(10, What::Succeeded, success, to);
            assert_eq!(is_answered(&refusal, std::slice::from_ref(&now), &ama), expected, "{refusal:?} {now:?}");
            assert!(!is_answered(&refusal, &[before], &ama), "{refusal:?}");
        }
    }
}
