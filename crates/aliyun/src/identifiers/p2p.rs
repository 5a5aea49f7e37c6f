//! P2P topics: `<parent topic>/p2p/<client id>`.

use core::fmt;

use heapless::String;

use crate::limits::{MAX_CLIENT_ID, MAX_PARENT_TOPIC, MIN_PARENT_TOPIC};
use crate::util::text::{DisplayChar, SLASH, first_outside_name_charset, without_trailing_slash};

/// The second level of a P2P topic and the slash that follows it.
const LEVEL: &str = "p2p/";

/// The topic of a P2P message, which the service delivers to one client: `<parent topic>/p2p/<client id>`.
///
/// The receiver needs no subscription. The sender needs the permission to publish to the parent topic (ApsaraMQ docs:
/// P2P messages).
///
/// The capacity suffices for the longest parent topic with the longest client id. The documentation limits topics to
/// [64](crate::limits::MAX_TOPIC_LEN) characters and does not say whether P2P topics are exempt:
/// [`topic_warning`](crate::topic_warning) reports longer ones.
///
/// ```
/// use mqtt_p2p_aliyun::P2pTopic;
///
/// let topic = P2pTopic::new("devices", "GID_test@@@d8_3b_da_4e_00_9c")?;
/// assert_eq!(topic.as_str(), "devices/p2p/GID_test@@@d8_3b_da_4e_00_9c");
/// # Ok::<(), mqtt_p2p_aliyun::P2pTopicError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct P2pTopic(String<{ Self::CAPACITY }>);

impl P2pTopic {
    /// The length of the longest P2P topic in bytes.
    pub const CAPACITY: usize = MAX_PARENT_TOPIC + "/".len() + LEVEL.len() + MAX_CLIENT_ID;

    /// Creates the topic from a parent topic and the full client id of the receiver.
    ///
    /// The parent topic is created in the console. It is a single level of 3 to 64 characters of `0-9A-Za-z_-`. The
    /// client id has 1 to 64 bytes without `/`, `+`, `#` and U+0000. Whether the two exist is not checked: the
    /// service disconnects a client that publishes to an unknown parent topic.
    ///
    /// # Errors
    ///
    /// Returns the first rule that the parent topic or the client id breaks.
    pub fn new(parent: &str, target: &str) -> Result<Self, P2pTopicError> {
        check_parent(parent)?;
        check_target(target)?;
        let mut topic = String::new();
        for part in [parent, "/", LEVEL, target] {
            // Never fails, since the checks limit the length of every part.
            topic.push_str(part).map_err(|_| P2pTopicError::TargetTooLong { length: target.len() })?;
        }
        Ok(Self(topic))
    }

    /// Returns the topic as PUBLISH carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_parent(parent: &str) -> Result<(), P2pTopicError> {
    if let Some(c) = first_outside_name_charset(parent) {
        return Err(P2pTopicError::ParentCharacter(c));
    }
    match parent.len() {
        length if length < MIN_PARENT_TOPIC => Err(P2pTopicError::ParentTooShort { length }),
        length if length > MAX_PARENT_TOPIC => Err(P2pTopicError::ParentTooLong { length }),
        _ => Ok(()),
    }
}

fn check_target(target: &str) -> Result<(), P2pTopicError> {
    if target.is_empty() {
        return Err(P2pTopicError::NoTarget);
    }
    if let Some(c) = target.chars().find(|c| matches!(c, '/' | '+' | '#' | '\0')) {
        return Err(P2pTopicError::TargetCharacter(c));
    }
    match target.len() {
        length if length > MAX_CLIENT_ID => Err(P2pTopicError::TargetTooLong { length }),
        _ => Ok(()),
    }
}

impl fmt::Display for P2pTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for P2pTopic {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// The parts of a P2P topic, from [`parse_p2p`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct P2p<'a> {
    /// The parent topic.
    pub parent: &'a str,
    /// The client id of the receiver.
    pub target: &'a str,
    /// The levels after the client id, without the slash before and one slash after them.
    ///
    /// They do not influence who receives the message (source code of `apache/rocketmq-mqtt`, the service's
    /// open-source kernel).
    pub rest: Option<&'a str>,
}

/// Splits a topic into the parts of a P2P topic. Returns `None` if it does not have that form.
///
/// The form is an optional `/`, the parent topic, `/p2p/`, the client id, and optionally `/` and more levels. One `/`
/// at the end is ignored.
///
/// Use the result only to display or count messages. The service can deliver a P2P message under any topic, since a
/// RocketMQ sender may set another one, and a subscriber can receive an ordinary message under a topic of this form.
/// No acknowledgement, dispatch or filter may depend on it.
///
/// ```
/// use mqtt_p2p_aliyun::parse_p2p;
///
/// let p2p = parse_p2p("devices/p2p/GID_test@@@1/cmd/").expect("it has the form of a P2P topic");
/// assert_eq!((p2p.parent, p2p.target, p2p.rest), ("devices", "GID_test@@@1", Some("cmd")));
/// assert_eq!(parse_p2p("devices/state"), None);
/// ```
pub fn parse_p2p(topic: &str) -> Option<P2p<'_>> {
    let topic = without_trailing_slash(topic.strip_prefix(SLASH).unwrap_or(topic));
    let (parent, below) = topic.split_once(SLASH)?;
    let below = below.strip_prefix(LEVEL)?;
    let (target, rest) = match below.split_once(SLASH) {
        Some((target, rest)) => (target, Some(rest)),
        None => (below, None),
    };
    (!parent.is_empty() && !target.is_empty()).then_some(P2p { parent, target, rest })
}

/// The rule that the parent topic or the client id of a P2P topic breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum P2pTopicError {
    /// The parent topic has fewer than [3](MIN_PARENT_TOPIC) characters.
    ParentTooShort {
        /// The length in characters.
        length: usize,
    },
    /// The parent topic has more than [64](MAX_PARENT_TOPIC) characters.
    ParentTooLong {
        /// The length in characters.
        length: usize,
    },
    /// The parent topic contains a character outside `0-9A-Za-z_-`.
    ParentCharacter(char),
    /// The receiver's client id is empty.
    NoTarget,
    /// The receiver's client id has more than [64](MAX_CLIENT_ID) bytes.
    TargetTooLong {
        /// The length in bytes.
        length: usize,
    },
    /// The receiver's client id contains `/`, `+`, `#` or U+0000 and therefore can't be a topic level.
    TargetCharacter(char),
}

impl fmt::Display for P2pTopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ParentTooShort { length } => write!(
                f,
                "the parent topic has {length} characters, fewer than {MIN_PARENT_TOPIC}: \
                 use one from the ApsaraMQ console"
            ),
            Self::ParentTooLong { length } => write!(
                f,
                "the parent topic has {length} characters, more than {MAX_PARENT_TOPIC}: \
                 use one from the ApsaraMQ console"
            ),
            Self::ParentCharacter(c) => write!(
                f,
                "the parent topic contains {}: use the first level only, of digits, ASCII letters, - and _",
                DisplayChar(c)
            ),
            Self::NoTarget => {
                f.write_str("the receiver's client id is empty: use the full <group id>@@@<device id>")
            }
            Self::TargetTooLong { length } => {
                write!(
                    f,
                    "the receiver's client id has {length} bytes, more than {MAX_CLIENT_ID}: \
                 use the id that it logs in with"
                )
            }
            Self::TargetCharacter(c) => write!(
                f,
                "the receiver's client id contains {}, which a topic level can't: choose another id for that client",
                DisplayChar(c)
            ),
        }
    }
}

impl core::error::Error for P2pTopicError {}
