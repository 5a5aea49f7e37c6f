//! Credentials of every authentication mode.

use core::fmt;

use crate::login::connect_credentials::ConnectCredentials;
use crate::login::error::{CredentialPart, CredentialsError, check_key_part, check_length, check_not_empty};
use crate::login::signature::{Password, sign};
use crate::login::user_name::UserName;
use crate::token::TokenSet;
use crate::util::bytes::concat;
use crate::util::redacted::Redacted;

/// The credentials of a client, with one variant per authentication mode of the service.
///
/// [`for_client`](Self::for_client) computes the user name and the password of CONNECT. If memory is scarce or a token
/// is very long, use [`write_user_name`](Self::write_user_name) and [`write_password`](Self::write_password) with
/// buffers of your own.
///
/// `Debug` shows user names and access key ids, but never a secret, a password or a token.
///
/// ```
/// use mqtt_p2p_aliyun::{Credentials, ConnectCredentials, UserName};
///
/// // A server has computed the password with `sign`.
/// let credentials = Credentials::Precomputed {
///     user_name: UserName::Signature { access_key_id: "YYYYY", instance_id: "post-cn-example" },
///     password: b"vI009IZJZVGRwBwZvnbwjfuXxVM=",
/// };
/// let login: ConnectCredentials = credentials.for_client("GID_Test@@@0001")?;
/// assert_eq!(login.user_name(), "Signature|YYYYY|post-cn-example");
/// # Ok::<(), mqtt_p2p_aliyun::CredentialsError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credentials<'a> {
    /// Signature authentication: the account's secret signs the client id (ApsaraMQ docs: signature authentication).
    ///
    /// Don't store the secret on a device that others have access to. It grants access to the whole account.
    Signature {
        /// The access key id of the account.
        access_key_id: &'a str,
        /// The access key secret of the account.
        access_key_secret: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
    },
    /// Token authentication: the tokens were issued to a server of the user (ApsaraMQ docs: token authentication).
    Token {
        /// The id of the access key with which the tokens were requested.
        access_key_id: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
        /// The tokens, at most one of each type.
        tokens: TokenSet<'a>,
    },
    /// Device credential: the device's own secret signs the client id (ApsaraMQ docs: unique certificate per device).
    DeviceCredential {
        /// The access key id of the device, which starts with `DC.`.
        device_access_key_id: &'a str,
        /// The access key secret of the device, which starts with `DC.`.
        device_access_key_secret: &'a str,
        /// The instance id, which is the first label of the endpoint's host name.
        instance_id: &'a str,
    },
    /// Custom authentication with a signature: a registered secret signs the client id (ApsaraMQ docs: custom
    /// authentication, sign mode `SIGNED`).
    CustomSigned {
        /// The user name as registered with the service.
        user_name: &'a str,
        /// The secret as registered with the service.
        secret: &'a str,
    },
    /// Custom authentication without a signature: the registered secret is the password (ApsaraMQ docs: custom
    /// authentication, sign mode `ORIGIN`).
    CustomOrigin {
        /// The user name as registered with the service.
        user_name: &'a str,
        /// The secret as registered with the service.
        secret: &'a str,
    },
    /// A password that was computed elsewhere, for example with [`sign`] on a server, so that the device never holds
    /// the secret.
    ///
    /// A signature is valid for one client id only.
    Precomputed {
        /// The user name.
        user_name: UserName<'a>,
        /// The password.
        password: &'a [u8],
    },
}

impl<'a> Credentials<'a> {
    /// Computes the user name and the password of a client id, with the default capacities.
    ///
    /// For other capacities, use [`ConnectCredentials::new`].
    ///
    /// # Errors
    ///
    /// Returns the error of [`check`](Self::check), [`CredentialsError::Empty`] for an empty client id, or
    /// [`CredentialsError::BufferTooSmall`].
    pub fn for_client(&self, client_id: &str) -> Result<ConnectCredentials, CredentialsError> {
        ConnectCredentials::new(self, client_id)
    }

    /// Returns the parts of the user name.
    pub const fn user_name(&self) -> UserName<'a> {
        match *self {
            Self::Signature { access_key_id, instance_id, .. } => {
                UserName::Signature { access_key_id, instance_id }
            }
            Self::Token { access_key_id, instance_id, .. } => UserName::Token { access_key_id, instance_id },
            Self::DeviceCredential { device_access_key_id, instance_id, .. } => {
                UserName::DeviceCredential { device_access_key_id, instance_id }
            }
            Self::CustomSigned { user_name, .. } | Self::CustomOrigin { user_name, .. } => {
                UserName::Other(user_name)
            }
            Self::Precomputed { user_name, .. } => user_name,
        }
    }

    /// Returns the length of the user name in bytes.
    pub fn user_name_len(&self) -> usize {
        self.user_name().encoded_len()
    }

    /// Returns the length of the password in bytes.
    pub fn password_len(&self) -> usize {
        match *self {
            Self::Signature { .. } | Self::DeviceCredential { .. } | Self::CustomSigned { .. } => {
                Password::LEN
            }
            Self::Token { tokens, .. } => tokens.password_len(),
            Self::CustomOrigin { secret, .. } => secret.len(),
            Self::Precomputed { password, .. } => password.len(),
        }
    }

    /// Writes the user name to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Returns the error of [`UserName::check`], or [`CredentialsError::BufferTooSmall`]. In both cases nothing is
    /// written.
    pub fn write_user_name(&self, buffer: &mut [u8]) -> Result<usize, CredentialsError> {
        self.user_name().write(buffer)
    }

    /// Writes the password of a client id to the start of `buffer` and returns its length in bytes.
    ///
    /// The caller should wipe the buffer after use.
    ///
    /// # Errors
    ///
    /// Returns the error of [`check`](Self::check), [`CredentialsError::Empty`] for an empty client id, or
    /// [`CredentialsError::BufferTooSmall`]. In all cases nothing is written.
    pub fn write_password(&self, client_id: &str, buffer: &mut [u8]) -> Result<usize, CredentialsError> {
        self.check()?;
        check_not_empty(CredentialPart::ClientId, client_id.as_bytes())?;
        match *self {
            Self::Signature { access_key_secret: secret, .. }
            | Self::DeviceCredential { device_access_key_secret: secret, .. }
            | Self::CustomSigned { secret, .. } => {
                concat([sign(secret.as_bytes(), client_id).as_bytes()], buffer)
            }
            Self::Token { tokens, .. } => tokens.write_password(buffer),
            Self::CustomOrigin { secret, .. } => concat([secret], buffer),
            Self::Precomputed { password, .. } => concat([password], buffer),
        }
        .map_err(|needed| CredentialsError::BufferTooSmall { part: CredentialPart::Password, needed })
    }

    /// Checks that every part is present and contains no forbidden character.
    ///
    /// Whether the credentials are valid, only the service knows.
    ///
    /// # Errors
    ///
    /// Returns [`CredentialsError::Empty`], [`CredentialsError::InvalidCharacter`] or
    /// [`CredentialsError::TooLong`] with the part at fault.
    pub fn check(&self) -> Result<(), CredentialsError> {
        self.user_name().check()?;
        match *self {
            Self::Signature { access_key_secret, .. } => {
                check_key_part(CredentialPart::AccessKeySecret, access_key_secret)?;
            }
            Self::DeviceCredential { device_access_key_secret, .. } => {
                check_key_part(CredentialPart::DeviceAccessKeySecret, device_access_key_secret)?;
            }
            Self::CustomSigned { secret, .. } | Self::CustomOrigin { secret, .. } => {
                check_not_empty(CredentialPart::Secret, secret.as_bytes())?;
            }
            Self::Precomputed { password, .. } => check_not_empty(CredentialPart::Password, password)?,
            // The constructors of `TokenSet` have checked the tokens.
            Self::Token { .. } => {}
        }
        check_length(CredentialPart::Password, self.password_len())
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> ConnectCredentials<USER_NAME, PASSWORD> {
    /// Computes the user name and the password of a client id.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Credentials::check`], [`CredentialsError::Empty`] for an empty client id, or
    /// [`CredentialsError::BufferTooSmall`] if a capacity is too small.
    pub fn new(credentials: &Credentials<'_>, client_id: &str) -> Result<Self, CredentialsError> {
        let mut login = Self::empty();
        login.fill(credentials, client_id)?;
        Ok(login)
    }

    fn fill(&mut self, credentials: &Credentials<'_>, client_id: &str) -> Result<(), CredentialsError> {
        let too_small = |part, needed| CredentialsError::BufferTooSmall { part, needed };
        // Comes first, so that a malformed part is not reported as one that does not fit.
        credentials.check()?;
        for part in credentials.user_name().parts() {
            self.user_name
                .push_str(part)
                .map_err(|_| too_small(CredentialPart::UserName, credentials.user_name_len()))?;
        }
        let length = credentials.password_len();
        self.password.resize_default(length).map_err(|_| too_small(CredentialPart::Password, length))?;
        credentials.write_password(client_id, &mut self.password)?;
        Ok(())
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self {
            Self::Signature { .. } => "Signature",
            Self::Token { .. } => "Token",
            Self::DeviceCredential { .. } => "DeviceCredential",
            Self::CustomSigned { .. } => "CustomSigned",
            Self::CustomOrigin { .. } => "CustomOrigin",
            Self::Precomputed { .. } => "Precomputed",
        };
        f.debug_struct(mode).field("user_name", &self.user_name()).field("password", &Redacted).finish()
    }
}
