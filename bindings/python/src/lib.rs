//! The compiled part of the Python package `mqtt_p2p`: the client of `mqtt-p2p-core` as a thread-safe class, ApsaraMQ's
//! rules, and the emulator's state machine for tests.
//!
//! There is no protocol here: Python values become slices and enums, a call goes down, and what it tells becomes objects.
//! No lock is held while Python runs. What users read is `python/mqtt_p2p/_core.pyi`.
#![forbid(unsafe_code)]

mod aliyun;
mod buffer;
mod client;
mod config;
mod driver;
mod emulator;
mod errors;
mod events;
mod message;
mod reasons;
mod tickets;
mod tokens;
mod told;
mod websocket;

/// The module, as Python imports it.
#[pyo3::pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::aliyun::{
        ClientId, P2p, limits, p2p_topic, parse_p2p, sign, topic_warning, user_name_and_password,
    };
    #[pymodule_export]
    use crate::client::Core;
    #[pymodule_export]
    use crate::emulator::Emulator;
    #[pymodule_export]
    use crate::events::{
        CloseTransport, Connected, Disconnected, Dropped, OpenTransport, Published, Refused, Rejected,
        Subscribed, SubscriptionLost, TokenExpires, TokenFailed, TokenInvalid, TokenNeeded, TokenRenewed,
        Unsubscribed,
    };
    #[pymodule_export]
    use crate::message::{Message, topic_matches};
}
