//! What CONNECT says of the client, given anew for every connection.

use core::fmt;

use mqtt_p2p_packet::Will;

/// A log-in. It is asked for at every attempt, so that a token can be renewed in between. Debug does not show the
/// user name or the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// Who this is. May be empty with a clean session only ([MQTT-3.1.3-7]).
    pub client_id: &'a str,
    /// User name.
    pub user_name: Option<&'a str>,
    /// Password, with a user name only ([MQTT-3.1.2-22]).
    pub password: Option<&'a [u8]>,
    /// What the server publishes if this client vanishes.
    pub will: Option<Will<'a>>,
}

impl<'a> Login<'a> {
    /// A client id and nothing else.
    pub const fn new(client_id: &'a str) -> Self {
        Self { client_id, user_name: None, password: None, will: None }
    }

    /// The same with user name and password.
    #[must_use]
    pub const fn with_password(mut self, user_name: &'a str, password: &'a [u8]) -> Self {
        self.user_name = Some(user_name);
        self.password = Some(password);
        self
    }

    /// The same with a will.
    #[must_use]
    pub const fn with_will(mut self, will: Will<'a>) -> Self {
        self.will = Some(will);
        self
    }
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .finish_non_exhaustive()
    }
}
