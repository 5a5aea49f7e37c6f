//! What must hold for any bytes: each function is the body of the fuzz target of its name (`fuzz/fuzz_targets`), and
//! the test `corpora` replays what fuzzing kept on a stable compiler.
//!
//! A function panics if something does not hold. It never fails for what its input is.

// The drivers and checks of the crates' own tests, so that fuzzing and they ask for the same.
#[path = "../../../crates/websocket/tests/common/mod.rs"]
mod common;
#[path = "../../../crates/core/tests/common/mod.rs"]
mod driver;

mod notices;
mod packets;
mod session;
mod session_import;
mod topics;

pub use notices::token_notices;
pub use packets::{chunked, decode, round_trip};
pub use session::session;
pub use session_import::session_import;
pub use topics::topic_matching;

/// A server's bytes to the WebSocket, as handshake or as frames, beside another library.
pub fn websocket(input: &[u8]) {
    common::check::check(input);
}

/// Any number as a quality of service.
fn qos(number: u8) -> mqtt_p2p_packet::QoS {
    mqtt_p2p_packet::QoS::from_bits(number % 3).expect("0 to 2")
}

/// A fuzz target: what it is called, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. Each has a corpus in `fuzz/corpus` and a dictionary in `fuzz/dictionaries`.
pub const TARGETS: [Target; 8] = [
    ("decode", decode),
    ("round_trip", round_trip),
    ("chunked", chunked),
    ("session", session),
    ("session_import", session_import),
    ("topic_matching", topic_matching),
    ("token_notices", token_notices),
    ("websocket", websocket),
];
