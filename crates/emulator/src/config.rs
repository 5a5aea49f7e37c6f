//! What an emulator knows before the first client comes.

use std::collections::BTreeSet;
use std::time::Duration;

use mqtt_p2p_aliyun::limits;

use crate::account::Account;
use crate::quirks::{Oversize, Quirks};

pub(crate) const DEMO_KEY: &str = "demo-key";
pub(crate) const DEMO_SECRET: &str = "demo-secret";
#[cfg(feature = "server")]
pub(crate) const DEMO_GROUP: &str = "GID_demo";
#[cfg(feature = "server")]
pub(crate) const DEMO_PARENT: &str = "demo";

/// An instance of the service: its accounts, its parent topics and its limits.
///
/// ```
/// use mqtt_p2p_emulator::{Account, Config, Quirks};
///
/// let config = Config::new("post-cn-demo")
///     .account(Account::access_key("AK", "SK"))
///     .parents(["devices", "alarms"])
///     .quirks(Quirks::service().without_delays());
/// assert_eq!(config.instance_id, "post-cn-demo");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The instance id, which the user names of three of the log-in modes carry.
    pub instance_id: String,
    /// Who may log in.
    pub accounts: Vec<Account>,
    /// Whether a client without a user name may log in, with any client id. The service never allows it; plain MQTT
    /// tests may want it. Default: no.
    pub allow_anonymous: bool,
    /// The parent topics (first levels) that were created in the console: to use another one closes the connection.
    /// Default: `None`, any.
    pub parents: Option<BTreeSet<String>>,
    /// The groups that were created in the console: a client id of another one is against the rules. Default: `None`,
    /// any.
    pub groups: Option<BTreeSet<String>>,
    /// Where the service departs from the standard.
    pub quirks: Quirks,
    /// The largest payload in bytes; a larger one closes the connection. Default: 64 KB.
    pub max_payload: usize,
    /// How long a connection may take until its CONNECT is there. Default: 10 s.
    pub connect_timeout: Duration,
    /// How many connections there may be; further ones are closed. Default: 10,000.
    pub max_connections: usize,
    /// How many sessions there may be, of connected clients and kept ones together; who needs a further one gets
    /// CONNACK 3. Default: 20,000.
    pub max_sessions: usize,
    /// How many messages of QoS 1 and 2 may be under way to a client without an acknowledgement; further ones wait.
    /// Default: 100.
    pub in_flight: usize,
    /// How many messages may wait, for offline clients and for slow ones each; the oldest is dropped for one more.
    /// Default: one million, as the service documents.
    pub max_waiting_messages: usize,
    /// How much memory, in bytes, messages may take that wait, for offline clients and for slow ones each; the oldest
    /// are dropped for a new one. Default: 256 MiB.
    pub max_waiting_bytes: usize,
    /// The shortest life of a token. Default: 60 s, as the service documents; tests may want less.
    pub min_token_lifetime: Duration,
    /// How long a message is kept for an offline client. Default: three days, as the service documents.
    pub retention: Duration,
}

impl Config {
    /// An instance without accounts, on which any parent topic may be used.
    pub fn new(instance_id: impl Into<String>) -> Self {
        Self {
            instance_id: instance_id.into(),
            accounts: Vec::new(),
            allow_anonymous: false,
            parents: None,
            groups: None,
            quirks: Quirks::service(),
            max_payload: limits::MAX_PAYLOAD,
            connect_timeout: Duration::from_secs(10),
            max_connections: 10_000,
            max_sessions: 20_000,
            in_flight: 100,
            max_waiting_messages: limits::MAX_OFFLINE_MESSAGES,
            max_waiting_bytes: 256 << 20,
            min_token_lifetime: limits::MIN_TOKEN_LIFETIME,
            retention: limits::OFFLINE_RETENTION,
        }
    }

    /// The instance of [`Server::demo`](crate::Server::demo): one access key, any parent topic, and the service's quirks
    /// without its delays.
    pub fn demo() -> Self {
        Self::default()
            .account(Account::access_key(DEMO_KEY, DEMO_SECRET))
            .quirks(Quirks::service().without_delays())
    }

    /// The same with one more account.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// The same, open to clients without a user name.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.allow_anonymous = true;
        self
    }

    /// The same with these parent topics and no others.
    #[must_use]
    pub fn parents<T: Into<String>>(mut self, parents: impl IntoIterator<Item = T>) -> Self {
        self.parents = Some(parents.into_iter().map(Into::into).collect());
        self
    }

    /// The same with these groups and no others.
    #[must_use]
    pub fn groups<T: Into<String>>(mut self, groups: impl IntoIterator<Item = T>) -> Self {
        self.groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// The same with other quirks.
    #[must_use]
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// The largest packet that is read: the largest payload and room for its topic; all other packets fit as well.
    pub(crate) fn max_packet_size(&self) -> u32 {
        const HEADER_ALLOWANCE: usize = 4096;
        const DROPPED: usize = 1 << 20;
        let max_payload = match self.quirks.oversize {
            Oversize::Close => self.max_payload,
            Oversize::Drop => self.max_payload.max(DROPPED),
        };
        u32::try_from(max_payload.saturating_add(HEADER_ALLOWANCE)).unwrap_or(u32::MAX)
    }
}

impl Default for Config {
    /// [`Config::new`] with the instance id `post-cn-demo`.
    fn default() -> Self {
        Self::new("post-cn-demo")
    }
}
