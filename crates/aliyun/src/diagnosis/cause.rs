//! The likely causes for which the service closes a connection, and what to do about them.

use core::fmt;

/// The likely cause for which the service closed a connection, from [`Diagnosis::explain`](crate::Diagnosis::explain).
///
/// It is an inference, because MQTT 3.1.1 gives the service no way to state a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause<'a> {
    /// There is no likely cause beyond the disconnect reason itself.
    None,
    /// The service closed the connection instead of answering CONNECT.
    Login,
    /// A packet was larger than the service accepts.
    Oversize {
        /// The approximate length in bytes.
        length: usize,
    },
    /// A topic was longer than the service accepts.
    TopicTooLong {
        /// The length in bytes.
        length: usize,
    },
    /// A parent topic does not exist, or the client has no permission for it.
    TopicNotAuthorised {
        /// The parent topic.
        parent: &'a str,
    },
    /// Another client uses the same client id.
    Takeover,
}

impl Cause<'_> {
    /// Returns what to do about it, in one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::None => "follow the advice of the disconnect reason",
            Self::Login => {
                "check that the group id exists in the console, and that the client id has at most 64 characters of \
                 0-9A-Za-z_-@"
            }
            Self::Oversize { .. } => "send at most 64 KB per message, or get a contract that allows more",
            Self::TopicTooLong { .. } => {
                "shorten the topic to 64 characters; for P2P, use a shorter client id"
            }
            Self::TopicNotAuthorised { .. } => {
                "create the parent topic in the console and grant the client's key or token access to it; if both are \
                 done, look for another client with the same client id"
            }
            Self::Takeover => "make sure that no other client uses this client id",
        }
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no likely cause beyond the disconnect reason"),
            Self::Login => f.write_str("the service closed the connection instead of answering the login"),
            Self::Oversize { length } => {
                write!(f, "the service may have closed the connection because of a packet of {length} bytes")
            }
            Self::TopicTooLong { length } => {
                write!(f, "the service may have closed the connection because of a topic of {length} bytes")
            }
            Self::TopicNotAuthorised { parent } => {
                write!(
                    f,
                    "the service may have closed the connection because of the first use of parent topic {parent}"
                )
            }
            Self::Takeover => f.write_str("another client may use the same client id"),
        }
    }
}
