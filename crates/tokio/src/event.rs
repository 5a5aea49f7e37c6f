//! What happens to the connection, for who wants to watch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    Disconnected {
        /// Why, as far as the evidence goes.
        reason: DisconnectReason,
        /// What the operating system, TLS or the server said, or at which step it was stuck.
        detail: Option<Arc<str>>,
        /// When the next attempt follows; `None`: not before [`Client::reconnect`](crate::Client::reconnect).
        retry_in: Option<Duration>,
    },
    /// After a reconnect the server no longer granted a subscription that it had granted before.
    SubscriptionLost {
        /// Its topic filter.
        filter: String,
    },
}

impl ConnectionEvent {
    /// What to do about it, in one sentence; `None` if all is well.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Connected { .. } => None,
            Self::Refused { reason, .. } => Some(crate::error::refusal_advice(*reason)),
            Self::Disconnected { reason, .. } => Some(reason.advice()),
            Self::SubscriptionLost { .. } => Some("check the permission for this topic"),
        }
    }
}

impl ConnectionEvent {
    /// Why there is no connection, if it ended.
    pub(crate) fn failure(&self) -> Option<ConnectError> {
        match self {
            Self::Refused { reason, .. } => Some(ConnectError::Refused(*reason)),
            Self::Disconnected { reason, detail, .. } => {
                Some(ConnectError::Failed { reason: *reason, detail: detail.clone() })
            }
            Self::Connected { .. } | Self::SubscriptionLost { .. } => None,
        }
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
            Self::SubscriptionLost { filter } => {
                return write!(f, "the subscription to {filter} was refused");
            }
            Self::Refused { reason, retry_in } => {
                write!(f, "log-in refused: {reason}")?;
                retry_in
            }
            Self::Disconnected { reason, detail, retry_in } => {
                reason.fmt(f)?;
                if let Some(detail) = detail {
                    write!(f, " ({detail})")?;
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
