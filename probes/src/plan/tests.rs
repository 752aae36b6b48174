//! Tests of the plan: which names, which needs, which steps.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::azure::{Cloud, Dce, LegacyAgent, WorkspaceId};
use crate::endpoint::Need::{self, Evidence, Optional, Required};
use crate::endpoint::{Expectation, Origin};
use crate::observation::{Outcome, ResolverConfig, Server, ServerRole, Timing};
use crate::options::StepKind;

const WORKSPACE: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";
const DCE: &str = "a-b1.westeurope-1.ingest.monitor.azure.com";

fn catalogue() -> Catalogue {
    Catalogue::builtin().expect("the built-in catalogue")
}

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

/// Two servers, one of them Azure's and given twice.
fn resolver() -> Resolver {
    let server = |address: &str, role| Server { address: address.parse().expect("an address"), roles: vec![role] };
    Resolver {
        timing: Timing::default(),
        outcome: Outcome::Seen(ResolverConfig::default()),
        servers: vec![
            server("10.1.0.4:53", ServerRole::Configured),
            server("168.63.129.16:53", ServerRole::Azure),
            server("10.1.0.4:53", ServerRole::Extra),
        ],
    }
}

fn discovered(metadata: MetadataState, agents: AgentsSeen) -> Discovered {
    Discovered { resolver: Some(resolver()), metadata, agents, ..Discovered::default() }
}

fn answered(location: &str, environment: &str) -> MetadataState {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    MetadataState::Answered(Instance {
        location: text(location),
        environment: text(environment),
        ..Instance::default()
    })
}

fn made(options: &Options, metadata: MetadataState, agents: AgentsSeen) -> Plan {
    plan(&catalogue(), options, &discovered(metadata, agents))
}

fn need(plan: &Plan, id: &str) -> Option<Need> {
    plan.endpoints.iter().find(|endpoint| endpoint.id == id).map(|endpoint| endpoint.need)
}

fn named() -> Options {
    options(|options| {
        options.region = "westeurope".parse().ok();
        options.workspaces = vec![WORKSPACE.parse().expect("a GUID")];
    })
}

fn ama() -> AgentsSeen {
    AgentsSeen { ama: true, ..AgentsSeen::default() }
}

fn mma() -> AgentsSeen {
    AgentsSeen { legacy: LegacyAgent::WithWorkspace, ..AgentsSeen::default() }
}

#[test]
fn need_follows_from_the_agents_seen() {
    let agents = [
        AgentsSeen::default(),
        ama(),
        mma(),
        AgentsSeen { ama: true, ..mma() },
        AgentsSeen { legacy: LegacyAgent::WithoutWorkspace, ..AgentsSeen::default() },
        AgentsSeen { me_channel: true, ..ama() },
    ];
    // One letter for each of the agents above: required, optional, evidence, not at all.
    let table = [
        ("handler-global", "RR-R-R"),
        ("handler-region:westeurope", "OO-O-O"),
        ("ods:", "RRRRRR"),
        ("oms:", "RERRRE"),
        ("agentsvc:", "OEOOOE"),
        ("content-private", "O-OO--"),
        ("content-public", "O-OO--"),
        ("metrics-service", "-O-O-O"),
        ("arm", "-----O"),
        ("custom-metrics:westeurope", "-----O"),
        ("query", "EEEEEE"),
        ("ingestion-global", "EEEEEE"),
        ("query-loganalytics-io", "------"),
    ];
    let plans = agents.map(|agents| made(&named(), MetadataState::Silent, agents));
    for (id, expected) in table {
        let id = if id.ends_with(':') { format!("{id}{WORKSPACE}") } else { id.to_owned() };
        let letters: String = plans
            .iter()
            .map(|plan| match need(plan, &id) {
                Some(Required) => 'R',
                Some(Optional) => 'O',
                Some(Evidence) => 'E',
                None => '-',
            })
            .collect();
        assert_eq!(letters, expected, "{id}");
    }
}

#[test]
fn hosts_of_a_data_collection_endpoint_are_needed_as_they_are_named_or_used() {
    let stem = "a-b1.westeurope-1";
    let of = |plan: &Plan| {
        ["handler-dce", "ingest-dce", "metrics-ingest-dce"].map(|form| need(plan, &format!("{form}:{stem}")))
    };
    let by_argument = options(|options| options.dces = vec![DCE.parse().expect("a host")]);
    let plan = made(&by_argument, MetadataState::Silent, AgentsSeen::default());
    assert_eq!(of(&plan), [Some(Required), Some(Required), Some(Optional)]);
    assert_eq!((plan.cloud.as_str(), plan.region.as_deref()), ("public", Some("westeurope")));

    let both = options(|options| {
        options.dces =
            vec![DCE.parse().expect("a host"), DCE.replace("ingest", "metrics.ingest").parse().expect("a host")];
    });
    let plan = made(&both, MetadataState::Silent, AgentsSeen::default());
    assert_eq!(of(&plan), [Some(Required); 3]);

    let mut seen: Dce = DCE.replace("ingest", "handler.control").parse().expect("a host");
    let plan = made(&Options::default(), MetadataState::Silent, AgentsSeen { dces: vec![seen.clone()], ..ama() });
    assert_eq!(of(&plan), [Some(Required), None, None]);
    seen.hosts.insert(crate::azure::DceHost::MetricsIngest);
    let plan = made(&Options::default(), MetadataState::Silent, AgentsSeen { dces: vec![seen], ..ama() });
    assert_eq!(of(&plan), [Some(Required), None, Some(Required)]);
}

#[test]
fn what_an_argument_names_replaces_what_was_found() {
    let agents = || AgentsSeen { workspaces: vec![OTHER.parse().expect("a GUID")], ..ama() };
    let plan = made(&named(), MetadataState::Silent, agents());
    assert_eq!(
        (need(&plan, &format!("ods:{WORKSPACE}")), need(&plan, &format!("ods:{OTHER}"))),
        (Some(Required), None)
    );
    let plan = made(&Options::default(), MetadataState::Silent, agents());
    let endpoint = plan.endpoints.iter().find(|endpoint| endpoint.id == format!("ods:{OTHER}")).expect("the one seen");
    assert_eq!(endpoint.origin, Origin::Configuration);
    assert_eq!(endpoint.alias.as_deref(), Some(&*format!("{OTHER}.privatelink.ods.opinsights.azure.com")));
}

#[test]
fn cloud_comes_from_arguments_then_agents_then_metadata_then_is_public() {
    let gov = || answered("usgovvirginia", "AzureUSGovernmentCloud");
    let china = AgentsSeen { cloud: Some(Cloud::China), ..ama() };
    let suffix = ("opinsights.azure.eaglex.ic.gov".to_owned(), "/etc/omsadmin.conf".to_owned());
    let elsewhere = || AgentsSeen { unknown_cloud: Some(suffix.clone()), ..ama() };
    let table = [
        (named(), gov(), china.clone(), "public"),
        (Options::default(), gov(), china, "china"),
        (Options::default(), gov(), AgentsSeen::default(), "usgov"),
        (Options::default(), answered("usgovvirginia", ""), AgentsSeen::default(), "usgov"),
        (Options::default(), answered("", "AzureStack"), AgentsSeen::default(), "unknown"),
        (Options::default(), answered("westeurope", "AzureUSNat"), AgentsSeen::default(), "unknown"),
        (Options::default(), answered("westeurope", "AzurePublicCloud"), elsewhere(), "unknown"),
        (named(), answered("", "AzureUSNat"), elsewhere(), "public"),
        (Options::default(), MetadataState::Silent, AgentsSeen::default(), "public"),
        (Options::default(), MetadataState::Pending, AgentsSeen::default(), ""),
        (options(|o| o.skip = vec![StepKind::Imds]), MetadataState::Pending, AgentsSeen::default(), "public"),
    ];
    for (options, metadata, agents, cloud) in table {
        assert_eq!(made(&options, metadata.clone(), agents).cloud, cloud, "{metadata:?}");
    }
}

#[test]
fn no_name_of_another_cloud_is_planned_for_an_unknown_one() {
    let workspace = vec![OTHER.parse().expect("a GUID")];
    let suffix = ("opinsights.sovcloud-api.fr".to_owned(), "/etc/omsadmin.conf".to_owned());
    let agents = AgentsSeen { unknown_cloud: Some(suffix), workspaces: workspace, ..ama() };
    let plan = made(&Options::default(), MetadataState::Silent, agents);
    assert_eq!((plan.cloud.as_str(), plan.endpoints.len(), plan.waiting.len()), (UNKNOWN_CLOUD, 0, 0));
    assert!(
        plan.zones.is_empty() && !plan.steps.iter().any(|step| matches!(step, Step::Ask { .. } | Step::Lookup { .. }))
    );
}

#[test]
fn names_of_a_cloud_wait_until_the_cloud_is_known() {
    let pending = made(&Options::default(), MetadataState::Pending, AgentsSeen::default());
    assert!(pending.endpoints.is_empty() && pending.zones.is_empty());
    assert!(pending.waiting.contains(&"global.handler.control.monitor.azure.com".to_owned()));
    assert!(pending.steps.contains(&Step::Metadata));

    let only_cloud = options(|options| options.cloud = Some(Cloud::Public));
    let pending = made(&only_cloud, MetadataState::Pending, AgentsSeen::default());
    assert_eq!(pending.waiting, ["<region>.handler.control.monitor.azure.com"]);
    assert_eq!(pending.zones.len(), 5);

    let silent = made(&Options::default(), MetadataState::Silent, AgentsSeen::default());
    assert_eq!(silent.waiting, ["<region>.handler.control.monitor.azure.com"]);
}

#[test]
fn nothing_waits_when_arguments_say_all() {
    let options = options(|options| {
        options.sets = crate::endpoint::Group::SETS.to_vec();
        options.region = "westeurope".parse().ok();
        options.workspaces = vec![WORKSPACE.parse().expect("a GUID")];
        options.dces = vec![DCE.parse().expect("a host")];
    });
    let plan = made(&options, MetadataState::Pending, AgentsSeen::default());
    assert!(plan.waiting.is_empty(), "{:?}", plan.waiting);
    assert!(plan.endpoints.len() >= 25, "{}", plan.endpoints.len());
}

#[test]
fn connection_string_names_its_hosts() {
    let text = "InstrumentationKey=0f0f0f0f-2222-3333-4444-555555555555;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;\
                LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/";
    let options = options(|options| options.app_insights = vec![text.parse().expect("a connection string")]);
    let plan = made(&options, MetadataState::Pending, AgentsSeen::default());
    assert_eq!(need(&plan, "ingestion:westeurope-5"), Some(Required));
    assert_eq!(need(&plan, "live:westeurope"), Some(Optional));
    assert_eq!((plan.cloud.as_str(), plan.region.as_deref()), ("public", Some("westeurope")));
    let ingestion = plan.endpoints.iter().find(|e| e.id == "ingestion:westeurope-5").expect("an endpoint");
    assert_eq!(ingestion.alias.as_deref(), Some("westeurope-5.in.ai.privatelink.monitor.azure.com"));
    assert!(plan.waiting.is_empty());
}

#[test]
fn extra_name_keeps_what_the_catalogue_knows_of_it() {
    let options = options(|options| {
        options.endpoints = ["api.monitor.azure.com", "example.net:8443=private", "abc.blob.core.windows.net=public"]
            .map(|text| text.parse().expect("an endpoint"))
            .to_vec();
    });
    for metadata in [MetadataState::Pending, MetadataState::Silent] {
        let plan = made(&options, metadata, AgentsSeen::default());
        let query: Vec<_> = plan.endpoints.iter().filter(|e| e.fqdn == "api.monitor.azure.com").collect();
        assert_eq!(query.len(), 1);
        assert_eq!(
            (query[0].need, query[0].origin, query[0].id.as_str()),
            (Required, Origin::Argument, "endpoint:api.monitor.azure.com:443")
        );
        assert_eq!(query[0].zone.as_deref(), Some("privatelink.monitor.azure.com"));
        let extra = plan.endpoints.last().expect("an endpoint");
        assert_eq!((extra.id.as_str(), extra.expected), ("endpoint:example.net:8443", Expectation::Private));
        let blob = plan.endpoints.iter().find(|e| e.fqdn == "abc.blob.core.windows.net").expect("an endpoint");
        assert_eq!((blob.expected, blob.zone.as_deref()), (Expectation::Public, None));
    }
}

#[test]
fn each_server_is_asked_each_question_once_a_try() {
    let plan = made(&named(), MetadataState::Silent, AgentsSeen::default());
    let asks: Vec<&Step> = plan.steps.iter().filter(|step| matches!(step, Step::Ask { .. })).collect();
    assert_eq!(asks.iter().collect::<BTreeSet<_>>().len(), asks.len());
    // Two servers; one question a name, a zone, and the name that is never private; a name that nobody has below each zone, which
    // Azure's own DNS is asked for only where the other has an address for it.
    assert_eq!(asks.len(), 2 * (plan.endpoints.len() + plan.zones.len() + 1) + plan.zones.len());
    assert!(plan.zones.len() > 4);
    let of = |wanted: Purpose| {
        let is = |step: &&&Step| matches!(step, Step::Ask { purpose, .. } if *purpose == wanted);
        asks.iter().filter(is).count()
    };
    assert_eq!((of(Purpose::Canary), of(Purpose::Control), of(Purpose::Record)), (plan.zones.len(), 2, 0));
}

#[test]
fn load_counts_what_each_server_is_asked() {
    let plan = made(&named(), MetadataState::Silent, AgentsSeen::default());
    let asked = |server: SocketAddr| {
        plan.steps.iter().filter(|step| matches!(step, Step::Ask { server: of, .. } if *of == server)).count()
    };
    let servers: Vec<String> = plan.load.iter().map(|load| load.server.to_string()).collect();
    assert_eq!(servers, ["10.1.0.4:53", "168.63.129.16:53"]);
    for load in &plan.load {
        assert_eq!(load.questions, asked(load.server));
        assert!(load.at_most > load.questions);
    }
    assert_eq!((plan.load[0].lookups, plan.load[1].lookups), (plan.endpoints.len(), 0));
}

#[test]
fn record_that_is_a_name_is_asked_for_once() {
    let plan = made(&named(), MetadataState::Silent, AgentsSeen::default());
    let mut aliases =
        plan.endpoints.iter().filter(|endpoint| endpoint.has_ampls_record()).filter_map(|e| e.alias.clone());
    let record = aliases.next().expect("a record");
    let options = Options { endpoints: vec![record.parse().expect("an endpoint")], ..named() };
    let plan = made(&options, MetadataState::Silent, AgentsSeen::default());
    let asks: Vec<&Step> = plan
        .steps
        .iter()
        .filter(|step| matches!(step, Step::Ask { name, try_number: 0, kind: RecordKind::A, .. } if *name == record))
        .collect();
    assert_eq!(asks.len(), 2, "once a server: {asks:?}");
}

#[test]
fn evidence_is_resolved_and_never_connected_to() {
    let plan = made(&named(), MetadataState::Silent, ama());
    let evidence: BTreeSet<&str> =
        plan.endpoints.iter().filter(|e| e.need == Evidence).map(|endpoint| endpoint.id.as_str()).collect();
    assert!(evidence.len() >= 4);
    for step in &plan.steps {
        if let Step::Tcp { endpoint } | Step::Tls { endpoint } | Step::Http { endpoint } = step {
            assert!(!evidence.contains(endpoint.as_str()), "{endpoint}");
        }
    }
    assert!(plan.steps.contains(&Step::Lookup { endpoint: "query".into() }));
}

#[test]
fn steps_follow_only_and_skip() {
    let kinds = |only: &[StepKind], skip: &[StepKind]| {
        let mut options = named();
        (options.only, options.skip) = (only.to_vec(), skip.to_vec());
        let plan = made(&options, MetadataState::Silent, AgentsSeen::default());
        let kinds: BTreeSet<String> = plan
            .steps
            .iter()
            .map(|step| serde_json::to_value(step).expect("JSON")["step"].as_str().unwrap_or_default().to_owned())
            .collect();
        kinds.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds(&[], &[]), "ask http lookup metadata tcp tls wire-server");
    assert_eq!(kinds(&[StepKind::Dns], &[]), "ask lookup");
    assert_eq!(kinds(&[StepKind::Tls], &[]), "lookup tcp tls");
    assert_eq!(kinds(&[StepKind::Imds], &[]), "metadata wire-server");
    assert_eq!(kinds(&[], &[StepKind::Tcp]), "ask lookup metadata wire-server");
    assert_eq!(kinds(&[], &[StepKind::Dns, StepKind::Imds]), "http lookup tcp tls");
}

fn any_options() -> impl Strategy<Value = Options> {
    let flags = (any::<[bool; 6]>(), 0usize..4, proptest::collection::vec(0usize..6, 0..3));
    flags.prop_map(|([region, workspace, dce, extra, string, storage], cloud, sets)| {
        options(|options| {
            options.cloud = Cloud::ALL.get(cloud).copied();
            options.sets = sets.into_iter().filter_map(|set| crate::endpoint::Group::SETS.get(set).copied()).collect();
            if region {
                options.region = "westeurope".parse().ok();
            }
            if workspace {
                options.workspaces.extend(WORKSPACE.parse::<WorkspaceId>());
            }
            if dce {
                options.dces.extend(DCE.parse());
            }
            if extra {
                options.endpoints.extend("oms.example.net".parse());
                options.endpoints.extend("api.monitor.azure.us=any".parse());
            }
            if string {
                options.app_insights.extend("InstrumentationKey=0".parse());
            }
            if storage {
                options.storage.extend("abc".parse());
            }
        })
    })
}

fn any_agents() -> impl Strategy<Value = AgentsSeen> {
    let legacy = [LegacyAgent::Absent, LegacyAgent::WithoutWorkspace, LegacyAgent::WithWorkspace];
    let legacy = proptest::sample::select(legacy.to_vec());
    (any::<[bool; 4]>(), legacy).prop_map(|([ama, me_channel, workspace, dce], legacy)| AgentsSeen {
        ama,
        legacy,
        me_channel,
        workspaces: if workspace { OTHER.parse().ok().into_iter().collect() } else { Vec::new() },
        dces: if dce { DCE.parse().ok().into_iter().collect() } else { Vec::new() },
        ..AgentsSeen::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plan_after_the_metadata_holds_the_plan_before(options in any_options(), agents in any_agents(), which in 0usize..4) {
        let catalogue = catalogue();
        let after = match which {
            0 => MetadataState::Silent,
            1 => answered("usgovvirginia", "AzureUSGovernmentCloud"),
            2 => answered("chinaeast2", "AzureChinaCloud"),
            _ => answered("westeurope", "AzurePublicCloud"),
        };
        let first = plan(&catalogue, &options, &discovered(MetadataState::Pending, agents.clone()));
        let second = plan(&catalogue, &options, &discovered(after.clone(), agents.clone()));
        let steps: BTreeSet<&Step> = second.steps.iter().collect();
        for step in &first.steps {
            prop_assert!(steps.contains(step), "{:?}", step);
        }
        for endpoint in &first.endpoints {
            let kept = second.endpoints.iter().find(|other| other.id == endpoint.id);
            prop_assert!(kept.is_some_and(|kept| kept.fqdn == endpoint.fqdn && kept.need >= endpoint.need), "{:?}", endpoint);
        }
        let ids: BTreeSet<&str> = second.endpoints.iter().map(|endpoint| endpoint.id.as_str()).collect();
        prop_assert_eq!(ids.len(), second.endpoints.len());
        let again = plan(&catalogue, &options, &discovered(after, agents));
        prop_assert_eq!(again, second);
    }
}
