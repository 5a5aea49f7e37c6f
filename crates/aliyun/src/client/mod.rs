//! The client of `mqtt-p2p-core`, set up for the service.

mod profile;

pub use profile::{PublishP2p, PublishP2pError, profile};
