#![no_main]

use ampls_doctor::cli::parsers::PARSERS;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ampls_probes::testing::parsers::fuzz(&PARSERS, "azure-facts", bytes));
