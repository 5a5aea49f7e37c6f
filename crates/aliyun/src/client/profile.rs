//! The configuration of a client for the service: timeouts and limits.

use mqtt_p2p_core::{Backoff, Config, Limits, Resubscribe};

use crate::limits;

/// Returns the configuration of an `mqtt-p2p-core` client for ApsaraMQ.
///
/// - Keep-alive is 90 s, at most 480 s, and can't be turned off. The connect timeout is 3 s.
/// - Reconnects back off exponentially with full jitter, from 2 s to 60 s. The documentation gives no numbers; the
///   official demo waits 2 s.
/// - Payloads are limited to 64 KB and subscriptions to 30. The service drops what exceeds the limits, or disconnects
///   the client.
/// - Will and retained messages are rejected, since the service does not support them.
/// - The client subscribes again after every CONNACK, since the service's session-present flag is not reliable.
///
/// The values are those of [`limits`](crate::limits), which names their sources.
///
/// ```
/// use mqtt_p2p_aliyun::profile;
/// use mqtt_p2p_core::{Client, Config, Inline};
///
/// let client = Client::new(profile().with_clean_session(true), 42, Inline::<1024>::new());
/// ```
pub const fn profile() -> Config {
    Config::new()
        .with_keep_alive_secs(limits::KEEP_ALIVE.as_secs() as u16)
        .with_connect_timeout_ms(millis(limits::CONNECT_TIMEOUT))
        .with_backoff(Backoff::Exponential { base_ms: millis(limits::RECONNECT_BASE), cap_ms: 60_000 })
        .with_resubscribe(Resubscribe::Always)
        .with_limits(
            Limits::none()
                .with_max_payload(limits::MAX_PAYLOAD as u32)
                .with_max_subscriptions(limits::MAX_SUBSCRIPTIONS as u16)
                .with_retain(false)
                .with_will(false)
                .with_max_keep_alive_secs(limits::MAX_KEEP_ALIVE.as_secs() as u16),
        )
}

const fn millis(duration: core::time::Duration) -> u32 {
    duration.as_millis() as u32
}
