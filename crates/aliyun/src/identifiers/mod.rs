//! Client ids, topics and P2P topics, and the service's rules for them.

mod client_id;
mod p2p;
mod topic;

pub use client_id::{ClientId, ClientIdError};
pub use p2p::{P2p, P2pTopic, P2pTopicError, parse_p2p};
pub(crate) use topic::parent_of;
pub use topic::{TopicWarning, same_topic, topic_warning};
