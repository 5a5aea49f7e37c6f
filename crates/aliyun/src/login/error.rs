//! Errors of credentials, and the checks that find them.

use core::fmt;

use crate::util::text::is_key_text;

/// The maximum length of a user name or password in CONNECT, in bytes (MQTT 3.1.1, §1.5.3).
const MAX_FIELD: usize = 65_535;

/// The part of the credentials that an error is about.
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
    /// The user name of custom authentication, or the whole user name of CONNECT.
    UserName,
    /// The secret of custom authentication.
    Secret,
    /// The whole password of CONNECT.
    Password,
    /// The client id.
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

/// The error of incomplete or malformed credentials.
///
/// It names the part at fault and contains nothing of a secret. Whether well-formed credentials are valid, only the
/// service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CredentialsError {
    /// A part is empty.
    Empty(CredentialPart),
    /// A part contains a forbidden character.
    ///
    /// A key and the instance id consist of visible ASCII without `|`. A custom user name must not contain U+0000.
    InvalidCharacter(CredentialPart),
    /// A part is longer than 65,535 bytes, the maximum of MQTT.
    TooLong {
        /// The user name or the password.
        part: CredentialPart,
        /// The length in bytes.
        length: usize,
    },
    /// A part does not fit the capacity or the buffer that the caller chose.
    BufferTooSmall {
        /// The user name or the password.
        part: CredentialPart,
        /// The required capacity in bytes.
        needed: usize,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty(part) => write!(f, "the {part} is empty: check that the configuration sets it"),
            Self::InvalidCharacter(part) => write!(
                f,
                "the {part} contains |, white space or another forbidden character: \
                 copy it again without quotes, spaces or line ends"
            ),
            Self::TooLong { part, length } => {
                write!(
                    f,
                    "the {part} has {length} bytes and MQTT allows {MAX_FIELD}: \
                     check that the configuration sets the right value"
                )
            }
            Self::BufferTooSmall { part, needed } => {
                write!(f, "the {part} needs {needed} bytes and the buffer has fewer: use a larger capacity")
            }
        }
    }
}

impl core::error::Error for CredentialsError {}

/// Checks a key or an instance id, which is one field of a user name separated by `|`.
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
