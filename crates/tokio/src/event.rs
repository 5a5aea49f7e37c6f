//! What happens to the connection, for who wants to watch.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt_p2p_aliyun::{InvalidReason, TokenKind, TokenNotice};
use mqtt_p2p_core::{DisconnectReason, ReasonCode};
use tokio::sync::broadcast;

use crate::endpoint::Endpoint;
use crate::error::ConnectError;

/// A change of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The server accepted the log-in.
    #[non_exhaustive]
    Connected {
        /// Which of the endpoints it is.
        endpoint: Arc<Endpoint>,
        /// Whether there was a connection before.
        again: bool,
        /// Whether it continues a session.
        session_present: bool,
    },
    /// The server refused the log-in.
    Refused {
        /// Its reason.
        reason: ReasonCode,
        /// When the next attempt follows; `None`: not before [`Client::reconnect`](crate::Client::reconnect).
        retry_in: Option<Duration>,
    },
    /// The connection ended, or an attempt failed.
    #[non_exhaustive]
    Disconnected {
        /// Why, as far as the evidence goes.
        reason: DisconnectReason,
        /// What the operating system, TLS or the server said, or at which step it was stuck.
        detail: Option<Arc<str>>,
        /// What the server may have done it for, if there is a hint: MQTT 3.1.1 has no way to say so.
        likely_cause: Option<Cause>,
        /// When the next attempt follows; `None`: not before [`Client::reconnect`](crate::Client::reconnect).
        retry_in: Option<Duration>,
    },
    /// ApsaraMQ says that a token is about to expire. A [`TokenSource`](crate::TokenSource) has been asked for the next
    /// one, if there is one.
    TokenExpires {
        /// The token's type.
        kind: TokenKind,
        /// When it does.
        at: SystemTime,
    },
    /// ApsaraMQ says that a token is not valid; it is about to end the connection.
    TokenInvalid {
        /// The token's type.
        kind: TokenKind,
        /// Why.
        reason: InvalidReason,
    },
    /// ApsaraMQ has taken a new token, without a reconnect.
    TokenRenewed {
        /// The token's type.
        kind: TokenKind,
    },
    /// The [`TokenSource`](crate::TokenSource) gave none, or one that can't be used. It is asked again later.
    TokenFailed {
        /// What it said.
        detail: Arc<str>,
    },
    /// What was accepted can't be written to the session store. Nothing goes in or out until it can be: it is tried
    /// again every second.
    StoreFailed {
        /// What is wrong with it.
        detail: Arc<str>,
    },
    /// After a reconnect the server no longer granted a subscription that it had granted before.
    SubscriptionLost {
        /// Its topic filter.
        filter: String,
    },
    /// A [handler](crate::Client::on_message) gave an error or panicked. The connection is as it was, and the next
    /// message is handled.
    HandlerFailed {
        /// The topic filter of its stream; `None`: it gets all messages.
        filter: Option<String>,
        /// The error, or what the panic said, in the handler's own words.
        detail: Arc<str>,
    },
}

impl ConnectionEvent {
    /// What to do about it, in one sentence; `None` if all is well.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Connected { .. } => None,
            Self::Refused { reason, .. } => Some(crate::error::refusal_advice(*reason)),
            Self::Disconnected { likely_cause: Some(likely_cause), .. } => Some(likely_cause.advice()),
            Self::Disconnected { reason, .. } => Some(reason.advice()),
            Self::StoreFailed { .. } => {
                Some("make room on the disk, or correct its permissions; nothing accepted is lost meanwhile")
            }
            Self::TokenExpires { .. } | Self::TokenRenewed { .. } => None,
            Self::TokenInvalid { reason, .. } => Some(reason.advice()),
            Self::TokenFailed { .. } => Some("see to the server that issues tokens, and to the clocks"),
            Self::SubscriptionLost { .. } => Some("check the permission for this topic"),
            Self::HandlerFailed { .. } => Some(
                "correct the handler; with manual acknowledgement, the server delivers the message again",
            ),
        }
    }
}

impl ConnectionEvent {
    /// What the service says of a token.
    pub(crate) fn of_notice(notice: &TokenNotice) -> Option<Self> {
        match *notice {
            TokenNotice::Expire { kind, expires_at_ms } => {
                // A time that no clock shows is none.
                let at = UNIX_EPOCH.checked_add(Duration::from_millis(expires_at_ms))?;
                Some(Self::TokenExpires { kind, at })
            }
            TokenNotice::Invalid { kind, reason } => Some(Self::TokenInvalid { kind, reason }),
            _ => None,
        }
    }

    /// Why there is no connection, if it ended.
    pub(crate) fn failure(&self) -> Option<ConnectError> {
        match self {
            Self::Refused { reason, .. } => Some(ConnectError::Refused(*reason)),
            Self::Disconnected { reason, detail, .. } => {
                Some(ConnectError::Failed { reason: *reason, detail: detail.clone() })
            }
            _ => None,
        }
    }

    /// The same with no next attempt.
    pub(crate) fn for_good(mut self) -> Self {
        if let Self::Refused { retry_in, .. } | Self::Disconnected { retry_in, .. } = &mut self {
            *retry_in = None;
        }
        self
    }

    /// The same with the next attempt at once.
    pub(crate) fn at_once(mut self) -> Self {
        if let Self::Refused { retry_in, .. } | Self::Disconnected { retry_in, .. } = &mut self {
            *retry_in = Some(Duration::ZERO);
        }
        self
    }
}

impl fmt::Display for ConnectionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retry_in = match self {
            Self::Connected { session_present: true, .. } => {
                return f.write_str("connected, session continued");
            }
            Self::Connected { session_present: false, .. } => return f.write_str("connected"),
            Self::TokenExpires { kind, .. } => return write!(f, "the {kind} token is about to expire"),
            Self::TokenInvalid { kind, reason } => {
                return write!(f, "the {kind} token is not valid: {reason}");
            }
            Self::TokenRenewed { kind } => return write!(f, "a new {kind} token is in use"),
            Self::TokenFailed { detail } => return write!(f, "no new token: {detail}"),
            Self::StoreFailed { detail } => return f.write_str(detail),
            Self::SubscriptionLost { filter } => {
                return write!(f, "the subscription to {filter} was refused");
            }
            Self::HandlerFailed { filter, detail } => {
                let filter = filter.as_deref().unwrap_or("all messages");
                return write!(f, "the handler of {filter} failed: {detail}");
            }
            Self::Refused { reason, retry_in } => {
                write!(f, "log-in refused: {reason}")?;
                retry_in
            }
            Self::Disconnected { reason, detail, likely_cause, retry_in } => {
                reason.fmt(f)?;
                if let Some(detail) = detail {
                    write!(f, " ({detail})")?;
                }
                if let Some(likely_cause) = likely_cause {
                    write!(f, "; likely cause: {likely_cause}")?;
                }
                retry_in
            }
        };
        match retry_in {
            Some(wait) => write!(f, "; next attempt in {:.1} s", wait.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// The likely cause why ApsaraMQ closed a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It closed the connection instead of answering the log-in.
    Login,
    /// A packet was larger than the service takes.
    Oversize {
        /// Its length in bytes, about.
        length: usize,
    },
    /// A topic was longer than the service takes.
    TopicTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A parent topic does not exist, or this client may not use it.
    TopicNotAuthorised {
        /// The parent topic.
        parent: Arc<str>,
    },
    /// Another client uses the same client id.
    Takeover,
}

impl Cause {
    pub(crate) fn of(cause: mqtt_p2p_aliyun::Cause<'_>) -> Option<Self> {
        use mqtt_p2p_aliyun::Cause as Known;
        Some(match cause {
            Known::Login => Self::Login,
            Known::Oversize { length } => Self::Oversize { length },
            Known::TopicTooLong { length } => Self::TopicTooLong { length },
            Known::TopicNotAuthorised { parent } => Self::TopicNotAuthorised { parent: parent.into() },
            Known::Takeover => Self::Takeover,
            _ => return None,
        })
    }

    fn borrow(&self) -> mqtt_p2p_aliyun::Cause<'_> {
        use mqtt_p2p_aliyun::Cause as Known;
        match self {
            Self::Login => Known::Login,
            Self::Oversize { length } => Known::Oversize { length: *length },
            Self::TopicTooLong { length } => Known::TopicTooLong { length: *length },
            Self::TopicNotAuthorised { parent } => Known::TopicNotAuthorised { parent },
            Self::Takeover => Known::Takeover,
        }
    }

    /// What to do about it, in one sentence.
    pub fn advice(&self) -> &'static str {
        self.borrow().advice()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

/// A stream of [`ConnectionEvent`]s, from [`Client::events`](crate::Client::events).
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<ConnectionEvent>);

impl Events {
    /// The next event; `None` when the client has been closed. Who falls more than 64 events behind misses the
    /// oldest.
    ///
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<ConnectionEvent> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
