//! P2P messages by the client of `mqtt-p2p-core`.

use core::fmt;

use mqtt_p2p_core::{Client, Error, Publication, QoS, Storage, Ticket, TopicError, TopicName};

use crate::identifiers::{P2pTopic, P2pTopicError};

/// P2P messages for the client of `mqtt-p2p-core`.
///
/// ```
/// use mqtt_p2p_aliyun::{PublishP2p, profile};
/// use mqtt_p2p_core::{Client, Inline, QoS};
///
/// let mut client = Client::new(profile(), 42, Inline::<1024>::new());
/// let ticket = client.publish_p2p("devices", "GID_Test@@@0001", b"hello", QoS::AtLeastOnce)?;
/// # Ok::<(), mqtt_p2p_aliyun::PublishP2pError>(())
/// ```
pub trait PublishP2p {
    /// Accepts a message for one client id. The target needs no subscription; the publisher needs the permission to
    /// publish to the parent topic.
    ///
    /// # Errors
    /// A parent topic or client id against the rules; whatever
    /// [`Client::publish`](mqtt_p2p_core::Client::publish) may answer. Nothing was accepted.
    fn publish_p2p(
        &mut self,
        parent: &str,
        target: &str,
        payload: &[u8],
        qos: QoS,
    ) -> Result<Ticket, PublishP2pError>;
}

/// Why a P2P message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PublishP2pError {
    /// Caller: parent topic or target is against the service's rules.
    Topic(P2pTopicError),
    /// Caller: no topic name can be made of them.
    TopicName(TopicError),
    /// The client did not accept it.
    NotAccepted(Error),
}

impl fmt::Display for PublishP2pError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(error) => fmt::Display::fmt(error, f),
            Self::TopicName(error) => fmt::Display::fmt(error, f),
            Self::NotAccepted(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for PublishP2pError {}

impl<S: Storage> PublishP2p for Client<S> {
    fn publish_p2p(
        &mut self,
        parent: &str,
        target: &str,
        payload: &[u8],
        qos: QoS,
    ) -> Result<Ticket, PublishP2pError> {
        let topic = P2pTopic::new(parent, target).map_err(PublishP2pError::Topic)?;
        let topic = TopicName::new(topic.as_str()).map_err(PublishP2pError::TopicName)?;
        self.publish(&Publication { topic, payload, qos, retain: false })
            .map_err(PublishP2pError::NotAccepted)
    }
}
