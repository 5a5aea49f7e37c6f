//! The packets' tests in one program.
#![allow(clippy::duplicate_mod, reason = "each file has the modules that it shares with others to itself")]
#![allow(missing_docs, unreachable_pub)]

#[path = "../../../crates/packet/tests/differential.rs"]
mod differential;
#[path = "../../../crates/packet/tests/encode.rs"]
mod encode;
#[path = "../../../crates/packet/tests/golden.rs"]
mod golden;
#[path = "../../../crates/packet/tests/head.rs"]
mod head;
#[path = "../../../crates/packet/tests/malformed.rs"]
mod malformed;
#[path = "../../../crates/packet/tests/properties.rs"]
mod properties;
#[path = "../../../crates/packet/tests/reason.rs"]
mod reason;
#[path = "../../../crates/packet/tests/texts.rs"]
mod texts;
#[path = "../../../crates/packet/tests/topic_matching.rs"]
mod topic_matching;
#[path = "../../../crates/packet/tests/traps.rs"]
mod traps;
#[path = "../../../crates/packet/tests/utf8.rs"]
mod utf8;
