//! Client ids: `<GroupID>@@@<DeviceID>`.

use core::{fmt, str::FromStr};

use heapless::String;

use crate::limits::{MAX_CLIENT_ID, MAX_GROUP_ID, MIN_GROUP_ID};
use crate::util::bytes::total_len;
use crate::util::text::{DisplayChar, NUL, first_outside_name_charset};

/// The separator of group id and device id.
const SEPARATOR: &str = "@@@";

/// A client id in the form that the service requires: `<GroupID>@@@<DeviceID>`.
///
/// A client id has at most [64](MAX_CLIENT_ID) characters. The group id is created in the console, starts with `GID_`
/// or `GID-` and has 7 to 64 characters. The device id is chosen by the caller. Both consist of `0-9A-Za-z_-`
/// (ApsaraMQ docs: terms, limits, manage groups). Custom authentication waives these rules: see
/// [`ClientId::custom`].
///
/// Every client of an instance needs an id of its own. Two clients with the same id disconnect each other.
///
/// ```
/// use mqtt_p2p_aliyun::{ClientId, ClientIdError};
///
/// let id: ClientId = "GID_Test@@@0001".parse()?;
/// assert_eq!((id.group(), id.device()), (Some("GID_Test"), Some("0001")));
/// assert_eq!(id, ClientId::new("GID_Test", "0001")?);
/// assert_eq!(ClientId::parse("Test@@@0001"), Err(ClientIdError::GroupPrefix));
/// # Ok::<(), ClientIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String<MAX_CLIENT_ID>);

impl ClientId {
    /// Creates a client id from a group id and a device id.
    ///
    /// # Errors
    ///
    /// Returns the first rule that the ids break: any [`ClientIdError`] except `Empty`, `NoSeparator` and `Nul`.
    pub fn new(group: &str, device: &str) -> Result<Self, ClientIdError> {
        if split(group).is_some() || split(device).is_some() {
            return Err(ClientIdError::SeveralSeparators);
        }
        check_group(group)?;
        check_device(device)?;
        Self::from_parts([group, SEPARATOR, device])
    }

    /// Parses `<GroupID>@@@<DeviceID>`.
    ///
    /// # Errors
    ///
    /// Returns the first rule that the text breaks: any [`ClientIdError`] except `Nul`.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        if text.is_empty() {
            return Err(ClientIdError::Empty);
        }
        let (group, device) = split(text).ok_or(ClientIdError::NoSeparator)?;
        Self::new(group, device)
    }

    /// Creates a client id for custom authentication, which accepts any text of 1 to 64 bytes without U+0000.
    ///
    /// Some features of the console do not work for a client id without a group (ApsaraMQ docs: custom
    /// authentication). The documentation limits the length in characters; this method applies the limit to bytes,
    /// which is stricter. A client id that other clients send P2P messages to must not contain `/`, `+` or `#`.
    ///
    /// # Errors
    ///
    /// Returns [`ClientIdError::Empty`], [`ClientIdError::TooLong`] or [`ClientIdError::Nul`].
    pub fn custom(text: &str) -> Result<Self, ClientIdError> {
        if text.is_empty() {
            return Err(ClientIdError::Empty);
        }
        if text.contains(NUL) {
            return Err(ClientIdError::Nul);
        }
        Self::from_parts([text, "", ""])
    }

    fn from_parts(parts: [&str; 3]) -> Result<Self, ClientIdError> {
        let mut text = String::new();
        for part in parts {
            let length = total_len(parts);
            text.push_str(part).map_err(|_| ClientIdError::TooLong { length })?;
        }
        Ok(Self(text))
    }

    /// Returns the group id, which precedes `@@@`. A custom id without `@@@` has none.
    pub fn group(&self) -> Option<&str> {
        split(&self.0).map(|(group, _)| group)
    }

    /// Returns the device id, which follows `@@@`. A custom id without `@@@` has none.
    pub fn device(&self) -> Option<&str> {
        split(&self.0).map(|(_, device)| device)
    }

    /// Returns the whole client id as CONNECT carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Splits at the first `@@@`. `str::split_once` with a string pattern has panic paths.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.as_bytes().windows(SEPARATOR.len()).position(|window| window == SEPARATOR.as_bytes())?;
    let (group, rest) = text.split_at_checked(at)?;
    Some((group, rest.strip_prefix(SEPARATOR)?))
}

fn check_group(group: &str) -> Result<(), ClientIdError> {
    if !(group.starts_with("GID_") || group.starts_with("GID-")) {
        return Err(ClientIdError::GroupPrefix);
    }
    if let Some(c) = first_outside_name_charset(group) {
        return Err(ClientIdError::GroupCharacter(c));
    }
    match group.len() {
        length if length < MIN_GROUP_ID => Err(ClientIdError::GroupTooShort { length }),
        length if length > MAX_GROUP_ID => Err(ClientIdError::GroupTooLong { length }),
        _ => Ok(()),
    }
}

fn check_device(device: &str) -> Result<(), ClientIdError> {
    if device.is_empty() {
        return Err(ClientIdError::NoDevice);
    }
    match first_outside_name_charset(device) {
        Some(c) => Err(ClientIdError::DeviceCharacter(c)),
        None => Ok(()),
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl AsRef<str> for ClientId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// The rule that a client id breaks.
///
/// The error is in the configuration. The service would refuse such a client or disconnect it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClientIdError {
    /// The client id is empty.
    Empty,
    /// The client id contains no `@@@`.
    NoSeparator,
    /// The client id contains more than one `@@@`.
    SeveralSeparators,
    /// The group id starts with neither `GID_` nor `GID-`.
    GroupPrefix,
    /// The group id has fewer than [7](MIN_GROUP_ID) characters.
    GroupTooShort {
        /// The length in characters.
        length: usize,
    },
    /// The group id has more than [64](MAX_GROUP_ID) characters.
    GroupTooLong {
        /// The length in characters.
        length: usize,
    },
    /// The group id contains a character outside `0-9A-Za-z_-`.
    GroupCharacter(char),
    /// No device id follows `@@@`.
    NoDevice,
    /// The device id contains a character outside `0-9A-Za-z_-`.
    DeviceCharacter(char),
    /// The client id has more than [64](MAX_CLIENT_ID) bytes.
    TooLong {
        /// The length in bytes.
        length: usize,
    },
    /// The client id contains U+0000, which MQTT forbids in every string.
    Nul,
}

impl fmt::Display for ClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the client id is empty: give <group id>@@@<device id>"),
            Self::NoSeparator => {
                f.write_str("the client id has no @@@: write it as <group id>@@@<device id>")
            }
            Self::SeveralSeparators => {
                f.write_str("the client id has more than one @@@: use group id and device id without it")
            }
            Self::GroupPrefix => f.write_str(
                "the group id starts with neither GID_ nor GID-: use one from the ApsaraMQ console",
            ),
            Self::GroupTooShort { length } => write!(
                f,
                "the group id has {length} characters, fewer than {MIN_GROUP_ID}: \
                 use one from the ApsaraMQ console"
            ),
            Self::GroupTooLong { length } => write!(
                f,
                "the group id has {length} characters, more than {MAX_GROUP_ID}: \
                 use one from the ApsaraMQ console"
            ),
            Self::GroupCharacter(c) => {
                write!(
                    f,
                    "the group id contains {}: only digits, ASCII letters, - and _ are allowed",
                    DisplayChar(c)
                )
            }
            Self::NoDevice => f.write_str("nothing follows @@@ in the client id: give the device an id"),
            Self::DeviceCharacter(c) => {
                write!(
                    f,
                    "the device id contains {}: only digits, ASCII letters, - and _ are allowed",
                    DisplayChar(c)
                )
            }
            Self::TooLong { length } => write!(
                f,
                "the client id has {length} bytes, more than {MAX_CLIENT_ID}: \
                 shorten the device id, or create a group with a shorter id"
            ),
            Self::Nul => f.write_str("the client id contains U+0000, which MQTT does not allow: remove it"),
        }
    }
}

impl core::error::Error for ClientIdError {}
