//! Where to connect as whom: the arguments of a command turned into a client's options.

use std::hash::{BuildHasher, RandomState};

use mqtt_p2p_tokio::{Client, Endpoint, Messages, Options, Protocol};
use zeroize::Zeroizing;

use crate::args::{Broker, Connection, Mode, Version};
use crate::failure::{Failure, Thing};
use crate::login::{self, LogIn};
use crate::output;
use crate::profile::Profile;
use crate::secret::Secret;

/// The longest packet that MQTT knows.
const MAX_PACKET: u32 = 268_435_460;

/// A server and a log-in.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) log_in: LogIn,
    pub(crate) client_id: String,
    keep_alive: Option<u16>,
}

impl Target {
    /// For commands that are about ApsaraMQ first: server and client id must be there.
    pub(crate) fn service(connection: &Connection, profile: &Profile) -> Result<Self, Failure> {
        let endpoint = connection.url.clone().or_else(|| profile.url.clone());
        let identity = &connection.identity;
        let mode = login::mode(identity, profile, Mode::Signature);
        Ok(Self {
            endpoint: endpoint.ok_or(Failure::Missing(Thing::Url))?,
            log_in: LogIn::new(mode, identity, profile, None)?,
            client_id: login::client_id(identity, profile).ok_or(Failure::Missing(Thing::ClientId))?,
            keep_alive: profile.keep_alive,
        })
    }

    /// For commands that are about any broker: what is missing has a default.
    pub(crate) fn any(
        connection: &Connection,
        endpoint: Option<Endpoint>,
        password: Option<Secret>,
        profile: &Profile,
    ) -> Result<Self, Failure> {
        let identity = &connection.identity;
        let endpoint = endpoint.or_else(|| connection.url.clone()).or_else(|| profile.url.clone());
        let mode = login::mode(identity, profile, Mode::None);
        let log_in = LogIn::new(mode, identity, profile, password)?;
        let client_id = match login::client_id(identity, profile) {
            Some(client_id) => client_id,
            None if log_in.is_service() => return Err(Failure::Missing(Thing::ClientId)),
            None => random_client_id(),
        };
        Ok(Self {
            endpoint: endpoint.unwrap_or_else(|| Endpoint::tcp("localhost", 1883)),
            log_in,
            client_id,
            keep_alive: profile.keep_alive,
        })
    }

    /// The options of a client with this client id.
    pub(crate) fn options_as(&self, client_id: &str) -> Result<Options, Failure> {
        let mut options = self.log_in.options(self.endpoint.clone(), client_id)?;
        if !self.log_in.is_service() {
            // Other brokers may pass on what the service would not.
            options.config.max_packet_size = MAX_PACKET;
        }
        if let Some(seconds) = self.keep_alive {
            options.config.keep_alive_secs = seconds;
        }
        Ok(options)
    }

    pub(crate) fn options(&self) -> Result<Options, Failure> {
        self.options_as(&self.client_id)
    }
}

/// A client id that nobody else has, of a length that MQTT 3.1 allows.
fn random_client_id() -> String {
    // The standard library seeds its hash maps with what the operating system gives.
    format!("mqtt-p2p-{:010x}", RandomState::new().hash_one(std::process::id()) >> 24)
}

/// What `publish` and `subscribe` connect with.
pub(crate) struct BrokerTarget {
    pub(crate) target: Target,
    /// The topic of -L.
    pub(crate) topic: Option<String>,
    pub(crate) options: Options,
}

impl BrokerTarget {
    pub(crate) fn new(args: &Broker, profile: &Profile) -> Result<Self, Failure> {
        let location = args.location.as_deref().map(Location::parse).transpose()?;
        let mut password = args.password.clone().map(Zeroizing::new);
        if password.is_some() || location.as_ref().is_some_and(|location| location.password.is_some()) {
            output::warning(
                &"every user of this machine can see a password on the command line; \
                  --password-file and MQTT_P2P_PASSWORD keep it to yourself",
            );
        }
        let mut endpoint = match (&args.host, args.port) {
            (None, None) => None,
            (host, port) => Some(Endpoint::tcp(host.as_deref().unwrap_or("localhost"), port.unwrap_or(1883))),
        };
        let mut user_name = None;
        let mut topic = None;
        if let Some(location) = location {
            endpoint = Some(location.endpoint);
            user_name = location.user_name;
            password = password.or(location.password);
            topic = location.topic;
        }
        let target = match user_name {
            Some(user_name) => {
                let log_in = LogIn::Password { user_name, password };
                let endpoint = endpoint.unwrap_or_else(|| Endpoint::tcp("localhost", 1883));
                let identity = &args.connection.identity;
                let client_id = login::client_id(identity, profile).unwrap_or_else(random_client_id);
                Target { endpoint, log_in, client_id, keep_alive: profile.keep_alive }
            }
            None => Target::any(&args.connection, endpoint, password, profile)?,
        };
        if args.disable_clean_session && login::client_id(&args.connection.identity, profile).is_none() {
            return Err(Failure::SessionWithoutClientId);
        }
        let mut options = target.options()?.clean_session(!args.disable_clean_session);
        if let Some(seconds) = args.keepalive {
            options.config.keep_alive_secs = seconds;
        }
        options.config.protocol = match args.protocol_version {
            Version::V31 => Protocol::V31,
            Version::V311 => Protocol::V311,
        };
        let will = &args.will;
        if let Some(topic) = &will.will_topic {
            let payload = will.will_payload.clone().unwrap_or_default();
            options =
                options.will(topic, payload, will.will_qos, will.will_retain).map_err(Failure::Topic)?;
        }
        Ok(Self { target, topic, options })
    }

    /// Connects, and says so to who wants to know.
    pub(crate) async fn connect(&self, args: &Broker) -> Result<(Client, Messages), Failure> {
        let connected = Client::connect(self.options.clone()).await.map_err(Failure::Connect)?;
        if args.debug {
            output::note(&format_args!("logged in at {} as {}", self.target.endpoint, self.target.client_id));
        }
        Ok(connected)
    }
}

/// What mosquitto's -L means: `mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC`.
struct Location {
    endpoint: Endpoint,
    user_name: Option<String>,
    password: Option<Secret>,
    topic: Option<String>,
}

impl Location {
    fn parse(url: &str) -> Result<Self, Failure> {
        let (scheme, rest) = url.split_once("://").ok_or(Failure::Location)?;
        if scheme != "mqtt" {
            return Err(Failure::Location);
        }
        let (authority, topic) = match rest.split_once('/') {
            Some((authority, topic)) => (authority, Some(topic).filter(|topic| !topic.is_empty())),
            None => (rest, None),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (user_name, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((name, password)) => (Some(name), Some(password).filter(|password| !password.is_empty())),
            None => (None, None),
        };
        Ok(Self {
            endpoint: format!("{scheme}://{host}").parse().map_err(Failure::Endpoint)?,
            user_name: user_name.map(Into::into),
            password: password.map(|password| Zeroizing::new(password.into())),
            topic: topic.map(Into::into),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_has_user_password_server_and_topic() {
        let location =
            Location::parse("mqtt://me:p@ss@[::1]:1884/a/b").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(location.endpoint.to_string(), "mqtt://[::1]:1884");
        assert_eq!(location.user_name.as_deref(), Some("me"));
        assert_eq!(location.password.map(|password| password.to_string()).as_deref(), Some("p@ss"));
        assert_eq!(location.topic.as_deref(), Some("a/b"));
    }

    #[test]
    fn client_ids_fit_mqtt_3_1_and_differ() {
        let (one, other) = (random_client_id(), random_client_id());
        assert!(one.len() <= 23 && one != other, "{one} {other}");
    }
}
