//! What a client is made from.

use std::fmt;

use mqtt_p2p_aliyun::{ClientId, Credentials, CredentialsError, profile};
use mqtt_p2p_core::{Config, QoS, TopicError, TopicName, Will};
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;

/// Everything that a [`Client`](crate::Client) needs to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Who the client is.
    pub login: Login,
    /// How the connection behaves.
    pub config: Config,
    /// How many messages a stream holds before the reading from the socket stops. Default: 1,024.
    pub stream_capacity: usize,
    /// How many bytes of outgoing packets are kept at most, that is, of what waits for the server. Default: 64 MiB.
    pub max_outgoing_bytes: usize,
}

/// A log-in. Its password is wiped when dropped; Debug does not show it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Login {
    /// Who this is.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<(String, Zeroizing<Vec<u8>>)>,
    /// Topic, payload, QoS and retain flag of the will.
    pub will: Option<(String, Vec<u8>, QoS, bool)>,
}

impl Options {
    /// For any broker, with the defaults of [`Config::new`] and no user name.
    pub fn new(endpoint: Endpoint, client_id: impl Into<String>) -> Self {
        let login = Login { client_id: client_id.into(), credentials: None, will: None };
        Self {
            endpoint,
            login,
            config: Config::new(),
            stream_capacity: 1024,
            max_outgoing_bytes: 64 * 1024 * 1024,
        }
    }

    /// For ApsaraMQ, with the service's [profile] and the log-in that the credentials make.
    ///
    /// # Errors
    /// Credentials that are against the service's rules.
    pub fn aliyun(
        endpoint: Endpoint,
        client_id: &ClientId,
        credentials: &Credentials<'_>,
    ) -> Result<Self, CredentialsError> {
        let id = client_id.as_str();
        let mut user_name = vec![0; credentials.user_name_len()];
        let mut password = Zeroizing::new(vec![0; credentials.password_len()]);
        credentials.write_user_name(&mut user_name)?;
        credentials.write_password(id, &mut password)?;
        let user_name = String::from_utf8_lossy(&user_name).into_owned();
        let mut options = Self::new(endpoint, id).config(profile());
        options.login.credentials = Some((user_name, password));
        Ok(options)
    }

    /// The same with user name and password.
    #[must_use]
    pub fn password(mut self, user_name: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        self.login.credentials = Some((user_name.into(), Zeroizing::new(password.into())));
        self
    }

    /// The same with a will.
    ///
    /// # Errors
    /// A topic that is no topic name.
    pub fn will(
        mut self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
        retain: bool,
    ) -> Result<Self, TopicError> {
        let topic = topic.into();
        TopicName::new(&topic)?;
        self.login.will = Some((topic, payload.into(), qos, retain));
        Ok(self)
    }

    /// The same with another behaviour.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The same with or without a clean session.
    #[must_use]
    pub fn clean_session(mut self, clean_session: bool) -> Self {
        self.config.clean_session = clean_session;
        self
    }
}

impl Login {
    pub(crate) fn borrow(&self) -> mqtt_p2p_core::Login<'_> {
        let mut login = mqtt_p2p_core::Login::new(&self.client_id);
        if let Some((user_name, password)) = &self.credentials {
            login = login.with_password(user_name, password);
        }
        if let Some((topic, payload, qos, retain)) = &self.will
            && let Ok(topic) = TopicName::new(topic)
        {
            login = login.with_will(Will { topic, payload, qos: *qos, retain: *retain });
        }
        login
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}
