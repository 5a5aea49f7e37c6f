//! What a server sends, as handshake or as frames: `cargo +nightly fuzz run websocket`. The properties are those of
//! the crate's tests, which also replay the corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/websocket/tests/common/mod.rs"]
mod common;

fuzz_target!(|input: &[u8]| common::check::check(input));
