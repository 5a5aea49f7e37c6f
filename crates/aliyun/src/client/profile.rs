//! The service's profile: waiting times and limits.

use mqtt_p2p_core::{Backoff, Config, Limits, Resubscribe};

use crate::limits;

/// How a client should behave towards ApsaraMQ:
///
/// - keep alive 90 s, never off and at most 480 s; 3 s to connect;
/// - back-off with full jitter, from 2 s (ApsaraMQ docs give no numbers; the official demo waits 2 s);
/// - payloads up to 64 KB, 30 subscriptions; the service would drop more, or the connection with it;
/// - no will and no retained messages, which the service does not know;
/// - subscriptions are asked for again after every CONNACK, since its word on the session can't be relied on.
///
/// ```
/// use mqtt_p2p_aliyun::profile;
/// use mqtt_p2p_core::{Client, Config, Inline};
///
/// let client = Client::new(Config { clean_session: true, ..profile() }, 42, Inline::<1024>::new());
/// ```
pub const fn profile() -> Config {
    Config {
        keep_alive_secs: limits::KEEP_ALIVE.as_secs() as u16,
        connect_timeout_ms: millis(limits::CONNECT_TIMEOUT),
        backoff: Backoff::Exponential { base_ms: millis(limits::RECONNECT_BASE), cap_ms: 60_000 },
        resubscribe: Resubscribe::Always,
        limits: Limits {
            max_payload: limits::MAX_PAYLOAD as u32,
            max_subscriptions: limits::MAX_SUBSCRIPTIONS as u16,
            retain: false,
            will: false,
            max_keep_alive_secs: limits::MAX_KEEP_ALIVE.as_secs() as u16,
        },
        ..Config::new()
    }
}

const fn millis(duration: core::time::Duration) -> u32 {
    duration.as_millis() as u32
}
