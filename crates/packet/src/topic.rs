//! Topic names and topic filters (§4.7), and matching.

use core::fmt;

use crate::error::{DecodeError, TopicError};
use crate::text::{self, TextError};

/// A valid topic name: 1 to 65,535 bytes of UTF-8 without U+0000, `+` and `#` (§4.7).
///
/// It holds the validated bytes. [`TopicName::as_str`] checks again that they are UTF-8.
///
/// ```
/// use mqtt_p2p_packet::{TopicError, TopicName};
///
/// assert_eq!(TopicName::new("site/温度")?.as_str(), "site/温度");
/// assert_eq!(TopicName::new("site/+"), Err(TopicError::WildcardInName));
/// # Ok::<(), TopicError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName<'a>(&'a [u8]);

/// A valid topic filter, in which `+` matches one level and a final `#` any number of levels (§4.7.1).
///
/// ```
/// use mqtt_p2p_packet::{TopicError, TopicFilter, TopicName};
///
/// assert!(TopicFilter::new("site/+/state")?.matches(TopicName::new("site/pump/state")?));
/// assert_eq!(TopicFilter::new("site/#/state"), Err(TopicError::MisplacedWildcard));
/// # Ok::<(), TopicError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter<'a>(&'a [u8]);

impl<'a> TopicName<'a> {
    /// Validates a topic name.
    ///
    /// # Errors
    /// Returns an error if the string is empty, is longer than 65,535 bytes, or contains U+0000 or a wildcard.
    #[inline]
    pub fn new(topic: &'a str) -> Result<Self, TopicError> {
        Self::from_bytes(topic.as_bytes())
    }

    /// Validates a topic name at compile time, so that firmware need not link the validation.
    ///
    /// ```
    /// use mqtt_p2p_packet::TopicName;
    ///
    /// const PEER: TopicName<'_> = match TopicName::from_static("site/p2p/GID_a@@@1") {
    ///     Ok(topic) => topic,
    ///     Err(_) => panic!("invalid topic name"),
    /// };
    /// assert_eq!(PEER.as_str(), "site/p2p/GID_a@@@1");
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new).
    pub const fn from_static(topic: &'static str) -> Result<TopicName<'static>, TopicError> {
        let bytes = topic.as_bytes();
        if let Err(error) = check_len(bytes) {
            return Err(error);
        }
        match text::check_by_character(bytes, true) {
            Ok(()) => Ok(TopicName(bytes)),
            Err(TextError::NotUtf8OrNul) => Err(TopicError::InvalidText),
            Err(TextError::Wildcard) => Err(TopicError::WildcardInName),
        }
    }

    /// Validates a topic name in bytes that may not be UTF-8.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new), and [`TopicError::InvalidText`] for bytes that are not UTF-8.
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

    /// Returns the topic name as a string.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// Returns the bytes of the topic name, which are UTF-8.
    #[inline]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl TopicFilter<'static> {
    /// The topic filter `#`, which matches every topic name that does not begin with `$` ([MQTT-4.7.2-1]).
    pub const ALL: Self = Self(b"#");
}

impl<'a> TopicFilter<'a> {
    /// Validates a topic filter.
    ///
    /// # Errors
    /// Returns an error if the string is empty, is longer than 65,535 bytes, contains U+0000, or has a misplaced wildcard.
    pub fn new(filter: &'a str) -> Result<Self, TopicError> {
        Self::from_bytes(filter.as_bytes())
    }

    /// Validates a topic filter in bytes that may not be UTF-8.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new), and [`TopicError::InvalidText`] for bytes that are not UTF-8.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, TopicError> {
        check_len(bytes)?;
        text::check::<false>(bytes).map_err(|_| TopicError::InvalidText)?;
        check_wildcards(bytes)?;
        Ok(Self(bytes))
    }

    /// Validates a topic filter at compile time, so that firmware need not link the validation.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new).
    pub const fn from_static(filter: &'static str) -> Result<TopicFilter<'static>, TopicError> {
        let bytes = filter.as_bytes();
        if let Err(error) = check_len(bytes) {
            return Err(error);
        }
        if text::check_by_character(bytes, false).is_err() {
            return Err(TopicError::InvalidText);
        }
        match check_wildcards(bytes) {
            Ok(()) => Ok(TopicFilter(bytes)),
            Err(error) => Err(error),
        }
    }

    /// Wraps bytes that have been validated before.
    pub(crate) const fn checked(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::from_bytes(bytes).map_err(|error| match error {
            TopicError::InvalidText => DecodeError::InvalidText,
            _ => DecodeError::InvalidTopicFilter,
        })
    }

    /// Returns the topic filter as a string.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// Returns the bytes of the topic filter, which are UTF-8.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns whether the topic filter contains `+` or `#`.
    pub fn has_wildcards(&self) -> bool {
        self.0.iter().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Returns whether the topic filter matches a topic name (§4.7.1, §4.7.2).
    ///
    /// Levels are compared byte by byte, and may be empty. `sport/#` also matches `sport`. A wildcard in the first level
    /// does not match a topic name that begins with `$` ([MQTT-4.7.2-1]).
    ///
    /// ```
    /// use mqtt_p2p_packet::{TopicError, TopicFilter, TopicName};
    ///
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

/// Checks that `+` and `#` occupy entire levels, and `#` only the last one.
#[inline(never)]
const fn check_wildcards(bytes: &[u8]) -> Result<(), TopicError> {
    let (mut previous, mut rest) = (b'/', bytes);
    while let [byte, following @ ..] = rest {
        let valid = match *byte {
            b'+' => previous == b'/' && matches!(following, [] | [b'/', ..]),
            b'#' => previous == b'/' && following.is_empty(),
            _ => true,
        };
        if !valid {
            return Err(TopicError::MisplacedWildcard);
        }
        previous = *byte;
        rest = following;
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
