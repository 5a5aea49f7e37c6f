//! Log-ins as the client of `mqtt-p2p-core` takes them.

use mqtt_p2p_core::Login;

use crate::login::ConnectCredentials;

impl<const USER_NAME: usize, const PASSWORD: usize> ConnectCredentials<USER_NAME, PASSWORD> {
    /// As the client of `mqtt-p2p-core` takes it.
    pub fn login<'a>(&'a self, client_id: &'a str) -> Login<'a> {
        Login::new(client_id).with_password(self.user_name(), self.password())
    }
}
