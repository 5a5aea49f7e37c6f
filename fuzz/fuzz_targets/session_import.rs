#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mqtt_p2p_fuzzing::session_import(input));
