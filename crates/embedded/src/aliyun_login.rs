//! Log-ins for ApsaraMQ that are made on the device.

use core::fmt;

use mqtt_p2p_aliyun::{ConnectCredentials, Credentials, CredentialsError, Password};
use mqtt_p2p_core::Login;

use crate::login::LoginSource;

/// Makes the log-in of every attempt out of [`Credentials`]: a signature is computed on the chip. The capacities are those
/// of [`ConnectCredentials`], which is wiped when the next one is made or this is dropped.
///
/// A device that others can open should not hold a secret: let a server compute the password
/// ([`Credentials::Precomputed`]) or issue tokens ([`Credentials::Token`], replaced by
/// [`set_credentials`](Self::set_credentials)).
///
/// ```
/// use mqtt_p2p_aliyun::Credentials;
/// use mqtt_p2p_embedded::SignedLogin;
///
/// let credentials = Credentials::DeviceCredential {
///     device_access_key_id: "DC.XXXX",
///     device_access_key_secret: "DC.YYYY",
///     instance_id: "post-cn-example",
/// };
/// let logins = SignedLogin::new("GID_Test@@@0001", credentials)?;
/// # Ok::<(), mqtt_p2p_aliyun::CredentialsError>(())
/// ```
pub struct AliyunLogin<'a, const USER_NAME: usize = 128, const PASSWORD: usize = 1024> {
    client_id: &'a str,
    credentials: Credentials<'a>,
    made: Option<ConnectCredentials<USER_NAME, PASSWORD>>,
}

/// For signatures only: saves memory where tokens are not used.
pub type SignedLogin<'a> = AliyunLogin<'a, 128, { Password::LEN }>;

impl<'a, const USER_NAME: usize, const PASSWORD: usize> AliyunLogin<'a, USER_NAME, PASSWORD> {
    /// For a client id and its credentials.
    ///
    /// # Errors
    /// What [`ConnectCredentials::new`] says: found here, so that no attempt fails for it later.
    pub fn new(client_id: &'a str, credentials: Credentials<'a>) -> Result<Self, CredentialsError> {
        let made = ConnectCredentials::new(&credentials, client_id)?;
        Ok(Self { client_id, credentials, made: Some(made) })
    }

    /// Uses others from the next attempt on: a new token, for one.
    ///
    /// # Errors
    /// As [`Self::new`]; the old ones stay.
    pub fn set_credentials(&mut self, credentials: Credentials<'a>) -> Result<(), CredentialsError> {
        self.made = Some(ConnectCredentials::new(&credentials, self.client_id)?);
        self.credentials = credentials;
        Ok(())
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> LoginSource for AliyunLogin<'_, USER_NAME, PASSWORD> {
    async fn login(&mut self, _attempt: u32) -> Option<Login<'_>> {
        Some(self.made.as_ref()?.login(self.client_id))
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> fmt::Debug for AliyunLogin<'_, USER_NAME, PASSWORD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunLogin")
            .field("client_id", &self.client_id)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
