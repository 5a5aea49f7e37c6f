//! Why a call was not taken. Nothing has happened then, and nothing accepted before is lost.

use core::fmt;

use mqtt_p2p_packet::EncodeError;

/// Why a request was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// Resources: the client's memory is full for now. Go on polling and try again after a terminal event of an
    /// earlier request, or give the client more.
    Full(Need),
    /// Caller: larger than this client's memory can ever hold, or than the service takes.
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most that fits.
        max: usize,
    },
    /// Network: there is no connection, and [`Config::offline`](crate::Config::offline) says not to queue this.
    Offline,
    /// Caller: the service does not know retained messages; it would drop them or the connection.
    RetainUnsupported,
    /// Caller: a publication of QoS 2, and [`Config::exactly_once`](crate::Config::exactly_once) is off.
    ExactlyOnceOff,
    /// Caller: one subscription more than the service grants. It would ignore it without a word.
    TooManySubscriptions {
        /// The most it grants.
        max: u16,
    },
    /// Caller: no MQTT packet can say this.
    Invalid(EncodeError),
    /// Caller: there is nothing to acknowledge: the message belongs to a connection or session that is gone, its QoS 2
    /// has been acknowledged, or [`Config::manual_ack`](crate::Config::manual_ack) is off. What was not acknowledged in
    /// time, the server delivers again.
    Stale,
    /// Caller: a session can only be taken over, and what is optional only be asked for, by a client that has accepted
    /// nothing and is not connecting.
    InUse,
}

/// Which memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Need {
    /// So many bytes in one piece for outgoing packets.
    Bytes(usize),
    /// A place for one more request.
    Requests,
    /// So many bytes for acknowledgements, pings and the log-in.
    Control(usize),
    /// So many bytes for the list of subscriptions.
    Subscriptions(usize),
    /// A place for one more incoming message of QoS 2.
    Inbound,
}

impl Error {
    /// Which memory is short, if that is it.
    #[inline]
    pub(crate) const fn need(&self) -> Option<Need> {
        match self {
            Self::Full(need) => Some(*need),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Full(need) => {
                f.write_str("the client's memory is full: ")?;
                match need {
                    Need::Bytes(bytes) => write!(f, "{bytes} bytes are needed for outgoing packets")?,
                    Need::Requests => f.write_str("no more requests can be under way")?,
                    Need::Control(bytes) => write!(f, "{bytes} bytes are needed for control packets")?,
                    Need::Subscriptions(bytes) => write!(f, "{bytes} bytes are needed for subscriptions")?,
                    Need::Inbound => f.write_str("too many incoming messages of QoS 2 are under way")?,
                }
                f.write_str("; try again when an earlier request has ended")
            }
            Self::TooLarge { size, max } => {
                write!(f, "{size} bytes are more than the {max} that can be sent")
            }
            Self::Offline => f.write_str("there is no connection, and nothing is queued by configuration"),
            Self::RetainUnsupported => {
                f.write_str("the service does not support retained messages; publish without retain")
            }
            Self::ExactlyOnceOff => {
                f.write_str("the client was made without QoS 2; publish at QoS 1, or turn it on")
            }
            Self::TooManySubscriptions { max } => {
                write!(
                    f,
                    "the service grants {max} subscriptions and ignores more; unsubscribe first, or use wildcards"
                )
            }
            Self::Invalid(error) => fmt::Display::fmt(&error, f),
            Self::Stale => {
                f.write_str("there is nothing to acknowledge: that was done, or the connection is gone")
            }
            Self::InUse => f.write_str("the client is in use; do this before anything else"),
        }
    }
}

impl core::error::Error for Error {}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::Invalid(error)
    }
}
