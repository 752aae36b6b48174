//! Arguments as they are taken and refused.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn check(arguments: &[&str]) -> CheckArgs {
    let cli = Cli::try_parse_from([&["ampls-doctor"], arguments].concat()).expect("valid arguments");
    let (Command::Check(check), _) = cli.into_command() else { panic!("not `check`") };
    *check
}

fn refused(arguments: &[&str]) -> clap::Error {
    Cli::try_parse_from([&["ampls-doctor"], arguments].concat()).expect_err("a refusal")
}

#[test]
fn declaration_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_a_page() {
    let command = Cli::command();
    let commands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(COMMANDS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), commands);
}

#[test]
fn check_is_the_default_and_needs_no_argument() {
    let options = check(&[]).options().expect("options");
    assert_eq!((options.expect, options.repeat), (Expect::Auto, 2));
    assert_eq!(check(&["check", "--expect", "private"]).look.expect, Expect::Private);
    assert_eq!(check(&["--expect", "private"]).look.expect, Expect::Private);
}

#[test]
fn lists_are_repeatable_and_comma_separated() {
    let options = check(&["--set", "query,portal", "--set", "arc", "--resolver", "10.1.0.4,[fd00::4]:5353"]).options();
    let options = options.expect("options");
    assert_eq!(options.sets, [Group::Query, Group::Portal, Group::Arc]);
    assert_eq!(options.resolvers.len(), 2);
    assert_eq!(check(&["--set", "all"]).options().expect("options").sets, Group::SETS);
}

#[test]
fn bad_value_is_one_line_with_exit_status_two() {
    let table: [&[&str]; 12] = [
        &["--workspace", "abc"],
        &["--workspace", "11111111-2222-3333-4444-555555555555,x\u{1b}[31m"],
        &["--dce", "example.net"],
        &["--app-insights", "InstrumentationKey=geheim;IngestionEndpoint=:"],
        &["--storage", "A"],
        &["--endpoint", "x"],
        &["--private-range", "10.0.0.0/40"],
        &["--resolver", "dns.example.net"],
        &["--proxy", "ftp://u:geheim@h"],
        &["--region", "west-europe"],
        &["--timeout", "0"],
        &["--set", "everything\n"],
    ];
    for arguments in table {
        let error = refused(arguments);
        let text = error.to_string();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::ValueValidation, 2), "{arguments:?}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        assert!(!text.trim_end().chars().any(char::is_control) && !text.contains("geheim"), "{text}");
        assert!(text.contains(arguments[0]), "{text}");
    }
}

#[test]
fn contradicting_clouds_are_refused() {
    let arguments = ["--cloud", "china", "--region", "westeurope"];
    assert!(check(&arguments).options().is_err());
}

#[test]
fn steps_that_exclude_each_other_are_refused() {
    let arguments = ["--only", "dns", "--skip", "dns"];
    assert!(check(&arguments).options().is_err());
    let cli = Cli::try_parse_from([&["ampls-doctor", "plan"], &arguments[..]].concat()).expect("valid arguments");
    let (Command::Plan(plan), _) = cli.into_command() else { panic!("not `plan`") };
    assert!(plan.options().is_err());
}

#[test]
fn help_holds_the_exit_status() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("Exit status:") && help.contains("Examples:"));
}
