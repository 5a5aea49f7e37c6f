//! What a client is made from.

use std::fmt;
use std::future::Future;

use mqtt_p2p_aliyun::{ClientId, Credentials, CredentialsError, profile};
use mqtt_p2p_core::{Config, QoS, SessionStore, TopicError, TopicName, Will};
use tokio::sync::mpsc::UnboundedSender;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::file_store::StoreError;
use crate::keeper::Place;
use crate::log_ins::Source;
use crate::proxy::Proxy;
use crate::route::{Connector, Route};
use crate::step::StepReport;
use crate::tls::Tls;
use crate::tokens::TokenSource;

/// Everything that a [`Client`](crate::Client) needs to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Other ways to the same server, or servers that know the same sessions. Each attempt takes the next one in turn,
    /// without a pause until all of them have failed; after a connection was lost, the one that it went to comes first.
    pub other_endpoints: Vec<Endpoint>,
    /// Whom to trust, and what to show, with `mqtts://` and `wss://`.
    pub tls: Tls,
    /// Speak MQTT 3.1 with a server that does not know 3.1.1: one that refuses it (return code 1), ends the connection
    /// instead of an answer, or does not grant the WebSocket upgrade. Default: false.
    pub fall_back_to_v31: bool,
    /// Who the client is.
    pub login: Login,
    /// How the connection behaves.
    pub config: Config,
    /// How many messages a stream holds before the reading from the socket stops. Default: 1,024.
    pub stream_capacity: usize,
    /// A `/` at the end does not make a topic another one, when it is looked up which streams and handlers want a
    /// message. Default: false; true for ApsaraMQ, which adds one to messages that come through RocketMQ (ApsaraMQ docs:
    /// FAQ about messages).
    pub ignore_trailing_slash: bool,
    /// How many bytes of outgoing packets are kept at most, that is, of what waits for the server. Default: 64 MiB.
    pub max_outgoing_bytes: usize,
    pub(crate) route: Route,
    /// Values do not show in Debug.
    pub(crate) websocket_headers: HeaderMap,
    pub(crate) source: Source,
    /// Have the service keep the order of what is published, after every connect.
    pub(crate) uplink_order: bool,
    pub(crate) session: Option<Place>,
    /// Hears of every step of every attempt.
    pub(crate) observer: Option<UnboundedSender<StepReport>>,
}

/// Why a WebSocket header can't be sent. It is the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not a header's name.
    Name,
    /// A value that no header can have: with a line break or another control character.
    Value,
    /// The WebSocket handshake has this header already.
    Reserved,
}

/// A log-in. Its password is wiped when dropped; Debug does not show it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Login {
    /// Who this is.
    pub client_id: String,
    /// User name, and password if there is one; a password alone is against the standard ([MQTT-3.1.2-22]).
    pub credentials: Option<(String, Option<Zeroizing<Vec<u8>>>)>,
    /// Topic, payload, QoS and retain flag of the will.
    pub will: Option<(String, Vec<u8>, QoS, bool)>,
}

impl Options {
    /// For any broker, with the defaults of [`Config::new`] and no user name.
    pub fn new(endpoint: Endpoint, client_id: impl Into<String>) -> Self {
        let login = Login::new(client_id);
        Self {
            endpoint,
            other_endpoints: Vec::new(),
            tls: Tls::new(),
            fall_back_to_v31: false,
            login,
            config: Config::new(),
            stream_capacity: 1024,
            ignore_trailing_slash: false,
            max_outgoing_bytes: 64 * 1024 * 1024,
            route: Route::Direct,
            websocket_headers: HeaderMap::new(),
            source: Source::Fixed,
            uplink_order: false,
            session: None,
            observer: None,
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
        let mut options = Self::of_the_service(endpoint, client_id);
        options.login = log_in(client_id.as_str(), credentials)?;
        Ok(options)
    }

    fn of_the_service(endpoint: Endpoint, client_id: &ClientId) -> Self {
        let options = Self::new(endpoint, client_id.as_str()).config(profile());
        Self { ignore_trailing_slash: true, ..options }
    }

    /// For ApsaraMQ, with log-ins made of tokens that are asked for when they are needed, kept over reconnects, and
    /// renewed before they expire: see [`TokenSource`].
    pub fn aliyun_tokens(
        endpoint: Endpoint,
        client_id: &ClientId,
        access_key_id: impl Into<String>,
        instance_id: impl Into<String>,
        source: TokenSource,
    ) -> Self {
        let mut options = Self::of_the_service(endpoint, client_id);
        let (access_key_id, instance_id) = (access_key_id.into(), instance_id.into());
        options.source = Source::Tokens { source, access_key_id, instance_id };
        options
    }

    /// The same with log-ins that an async closure gives: it is asked before every attempt, so that credentials can
    /// change in between. If it fails, or takes longer than the attempt may, the attempt fails; an answer that comes
    /// later serves the next one.
    ///
    /// ```
    /// # let endpoint = "mqtt://localhost".parse::<mqtt_p2p_tokio::Endpoint>()?;
    /// use mqtt_p2p_tokio::{Login, Options};
    ///
    /// let options = Options::new(endpoint, "meter").login_with(|| async {
    ///     let password = std::fs::read("/run/secrets/mqtt")?;
    ///     Ok::<_, std::io::Error>(Login::new("meter").password("meter", password))
    /// });
    /// # Ok::<(), mqtt_p2p_tokio::EndpointError>(())
    /// ```
    #[must_use]
    pub fn login_with<F, A, E>(mut self, ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<Login, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.source = Source::asked(ask);
        self
    }

    /// The same with ordered uplink: after every connect, before anything else is published, the service is asked to
    /// keep the order of what this client publishes. It takes an ordered parent topic, and a consumer that reads in
    /// order ([`ORDER_TOPIC`](mqtt_p2p_aliyun::ORDER_TOPIC)).
    #[must_use]
    pub fn uplink_order(mut self) -> Self {
        self.uplink_order = true;
        self
    }

    /// The same with user name and password.
    #[must_use]
    pub fn password(mut self, user_name: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        self.login = self.login.password(user_name, password);
        self
    }

    /// The same with a user name alone: CONNECT then has no password at all, not even an empty one.
    #[must_use]
    pub fn user_name(mut self, user_name: impl Into<String>) -> Self {
        self.login.credentials = Some((user_name.into(), None));
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

    /// The same with one more of [`other_endpoints`](Self::other_endpoints).
    #[must_use]
    pub fn or_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.other_endpoints.push(endpoint);
        self
    }

    /// The same with this trust and identity.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same through a proxy, instead of a [`connector`](Self::connector). Unix sockets are reached without it.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.route = Route::Proxy(proxy);
        self
    }

    /// The same over streams of the caller's own, instead of TCP, Unix socket or [`proxy`](Self::proxy).
    #[must_use]
    pub fn connector(mut self, connector: Connector) -> Self {
        self.route = Route::Own(connector);
        self
    }

    /// The same with one more header in the WebSocket upgrade, which gateways may ask for.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn websocket_header(mut self, name: &str, value: &str) -> Result<Self, HeaderError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name)?;
        let reserved = ["host", "connection", "upgrade"].contains(&name.as_str())
            || name.as_str().starts_with("sec-websocket-");
        if reserved {
            return Err(HeaderError::Reserved);
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| HeaderError::Value)?;
        value.set_sensitive(true);
        self.websocket_headers.append(name, value);
        Ok(self)
    }

    /// The same, and [MQTT 3.1](Self::fall_back_to_v31) with a server that does not know 3.1.1.
    #[must_use]
    pub fn fall_back_to_v31(mut self) -> Self {
        self.fall_back_to_v31 = true;
        self
    }

    /// The same with a session that outlives the program, even if that is killed: see
    /// [`FileStore`](crate::FileStore). One client at a time can use it; when that is closed, the next one can. With it,
    /// [`close`](crate::Client::close) drops nothing: what waits, waits in the store.
    ///
    /// ```no_run
    /// # async fn example(options: mqtt_p2p_tokio::Options) -> Result<(), Box<dyn std::error::Error>> {
    /// use mqtt_p2p_tokio::{Client, FileStore, QoS};
    ///
    /// let store = FileStore::open("/var/lib/meter", &options.login.client_id)?;
    /// let (client, _) = Client::connect(options.session_store(store)).await?;
    /// // Once the call has returned, no crash loses the message.
    /// let _ = client.publish("meters/1", "230 V", QoS::AtLeastOnce).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session_store(mut self, store: impl SessionStore<Error = StoreError> + Send + 'static) -> Self {
        self.session = Some(Place::new(store));
        self
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

/// The log-in that these credentials make.
pub(crate) fn log_in(client_id: &str, credentials: &Credentials<'_>) -> Result<Login, CredentialsError> {
    let mut user_name = vec![0; credentials.user_name_len()];
    let mut password = Zeroizing::new(vec![0; credentials.password_len()]);
    credentials.write_user_name(&mut user_name)?;
    credentials.write_password(client_id, &mut password)?;
    let user_name = String::from_utf8_lossy(&user_name).into_owned();
    Ok(Login { credentials: Some((user_name, Some(password))), ..Login::new(client_id) })
}

impl Login {
    /// A client id and nothing else.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), credentials: None, will: None }
    }

    /// The same with user name and password.
    #[must_use]
    pub fn password(mut self, user_name: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        self.credentials = Some((user_name.into(), Some(Zeroizing::new(password.into()))));
        self
    }

    pub(crate) fn borrow(&self) -> mqtt_p2p_core::Login<'_> {
        let mut login = mqtt_p2p_core::Login::new(&self.client_id);
        if let Some((user_name, password)) = &self.credentials {
            login.user_name = Some(user_name);
            login.password = password.as_ref().map(|password| password.as_slice());
        }
        if let Some((topic, payload, qos, retain)) = &self.will
            && let Ok(topic) = TopicName::new(topic)
        {
            login = login.with_will(Will::new(topic, payload).with_qos(*qos).with_retain(*retain));
        }
        login
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "this is no name of a header",
            Self::Value => "a header's value can't have control characters",
            Self::Reserved => "the WebSocket handshake sets this header itself",
        })
    }
}

impl std::error::Error for HeaderError {}
