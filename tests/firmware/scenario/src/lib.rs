//! What every firmware does, apart from any board, network and client: which messages it sends, to whom, and what must
//! come back. A firmware's main loop sends what [`Exchange::next`] gives, and hands over what comes.
//!
//! The host has the other end, so it uses the [payloads](payload) too.
#![no_std]
#![forbid(unsafe_code)]

mod exchange;
pub mod payload;
mod seen;
mod settings;

pub use exchange::{Exchange, Fault, Outgoing, Progress, Target};
pub use seen::Seen;
pub use settings::{BadSetting, Settings};
