//! `ldap_messages`, driven by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steading_fuzz::targets::identity::ldap_messages(data));
