//! Connects this crate to the client of `mqtt-p2p-core`: configuration, login, P2P messages.

mod login;
mod profile;
mod publish_p2p;

pub use profile::profile;
pub use publish_p2p::{PublishP2p, PublishP2pError};
