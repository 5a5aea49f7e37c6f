//! Credentials of every authentication mode, and the user name and password they make.

use core::fmt;

use crate::login::connect_credentials::ConnectCredentials;
use crate::login::error::{CredentialPart, CredentialsError, check_key_part, check_length, check_not_empty};
use crate::login::signature::{Password, sign};
use crate::login::user_name::UserName;
use crate::token::TokenSet;
use crate::util::bytes::concat;
use crate::util::redacted::Redacted;

/// What a client proves itself with, one variant per authentication mode of the service. The texts are
/// borrowed.
///
/// [`for_client`](Self::for_client) makes the user name and the password of CONNECT. Where memory is scarce or a
/// token very long, the `…_len` and `write_…` methods do the same into buffers of the caller's.
///
/// Debug shows user names and keys' ids, never a secret, a password or a token.
///
/// ```
/// use mqtt_p2p_aliyun::{Credentials, ConnectCredentials, UserName};
///
/// // The password was computed by a server, with `sign`.
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
    /// The account's key signs the client id (ApsaraMQ docs: signature authentication). Not for devices that
    /// others can open: the secret rules the whole account.
    Signature {
        /// The account's access key id.
        access_key_id: &'a str,
        /// The account's access key secret.
        access_key_secret: &'a str,
        /// The instance, the first label of its endpoint's name.
        instance_id: &'a str,
    },
    /// Tokens that a server of the user's applied for (ApsaraMQ docs: token authentication).
    Token {
        /// The id of the access key that the tokens were applied for with.
        access_key_id: &'a str,
        /// The instance, the first label of its endpoint's name.
        instance_id: &'a str,
        /// The tokens, at most one of each type.
        tokens: TokenSet<'a>,
    },
    /// The device's own key signs the client id (ApsaraMQ docs: unique certificate per device).
    DeviceCredential {
        /// The device's access key id, which starts with `DC.`.
        device_access_key_id: &'a str,
        /// The device's access key secret, which starts with `DC.`.
        device_access_key_secret: &'a str,
        /// The instance, the first label of its endpoint's name.
        instance_id: &'a str,
    },
    /// A registered secret signs the client id (ApsaraMQ docs: custom authentication, sign mode `SIGNED`).
    CustomSigned {
        /// The user name as it was registered.
        user_name: &'a str,
        /// The secret as it was registered.
        secret: &'a str,
    },
    /// A registered secret is the password (ApsaraMQ docs: custom authentication, sign mode `ORIGIN`).
    CustomOrigin {
        /// The user name as it was registered.
        user_name: &'a str,
        /// The secret as it was registered.
        secret: &'a str,
    },
    /// A password that was made elsewhere, for instance with [`sign`] on a server, so that the device never
    /// holds the secret. It fits one client id only.
    Precomputed {
        /// The user name.
        user_name: UserName<'a>,
        /// The password.
        password: &'a [u8],
    },
}

impl<'a> Credentials<'a> {
    /// The user name and the password for a client id, in buffers of the default sizes; see [`ConnectCredentials`] for
    /// others.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) finds, an empty client id, or [`CredentialsError::BufferTooSmall`].
    pub fn for_client(&self, client_id: &str) -> Result<ConnectCredentials, CredentialsError> {
        ConnectCredentials::new(self, client_id)
    }

    /// The user name.
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

    /// The user name's length in bytes.
    pub fn user_name_len(&self) -> usize {
        self.user_name().encoded_len()
    }

    /// The password's length in bytes.
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
    /// As of [`UserName::write`]; nothing is written then.
    pub fn write_user_name(&self, buffer: &mut [u8]) -> Result<usize, CredentialsError> {
        self.user_name().write(buffer)
    }

    /// Writes the password for a client id to the start of `buffer` and returns its length in bytes. To wipe
    /// the buffer after use is the caller's task.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) finds, an empty client id, or [`CredentialsError::BufferTooSmall`];
    /// nothing is written then.
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

    /// Whether the parts are there and hold what they may hold; whether they are right, only the service
    /// knows.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Empty`], [`CredentialsError::InvalidCharacter`] or [`CredentialsError::TooLong`],
    /// with the part that is at fault.
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
            // A token set can't be built of anything else than tokens.
            Self::Token { .. } => {}
        }
        check_length(CredentialPart::Password, self.password_len())
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> ConnectCredentials<USER_NAME, PASSWORD> {
    /// The log-in that the credentials make for a client id.
    ///
    /// # Errors
    ///
    /// What [`Credentials::check`] finds, an empty client id, or [`CredentialsError::BufferTooSmall`] if a
    /// capacity is too small.
    pub fn new(credentials: &Credentials<'_>, client_id: &str) -> Result<Self, CredentialsError> {
        let mut login = Self::empty();
        login.fill(credentials, client_id)?;
        Ok(login)
    }

    fn fill(&mut self, credentials: &Credentials<'_>, client_id: &str) -> Result<(), CredentialsError> {
        let too_small = |part, needed| CredentialsError::BufferTooSmall { part, needed };
        // First, so that a faulty part is not reported as one that does not fit.
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
