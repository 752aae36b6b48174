//! The program: parses, runs, and leaves with the promised exit status.

use std::panic;
use std::process::ExitCode;

fn main() -> ExitCode {
    ampls_probes::os::renounce_new_rights();
    panic::set_hook(Box::new(ampls_doctor::cli::on_panic));
    ExitCode::from(ampls_doctor::cli::run(std::env::args_os()))
}
