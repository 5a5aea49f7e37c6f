//! Converts credentials to the login of `mqtt-p2p-core`.

use mqtt_p2p_core::Login;

use crate::login::ConnectCredentials;

impl<const USER_NAME: usize, const PASSWORD: usize> ConnectCredentials<USER_NAME, PASSWORD> {
    /// Returns the login that the client of `mqtt-p2p-core` expects when its transport opens.
    ///
    /// The client id must be the one for which the credentials were computed.
    ///
    /// ```
    /// use mqtt_p2p_aliyun::{ClientId, ConnectCredentials, Credentials};
    ///
    /// let client_id = ClientId::new("GID_Test", "0001")?;
    /// let key = Credentials::CustomOrigin { user_name: "alice", secret: "XXXXX" };
    /// let credentials: ConnectCredentials = key.for_client(client_id.as_str())?;
    /// let login = credentials.login(client_id.as_str());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn login<'a>(&'a self, client_id: &'a str) -> Login<'a> {
        Login::new(client_id).with_password(self.user_name(), self.password())
    }
}
