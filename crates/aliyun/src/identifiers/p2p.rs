//! P2P topics: `<parent topic>/p2p/<client id>`.

use core::fmt;

use heapless::String;

use crate::limits::{MAX_CLIENT_ID, MAX_PARENT_TOPIC, MIN_PARENT_TOPIC};
use crate::util::text::{DisplayChar, SLASH, first_outside_name_charset, without_trailing_slash};

/// The second level of a P2P topic, with the slash behind it.
const LEVEL: &str = "p2p/";

/// The topic to publish to for one client to receive it (ApsaraMQ docs: P2P messages). The receiver needs no
/// subscription; the sender needs the right to publish to the parent topic.
///
/// It holds the longest parent topic with the longest client id, although the service's documentation limits
/// a topic to [64](crate::limits::MAX_TOPIC_LEN) characters without a word on P2P: see
/// [`topic_warning`](crate::topic_warning).
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
    /// The length in bytes of the longest P2P topic.
    pub const CAPACITY: usize = MAX_PARENT_TOPIC + "/".len() + LEVEL.len() + MAX_CLIENT_ID;

    /// Builds the topic from the parent topic, which is one level that was created in the console, and the
    /// full client id of the receiver.
    ///
    /// The parent topic must have 3 to 64 characters of `0-9A-Za-z_-`; the client id, 1 to 64 bytes without
    /// `/`, `+`, `#` and U+0000, so that it is one level. Whether they exist, only the service knows: it
    /// disconnects a client that publishes to a parent topic that does not.
    ///
    /// # Errors
    ///
    /// The first of these rules that is broken.
    pub fn new(parent: &str, target: &str) -> Result<Self, P2pTopicError> {
        check_parent(parent)?;
        check_target(target)?;
        let mut topic = String::new();
        for part in [parent, "/", LEVEL, target] {
            // The checks leave room enough; an error for the target's length is what a slip there would
            // deserve.
            topic.push_str(part).map_err(|_| P2pTopicError::TargetTooLong { length: target.len() })?;
        }
        Ok(Self(topic))
    }

    /// The topic, as it stands in PUBLISH.
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

/// A P2P topic, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct P2p<'a> {
    /// The parent topic.
    pub parent: &'a str,
    /// The client id of the receiver.
    pub target: &'a str,
    /// What follows the client id, without the slash before and one slash behind it; the service's
    /// open-source kernel ignores it when it looks for the receiver.
    pub rest: Option<&'a str>,
}

/// Takes a topic apart if it looks like a P2P topic: an optional `/`, the parent topic, `/p2p/`, the client
/// id, and optionally `/` and more levels. One `/` at the end does not count.
///
/// It is advice only, to show or to count messages by: the service can deliver a P2P message under any topic
/// (a sender through RocketMQ may set another one), and a subscriber can be sent an ordinary message under a
/// topic that looks like this. No acknowledgement, dispatch or filter may depend on it.
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

/// Why there is no P2P topic for a parent topic and a client id. It is the fault of who chose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum P2pTopicError {
    /// The parent topic has fewer than [3](MIN_PARENT_TOPIC) characters.
    ParentTooShort {
        /// Its length in characters.
        length: usize,
    },
    /// The parent topic has more than [64](MAX_PARENT_TOPIC) characters.
    ParentTooLong {
        /// Its length in characters.
        length: usize,
    },
    /// The parent topic holds a character outside `0-9A-Za-z_-`.
    ParentCharacter(char),
    /// The receiver's client id is empty.
    NoTarget,
    /// The receiver's client id has more than [64](MAX_CLIENT_ID) bytes.
    TargetTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The receiver's client id holds `/`, `+`, `#` or U+0000 and so can't be a level of a topic.
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
                "the parent topic holds {}: give the first level only, of digits, ASCII letters, - and _",
                DisplayChar(c)
            ),
            Self::NoTarget => {
                f.write_str("the receiver's client id is empty: give the full <group id>@@@<device id>")
            }
            Self::TargetTooLong { length } => {
                write!(f, "the receiver's client id has {length} bytes, more than {MAX_CLIENT_ID}: check it")
            }
            Self::TargetCharacter(c) => write!(
                f,
                "the receiver's client id holds {}, which a topic level can't: give that client another id",
                DisplayChar(c)
            ),
        }
    }
}

impl core::error::Error for P2pTopicError {}
