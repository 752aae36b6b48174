//! What was asked for, parsed and valid.
//!
//! Every type is parsed by its `FromStr` or by the function named after the option; the error says in one line what is
//! wrong and what is wanted. Files that the command line names are the command line's own affair.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use connection_string::{AppInsightsEndpoint, AppInsightsRole, ConnectionString};
pub use network::{
    ExtraEndpoint, deadline, interval, patience, private_range, proxy, repeat, resolver, splay, step_timeout,
};
pub use resource::{app_insights, data_collection_endpoint, storage_account, workspace};

use crate::azure::{BadValue, Cloud, Dce, DceHost, Region, StorageAccount, WorkspaceId, quoted};
use crate::endpoint::{Expect, ExpectedRecord, Group};

mod connection_string;
mod network;
mod resource;

/// Steps that `--only` and `--skip` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Questions to DNS servers and the system's lookups; connecting needs the lookups and takes them all the same.
    Dns,
    /// TCP connections.
    Tcp,
    /// TLS handshakes.
    Tls,
    /// HTTP requests.
    Http,
    /// The metadata service and the wire server.
    Imds,
    /// Agents' files and processes.
    Agent,
    /// Browsers' settings.
    Browser,
    /// Proxies.
    Proxy,
    /// The clock.
    Clock,
}

/// Which proxy to use (`--proxy`).
#[derive(Clone, Default, PartialEq, Eq)]
pub enum ProxyOption {
    /// What the environment says.
    #[default]
    Environment,
    /// None (`--proxy none`).
    Direct,
    /// This one, for every name. It may hold a password.
    Url(url::Url),
}

impl fmt::Debug for ProxyOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => formatter.write_str("Environment"),
            Self::Direct => formatter.write_str("Direct"),
            Self::Url(url) => {
                formatter.debug_tuple("Url").field(&url.host_str()).field(&url.port_or_known_default()).finish()
            }
        }
    }
}

/// How far Azure itself is asked (`--ask-azure`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskAzure {
    /// Which rules apply.
    Rules,
    /// Also whether tokens for their channels are granted.
    Ingestion,
}

/// Which settings of browsers are looked at (`--browsers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrowserSettings {
    /// The machine's policies and what people set themselves.
    #[default]
    All,
    /// The machine's policies: nothing below anybody's home.
    Policies,
    /// None.
    None,
}

/// Everything a run is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--expect`
    pub expect: Expect,
    /// `--cloud`
    pub cloud: Option<Cloud>,
    /// `--region`
    pub region: Option<Region>,
    /// `--workspace`
    pub workspaces: Vec<WorkspaceId>,
    /// `--dce`
    pub dces: Vec<Dce>,
    /// `--app-insights`
    pub app_insights: Vec<ConnectionString>,
    /// `--storage`
    pub storage: Vec<StorageAccount>,
    /// `--endpoint`
    pub endpoints: Vec<ExtraEndpoint>,
    /// `--set`; empty means the agents' group.
    pub sets: Vec<Group>,
    /// `--private-range`
    pub private_ranges: Vec<IpNet>,
    /// `--expected-records`: what the file holds.
    pub expected_records: Vec<ExpectedRecord>,
    /// `--resolver`
    pub resolvers: Vec<SocketAddr>,
    /// `--proxy`
    pub proxy: ProxyOption,
    /// `--timeout`: one step.
    pub step_timeout: Duration,
    /// `--deadline`: the whole run.
    pub deadline: Duration,
    /// `--repeat`: how often each DNS question is asked of each server.
    pub repeat: u32,
    /// `--ask-azure`
    pub ask_azure: Option<AskAzure>,
    /// `--browsers`
    pub browsers: BrowserSettings,
    /// `--view encrypted`: also ask the resolvers that browsers and the system ask encrypted.
    pub view_encrypted: bool,
    /// `--root`: only files are looked at, and they are another machine's; nothing is asked over the network.
    pub files_only: bool,
    /// Steps to take; empty means all.
    pub only: Vec<StepKind>,
    /// Steps to leave out.
    pub skip: Vec<StepKind>,
}

impl StepKind {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Dns, Self::Tcp, Self::Tls, Self::Http, Self::Imds, Self::Agent, Self::Browser, Self::Proxy, Self::Clock];
}

impl Options {
    /// Whether a kind of step is to be taken.
    pub fn takes(&self, step: StepKind) -> bool {
        let possible = match step {
            StepKind::Browser => self.browsers != BrowserSettings::None,
            StepKind::Agent => true,
            _ => !self.files_only,
        };
        possible && (self.only.is_empty() || self.only.contains(&step)) && !self.skip.contains(&step)
    }

    /// Whether a group of endpoints is to be looked at.
    pub fn wants(&self, group: Group) -> bool {
        if self.sets.is_empty() { group == Group::Agent } else { self.sets.contains(&group) }
    }

    /// The cloud that the arguments name: `--cloud`, else the suffix of a `--dce` or of a connection string, else that of
    /// `--region`.
    pub fn named_cloud(&self) -> Option<Cloud> {
        self.cloud_evidence().into_iter().map(|(cloud, _)| cloud).next()
    }

    /// The region that the arguments name: `--region`, else that of the first `--dce`, else that of the first connection
    /// string with one.
    pub fn named_region(&self) -> Option<&Region> {
        self.region
            .as_ref()
            .or_else(|| self.dces.first().map(|dce| &dce.region))
            .or_else(|| self.app_insights.iter().find_map(ConnectionString::region))
    }

    /// Fails when the arguments contradict each other: they name more than one cloud, want a name both private and public, or
    /// leave no step.
    pub fn check(&self) -> Result<(), BadValue> {
        if StepKind::ALL.iter().all(|step| !self.takes(*step)) {
            return Err(BadValue::new("`--only` and `--skip` leave no step to take: name fewer steps in `--skip`"));
        }
        if let Some(endpoint) =
            self.endpoints.iter().find(|one| self.endpoints.iter().any(|other| one.contradicts(other)))
        {
            return Err(BadValue::new(format!(
                "`--endpoint` expects two things of {}: a name has the same addresses every time; give it one expectation",
                quoted(&endpoint.host)
            )));
        }
        let evidence = self.cloud_evidence();
        let Some((cloud, by)) = evidence.first() else {
            return Ok(());
        };
        match evidence.iter().find(|(other, _)| other != cloud) {
            Some((other, also_by)) => Err(BadValue::new(format!(
                "{by} is of cloud `{cloud}`, {also_by} of cloud `{other}`: give arguments of one cloud"
            ))),
            None => Ok(()),
        }
    }

    /// Which argument names which cloud, the strongest first.
    pub fn cloud_evidence(&self) -> Vec<(Cloud, String)> {
        let mut evidence = Vec::new();
        evidence.extend(self.cloud.map(|cloud| (cloud, format!("`--cloud {cloud}`"))));
        evidence.extend(self.dces.iter().map(|dce| (dce.cloud, format!("`--dce {}`", dce.host(DceHost::Handler)))));
        let strings = self.app_insights.iter().filter_map(|string| Some((string.cloud?, string)));
        evidence.extend(strings.map(|(cloud, string)| match string.endpoints.first() {
            Some(endpoint) => (cloud, format!("`--app-insights` (`{}`)", endpoint.host)),
            None => (cloud, String::from("`--app-insights`")),
        }));
        evidence.extend(self.region.iter().map(|region| (region.cloud(), format!("`--region {region}`"))));
        evidence
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            expect: Expect::Auto,
            cloud: None,
            region: None,
            workspaces: Vec::new(),
            dces: Vec::new(),
            app_insights: Vec::new(),
            storage: Vec::new(),
            endpoints: Vec::new(),
            sets: Vec::new(),
            private_ranges: Vec::new(),
            expected_records: Vec::new(),
            resolvers: Vec::new(),
            proxy: ProxyOption::Environment,
            step_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(15),
            repeat: 2,
            ask_azure: None,
            browsers: BrowserSettings::All,
            view_encrypted: false,
            files_only: false,
            only: Vec::new(),
            skip: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(change: impl FnOnce(&mut Options)) -> Options {
        let mut options = Options::default();
        change(&mut options);
        options
    }

    #[test]
    fn skip_wins_over_only() {
        let options = with(|options| {
            options.only = vec![StepKind::Dns, StepKind::Tcp];
            options.skip = vec![StepKind::Tcp];
        });
        assert!(options.takes(StepKind::Dns));
        assert!(!options.takes(StepKind::Tcp));
        assert!(!options.takes(StepKind::Http));
    }

    #[test]
    fn files_of_another_machine_are_looked_at_without_network() {
        let options = with(|options| options.files_only = true);
        assert!(options.takes(StepKind::Agent) && options.takes(StepKind::Browser));
        for step in [StepKind::Dns, StepKind::Tcp, StepKind::Tls, StepKind::Http, StepKind::Imds, StepKind::Clock] {
            assert!(!options.takes(step), "{step:?}");
        }
    }

    #[test]
    fn cloud_follows_from_a_suffix_or_a_region() {
        let dce: Dce = "a-b1.usgovvirginia-1.ingest.monitor.azure.us".parse().expect("a host");
        assert_eq!(with(|options| options.dces.push(dce.clone())).named_cloud(), Some(Cloud::UsGov));
        assert_eq!(
            with(|o| o.region = Some("China East 2".parse().expect("a region"))).named_cloud(),
            Some(Cloud::China)
        );
        assert_eq!(with(|o| o.region = "westeurope".parse().ok()).named_cloud(), Some(Cloud::Public));
        assert_eq!(Options::default().named_cloud(), None);
    }

    #[test]
    fn arguments_of_two_clouds_are_refused() {
        let mixed = with(|options| {
            options.cloud = Some(Cloud::UsGov);
            options.dces.push("a-b1.westeurope-1.ingest.monitor.azure.com".parse().expect("a host"));
        });
        let message = mixed.check().expect_err("a contradiction").to_string();
        assert!(message.contains("`--cloud usgov`") && message.contains("`public`"), "{message}");
        for (region, fits) in [("westeurope", false), ("usgovvirginia", true)] {
            let options = with(|options| {
                options.cloud = Some(Cloud::UsGov);
                options.region = region.parse().ok();
            });
            assert_eq!(options.check().is_ok(), fits, "{region}");
        }
    }

    #[test]
    fn one_name_has_one_expectation() {
        let extra = |text: &str| text.parse::<ExtraEndpoint>().expect(text);
        let fits =
            |texts: &[&str]| with(|o| o.endpoints = texts.iter().map(|text| extra(text)).collect()).check().is_ok();
        assert!(fits(&["a.b=private", "a.b", "a.b=private", "c.d=public", "a.b:8443=any"]));
        assert!(!fits(&["a.b=private", "a.b=public"]));
        assert!(!fits(&["a.b=private", "A.b.:8443=public"]));
        assert!(!fits(&["a.b=private", "a.b=any"]));
    }

    #[test]
    fn steps_that_are_all_left_out_are_refused() {
        let check = |only: &[StepKind], skip: &[StepKind]| {
            with(|options| (options.only, options.skip) = (only.to_vec(), skip.to_vec())).check()
        };
        assert!(check(&[StepKind::Dns], &[StepKind::Dns]).is_err());
        assert!(check(&[], &StepKind::ALL).is_err());
        assert!(check(&[StepKind::Dns, StepKind::Tcp], &[StepKind::Dns]).is_ok());
    }

    #[test]
    fn password_of_a_proxy_is_never_shown() {
        let shown = format!("{:?}", proxy("http://user:geheim@proxy:3128").expect("a proxy"));
        assert!(shown.contains("proxy") && !shown.contains("geheim") && !shown.contains("user"), "{shown}");
    }

    fn messages(text: &str) -> Vec<String> {
        let message = |result: Option<BadValue>| result.map(|bad| bad.to_string());
        [
            message(text.parse::<Cloud>().err()),
            message(text.parse::<Region>().err()),
            message(text.parse::<WorkspaceId>().err()),
            message(text.parse::<Dce>().err()),
            message(text.parse::<ConnectionString>().err()),
            message(text.parse::<StorageAccount>().err()),
            message(workspace(text).err()),
            message(data_collection_endpoint(text).err()),
            message(app_insights(text).err()),
            message(storage_account(text).err()),
            message(text.parse::<ExtraEndpoint>().err()),
            message(private_range(text).err()),
            message(resolver(text).err()),
            message(proxy(text).err()),
            message(step_timeout(text).err()),
            message(deadline(text).err()),
            message(repeat(text).err()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_taken_or_refused_in_one_short_line(
            text: String,
            like in "[a-zA-Z0-9.:;=/\\[\\]@<>-]{0,60}(\\.ingest\\.monitor\\.azure\\.com)?",
        ) {
            for message in [messages(&text), messages(&like)].concat() {
                prop_assert!(!message.chars().any(char::is_control), "{:?}", message);
                // An escape takes at most ten characters, a message quotes at most two values of eighty.
                prop_assert!(message.chars().count() < 2_000, "{}", message);
            }
        }
    }
}
