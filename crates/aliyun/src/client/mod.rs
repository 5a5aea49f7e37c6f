//! The client of `mqtt-p2p-core`, set up for the service.

mod login;
mod profile;
mod publish_p2p;

pub use profile::profile;
pub use publish_p2p::{PublishP2p, PublishP2pError};
