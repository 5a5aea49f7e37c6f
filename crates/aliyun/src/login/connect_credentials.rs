//! The user name and the password that a client sends in CONNECT.

use core::fmt;

use heapless::{String, Vec};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::util::redacted::Redacted;

/// The user name and the password of CONNECT, in buffers of fixed capacity.
///
/// It is computed from [`Credentials`](crate::Credentials). The capacities are in bytes. The defaults suffice for any
/// signature and for two tokens of almost 500 characters each. If only signatures are used,
/// `ConnectCredentials<128, { Password::LEN }>` saves memory.
///
/// `Debug` does not show the password. The password is wiped on drop, but moving the value may leave a copy on the
/// stack that can't be wiped.
///
/// ```
/// use mqtt_p2p_aliyun::{Credentials, CredentialsError, ConnectCredentials, TokenKind, TokenSet};
///
/// let credentials = Credentials::Token {
///     access_key_id: "YYYYY",
///     instance_id: "post-cn-example",
///     tokens: TokenSet::new(TokenKind::RW, "LzMT+XLFl5u=")?,
/// };
/// let login = ConnectCredentials::<64, 2048>::new(&credentials, "GID_Test@@@0001")?;
/// assert_eq!(login.password(), b"RW|LzMT+XLFl5u=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ConnectCredentials<const USER_NAME: usize = 128, const PASSWORD: usize = 1024> {
    pub(super) user_name: String<USER_NAME>,
    pub(super) password: Vec<u8, PASSWORD>,
}

impl<const USER_NAME: usize, const PASSWORD: usize> ConnectCredentials<USER_NAME, PASSWORD> {
    /// Creates empty credentials, to be filled by `new`.
    pub(super) const fn empty() -> Self {
        Self { user_name: String::new(), password: Vec::new() }
    }

    /// Returns the user name.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// Returns the password.
    pub fn password(&self) -> &[u8] {
        &self.password
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> fmt::Debug for ConnectCredentials<USER_NAME, PASSWORD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectCredentials")
            .field("user_name", &self.user_name)
            .field("password", &Redacted)
            .finish()
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> Drop for ConnectCredentials<USER_NAME, PASSWORD> {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> ZeroizeOnDrop
    for ConnectCredentials<USER_NAME, PASSWORD>
{
}
