//! `plan`: what `check` would look at.

use ampls_probes::World;
use ampls_probes::plan::{Discovered, MetadataState};
use ampls_probes::run::{discover, prepared};

use super::catalogue;
use super::check::root;
use crate::cli::args::{PlanArgs, PlanFormat, TalkArgs, doubts};
use crate::cli::exit::{Failure, announce_file, say};
use crate::cli::input;
use crate::cli::output::{self, Output};
use crate::render;

pub(in crate::cli) fn plan(arguments: &PlanArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let mut options = arguments.options()?;
    options.expected_records = input::expected_records(arguments.how.expected_records.as_deref())?;
    let format = arguments.format().map_err(Failure::Usage)?;
    for doubt in doubts(&arguments.look, &arguments.how) {
        say(talk, &doubt);
    }
    let output = Output::open(arguments.output.as_deref())?;
    let root = root(&arguments.how, options.deadline)?;
    let asked = options.clone();
    let found = prepared(options.deadline, move || discover(&World::from_system(root.as_deref(), None), &asked))?;
    // Nothing is asked, so nothing can be waited for.
    let discovered = Discovered { metadata: MetadataState::Silent, ..found };
    let plan = ampls_probes::plan::plan(&catalogue()?, &options, &discovered);
    let style = output::style(&output, talk);
    output.write(|out| match format {
        PlanFormat::Table => render::plan::table(&plan, style.width.unwrap_or(usize::MAX), out),
        PlanFormat::Json => render::plan::json(&plan, out),
        PlanFormat::Firewall => render::plan::firewall(&plan, out),
    })?;
    announce_file(&format!("Plan of {} names", plan.endpoints.len()), arguments.output.as_deref(), talk);
    Ok(0)
}
