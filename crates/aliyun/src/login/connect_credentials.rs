//! A user name and a password that own their text.

use core::fmt;

use heapless::{String, Vec};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::util::redacted::Redacted;

/// The user name and the password of a CONNECT.
///
/// The capacities are in bytes. The defaults hold any signature, and two tokens of almost 500 characters
/// each; `ConnectCredentials<128, { Password::LEN }>` saves memory where tokens are not used. Debug hides the password, and it is wiped
/// when dropped; a move may leave a copy on the stack that nothing can wipe.
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
    pub(super) const fn empty() -> Self {
        Self { user_name: String::new(), password: Vec::new() }
    }

    /// The user name.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The password.
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
