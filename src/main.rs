//! The program: parses, runs, and leaves with the promised exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ampls_doctor::cli::run(std::env::args_os()))
}
