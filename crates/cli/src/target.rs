//! Where to connect as whom: the arguments of a command turned into a client's options.

use std::hash::{BuildHasher, RandomState};

use mqtt_p2p_tokio::{Client, Endpoint, Messages, Options, Protocol, Proxy, Tls, Transport};
use zeroize::Zeroizing;

use crate::args::{Broker, Connection, Mode, Security, Version};
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
    other_endpoints: Vec<Endpoint>,
    tls: Tls,
    proxy: Option<Proxy>,
    pub(crate) log_in: LogIn,
    pub(crate) client_id: String,
    /// Whether the client id was made up just now.
    pub(crate) is_passing: bool,
    keep_alive: Option<u16>,
}

impl Target {
    /// For commands that are about ApsaraMQ first: server and client id must be there.
    pub(crate) fn service(connection: &Connection, profile: &Profile) -> Result<Self, Failure> {
        let endpoints = endpoints(&connection.url, profile)?;
        let identity = &connection.identity;
        let log_in = LogIn::new(login::mode(identity, profile, Mode::Signature), identity, profile, None)?;
        let client_id = login::client_id(identity, profile).ok_or(Failure::Missing(Thing::ClientId))?;
        Self::new(endpoints, connection, log_in, Some(client_id), profile)
    }

    /// For commands that are about any broker: what is missing has a default.
    pub(crate) fn any(
        connection: &Connection,
        server: Option<&str>,
        profile: &Profile,
    ) -> Result<Self, Failure> {
        let endpoints = match server {
            Some(url) => vec![endpoint(url)?],
            None => endpoints(&connection.url, profile)?,
        };
        Self::with_endpoints(endpoints, connection, None, profile)
    }

    fn with_endpoints(
        endpoints: Vec<Endpoint>,
        connection: &Connection,
        password: Option<Secret>,
        profile: &Profile,
    ) -> Result<Self, Failure> {
        let identity = &connection.identity;
        let log_in = LogIn::new(login::mode(identity, profile, Mode::None), identity, profile, password)?;
        Self::new(endpoints, connection, log_in, login::client_id(identity, profile), profile)
    }

    fn new(
        endpoints: Vec<Endpoint>,
        connection: &Connection,
        log_in: LogIn,
        client_id: Option<String>,
        profile: &Profile,
    ) -> Result<Self, Failure> {
        let mut endpoints = endpoints.into_iter();
        let endpoint = endpoints.next().ok_or(Failure::Missing(Thing::Url))?;
        let is_passing = client_id.is_none();
        let client_id = match client_id {
            Some(client_id) => client_id,
            None if log_in.is_service() => return Err(Failure::Missing(Thing::ClientId)),
            None => random_client_id(),
        };
        let security = &connection.security;
        let is_secure = |endpoint: &Endpoint| {
            matches!(endpoint.transport(), Transport::Tls | Transport::SecureWebSocket { .. })
        };
        let others: Vec<_> = endpoints.collect();
        if security.wants_tls() && !is_secure(&endpoint) && !others.iter().any(is_secure) {
            output::warning(&format_args!(
                "{endpoint} is not encrypted: what is said about TLS has no effect"
            ));
        }
        let proxy = security.proxy.as_deref().or_else(|| profile.proxy.as_ref().map(|proxy| proxy.as_str()));
        Ok(Self {
            endpoint,
            other_endpoints: others,
            tls: tls(security, profile)?,
            proxy: proxy.map(str::parse).transpose().map_err(Failure::Proxy)?,
            log_in,
            client_id,
            is_passing,
            keep_alive: profile.keep_alive,
        })
    }

    pub(crate) const fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// The options of a client with this client id.
    pub(crate) fn options_as(&self, client_id: &str) -> Result<Options, Failure> {
        let mut options = self.log_in.options(self.endpoint.clone(), client_id)?.tls(self.tls.clone());
        options.other_endpoints.clone_from(&self.other_endpoints);
        if let Some(proxy) = &self.proxy {
            options = options.proxy(proxy.clone());
        }
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

/// A server's address. Not by clap, whose error would show what it is instead, which may hold a password.
fn endpoint(url: &str) -> Result<Endpoint, Failure> {
    url.parse().map_err(Failure::Endpoint)
}

/// The servers of the arguments, or else of the profile.
fn endpoints(urls: &[String], profile: &Profile) -> Result<Vec<Endpoint>, Failure> {
    match urls {
        [] => Ok(profile.url.clone()),
        urls => urls.iter().map(|url| endpoint(url)).collect(),
    }
}

/// Whom to trust, and who to be.
fn tls(security: &Security, profile: &Profile) -> Result<Tls, Failure> {
    let mut tls = Tls::new();
    if let Some(path) = security.cafile.as_ref().or(profile.cafile.as_ref()) {
        tls = tls.ca_file(path).map_err(Failure::Tls)?;
    }
    let certificate = match (&security.cert, &security.key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        _ => profile.cert.as_ref().zip(profile.key.as_ref()),
    };
    if let Some((certificate, key)) = certificate {
        tls = tls.client_certificate_files(certificate, key).map_err(Failure::Tls)?;
    }
    if let Some(name) = security.server_name.as_ref().or(profile.server_name.as_ref()) {
        tls = tls.server_name(name).map_err(Failure::Tls)?;
    }
    if security.insecure {
        output::warning(
            &"CERTIFICATES ARE NOT CHECKED (--insecure): anybody in between can read and change everything, the \
              log-in included; --cafile with the server's own authority is safe",
        );
        tls = tls.dangerously_accept_any_certificate();
    }
    Ok(tls)
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
        let connection = &args.connection;
        let security = &connection.security;
        let scheme = if security.wants_tls() { "mqtts" } else { "mqtt" };
        let mut user_name = None;
        let mut topic = None;
        let endpoints = if let Some(location) = location {
            user_name = location.user_name;
            password = password.or(location.password);
            topic = location.topic;
            vec![location.endpoint]
        } else if let Some(path) = &args.unix {
            vec![Endpoint::unix(path)]
        } else if args.host.is_some() || args.port.is_some() {
            vec![host_and_port(scheme, args.host.as_deref().unwrap_or("localhost"), args.port)?]
        } else {
            match endpoints(&connection.url, profile)? {
                none if none.is_empty() => vec![host_and_port(scheme, "localhost", None)?],
                some => some,
            }
        };
        let target = match user_name {
            Some(user_name) => {
                let log_in = LogIn::Password { user_name, password };
                let client_id = login::client_id(&connection.identity, profile);
                Target::new(endpoints, connection, log_in, client_id, profile)?
            }
            None => Target::with_endpoints(endpoints, connection, password, profile)?,
        };
        if args.disable_clean_session && target.is_passing {
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

/// A server as -h and -p name it.
fn host_and_port(scheme: &str, host: &str, port: Option<u16>) -> Result<Endpoint, Failure> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.into() };
    endpoint(&match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
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
        if !matches!(scheme, "mqtt" | "mqtts") {
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
            endpoint: endpoint(&format!("{scheme}://{host}"))?,
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
