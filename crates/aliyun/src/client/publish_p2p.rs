//! Publishes P2P messages through the client of `mqtt-p2p-core`.

use core::fmt;

use mqtt_p2p_core::{Client, Error, Publication, QoS, Storage, Ticket, TopicError, TopicName};

use crate::identifiers::{P2pTopic, P2pTopicError};

/// Extends the client of `mqtt-p2p-core` with P2P messages.
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
    /// Publishes a message to one client, given by its full client id.
    ///
    /// The target needs no subscription. The publisher needs the permission to publish to the parent topic. The message
    /// is queued; the returned ticket identifies it in later events.
    ///
    /// # Errors
    ///
    /// Returns the rule of [`P2pTopic::new`] that the parent topic or the target breaks, or the error of
    /// [`Client::publish`](mqtt_p2p_core::Client::publish). In both cases the message is not queued.
    fn publish_p2p(
        &mut self,
        parent: &str,
        target: &str,
        payload: &[u8],
        qos: QoS,
    ) -> Result<Ticket, PublishP2pError>;
}

/// The error of [`PublishP2p::publish_p2p`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PublishP2pError {
    /// The parent topic or the target breaks a rule of the service.
    Topic(P2pTopicError),
    /// The topic is not a valid MQTT topic name.
    TopicName(TopicError),
    /// The client did not accept the message.
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
        self.publish(&Publication::new(topic, payload).with_qos(qos)).map_err(PublishP2pError::NotAccepted)
    }
}
