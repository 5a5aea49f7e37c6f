//! What can go wrong with a call.

use std::fmt;
use std::sync::Arc;

use mqtt_p2p_aliyun::P2pTopicError;
use mqtt_p2p_core::{DisconnectReason, Error, ReasonCode, TopicError, TransportError};

/// Why the first attempt to connect failed. The client is gone; nothing of it goes on in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server refused the log-in. Trying again with the same one is useless, unless the server is unavailable.
    Refused(ReasonCode),
    /// No connection came about.
    Failed {
        /// Why, as far as the evidence goes.
        reason: DisconnectReason,
        /// What the operating system, TLS or the server said, or at which step it was stuck.
        detail: Option<Arc<str>>,
    },
    /// Caller: this process shares a connection of this client id to this endpoint already, made with other
    /// credentials or another configuration ([`Client::shared`](crate::Client::shared)). It is as it was.
    OtherOptions,
    /// The session store can't be used; the client is gone.
    Store {
        /// What is wrong with it, and what to do.
        detail: Arc<str>,
    },
}

/// Why a message was not accepted. Nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// Caller: not a topic name.
    Topic(TopicError),
    /// Caller: parent topic or target of a P2P message is against the service's rules.
    P2p(P2pTopicError),
    /// The client did not take it: too large, no room, or not without a connection.
    NotAccepted(Error),
    /// Peer: the server refused the message. Only MQTT 5 servers can say so.
    Rejected(ReasonCode),
    /// The client was closed. A message that had been accepted may not have been delivered.
    Closed,
}

/// Why there is no subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Caller: not a topic filter.
    Filter(TopicError),
    /// The client did not take the request: no room, too many, or not without a connection.
    NotAccepted(Error),
    /// The server refused the filter.
    Refused(ReasonCode),
    /// The client was closed before the server answered.
    Closed,
}

/// Why a message was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// Network: the connection (QoS 1) or the session (QoS 2) that it came over is gone. The server delivers the
    /// message again.
    Stale,
    /// Peer: it takes no bytes, and more than 100,000 acknowledgements wait already, twice as many as a server that
    /// keeps to the standard can ask for at a time. Try again later.
    ServerBehind,
    /// The client was closed.
    Closed,
}

impl ConnectError {
    /// What to do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Refused(reason) => refusal_advice(*reason),
            // Before the server has said a word, this is not what it means later.
            Self::Failed {
                reason: DisconnectReason::Transport(TransportError::Broken | TransportError::ClosedByPeer),
                ..
            } => {
                "check the port: one that expects TLS (mqtts://) or WebSocket hangs up on plain MQTT; a server may also \
                 refuse a log-in that way, and networks break: try again"
            }
            Self::Failed { reason, .. } => reason.advice(),
            Self::Store { .. } => "see what the session store says; a damaged one is never reset",
            Self::OtherOptions => "ask with the same options, or let the others leave first",
        }
    }
}

/// What to do about a refused log-in, in one sentence.
pub(crate) fn refusal_advice(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::UnsupportedProtocolVersion => "choose another protocol version",
        ReasonCode::ClientIdentifierNotValid => {
            "check the client id: <GroupID>@@@<DeviceID>, at most 64 characters, and a group that exists"
        }
        ReasonCode::ServerUnavailable => "try again later",
        _ => "check access key, secret and instance id, and that the client id is the one that was signed",
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => {
                write!(f, "the server refused the log-in: {reason}")?;
                match reason.connack_code() {
                    Some(code) => write!(f, " (return code {code})"),
                    None => Ok(()),
                }
            }
            Self::Failed { reason, detail: Some(detail) } => write!(f, "{reason}: {detail}"),
            Self::Failed { reason, detail: None } => reason.fmt(f),
            Self::Store { detail } => f.write_str(detail),
            Self::OtherOptions => {
                f.write_str("the process has a connection of this client id already, with other options")
            }
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(error) => error.fmt(f),
            Self::P2p(error) => error.fmt(f),
            Self::NotAccepted(error) => error.fmt(f),
            Self::Rejected(reason) => {
                write!(f, "the server refused the message: {reason}; check the permission")
            }
            Self::Closed => f.write_str("the client was closed"),
        }
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(error) => error.fmt(f),
            Self::NotAccepted(error) => error.fmt(f),
            Self::Refused(reason) => {
                write!(f, "the server refused the subscription: {reason}; check the permission")
            }
            Self::Closed => f.write_str("the client was closed"),
        }
    }
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "the message's connection is gone; the server delivers it again",
            Self::ServerBehind => "the server does not take the acknowledgements that wait; try again later",
            Self::Closed => "the client was closed",
        })
    }
}

impl std::error::Error for AcknowledgeError {}
impl std::error::Error for ConnectError {}
impl std::error::Error for PublishError {}
impl std::error::Error for SubscribeError {}
