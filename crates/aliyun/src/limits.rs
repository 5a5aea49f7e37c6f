//! The service's numbers, each with the page of its documentation that gives it.
//!
//! They are what the service documents for every edition; a contract may grant more. What happens beyond one
//! is the service's choice: it drops, ignores or disconnects, mostly without a word.

use core::time::Duration;

/// Longest client id in characters, which are ASCII and so bytes too; a longer one is disconnected
/// (ApsaraMQ docs: limits, terms).
pub const MAX_CLIENT_ID: usize = 64;

/// Shortest group id in characters (ApsaraMQ docs: manage groups).
pub const MIN_GROUP_ID: usize = 7;

/// Longest group id in characters (ApsaraMQ docs: manage groups). Behind one of more than 60 there is no room
/// for a device id.
pub const MAX_GROUP_ID: usize = 64;

/// Shortest parent topic in characters (ApsaraMQ docs: limits).
pub const MIN_PARENT_TOPIC: usize = 3;

/// Longest parent topic in characters (ApsaraMQ docs: limits).
pub const MAX_PARENT_TOPIC: usize = 64;

/// Most parent topics of an instance (ApsaraMQ docs: limits).
pub const MAX_PARENT_TOPICS: usize = 25;

/// Longest topic, parent and sub-topics together, in characters (ApsaraMQ docs: limits, terms). The
/// documentation does not say whether P2P topics are exempt: see [`topic_warning`](crate::topic_warning).
pub const MAX_TOPIC_LEN: usize = 64;

/// Largest payload of a message in bytes (ApsaraMQ docs: limits). With a larger one the client is
/// disconnected.
pub const MAX_PAYLOAD: usize = 65_536;

/// Most subscriptions of one client; further ones are silently ignored (ApsaraMQ docs: limits).
pub const MAX_SUBSCRIPTIONS: usize = 30;

/// Most subscriptions with a wildcard below one parent topic, over all clients; further ones have no effect
/// (ApsaraMQ docs: FAQ about sending and receiving messages).
pub const MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT: usize = 100;

/// The keep-alive that the service recommends (ApsaraMQ docs: limits). It cuts a client that was silent for
/// one and a half times as long (ApsaraMQ docs: FAQ about the console).
pub const KEEP_ALIVE: Duration = Duration::from_secs(90);

/// The longest keep-alive that the service grants (ApsaraMQ docs: MQTT 5.0 overview).
pub const MAX_KEEP_ALIVE: Duration = Duration::from_secs(480);

/// How long the service's own examples wait for a connection (ApsaraMQ demos: JavaScript, Node.js, C).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The pause before a reconnect in the service's own examples (ApsaraMQ demos: JavaScript).
pub const RECONNECT_BASE: Duration = Duration::from_secs(2);

/// Port of MQTT over TCP (ApsaraMQ docs: quick start).
pub const TCP_PORT: u16 = 1883;

/// Port of MQTT over TLS (ApsaraMQ docs: quick start).
pub const TLS_PORT: u16 = 8883;

/// Port of MQTT over WebSocket (ApsaraMQ docs: quick start).
pub const WS_PORT: u16 = 80;

/// Port of MQTT over WebSocket over TLS (ApsaraMQ docs: quick start).
pub const WSS_PORT: u16 = 443;

/// Path of the WebSocket endpoint (ApsaraMQ demos: JavaScript).
pub const WS_PATH: &str = "/mqtt";

/// Most offline messages that the service sends at once after a connect (ApsaraMQ docs: offline messages).
pub const OFFLINE_BATCH: usize = 30;

/// The time between two batches of offline messages (ApsaraMQ docs: offline messages).
pub const OFFLINE_BATCH_INTERVAL: Duration = Duration::from_secs(5);

/// How long an offline message is kept (ApsaraMQ docs: limits).
pub const OFFLINE_RETENTION: Duration = Duration::from_secs(3 * 24 * 3600);

/// Most offline messages that an instance keeps; the oldest go first (ApsaraMQ docs: limits).
pub const MAX_OFFLINE_MESSAGES: usize = 1_000_000;

/// Messages per second that one client should not exceed (ApsaraMQ docs: limits).
pub const RECOMMENDED_MESSAGES_PER_SECOND: u32 = 20;

/// Shortest life of a token (ApsaraMQ docs: ApplyToken).
pub const MIN_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// Longest life of a token; a longer one is cut to it (ApsaraMQ docs: ApplyToken).
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long before a token expires the service sends its notice, roughly and without a promise
/// (ApsaraMQ docs: token authentication).
pub const TOKEN_EXPIRY_NOTICE: Duration = Duration::from_secs(5 * 60);
