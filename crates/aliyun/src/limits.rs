//! The service's documented limits and defaults, each with its source.
//!
//! The values apply to every edition of the service; a contract may allow more. If a client exceeds a limit, the
//! service drops the message, ignores the request or disconnects the client, usually without giving a reason.
//!
//! ```
//! use mqtt_p2p_aliyun::limits;
//!
//! assert_eq!((limits::TLS_PORT, limits::KEEP_ALIVE.as_secs()), (8883, 90));
//! ```

use core::time::Duration;

/// The maximum length of a client id in characters, which are ASCII and therefore bytes.
///
/// The service disconnects a client with a longer id (ApsaraMQ docs: limits, terms).
pub const MAX_CLIENT_ID: usize = 64;

/// The minimum length of a group id in characters (ApsaraMQ docs: manage groups).
pub const MIN_GROUP_ID: usize = 7;

/// The maximum length of a group id in characters (ApsaraMQ docs: manage groups).
///
/// A group id of more than 60 characters leaves no room for a device id in a [client id](MAX_CLIENT_ID).
pub const MAX_GROUP_ID: usize = 64;

/// The minimum length of a parent topic in characters (ApsaraMQ docs: limits).
pub const MIN_PARENT_TOPIC: usize = 3;

/// The maximum length of a parent topic in characters (ApsaraMQ docs: limits).
pub const MAX_PARENT_TOPIC: usize = 64;

/// The maximum number of parent topics per instance (ApsaraMQ docs: limits).
pub const MAX_PARENT_TOPICS: usize = 25;

/// The maximum length of a topic, parent and sub-topics together, in characters (ApsaraMQ docs: limits, terms).
///
/// The documentation does not say whether P2P topics are exempt: see [`topic_warning`](crate::topic_warning).
pub const MAX_TOPIC_LEN: usize = 64;

/// The maximum payload of a message in bytes.
///
/// The service disconnects a client that sends more (ApsaraMQ docs: limits, FAQ about client connections).
pub const MAX_PAYLOAD: usize = 65_536;

/// The maximum number of subscriptions per client. The service silently ignores further ones (ApsaraMQ docs: limits).
pub const MAX_SUBSCRIPTIONS: usize = 30;

/// The maximum number of subscriptions with a wildcard below one parent topic, for all clients together.
///
/// Further ones have no effect (ApsaraMQ docs: FAQ about sending and receiving messages).
pub const MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT: usize = 100;

/// The keep-alive interval that the service recommends (ApsaraMQ docs: limits).
///
/// The service disconnects a client after one and a half intervals of silence (ApsaraMQ docs: FAQ about the console).
pub const KEEP_ALIVE: Duration = Duration::from_secs(90);

/// The maximum keep-alive interval that the service grants (ApsaraMQ docs: MQTT 5.0 overview).
pub const MAX_KEEP_ALIVE: Duration = Duration::from_secs(480);

/// The connect timeout of the service's own examples (ApsaraMQ demos: JavaScript, Node.js, C).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The delay before a reconnect in the service's own examples (ApsaraMQ demos: JavaScript).
pub const RECONNECT_BASE: Duration = Duration::from_secs(2);

/// The port for MQTT over TCP (ApsaraMQ docs: quick start).
pub const TCP_PORT: u16 = 1883;

/// The port for MQTT over TLS (ApsaraMQ docs: quick start).
pub const TLS_PORT: u16 = 8883;

/// The port for MQTT over WebSocket (ApsaraMQ docs: quick start).
pub const WS_PORT: u16 = 80;

/// The port for MQTT over WebSocket with TLS (ApsaraMQ docs: quick start).
pub const WSS_PORT: u16 = 443;

/// The path of the WebSocket endpoint (ApsaraMQ demos: JavaScript).
pub const WS_PATH: &str = "/mqtt";

/// The maximum number of offline messages that the service sends in one batch after a connect (ApsaraMQ docs: offline
/// messages).
pub const OFFLINE_BATCH: usize = 30;

/// The interval between two batches of offline messages (ApsaraMQ docs: offline messages).
pub const OFFLINE_BATCH_INTERVAL: Duration = Duration::from_secs(5);

/// How long the service stores an offline message (ApsaraMQ docs: limits).
pub const OFFLINE_RETENTION: Duration = Duration::from_secs(3 * 24 * 3600);

/// The maximum number of offline messages that an instance stores. The oldest are dropped first (ApsaraMQ docs:
/// limits).
pub const MAX_OFFLINE_MESSAGES: usize = 1_000_000;

/// The recommended maximum rate of messages per client, in messages per second (ApsaraMQ docs: limits).
pub const RECOMMENDED_MESSAGES_PER_SECOND: u32 = 20;

/// The minimum lifetime of a token (ApsaraMQ docs: ApplyToken).
pub const MIN_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// The maximum lifetime of a token. The service silently shortens a longer one (ApsaraMQ docs: ApplyToken).
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long before the expiry of a token the service sends its notice, approximately and without a guarantee
/// (ApsaraMQ docs: token authentication).
pub const TOKEN_EXPIRY_NOTICE: Duration = Duration::from_secs(5 * 60);
