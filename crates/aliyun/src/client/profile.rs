//! The service's profile for the client of `mqtt-p2p-core`: its waiting times and limits, log-ins, P2P messages.

use core::fmt;

use mqtt_p2p_core::{
    Backoff, Client, Config, Error, Limits, Login, Publication, QoS, Resubscribe, Storage, Ticket,
    TopicError, TopicName,
};

use crate::identifiers::{P2pTopic, P2pTopicError};
use crate::limits;
use crate::login::LogIn;

/// How a client should behave towards ApsaraMQ:
///
/// - keep alive 90 s, never off and at most 480 s; 3 s to connect;
/// - back-off with full jitter, from 2 s (ApsaraMQ docs give no numbers; the official demo waits 2 s);
/// - payloads up to 64 KB, 30 subscriptions; the service would drop more, or the connection with it;
/// - no will and no retained messages, which the service does not know;
/// - subscriptions are asked for again after every CONNACK, since its word on the session can't be relied on.
///
/// ```
/// use mqtt_p2p_aliyun::profile;
/// use mqtt_p2p_core::{Client, Config, Inline};
///
/// let client = Client::new(Config { clean_session: true, ..profile() }, 42, Inline::<1024>::new());
/// ```
pub const fn profile() -> Config {
    Config {
        keep_alive_secs: limits::KEEP_ALIVE.as_secs() as u16,
        connect_timeout_ms: millis(limits::CONNECT_TIMEOUT),
        backoff: Backoff::Exponential { base_ms: millis(limits::RECONNECT_BASE), cap_ms: 60_000 },
        resubscribe: Resubscribe::Always,
        limits: Limits {
            max_payload: limits::MAX_PAYLOAD as u32,
            max_subscriptions: limits::MAX_SUBSCRIPTIONS as u16,
            retain: false,
            will: false,
            max_keep_alive_secs: limits::MAX_KEEP_ALIVE.as_secs() as u16,
        },
        ..Config::new()
    }
}

const fn millis(duration: core::time::Duration) -> u32 {
    duration.as_millis() as u32
}

impl<const USER_NAME: usize, const PASSWORD: usize> LogIn<USER_NAME, PASSWORD> {
    /// As the client of `mqtt-p2p-core` takes it.
    pub fn login<'a>(&'a self, client_id: &'a str) -> Login<'a> {
        Login::new(client_id).with_password(self.user_name(), self.password())
    }
}

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
