//! The user name of CONNECT, which names the authentication mode and the key.

use core::fmt;

use crate::login::error::{CredentialPart, CredentialsError, check_key_part, check_length, check_not_empty};
use crate::util::bytes::{concat, total_len};
use crate::util::text::{NUL, PIPE};

const SIGNATURE: &str = "Signature";
const TOKEN: &str = "Token";
const DEVICE_CREDENTIAL: &str = "DeviceCredential";

/// The parts of a user name in CONNECT: the authentication mode, the access key id and the instance id.
///
/// Sources: ApsaraMQ docs, signature authentication, token authentication, unique certificate per device, custom
/// authentication.
///
/// ```
/// use mqtt_p2p_aliyun::UserName;
///
/// let user_name = UserName::Signature { access_key_id: "YYYYY", instance_id: "post-cn-example" };
/// assert_eq!(user_name.to_string(), "Signature|YYYYY|post-cn-example");
/// assert_eq!(UserName::parse("Signature|YYYYY|post-cn-example"), user_name);
/// assert_eq!(UserName::parse("alice"), UserName::Other("alice"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UserName<'a> {
    /// `Signature|<AccessKeyId>|<InstanceId>`.
    Signature {
        /// The access key id of the account.
        access_key_id: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
    },
    /// `Token|<AccessKeyId>|<InstanceId>`.
    Token {
        /// The access key id of the account.
        access_key_id: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
    },
    /// `DeviceCredential|<DeviceAccessKeyId>|<InstanceId>`.
    DeviceCredential {
        /// The access key id of the device, which starts with `DC.`.
        device_access_key_id: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
    },
    /// A user name of custom authentication: any text that is registered with the service.
    Other(&'a str),
}

impl<'a> UserName<'a> {
    /// Splits a user name into its parts.
    ///
    /// Returns [`UserName::Other`] if the text does not have the three parts of a known mode. The parts are not
    /// checked and may be empty: see [`check`](Self::check).
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.split(PIPE);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(SIGNATURE), Some(access_key_id), Some(instance_id), None) => {
                Self::Signature { access_key_id, instance_id }
            }
            (Some(TOKEN), Some(access_key_id), Some(instance_id), None) => {
                Self::Token { access_key_id, instance_id }
            }
            (Some(DEVICE_CREDENTIAL), Some(device_access_key_id), Some(instance_id), None) => {
                Self::DeviceCredential { device_access_key_id, instance_id }
            }
            _ => Self::Other(text),
        }
    }

    /// Returns the length of the user name in bytes.
    pub fn encoded_len(&self) -> usize {
        total_len(self.parts())
    }

    /// Writes the user name to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Returns the error of [`check`](Self::check), or [`CredentialsError::BufferTooSmall`]. In both cases nothing is
    /// written.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, CredentialsError> {
        self.check()?;
        concat(self.parts(), buffer)
            .map_err(|needed| CredentialsError::BufferTooSmall { part: CredentialPart::UserName, needed })
    }

    /// Checks that every part is present and contains no forbidden character.
    ///
    /// # Errors
    ///
    /// Returns [`CredentialsError::Empty`], [`CredentialsError::InvalidCharacter`] or
    /// [`CredentialsError::TooLong`] with the part at fault.
    pub fn check(&self) -> Result<(), CredentialsError> {
        match *self {
            Self::Signature { access_key_id, instance_id } | Self::Token { access_key_id, instance_id } => {
                check_key_part(CredentialPart::AccessKeyId, access_key_id)?;
                check_key_part(CredentialPart::InstanceId, instance_id)?;
            }
            Self::DeviceCredential { device_access_key_id, instance_id } => {
                check_key_part(CredentialPart::DeviceAccessKeyId, device_access_key_id)?;
                check_key_part(CredentialPart::InstanceId, instance_id)?;
            }
            Self::Other(user_name) => {
                check_not_empty(CredentialPart::UserName, user_name.as_bytes())?;
                if user_name.contains(NUL) {
                    return Err(CredentialsError::InvalidCharacter(CredentialPart::UserName));
                }
            }
        }
        check_length(CredentialPart::UserName, self.encoded_len())
    }

    pub(crate) fn parts(&self) -> [&'a str; 5] {
        match *self {
            Self::Signature { access_key_id, instance_id } => {
                [SIGNATURE, "|", access_key_id, "|", instance_id]
            }
            Self::Token { access_key_id, instance_id } => [TOKEN, "|", access_key_id, "|", instance_id],
            Self::DeviceCredential { device_access_key_id, instance_id } => {
                [DEVICE_CREDENTIAL, "|", device_access_key_id, "|", instance_id]
            }
            Self::Other(user_name) => [user_name, "", "", "", ""],
        }
    }
}

impl fmt::Display for UserName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
    }
}
