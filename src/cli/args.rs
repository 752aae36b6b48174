//! The command line: what is asked for, parsed and valid, or one line that says what is wrong.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use ampls_probes::Options;
use ampls_probes::catalogue::Group;
use ampls_probes::options::{
    BadValue, Cloud, ConnectionString, Dce, Expect, ExtraEndpoint, ProxyOption, Region, StepKind, StorageAccount,
    WorkspaceId, deadline, private_range, proxy, repeat, resolver, step_timeout,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use super::output::Colour;
use crate::render::page::inert;
use crate::report::FailOn;

/// Tells whether this machine's paths to Azure Monitor go through Private Link, and if not, why.
#[derive(Debug, Parser)]
#[command(name = "ampls-doctor", version, args_conflicts_with_subcommands = true, after_help = EXIT_STATUS)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) check: CheckArgs,
}

const EXIT_STATUS: &str = "Without a command, `check` is run.\n\n\
    Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 wrong usage or unreadable input, \
    3 nothing could be examined or written.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look at this machine's paths to Azure Monitor and judge them
    Check(CheckArgs),
    /// Print what `check` would look at; touch nothing
    Plan(PlanArgs),
    /// Judge a saved report again, offline, with this version's rules
    Judge(JudgeArgs),
    /// Explain a finding's code or name, an address, or a host name
    Explain(ExplainArgs),
    /// Examine a simulated Azure on loopback
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// PEM roots that count as Azure's, instead of the built-in public roots
    #[arg(long, value_name = "FILE")]
    pub(super) public_roots: Option<PathBuf>,
    #[command(flatten)]
    pub(super) face: FaceArgs,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: PlanFormat,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// A report that `--format json` wrote, or `-`
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) face: FaceArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A code, a finding's name, an address, or a host name
    #[arg(required_unless_present = "list")]
    pub(super) what: Option<String>,
    /// Print every code and name
    #[arg(long, conflicts_with = "what")]
    pub(super) list: bool,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The world, by its name
    pub(super) world: Option<String>,
    /// Print the names of all worlds
    #[arg(long, conflicts_with = "world")]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) face: FaceArgs,
}

/// How to say what was found.
#[derive(Clone, Debug, Args)]
pub(super) struct FaceArgs {
    /// How to print the report
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: Format,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// The least severity that makes the exit status 1
    #[arg(long, value_enum, default_value = "error", value_name = "SEVERITY", help_heading = "Output")]
    pub(super) fail_on: FailOnArg,
    /// Print the answer and the causes, one line each; show no progress
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(super) quiet: bool,
    /// Print everything
    #[arg(short, long, help_heading = "Output")]
    pub(super) verbose: bool,
    /// When to use colour; `NO_COLOR` is obeyed
    #[arg(
        long,
        visible_alias = "colour",
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub(super) color: ColourArg,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Table,
    /// For machines, and for `judge`
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people
    #[default]
    Table,
    /// For machines
    Json,
    /// Names and ports, for a firewall's owner
    Firewall,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FailOnArg {
    Error,
    Warning,
    Never,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ColourArg {
    Auto,
    Always,
    Never,
}

impl From<FailOnArg> for FailOn {
    fn from(given: FailOnArg) -> Self {
        match given {
            FailOnArg::Error => Self::Error,
            FailOnArg::Warning => Self::Warning,
            FailOnArg::Never => Self::Never,
        }
    }
}

impl From<ColourArg> for Colour {
    fn from(given: ColourArg) -> Self {
        match given {
            ColourArg::Auto => Self::Auto,
            ColourArg::Always => Self::Always,
            ColourArg::Never => Self::Never,
        }
    }
}

/// What to look at, and how.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// What the paths should be
    #[arg(long, value_parser = expect(), default_value = "auto", value_name = "auto|private|public")]
    expect: Expect,
    /// The cloud: public, usgov or china
    #[arg(long)]
    cloud: Option<Cloud>,
    /// The region, like westeurope
    #[arg(long, value_name = "NAME")]
    region: Option<Region>,
    /// A Log Analytics workspace's id
    #[arg(long, value_name = "GUID", value_delimiter = ',')]
    workspace: Vec<WorkspaceId>,
    /// A data collection endpoint, by any of its host names or URLs
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    dce: Vec<Dce>,
    /// An Application Insights connection string
    #[arg(long, value_name = "CONNECTION-STRING", value_delimiter = ',')]
    app_insights: Vec<ConnectionString>,
    /// A storage account
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    storage: Vec<StorageAccount>,
    /// One more name to look at: NAME[:PORT][=private|public|any]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    endpoint: Vec<ExtraEndpoint>,
    /// Groups of endpoints: agent, query, app-insights, portal, automation, arc, all
    #[arg(long, value_name = "GROUP", value_delimiter = ',', value_parser = set())]
    set: Vec<Set>,
    /// A range that counts as private besides those that do
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = private_range)]
    private_range: Vec<IpNet>,
    /// Ask this DNS server too
    #[arg(long, value_name = "IP[:PORT]", value_delimiter = ',', value_parser = resolver)]
    resolver: Vec<std::net::SocketAddr>,
    /// The proxy for every name, or `none`
    #[arg(long, value_name = "URL|none", value_parser = proxy)]
    proxy: Option<ProxyOption>,
    /// The time for one step, in seconds
    #[arg(long, value_name = "SECS", value_parser = step_timeout, default_value = "5")]
    timeout: Duration,
    /// The time for the whole run, in seconds
    #[arg(long, value_name = "SECS", value_parser = deadline, default_value = "15")]
    deadline: Duration,
    /// Ask each DNS question so many times
    #[arg(long, value_name = "N", value_parser = repeat, default_value = "2")]
    repeat: u32,
    /// Take only these steps: dns, tcp, tls, http, imds, agent, browser, proxy, clock
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = step())]
    only: Vec<StepKind>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = step())]
    skip: Vec<StepKind>,
}

#[derive(Clone, Copy, Debug)]
enum Set {
    One(Group),
    All,
}

impl TargetArgs {
    /// The options of a run; they may contradict each other.
    pub(super) fn options(&self) -> Result<Options, BadValue> {
        let all = self.set.iter().any(|set| matches!(set, Set::All));
        let sets = self.set.iter().filter_map(|set| match set {
            Set::One(group) => Some(*group),
            Set::All => None,
        });
        let options = Options {
            expect: self.expect,
            cloud: self.cloud,
            region: self.region.clone(),
            workspaces: self.workspace.clone(),
            dces: self.dce.clone(),
            app_insights: self.app_insights.clone(),
            storage: self.storage.clone(),
            endpoints: self.endpoint.clone(),
            sets: if all { Group::SETS.to_vec() } else { sets.collect() },
            private_ranges: self.private_range.clone(),
            resolvers: self.resolver.clone(),
            proxy: self.proxy.clone().unwrap_or_default(),
            step_timeout: self.timeout,
            deadline: self.deadline,
            repeat: self.repeat,
            only: self.only.clone(),
            skip: self.skip.clone(),
        };
        options.check()?;
        Ok(options)
    }
}

fn expect() -> impl TypedValueParser<Value = Expect> {
    PossibleValuesParser::new(["auto", "private", "public"]).map(|text| match text.as_str() {
        "private" => Expect::Private,
        "public" => Expect::Public,
        _ => Expect::Auto,
    })
}

fn set() -> impl TypedValueParser<Value = Set> {
    let names = Group::SETS.map(Group::as_str).into_iter().chain(["all"]);
    PossibleValuesParser::new(names)
        .map(|text| Group::SETS.into_iter().find(|group| group.as_str() == text).map_or(Set::All, Set::One))
}

const STEPS: [(&str, StepKind); 9] = [
    ("dns", StepKind::Dns),
    ("tcp", StepKind::Tcp),
    ("tls", StepKind::Tls),
    ("http", StepKind::Http),
    ("imds", StepKind::Imds),
    ("agent", StepKind::Agent),
    ("browser", StepKind::Browser),
    ("proxy", StepKind::Proxy),
    ("clock", StepKind::Clock),
];

fn step() -> impl TypedValueParser<Value = StepKind> {
    PossibleValuesParser::new(STEPS.map(|(name, _)| name))
        .map(|text| STEPS.into_iter().find(|(name, _)| *name == text).map_or(StepKind::Dns, |(_, step)| step))
}

/// What a parse error says, in one line; `None` for help and version, which are no errors.
pub(super) fn one_line(error: &clap::Error) -> Option<String> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    // The option types say themselves what is wrong and what is wanted.
    if let (ErrorKind::ValueValidation, Some(source)) = (error.kind(), error.source()) {
        let option = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(option)) => option.split(' ').next().unwrap_or_default(),
            _ => "",
        };
        return Some(inert(&format!("{option}: {source}")));
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let line = lines.collect::<Vec<_>>().join(" ");
    Some(inert(&format!("{}; `ampls-doctor --help` says more", line.trim_start_matches("error: "))))
}
