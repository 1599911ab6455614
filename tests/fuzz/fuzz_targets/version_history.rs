#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dataminer_reconciler_tests::fuzz::version_history(data));
