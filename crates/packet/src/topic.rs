//! Topic names and topic filters (§4.7): what they may hold, and which match.

use core::fmt;

use crate::error::{DecodeError, TopicError};
use crate::text::{self, TextError};

/// Where a message goes: UTF-8 without U+0000, `+` and `#`, 1 to 65,535 bytes.
///
/// It keeps the checked bytes; [`TopicName::as_str`] looks at them once more for who needs a `str`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName<'a>(&'a [u8]);

/// What a subscription asks for: a topic name in which `+` may stand for one level, and a last `#` for any number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter<'a>(&'a [u8]);

impl<'a> TopicName<'a> {
    /// Checks a topic name.
    ///
    /// # Errors
    /// Empty, over 65,535 bytes, U+0000, a wildcard.
    #[inline]
    pub fn new(topic: &'a str) -> Result<Self, TopicError> {
        Self::from_bytes(topic.as_bytes())
    }

    /// The same for constants, checked when the program is built: firmware need not hold the check.
    ///
    /// ```
    /// # use mqtt_p2p_packet::TopicName;
    /// const NEIGHBOUR: TopicName<'_> = match TopicName::from_static("site/p2p/GID_a@@@1") {
    ///     Ok(topic) => topic,
    ///     Err(_) => panic!("no topic name"),
    /// };
    /// assert_eq!(NEIGHBOUR.as_str(), "site/p2p/GID_a@@@1");
    /// ```
    ///
    /// # Errors
    /// As [`Self::new`].
    pub const fn from_static(topic: &'static str) -> Result<TopicName<'static>, TopicError> {
        let bytes = topic.as_bytes();
        if let Err(error) = check_len(bytes) {
            return Err(error);
        }
        match text::characters(bytes, true) {
            Ok(()) => Ok(TopicName(bytes)),
            Err(TextError::NotUtf8OrNul) => Err(TopicError::InvalidText),
            Err(TextError::Wildcard) => Err(TopicError::WildcardInName),
        }
    }

    /// Checks bytes that may not even be UTF-8.
    ///
    /// # Errors
    /// As [`Self::new`], and what is not UTF-8.
    #[inline]
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, TopicError> {
        check_len(bytes)?;
        match text::check::<true>(bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(TextError::NotUtf8OrNul) => Err(TopicError::InvalidText),
            Err(TextError::Wildcard) => Err(TopicError::WildcardInName),
        }
    }

    #[inline]
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::from_bytes(bytes).map_err(|error| match error {
            TopicError::InvalidText => DecodeError::InvalidText,
            _ => DecodeError::InvalidTopicName,
        })
    }

    /// The topic name.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// The topic name's bytes, which are UTF-8.
    #[inline]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl TopicFilter<'static> {
    /// `#`: every topic but those that begin with `$`.
    pub const ALL: Self = Self(b"#");
}

impl<'a> TopicFilter<'a> {
    /// Checks a topic filter.
    ///
    /// # Errors
    /// Empty, over 65,535 bytes, U+0000, a wildcard out of place.
    pub fn new(filter: &'a str) -> Result<Self, TopicError> {
        Self::from_bytes(filter.as_bytes())
    }

    /// Checks bytes that may not even be UTF-8.
    ///
    /// # Errors
    /// As [`Self::new`], and what is not UTF-8.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, TopicError> {
        check_len(bytes)?;
        text::check::<false>(bytes).map_err(|_| TopicError::InvalidText)?;
        check_wildcards(bytes)?;
        Ok(Self(bytes))
    }

    /// The same as [`Self::new`] for constants, checked when the program is built: firmware need not hold the check.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub const fn from_static(filter: &'static str) -> Result<TopicFilter<'static>, TopicError> {
        let bytes = filter.as_bytes();
        if let Err(error) = check_len(bytes) {
            return Err(error);
        }
        if text::characters(bytes, false).is_err() {
            return Err(TopicError::InvalidText);
        }
        match check_wildcards(bytes) {
            Ok(()) => Ok(TopicFilter(bytes)),
            Err(error) => Err(error),
        }
    }

    /// Bytes that were checked before.
    pub(crate) const fn checked(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::from_bytes(bytes).map_err(|error| match error {
            TopicError::InvalidText => DecodeError::InvalidText,
            _ => DecodeError::InvalidTopicFilter,
        })
    }

    /// The topic filter.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// The topic filter's bytes, which are UTF-8.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether it has `+` or `#`.
    pub fn has_wildcards(&self) -> bool {
        self.0.iter().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Whether a message to `topic` goes to who subscribed to this filter (§4.7.1, §4.7.2): levels are compared
    /// byte by byte, an empty level is a level, `sport/#` covers `sport`, and a wildcard in the first level does
    /// not cover a topic that begins with `$` ([MQTT-4.7.2-1]).
    ///
    /// ```
    /// # use mqtt_p2p_packet::{TopicFilter, TopicName, TopicError};
    /// let filter = TopicFilter::new("sensors/+/温度/#")?;
    /// assert!(filter.matches(TopicName::new("sensors/1/温度")?));
    /// assert!(!filter.matches(TopicName::new("sensors/1")?));
    /// assert!(!TopicFilter::new("#")?.matches(TopicName::new("$SYS/tokenExpireNotice")?));
    /// # Ok::<(), TopicError>(())
    /// ```
    pub fn matches(&self, topic: TopicName<'_>) -> bool {
        if topic.0.first() == Some(&b'$') && matches!(self.0.first(), Some(b'+' | b'#')) {
            return false;
        }
        let mut names = levels(topic.0);
        for filter in levels(self.0) {
            match (filter, names.next()) {
                (b"#", _) => return true,
                (b"+", Some(_)) => {}
                (filter, Some(name)) if filter == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

fn levels(topic: &[u8]) -> impl Iterator<Item = &[u8]> {
    topic.split(|byte| *byte == b'/')
}

/// `+` and `#` stand alone in their level, and `#` in the last one.
#[inline(never)]
const fn check_wildcards(bytes: &[u8]) -> Result<(), TopicError> {
    let (mut before, mut rest) = (b'/', bytes);
    while let [byte, behind @ ..] = rest {
        let fits = match *byte {
            b'+' => before == b'/' && matches!(behind, [] | [b'/', ..]),
            b'#' => before == b'/' && behind.is_empty(),
            _ => true,
        };
        if !fits {
            return Err(TopicError::MisplacedWildcard);
        }
        before = *byte;
        rest = behind;
    }
    Ok(())
}

#[inline]
const fn check_len(bytes: &[u8]) -> Result<(), TopicError> {
    match bytes.len() {
        0 => Err(TopicError::Empty),
        1..=0xffff => Ok(()),
        _ => Err(TopicError::TooLong),
    }
}

impl fmt::Display for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
