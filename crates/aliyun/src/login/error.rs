//! What can be wrong with credentials.

use core::fmt;

use crate::util::text::is_key_text;

/// The longest user name or password that CONNECT can carry, in bytes (MQTT 3.1.1, §1.5.3).
const MAX_FIELD: usize = 65_535;

/// A part of the credentials, to say which one is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CredentialPart {
    /// The account's access key id.
    AccessKeyId,
    /// The account's access key secret.
    AccessKeySecret,
    /// The instance id.
    InstanceId,
    /// The device's own access key id.
    DeviceAccessKeyId,
    /// The device's own access key secret.
    DeviceAccessKeySecret,
    /// The user name, of custom authentication or as a whole.
    UserName,
    /// The secret of custom authentication.
    Secret,
    /// The password as a whole.
    Password,
    /// The client id that is to be signed.
    ClientId,
}

impl fmt::Display for CredentialPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AccessKeyId => "access key id",
            Self::AccessKeySecret => "access key secret",
            Self::InstanceId => "instance id",
            Self::DeviceAccessKeyId => "device access key id",
            Self::DeviceAccessKeySecret => "device access key secret",
            Self::UserName => "user name",
            Self::Secret => "secret",
            Self::Password => "password",
            Self::ClientId => "client id",
        })
    }
}

/// Why credentials make no log-in. It is the fault of who supplied them; of secrets it shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CredentialsError {
    /// A part is empty.
    Empty(CredentialPart),
    /// A part holds what it can't hold: of a key or the instance id all but visible ASCII without `|`, of a
    /// custom user name U+0000.
    InvalidCharacter(CredentialPart),
    /// Longer than the 65,535 bytes that MQTT allows.
    TooLong {
        /// The user name or the password.
        part: CredentialPart,
        /// Its length in bytes.
        length: usize,
    },
    /// Longer than the room that the caller gave.
    BufferTooSmall {
        /// The user name or the password.
        part: CredentialPart,
        /// How many bytes it takes.
        needed: usize,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty(part) => write!(f, "the {part} is empty: check that the configuration sets it"),
            Self::InvalidCharacter(part) => write!(
                f,
                "the {part} holds |, white space or another character that it can't have: \
                 copy it again, without quotes, spaces or a line end"
            ),
            Self::TooLong { part, length } => {
                write!(
                    f,
                    "the {part} has {length} bytes, more than MQTT's {MAX_FIELD}: check what was supplied"
                )
            }
            Self::BufferTooSmall { part, needed } => {
                write!(
                    f,
                    "the {part} takes {needed} bytes, more than the caller's buffer has: give a larger one"
                )
            }
        }
    }
}

impl core::error::Error for CredentialsError {}

/// A key or an instance id: its characters are the service's, and `|` would end it early.
pub(crate) fn check_key_part(part: CredentialPart, text: &str) -> Result<(), CredentialsError> {
    check_not_empty(part, text.as_bytes())?;
    if !is_key_text(text) {
        return Err(CredentialsError::InvalidCharacter(part));
    }
    Ok(())
}

pub(crate) fn check_not_empty(part: CredentialPart, bytes: &[u8]) -> Result<(), CredentialsError> {
    if bytes.is_empty() { Err(CredentialsError::Empty(part)) } else { Ok(()) }
}

pub(crate) fn check_length(part: CredentialPart, length: usize) -> Result<(), CredentialsError> {
    if length > MAX_FIELD { Err(CredentialsError::TooLong { part, length }) } else { Ok(()) }
}
