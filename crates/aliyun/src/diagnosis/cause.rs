//! What the service may have closed a connection for, and what to do about it.

use core::fmt;

/// What the service may have closed a connection for. It is a cause: the service does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause<'a> {
    /// Nothing beyond the reason itself.
    None,
    /// The service closed the connection instead of answering the log-in.
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
        parent: &'a str,
    },
    /// Another client uses the same client id.
    Takeover,
}

impl Cause<'_> {
    /// What to do about it, in one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::None => "follow the advice of the reason itself",
            Self::Login => {
                "check that the group id exists in the console, and that the client id has no more than 64 characters \
                 of 0-9A-Za-z_-@"
            }
            Self::Oversize { .. } => "send less than 64 KB at once, or ask for a contract that allows more",
            Self::TopicTooLong { .. } => "shorten the topic to 64 characters, for P2P by a shorter client id",
            Self::TopicNotAuthorised { .. } => {
                "create the parent topic in the console, and allow this client's key or token to use it; if both is \
                 done, look for another client with this client id"
            }
            Self::Takeover => "make sure that no other client uses this client id",
        }
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing is suspected beyond that"),
            Self::Login => f.write_str("the service closed the connection instead of answering the log-in"),
            Self::Oversize { length } => {
                write!(f, "the service may have closed the connection for a packet of {length} bytes")
            }
            Self::TopicTooLong { length } => {
                write!(f, "the service may have closed the connection for a topic of {length} bytes")
            }
            Self::TopicNotAuthorised { parent } => {
                write!(
                    f,
                    "the service may have closed the connection for the first use of parent topic {parent}"
                )
            }
            Self::Takeover => f.write_str("another client may use the same client id"),
        }
    }
}
