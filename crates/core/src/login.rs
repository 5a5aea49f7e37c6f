//! What CONNECT says of the client, given anew for every connection.

use core::fmt;

use mqtt_p2p_packet::Will;

/// A log-in. It is asked for at every attempt, so that a token can be renewed in between. Debug does not show the
/// user name or the password.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Creates a login with a client id and nothing else.
    pub const fn new(client_id: &'a str) -> Self {
        Self { client_id, user_name: None, password: None, will: None }
    }

    // The builder methods return a new value instead of changing `mut self`: with that, rustc 1.95 at opt-level 1 may change
    // the caller's copy as well.

    /// Sets the user name, without a password.
    #[must_use]
    pub const fn with_user_name(self, user_name: &'a str) -> Self {
        Self { user_name: Some(user_name), ..self }
    }

    /// Sets the user name and the password.
    #[must_use]
    pub const fn with_password(self, user_name: &'a str, password: &'a [u8]) -> Self {
        Self { user_name: Some(user_name), password: Some(password), ..self }
    }

    /// Sets the will.
    #[must_use]
    pub const fn with_will(self, will: Will<'a>) -> Self {
        Self { will: Some(will), ..self }
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
