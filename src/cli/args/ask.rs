//! Asking Azure itself.

use ampls_probes::Options;
use ampls_probes::options::AskAzure;
use clap::Args;

use super::value::OneOf;

/// Asking Azure itself.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct AskArgs {
    /// Also ask Azure's control service which rules this machine has and where it gets them, with the machine's own identity, as the agent does; `=ingestion` asks too whether upload tokens are granted (they could write, so none is read)
    #[arg(long, value_name = "rules|ingestion", num_args = 0..=1, require_equals = true, default_missing_value = "rules", value_parser = OneOf(DEPTHS))]
    pub ask_azure: Option<AskAzure>,
}

const DEPTHS: &[(&str, AskAzure)] = &[("rules", AskAzure::Rules), ("ingestion", AskAzure::Ingestion)];

impl AskArgs {
    pub(super) fn apply(self, options: &mut Options) {
        options.ask_azure = self.ask_azure;
    }
}
