//! The core's tests in one program.
#![allow(clippy::duplicate_mod, reason = "each file has the modules that it shares with others to itself")]
#![allow(missing_docs, unreachable_pub)]

#[path = "../../../crates/core/tests/alone.rs"]
mod alone;
#[path = "../../../crates/core/tests/connecting.rs"]
mod connecting;
#[path = "../../../crates/core/tests/fixed.rs"]
mod fixed;
#[path = "../../../crates/core/tests/keep_alive.rs"]
mod keep_alive;
#[path = "../../../crates/core/tests/keeping.rs"]
mod keeping;
#[path = "../../../crates/core/tests/optional.rs"]
mod optional;
#[path = "../../../crates/core/tests/pacing.rs"]
mod pacing;
#[path = "../../../crates/core/tests/parts.rs"]
mod parts;
#[path = "../../../crates/core/tests/publishing.rs"]
mod publishing;
#[path = "../../../crates/core/tests/receiving.rs"]
mod receiving;
#[path = "../../../crates/core/tests/secrets.rs"]
mod secrets;
#[path = "../../../crates/core/tests/session_bytes.rs"]
mod session_bytes;
#[path = "../../../crates/core/tests/session_model.rs"]
mod session_model;
#[path = "../../../crates/core/tests/session_vectors.rs"]
mod session_vectors;
#[path = "../../../crates/core/tests/subscribing.rs"]
mod subscribing;
#[path = "../../../crates/core/tests/texts.rs"]
mod texts;
#[path = "../../../crates/core/tests/traps.rs"]
mod traps;
#[path = "../../../crates/core/tests/without_exactly_once.rs"]
mod without_exactly_once;
