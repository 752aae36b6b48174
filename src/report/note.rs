//! What a machine cannot see from where it stands, and the read-only commands that show it.

use std::net::IpAddr;

use ampls_probes::Observations;
use ampls_probes::observation::later::Counts;
use ampls_probes::observation::{ControlQuestion, Observation};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{EndpointReport, Host};
use crate::diagnose::command::{Command, VmResourceId, command};
use crate::diagnose::facts::{Route, control};
use crate::text::{list, quote};

/// Rules and hosts named in one line; the rest is counted.
const NAMED: usize = 5;

/// Something to know beside the findings.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Note {
    /// One or two sentences.
    pub text: String,
    /// A read-only command; values that were not observed are placeholders in capitals.
    pub command: Option<Command>,
    /// It says what Azure holds (`--facts`), and leaves nothing to look up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub answered: bool,
    /// What it asks.
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) question: Question,
}

/// What a note asks of Azure, for what the file of `--facts` may answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Question {
    /// Which access modes the scope has.
    AccessModes,
    /// What the scope holds.
    ScopeMembers,
    /// Whose an address is.
    EndpointOf(IpAddr),
    /// Whether a workspace is open to public networks.
    Workspace(Uuid),
    /// Which rules and endpoints are associated with the machine.
    Association,
    /// None: it names the extension that other notes need.
    Extension,
    /// Something else.
    #[default]
    Other,
}

impl Note {
    /// What Azure holds.
    pub(super) fn answer(text: String) -> Self {
        Self { text, command: None, answered: true, question: Question::Other }
    }

    fn plain(text: String) -> Self {
        Self { text, command: None, answered: false, question: Question::Other }
    }

    fn asking(self, question: Question) -> Self {
        Self { question, ..self }
    }
}

pub(super) fn notes(host: &Host, endpoints: &[EndpointReport], observations: &Observations) -> Vec<Note> {
    let mut notes = not_judged(observations.later.counts());
    notes.extend(not_looked_at(&observations.unresolved_names));
    notes.extend(not_compared(observations));
    notes.extend(not_seen_in_effect(observations));
    notes.extend([
        note(
            "what other subscriptions hold: `az graph` searches all that you may read; its extension is added once",
            command!(Any, "az extension add -n resource-graph"),
        )
        .asking(Question::Extension),
        note(
            "the access modes of the private link scope behind names and addresses: they can refuse what the network allows",
            command!(
                Any,
                "az graph query -q \"resources | where type =~ 'microsoft.insights/privatelinkscopes' | project SCOPE_SUBSCRIPTION=subscriptionId, SCOPE_RESOURCE_GROUP=resourceGroup, SCOPE_NAME=name, modes=tostring(properties.accessModeSettings)\" --query data"
            ),
        )
        .asking(Question::AccessModes),
        note(
            "what the scope holds",
            command!(
                Any,
                "az monitor private-link-scope scoped-resource list --subscription SCOPE_SUBSCRIPTION -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME --query \"[].{name:name, resource:linkedResourceId}\" -o table"
            ),
        )
        .asking(Question::ScopeMembers),
    ]);
    notes.extend(private_endpoint(endpoints));
    notes.extend(workspaces(endpoints));
    notes.push(named_by_azure(observations).unwrap_or_else(|| association(host)));
    notes
}

/// What the observations hold and this version's rules did not see.
fn not_judged(later: Counts) -> Vec<Note> {
    let counted = [(later.observations, "observation"), (later.endpoints, "endpoint"), (later.options, "option")];
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    let mut notes = Vec::new();
    if !counted.is_empty() {
        let text = format!(
            "a later version wrote this report: what this one does not understand of it is left out of the judgement \
             ({}); a newer ampls-doctor judges it",
            counted.join(", ")
        );
        notes.push(Note::plain(text));
    }
    if later.cut > 0 {
        let text =
            format!("{} records, answers or DNS servers are more than any run records and were not judged", later.cut);
        notes.push(Note::plain(text));
    }
    notes
}

/// Names with a parameter that neither an argument nor the metadata service gave.
fn not_looked_at(unresolved: &[String]) -> Option<Note> {
    let names = unresolved.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!unresolved.is_empty()).then(|| {
        Note::plain(format!("not looked at, because the region is not known (give it with --region): {names}"))
    })
}

/// Records of `--expected-records` that no examined name has.
fn not_compared(observations: &Observations) -> Option<Note> {
    let records = &observations.asked.expected_records;
    let unused = records.iter().filter(|record| !observations.endpoints.iter().any(|endpoint| record.is_of(endpoint)));
    let rest: Vec<&str> = unused.map(|record| record.name.as_str()).collect();
    (!rest.is_empty()).then(|| {
        Note::plain(format!("records of --expected-records that no examined name uses: {}", list(&rest, rest.len())))
    })
}

/// What Windows is set to do with names stands in its registry; what comes of it only Windows itself tells.
fn not_seen_in_effect(observations: &Observations) -> Option<Note> {
    let read = |seen: &Observation| match seen {
        Observation::Resolver(resolver) => resolver.outcome.seen().is_some_and(|config| !config.rules.is_empty()),
        Observation::EncryptedDns(encrypted) => encrypted.outcome.seen().is_some_and(|found| !found.is_empty()),
        _ => false,
    };
    let is_set = observations.machine.is_windows() && observations.seen.iter().any(read);
    is_set.then(|| {
        note(
            "read from the registry, not seen in effect: rules for names (NRPT) and encrypted DNS of Windows; what is in effect",
            command!(PowerShell, "Get-DnsClientNrptPolicy -Effective"),
        )
    })
}

fn private_endpoint(endpoints: &[EndpointReport]) -> Option<Note> {
    let address = endpoints
        .iter()
        .filter(|endpoint| endpoint.zone.is_some() && endpoint.route == Route::Private)
        .find_map(|endpoint| endpoint.addresses.iter().find(|address| matches!(address, IpAddr::V4(_))))?;
    let note = note(
        "the private endpoint that an address belongs to",
        command!(
            Any,
            "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' | mv-expand c=properties.ipConfigurations | where tostring(c.properties.privateIPAddress) == '{}' | project endpoint=tostring(properties.privateEndpoint.id), names=tostring(c.properties.privateLinkConnectionProperties.fqdns)\" --query data",
            *address
        ),
    );
    Some(note.asking(Question::EndpointOf(*address)))
}

/// A workspace is named by the first label of its host names.
fn workspaces(endpoints: &[EndpointReport]) -> Vec<Note> {
    let mut ids: Vec<Uuid> =
        endpoints.iter().filter_map(|endpoint| Uuid::try_parse(endpoint.fqdn.split('.').next()?).ok()).collect();
    ids.sort();
    ids.dedup();
    ids.iter()
        .take(3)
        .map(|id| {
            note(
                &format!("whether workspace `{id}` accepts data and queries from public networks"),
                command!(
                    Any,
                    "az graph query -q \"resources | where type =~ 'microsoft.operationalinsights/workspaces' and tostring(properties.customerId) =~ '{}' | project name, resourceGroup, ingestion=tostring(properties.publicNetworkAccessForIngestion), queries=tostring(properties.publicNetworkAccessForQuery)\" --query data -o table",
                    *id
                ),
            )
            .asking(Question::Workspace(*id))
        })
        .collect()
}

/// What the control service itself says is associated with this machine.
fn named_by_azure(observations: &Observations) -> Option<Note> {
    let replies = control(observations)?.asked.iter().filter(|request| request.about == ControlQuestion::Rules);
    let (last, reply) = replies.filter_map(|request| Some((request, request.outcome.seen()?))).next_back()?;
    if reply.status != 200 || reply.rules.is_empty() {
        return None;
    }
    let rules: Vec<&str> = reply.rules.iter().map(|rule| rule.id.as_str()).collect();
    let channels = || reply.rules.iter().flat_map(|rule| &rule.channels);
    let mut hosts: Vec<&str> = channels().filter_map(|channel| channel.host.as_deref()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let text = format!(
        "asked with this machine's own identity, Azure names the data collection rules {} at {}; their data goes to {}",
        list(&rules, NAMED),
        quote(&last.host),
        list(&hosts, NAMED)
    );
    Some(Note::plain(text))
}

/// Source: <https://learn.microsoft.com/rest/api/monitor/data-collection-rule-associations/list-by-resource>
fn association(host: &Host) -> Note {
    let resource = host.azure.as_ref().and_then(|azure| azure.resource_id.as_deref());
    note(
        "the data collection rules and the configuration endpoint (`configurationAccessEndpoint`) Azure \
         associates with this machine (or, without a right in Azure: ampls-doctor --ask-azure)",
        command!(
            Any,
            "az rest --method get --url \"{}/providers/Microsoft.Insights/dataCollectionRuleAssociations?api-version=2022-06-01\"",
            resource.and_then(VmResourceId::new)
        ),
    )
    .asking(Question::Association)
}

fn note(text: &str, command: Command) -> Note {
    Note { command: Some(command), ..Note::plain(text.to_owned()) }
}
