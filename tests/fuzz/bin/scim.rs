//! `scim`, driven by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steading_fuzz::targets::scim::scim(data));
