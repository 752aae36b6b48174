//! Asking those who are asked only where that is wanted: Azure itself, and resolvers that are asked encrypted.

use ampls_probes::Options;
use ampls_probes::options::AskAzure;
use clap::Args;

use super::value::OneOf;

/// Asking Azure itself, and resolvers that are asked encrypted.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct AskArgs {
    /// Also ask Azure's control service which rules this machine has and where it gets them, with the machine's own identity, as the agent does; `=ingestion` asks too whether upload tokens are granted (they could write, so none is read)
    #[arg(long, value_name = "rules|ingestion", num_args = 0..=1, require_equals = true, default_missing_value = "rules", value_parser = OneOf(DEPTHS))]
    pub ask_azure: Option<AskAzure>,
    /// Also ask the resolver that a browser or the system asks encrypted, for names that many customers share; its operator then sees them asked from this machine
    #[arg(long, value_name = "encrypted", value_parser = OneOf(VIEWS))]
    pub view: Option<View>,
}

/// A view that is taken only where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// That of the resolvers that browsers and the system ask encrypted.
    Encrypted,
}

const VIEWS: &[(&str, View)] = &[("encrypted", View::Encrypted)];

const DEPTHS: &[(&str, AskAzure)] = &[("rules", AskAzure::Rules), ("ingestion", AskAzure::Ingestion)];

impl AskArgs {
    pub(super) fn apply(self, options: &mut Options) {
        options.ask_azure = self.ask_azure;
        options.view_encrypted = self.view == Some(View::Encrypted);
    }
}
