//! The arguments: clap's types, and how they become [`Options`]. What a value must look like is the options' own affair.

use std::path::PathBuf;

use ampls_probes::Options;
use ampls_probes::azure::{BadValue, Cloud, Dce, Region, StorageAccount, WorkspaceId};
use ampls_probes::endpoint::{Expect, Group};
use ampls_probes::options::{
    BrowserSettings, ConnectionString, ExtraEndpoint, ProxyOption, StepKind, app_insights, data_collection_endpoint,
    deadline, private_range, proxy, repeat, resolver, step_timeout, storage_account, workspace,
};
use clap::builder::StringValueParser;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use ipnet::IpNet;

use self::destination::Destination;
pub use self::doubts::doubts;
pub use self::facts::FactsArgs;
use self::fleet::EXAMPLES as FLEET_EXAMPLES;
pub use self::fleet::FleetArgs;
use self::output::FAIL_ON;
pub use self::output::{Format, OutputArgs};
use self::value::{OneOf, checked, offering, parsed};
pub use self::watch::{Wanted, WatchArgs};
use self::what_if::EXAMPLES as WHAT_IF_EXAMPLES;
pub use self::what_if::WhatIfArgs;
use crate::report::FailOn;

mod ask;
mod destination;
mod doubts;
mod facts;
mod fleet;
mod offered;
mod output;
mod value;
mod watch;
mod what_if;

const ABOUT: &str = "Tells whether this machine's paths to Azure Monitor go through Private Link, and if not, why";

const EXAMPLES: &str = "\
Examples:
  On an Azure VM no argument is needed:
    ampls-doctor
  A private link is expected; find what keeps it from working:
    ampls-doctor --expect private
  Name what agents' configuration would hold:
    ampls-doctor --workspace 11111111-2222-3333-4444-555555555555
    ampls-doctor --dce name-x1y2.westeurope-1.ingest.monitor.azure.com
  Keep everything that was seen, to judge it again elsewhere:
    ampls-doctor -o report.json
  Wait until a new private link has reached this machine:
    ampls-doctor --wait private --for 900
  List what a firewall must let through; touches nothing:
    ampls-doctor plan --format firewall

Exit status:
  0  no finding at or above --fail-on
  1  at least one finding at or above --fail-on, or --wait waited in vain
  2  wrong usage, or an input file that cannot be read or parsed
  3  the examination could not be done, or ended before it found anything

Nothing on the machine is changed, no other program is started, root is not
needed. Obeyed: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE,
SSL_CERT_DIR and NO_COLOR.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "ampls-doctor",
    bin_name = "ampls-doctor",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do; `check` when no command is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `check`, without its name.
    #[command(flatten)]
    pub check: CheckArgs,
    /// What is printed beside the result.
    #[command(flatten)]
    pub talk: TalkArgs,
}

impl Cli {
    /// The command, with the default made explicit.
    pub fn into_command(self) -> (Command, TalkArgs) {
        (self.command.unwrap_or(Command::Check(Box::new(self.check))), self.talk)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at this machine's paths to Azure Monitor and judge them (the default)
    #[command(after_help = EXAMPLES)]
    Check(Box<CheckArgs>),
    /// Print what `check` would look at; touch nothing
    Plan(Box<PlanArgs>),
    /// Judge a saved report again, offline, with this version's rules
    Judge(JudgeArgs),
    /// Replace names and addresses in a saved report with stable pseudonyms; exits with 0 whatever the report holds
    Redact(RedactArgs),
    /// Show what differs between two reports: one machine at two moments, or a good machine and a bad one
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Group the reports of many machines by what is wrong with them
    #[command(after_help = FLEET_EXAMPLES)]
    Fleet(FleetArgs),
    /// Predict from reports what a change of zones, records or servers would do
    #[command(after_help = WHAT_IF_EXAMPLES)]
    WhatIf(WhatIfArgs),
    /// Explain a finding code or name, an address, or a host name
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Examine a simulated Azure on loopback
    #[cfg(feature = "demo")]
    Demo(Box<DemoArgs>),
    /// Print the report's JSON Schema, or that of another document
    Schema {
        /// Which: report, fleet, fleet-row, what-if or azure-facts [default: report]
        #[arg(value_parser = OneOf(SCHEMAS), hide_possible_values = true)]
        of: Option<SchemaOf>,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// The page of this command
        #[arg(value_parser = OneOf(COMMANDS), hide_possible_values = true)]
        command: Option<&'static str>,
    },
}

/// Every command by its name.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("check", "check"),
    ("plan", "plan"),
    ("judge", "judge"),
    ("redact", "redact"),
    ("compare", "compare"),
    ("fleet", "fleet"),
    ("what-if", "what-if"),
    ("explain", "explain"),
    #[cfg(feature = "demo")]
    ("demo", "demo"),
    ("schema", "schema"),
    ("completions", "completions"),
    ("man", "man"),
];

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ampls-doctor explain DNS002
  ampls-doctor explain fd40:1085:12:6d79:7712:100:c0a8:4
  ampls-doctor explain global.handler.control.monitor.azure.com";

const COMPARE_EXAMPLES: &str = "\
Both reports are judged with this version's rules. Times, ids, own ports, the
public addresses of public names and the like do not count as differences.

Examples:
  ampls-doctor compare monday.json tuesday.json
  ampls-doctor compare good-vm.json bad-vm.json

Exit status:
  0  the second report has no finding at or above --fail-on that the first lacks
  1  it has one, or has one to a higher degree or on more endpoints
  2  wrong usage, or a report that cannot be read or parsed";

/// Documents that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaOf {
    /// `check --format json`
    Report,
    /// `fleet --format json`
    Fleet,
    /// A line of `fleet --format ndjson`.
    FleetRow,
    /// `what-if --format json`
    WhatIf,
    /// The file of `--facts`.
    AzureFacts,
}

const SCHEMAS: &[(&str, SchemaOf)] = &[
    ("report", SchemaOf::Report),
    ("fleet", SchemaOf::Fleet),
    ("fleet-row", SchemaOf::FleetRow),
    ("what-if", SchemaOf::WhatIf),
    ("azure-facts", SchemaOf::AzureFacts),
];

/// What is printed beside the result.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Verbosity")]
pub struct TalkArgs {
    /// Print only the headline
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print evidence, undo and every endpoint; -vv every answer too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour.
    #[arg(
        help = "Colour; auto obeys NO_COLOR",long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true, value_parser = OneOf(COLOURS))]
    pub color: Colour,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

const COLOURS: &[(&str, Colour)] = &[("auto", Colour::Auto), ("always", Colour::Always), ("never", Colour::Never)];

/// `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to look at.
    #[command(flatten)]
    pub look: LookArgs,
    /// How to look.
    #[command(flatten)]
    pub how: HowArgs,
    /// What Azure holds.
    #[command(flatten)]
    pub held: FactsArgs,
    /// How often to look.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl CheckArgs {
    /// The options of a run; fails when arguments contradict each other.
    pub fn options(&self) -> Result<Options, BadValue> {
        let mut options = self.look.options();
        self.how.apply(&mut options);
        options.check()?;
        Ok(options)
    }
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What to look at.
    #[command(flatten)]
    pub look: LookArgs,
    /// How to look.
    #[command(flatten)]
    pub how: HowArgs,
    /// Format of the plan; firewall: name, port, why, service tag [default: table, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(PLAN_FORMATS), help_heading = "Output")]
    pub format: Option<PlanFormat>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output
    #[arg(short, long, value_name = "FILE", value_parser = Destination, value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
}

impl PlanArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name.
    pub fn format(&self) -> Result<PlanFormat, String> {
        destination::format(self.format, self.output.as_deref(), PLAN_FORMATS, PlanFormat::Table)
    }

    /// The options of the run that is planned; fails when arguments contradict each other.
    pub fn options(&self) -> Result<Options, BadValue> {
        let mut options = self.look.options();
        self.how.apply(&mut options);
        options.check()?;
        Ok(options)
    }
}

/// Formats of `plan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people.
    Table,
    /// The plan itself.
    Json,
    /// A list for those who keep the firewall.
    Firewall,
}

const PLAN_FORMATS: &[(&str, PlanFormat)] =
    &[("table", PlanFormat::Table), ("json", PlanFormat::Json), ("firewall", PlanFormat::Firewall)];

/// `judge`
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// The report, `-` for standard input
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// What Azure holds.
    #[command(flatten)]
    pub held: FactsArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The report from before, or of the good machine; `-` for standard input
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub a: PathBuf,
    /// The report from after, or of the bad machine; `-` for standard input
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub b: PathBuf,
    /// Format of the result [default: table, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(output::COMPARE_FORMATS), help_heading = "Output")]
    pub format: Option<Format>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output
    #[arg(short, long, value_name = "FILE", value_parser = Destination, value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Exit with 1 from this severity
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = OneOf(FAIL_ON), help_heading = "Output")]
    pub fail_on: FailOn,
}

impl CompareArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name.
    pub fn format(&self) -> Result<Format, String> {
        destination::format(self.format, self.output.as_deref(), output::COMPARE_FORMATS, Format::Table)
    }
}

/// `redact`
#[derive(Debug, Args)]
pub struct RedactArgs {
    /// The report, `-` for standard input; several reports get the same pseudonyms and can be compared
    #[arg(value_name = "FILE|-", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Format of the result [default: json, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(output::FORMATS), help_heading = "Output")]
    pub format: Option<Format>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output; of several reports, a folder for report-1, report-2 …
    #[arg(short, long, value_name = "FILE|DIR", value_parser = Destination, value_hint = ValueHint::AnyPath, help_heading = "Output")]
    pub output: Option<PathBuf>,
}

impl RedactArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name.
    pub fn format(&self) -> Result<Format, String> {
        destination::format(self.format, self.output.as_deref(), output::FORMATS, Format::Json)
    }

    /// How files of a format are called.
    pub fn extension(format: Format) -> &'static str {
        destination::extension(&format, output::FORMATS)
    }
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A finding code or name, an address, a host name, or a word that a report prints
    #[arg(
        required_unless_present = "list",
        value_parser = offering(StringValueParser::new(), offered::topics),
        hide_possible_values = true
    )]
    pub what: Option<String>,
    /// List every code with its usual severity, its name and what it means, and every word
    #[arg(long, conflicts_with = "what")]
    pub list: bool,
}

/// `demo`
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The world to examine; with --list, a part of the names or titles to list
    #[arg(value_parser = offering(StringValueParser::new(), offered::worlds), hide_possible_values = true)]
    pub world: Option<String>,
    /// List the worlds, grouped by what is wrong in them
    #[arg(long)]
    pub list: bool,
    /// How often to look.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What to look at.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to look at")]
pub struct LookArgs {
    /// What the paths should be
    #[arg(long, value_name = "ROUTE", default_value = "auto", value_parser = OneOf(EXPECTATIONS))]
    pub expect: Expect,
    /// Cloud [default: as arguments, agents or the metadata service say]
    #[arg(long, value_name = "CLOUD", value_parser = offering(parsed::<Cloud>(), offered::clouds))]
    pub cloud: Option<Cloud>,
    /// Region of this machine, for example westeurope [default: as agents or the metadata service say]
    #[arg(long, value_name = "NAME", value_parser = offering(parsed::<Region>(), offered::regions), hide_possible_values = true)]
    pub region: Option<Region>,
    /// Log Analytics workspace, by its id or one of its host names; options marked … may be repeated or comma-separated
    #[arg(long = "workspace", value_name = "GUID…", value_delimiter = ',', value_parser = checked(workspace))]
    pub workspaces: Vec<WorkspaceId>,
    /// Data collection endpoint, by any of its host names or URLs
    #[arg(long = "dce", value_name = "HOST…", value_delimiter = ',', value_parser = checked(data_collection_endpoint))]
    pub dces: Vec<Dce>,
    /// Connection string of Application Insights; its key is not kept
    #[arg(long, value_name = "CONNECTION-STRING…", value_parser = checked(app_insights))]
    pub app_insights: Vec<ConnectionString>,
    /// Storage account
    #[arg(long, value_name = "ACCOUNT…", value_delimiter = ',', value_parser = checked(storage_account))]
    pub storage: Vec<StorageAccount>,
    /// One more name to look at, or a URL
    #[arg(
        long = "endpoint",
        value_name = "NAME[:PORT][=private|public|any]…",
        value_delimiter = ',',
        value_parser = parsed::<ExtraEndpoint>()
    )]
    pub endpoints: Vec<ExtraEndpoint>,
    /// Endpoint groups [default: agent, and what arguments name]
    #[arg(long = "set", value_name = "GROUP…", value_delimiter = ',', value_parser = OneOf(SETS))]
    pub sets: Vec<Set>,
}

/// A value of `--set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// This group.
    One(Group),
    /// All groups.
    All,
}

const SETS: &[(&str, Set)] = &[
    ("agent", Set::One(Group::Agent)),
    ("query", Set::One(Group::Query)),
    ("app-insights", Set::One(Group::AppInsights)),
    ("portal", Set::One(Group::Portal)),
    ("automation", Set::One(Group::Automation)),
    ("arc", Set::One(Group::Arc)),
    ("all", Set::All),
];

const EXPECTATIONS: &[(&str, Expect)] =
    &[("auto", Expect::Auto), ("private", Expect::Private), ("public", Expect::Public)];

impl LookArgs {
    fn options(&self) -> Options {
        let mut sets = Vec::new();
        for set in &self.sets {
            match set {
                Set::One(group) => sets.push(*group),
                Set::All => sets.extend(Group::SETS),
            }
        }
        Options {
            expect: self.expect,
            cloud: self.cloud,
            region: self.region.clone(),
            workspaces: self.workspaces.clone(),
            dces: self.dces.clone(),
            app_insights: self.app_insights.clone(),
            storage: self.storage.clone(),
            endpoints: self.endpoints.clone(),
            sets,
            ..Options::default()
        }
    }
}

/// How to look.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to look")]
pub struct HowArgs {
    /// Asking Azure itself.
    #[command(flatten)]
    pub ask: ask::AskArgs,
    /// Range that also counts as private
    #[arg(long = "private-range", value_name = "CIDR…", value_delimiter = ',', value_parser = checked(private_range))]
    pub private_ranges: Vec<IpNet>,
    /// PEM file of roots that count as Azure's, instead of the public roots (air-gapped clouds)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub public_roots: Option<PathBuf>,
    /// Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal's DNS page copied, or an earlier report
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub expected_records: Option<PathBuf>,
    /// Ask this DNS server too
    #[arg(long = "resolver", value_name = "IP[:PORT]…", value_delimiter = ',', value_parser = checked(resolver))]
    pub resolvers: Vec<std::net::SocketAddr>,
    /// Proxy for every name, or none [default: as the environment says]
    #[arg(long, value_name = "URL|none", value_parser = checked(proxy))]
    pub proxy: Option<ProxyOption>,
    /// Settings of browsers to look at: the machine's policies, also what people set themselves, or none [default: policies for root or SYSTEM without a terminal, else all]
    #[arg(long, value_name = "policies|all|none", value_parser = OneOf(BROWSERS))]
    pub browsers: Option<BrowserSettings>,
    /// Limit of one step, in seconds [default: 5]
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = checked(step_timeout))]
    pub timeout: Option<std::time::Duration>,
    /// Limit of the whole run, in seconds [default: 15]
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = checked(deadline))]
    pub deadline: Option<std::time::Duration>,
    /// Ask a DNS question at most COUNT times, again only where it decides something [default: 2]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = checked(repeat))]
    pub repeat: Option<u32>,
    /// Take only these steps, and those they need
    #[arg(long, value_name = "STEP…", value_delimiter = ',', value_parser = OneOf(STEPS))]
    pub only: Vec<StepKind>,
    /// Look at the files under this folder instead of / (a mounted disk, a collected folder); no network
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP…", value_delimiter = ',', value_parser = OneOf(STEPS))]
    pub skip: Vec<StepKind>,
}

const STEPS: &[(&str, StepKind)] = &[
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

const BROWSERS: &[(&str, BrowserSettings)] =
    &[("policies", BrowserSettings::Policies), ("all", BrowserSettings::All), ("none", BrowserSettings::None)];

impl HowArgs {
    fn apply(&self, options: &mut Options) {
        options.private_ranges.clone_from(&self.private_ranges);
        options.resolvers.clone_from(&self.resolvers);
        options.proxy = self.proxy.clone().unwrap_or_default();
        options.step_timeout = self.timeout.unwrap_or(options.step_timeout);
        options.deadline = self.deadline.unwrap_or(options.deadline);
        options.repeat = self.repeat.unwrap_or(options.repeat);
        options.only.clone_from(&self.only);
        options.skip.clone_from(&self.skip);
        options.files_only = self.root.is_some();
        options.browsers = self.browsers.unwrap_or_default();
        self.ask.apply(options);
    }
}

#[cfg(test)]
mod tests;
