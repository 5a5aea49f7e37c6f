//! Topics as the service sees them.

use core::fmt;

use crate::identifiers::p2p::parse_p2p;
use crate::limits::MAX_TOPIC_LEN;
use crate::util::text::{DisplayChar, SLASH, first_outside_name_charset, without_trailing_slash};

/// Whether two topics differ in no more than one `/` at the end: the service may add one to what it delivers
/// (ApsaraMQ docs: FAQ about sending and receiving messages).
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

/// The first level of a topic name or topic filter. One `/` in front does not count.
pub(crate) fn parent_of(topic: &str) -> &str {
    let topic = topic.strip_prefix(SLASH).unwrap_or(topic);
    topic.split_once(SLASH).map_or(topic, |(parent, _)| parent)
}

/// What the service may dislike about a topic name or a topic filter; length first, then the first character.
///
/// It is a warning, not an error: the documentation's limits are stricter than MQTT's, and for P2P topics it
/// does not say whether they hold. Beyond them the service can refuse to send, ignore the subscription or
/// disconnect. Exempt are `+` and `#` as levels below the parent topic, the client id in a P2P topic, and the
/// `$SYS/` topics.
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
    first_unusual_character(topic).map(TopicWarning::Character)
}

fn first_unusual_character(topic: &str) -> Option<char> {
    let name = topic.strip_prefix("$SYS/").unwrap_or(topic);
    let (parent, below) = match parse_p2p(name) {
        Some(p2p) => (p2p.parent, p2p.rest.unwrap_or_default()),
        None => name.strip_prefix(SLASH).unwrap_or(name).split_once(SLASH).unwrap_or((name, "")),
    };
    first_outside_name_charset(parent).or_else(|| {
        below.split(SLASH).filter(|level| !matches!(*level, "+" | "#")).find_map(first_outside_name_charset)
    })
}

/// What the service may dislike about a topic. To heed it is up to who chose the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopicWarning {
    /// More than [64](MAX_TOPIC_LEN) characters (ApsaraMQ docs: limits, terms).
    TooLong {
        /// The length in characters.
        length: usize,
    },
    /// A character outside `0-9A-Za-z_-` (ApsaraMQ docs: terms).
    Character(char),
}

impl fmt::Display for TopicWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { length } => write!(
                f,
                "the topic has {length} characters, more than the {MAX_TOPIC_LEN} that ApsaraMQ documents, \
                 and may be refused: shorten it, or in a P2P topic the client id"
            ),
            Self::Character(c) => write!(
                f,
                "the topic holds {}, and ApsaraMQ documents only digits, ASCII letters, - and _: \
                 use those",
                DisplayChar(c)
            ),
        }
    }
}
