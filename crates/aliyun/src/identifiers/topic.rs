//! The service's rules for topics.

use core::fmt;

use crate::identifiers::p2p::parse_p2p;
use crate::limits::MAX_TOPIC_LEN;
use crate::util::text::{DisplayChar, SLASH, first_outside_name_charset, without_trailing_slash};

/// Returns whether two topics are equal, ignoring one `/` at the end.
///
/// The service may append a `/` to the topic of a message that it delivers (ApsaraMQ docs: FAQ about sending and
/// receiving messages).
///
/// ```
/// use mqtt_p2p_aliyun::same_topic;
///
/// assert!(same_topic("devices/state", "devices/state/"));
/// assert!(!same_topic("devices/state", "devices"));
/// ```
pub fn same_topic(a: &str, b: &str) -> bool {
    without_trailing_slash(a) == without_trailing_slash(b)
}

/// Returns the first level of a topic name or topic filter, ignoring one `/` at the start.
pub(crate) fn parent_of(topic: &str) -> &str {
    let topic = topic.strip_prefix(SLASH).unwrap_or(topic);
    topic.split_once(SLASH).map_or(topic, |(parent, _)| parent)
}

/// Checks a topic name or topic filter against the service's documented limits: first the length, then the characters.
///
/// The result is a warning and not an error, because the limits are stricter than MQTT's and the documentation does
/// not say whether they apply to P2P topics. If a topic exceeds them, the service may reject the message, ignore the
/// subscription or disconnect the client. The levels `+` and `#` below the parent topic, the client id in a P2P topic
/// and the prefix `$SYS/` are exempt.
///
/// ```
/// use mqtt_p2p_aliyun::{TopicWarning, topic_warning};
///
/// assert_eq!(topic_warning("devices/p2p/GID_test@@@1"), None);
/// assert_eq!(topic_warning("devices/state 1"), Some(TopicWarning::Character(' ')));
/// ```
pub fn topic_warning(topic: &str) -> Option<TopicWarning> {
    let length = topic.chars().count();
    if length > MAX_TOPIC_LEN {
        return Some(TopicWarning::TooLong { length });
    }
    first_undocumented_character(topic).map(TopicWarning::Character)
}

/// Returns the first character outside the documented set.
fn first_undocumented_character(topic: &str) -> Option<char> {
    let name = topic.strip_prefix("$SYS/").unwrap_or(topic);
    let (parent, below) = match parse_p2p(name) {
        Some(p2p) => (p2p.parent, p2p.rest.unwrap_or_default()),
        None => name.strip_prefix(SLASH).unwrap_or(name).split_once(SLASH).unwrap_or((name, "")),
    };
    first_outside_name_charset(parent).or_else(|| {
        below.split(SLASH).filter(|level| !matches!(*level, "+" | "#")).find_map(first_outside_name_charset)
    })
}

/// The documented limit that a topic exceeds, from [`topic_warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopicWarning {
    /// The topic has more than [64](MAX_TOPIC_LEN) characters (ApsaraMQ docs: limits, terms).
    TooLong {
        /// The length in characters.
        length: usize,
    },
    /// The topic contains a character outside `0-9A-Za-z_-` (ApsaraMQ docs: terms).
    Character(char),
}

impl fmt::Display for TopicWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { length } => write!(
                f,
                "the topic has {length} characters and ApsaraMQ documents a limit of {MAX_TOPIC_LEN}: \
                 shorten it, or in a P2P topic the client id"
            ),
            Self::Character(c) => write!(
                f,
                "the topic contains {}, and ApsaraMQ documents only digits, ASCII letters, - and _: \
                 use only these",
                DisplayChar(c)
            ),
        }
    }
}
