//! Who may log in, and how.

use std::fmt;

/// A registered log-in: three of the service's four modes, with what the console or an API call would have created.
/// The fourth, tokens, needs an access key only, in whose name the emulator issues them:
/// [`Server::issue_token`](crate::Server::issue_token).
/// Debug shows no secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum Account {
    /// Signature mode: user name `Signature|<id>|<instance>`, password the signature of the client id.
    AccessKey {
        /// Access key id.
        id: String,
        /// Access key secret.
        secret: String,
    },
    /// One device, one credential: user name `DeviceCredential|<id>|<instance>`, password as in signature mode, for
    /// one client id only.
    Device {
        /// The client id that the credential was registered for.
        client_id: String,
        /// Device access key id, `DC.…`.
        id: String,
        /// Device access key secret.
        secret: String,
    },
    /// Custom authentication: a user name of one's own. The client id needs no group.
    Custom {
        /// The user name.
        user_name: String,
        /// The secret.
        secret: String,
        /// What the password is.
        sign_mode: SignMode,
        /// The only client id that may use it; `None` for any (identity by user name).
        client_id: Option<String>,
    },
}

/// What the password of custom authentication is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignMode {
    /// The secret itself (`ORIGIN`).
    Origin,
    /// The signature of the client id, as in signature mode (`SIGNED`).
    Signed,
}

impl Account {
    /// An access key, for log-ins in signature mode.
    pub fn access_key(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::AccessKey { id: id.into(), secret: secret.into() }
    }

    /// The credential of one device.
    pub fn device(client_id: impl Into<String>, id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::Device { client_id: client_id.into(), id: id.into(), secret: secret.into() }
    }

    /// A user name of custom authentication, for any client id.
    pub fn custom(user_name: impl Into<String>, secret: impl Into<String>, sign_mode: SignMode) -> Self {
        Self::Custom { user_name: user_name.into(), secret: secret.into(), sign_mode, client_id: None }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessKey { id, .. } => f.debug_struct("AccessKey").field("id", id).finish_non_exhaustive(),
            Self::Device { client_id, id, .. } => {
                f.debug_struct("Device").field("client_id", client_id).field("id", id).finish_non_exhaustive()
            }
            Self::Custom { user_name, sign_mode, client_id, .. } => f
                .debug_struct("Custom")
                .field("user_name", user_name)
                .field("sign_mode", sign_mode)
                .field("client_id", client_id)
                .finish_non_exhaustive(),
        }
    }
}
