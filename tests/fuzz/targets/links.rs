#![no_main]

use ampls_probes::testing::parsers::PARSERS;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ampls_probes::testing::parsers::fuzz(&PARSERS, "links", bytes));
