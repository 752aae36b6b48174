//! `explain`: what is known about a code, an address or a host name.

use super::{catalogue, print};
use crate::cli::args::{ExplainArgs, TalkArgs};
use crate::cli::exit::Failure;
use crate::cli::output::{Output, style};
use crate::diagnose::rules::RULES;
use crate::render::explain::{self, RulePage};

pub(in crate::cli) fn explain(arguments: &ExplainArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let rules: Vec<RulePage> = RULES.iter().map(|rule| RulePage::from(*rule)).collect();
    let style = style(&Output::Stdout, talk);
    let Some(what) = &arguments.what else {
        return print(|out| explain::write_list(&rules, &style, out));
    };
    let topic = explain::find(what, &catalogue()?, &rules).map_err(Failure::Usage)?;
    print(|out| explain::write(&topic, &style, out))
}
