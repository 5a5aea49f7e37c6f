//! What the client is told once: the promises of the connection, the waiting times, the limits.

use mqtt_p2p_packet::Protocol;

/// How a client behaves. Times are in milliseconds unless the name says otherwise.
///
/// ```
/// use mqtt_p2p_core::{Backoff, Config};
///
/// let config = Config::new().with_keep_alive_secs(30).with_backoff(Backoff::Fixed { delay_ms: 2_000 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// The edition to speak. Default: 3.1.1.
    pub protocol: Protocol,
    /// Ask the server to forget the session when a connection ends ([MQTT-3.1.2-6]). The client's own side of the
    /// session, that is, all that it has accepted, lives on either way. Default: false.
    pub clean_session: bool,
    /// The longest silence of the client, in seconds; 0 turns keep alive off ([MQTT-3.1.2-23]). A ping goes out
    /// an eighth earlier, also if nothing was *received* for so long. Default: 60.
    pub keep_alive_secs: u16,
    /// How long a ping may wait for its answer, or for any other packet, before the connection counts as dead.
    /// Default: 20,000.
    pub ping_timeout_ms: u32,
    /// How long an attempt to connect may take, from [`Action::OpenTransport`](crate::Action::OpenTransport) to
    /// CONNACK; also how long [`disconnect`](crate::Client::disconnect) waits for what is still to be sent.
    /// Default: 10,000.
    pub connect_timeout_ms: u32,
    /// How long to wait before the next attempt.
    pub backoff: Backoff,
    /// A connection that lasted so long proves that all is well: back-off and takeover suspicion start anew after
    /// it. Default: 30,000.
    pub stable_after_ms: u32,
    /// How long to stay away, at most, when another client seems to use this client id: between half of it and
    /// all of it. Default: 60,000.
    pub takeover_delay_ms: u32,
    /// How many publications of QoS 1 and 2 may be under way at once; the rest waits its turn. Default: 20.
    pub max_in_flight: u16,
    /// Whether SUBSCRIBE, UNSUBSCRIBE, PUBREL and publications of QoS 0 go out ahead of publications that wait for
    /// [`Self::max_in_flight`]. Default: yes.
    ///
    /// Firmware whose memory holds no more requests than the window never has one that waits, and saves about 500 bytes
    /// of flash without it.
    pub pass_window: bool,
    /// The longest packet taken from the server, in bytes with its fixed header; the caller's receive buffer must
    /// hold as much, but for [`Self::max_whole_message`]. A longer one ends the connection when its header is seen. Default: 65,536 + 1,024.
    pub max_packet_size: u32,
    /// When subscriptions are asked for again after a reconnect.
    pub resubscribe: Resubscribe,
    /// What may be published while there is no connection.
    pub offline: Offline,
    /// Acknowledge messages only when [`acknowledge`](crate::Client::acknowledge) says so; otherwise it happens
    /// once the caller has taken the message, that is, at the next poll. The order is the caller's then: the standard
    /// asks for that in which the messages came ([MQTT-4.6.0-2], [MQTT-4.6.0-3]). Default: false.
    pub manual_ack: bool,
    /// Whether messages go and come at QoS 2. A firmware that needs no more than QoS 1 has a smaller program without it:
    /// publishing at QoS 2 is an error then, and a message that comes at QoS 2 all the same is told as often as the
    /// server sends it, which is more than once after a lost connection. Default: true.
    pub exactly_once: bool,
    /// Tell every change of the session by [`Action::Store`](crate::Action::Store), so that it outlives a crash.
    /// Default: false.
    pub keep_session: bool,
    /// Send at most so many requests (publications, subscriptions, unsubscriptions) in a second on average, and the
    /// rest when its turn comes; 0 for no bound. ApsaraMQ recommends 20. Default: 0.
    pub max_requests_per_sec: u16,
    /// A message whose packet is longer than this many bytes may be told in parts
    /// ([`Event::MessageBegin`](crate::Event::MessageBegin)), so that the caller's receive buffer need hold no more
    /// than this. A message whose topic alone is longer ends the connection. Default: the largest number, that is,
    /// all messages are told as a whole.
    pub max_whole_message: u32,
    /// Tell the end of publications of QoS 0 by [`Event::Published`](crate::Event::Published). Without it they end
    /// silently once their bytes are handed to the transport, which spares a poll for each; given up, they end in
    /// [`Event::Dropped`](crate::Event::Dropped) either way. Default: true.
    pub tell_qos_0: bool,
    /// What the service at the other end does not do.
    pub limits: Limits,
}

/// What to refuse on the caller's side because the service would drop it, or the connection with it.
///
/// ```
/// use mqtt_p2p_core::{Config, Limits};
///
/// let config = Config::new().with_limits(Limits::none().with_max_payload(65_536).with_retain(false));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Limits {
    /// The longest payload to publish, in bytes.
    pub max_payload: u32,
    /// The most subscriptions at one time; the largest number for no limit.
    pub max_subscriptions: u16,
    /// Whether retained messages are known.
    pub retain: bool,
    /// Whether wills are known.
    pub will: bool,
    /// The longest keep alive, in seconds. It is lowered to this, and if this is not the largest number, then
    /// turning keep alive off is no choice either: 0 becomes this too.
    pub max_keep_alive_secs: u16,
}

/// The wait before the next attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Backoff {
    /// Any time up to a bound that doubles with every failure: "full jitter", so that a million clients that lost
    /// one server do not come back in step.
    Exponential {
        /// The bound after the first failure.
        base_ms: u32,
        /// The bound stays below this.
        cap_ms: u32,
    },
    /// The same time always.
    Fixed {
        /// That time.
        delay_ms: u32,
    },
}

/// When subscriptions are asked for again. The client keeps those that the server has granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Resubscribe {
    /// When CONNACK says that the server has no session for this client.
    WithoutSession,
    /// After every CONNACK: for servers whose word on the session can't be relied on.
    Always,
    /// Never: the caller does it.
    Never,
}

/// What is accepted for later while there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Offline {
    /// Everything, as long as there is room.
    QueueAll,
    /// Publications of QoS 1 and 2, subscriptions and unsubscriptions.
    QueueAcknowledged,
    /// Nothing.
    Refuse,
}

impl Limits {
    /// No limits but MQTT's own.
    pub const fn none() -> Self {
        Self {
            max_payload: u32::MAX,
            max_subscriptions: u16::MAX,
            retain: true,
            will: true,
            max_keep_alive_secs: u16::MAX,
        }
    }

    // The builder methods return a new value instead of changing `mut self`: with that, rustc 1.95 at opt-level 1 may change
    // the caller's copy as well.

    /// Sets the longest payload to publish, in bytes.
    #[inline]
    #[must_use]
    pub const fn with_max_payload(self, max_payload: u32) -> Self {
        Self { max_payload, ..self }
    }

    /// Sets the most subscriptions at one time.
    #[inline]
    #[must_use]
    pub const fn with_max_subscriptions(self, max_subscriptions: u16) -> Self {
        Self { max_subscriptions, ..self }
    }

    /// Sets whether the service supports retained messages.
    #[inline]
    #[must_use]
    pub const fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }

    /// Sets whether the service supports wills.
    #[inline]
    #[must_use]
    pub const fn with_will(self, will: bool) -> Self {
        Self { will, ..self }
    }

    /// Sets the longest keep-alive, in seconds.
    #[inline]
    #[must_use]
    pub const fn with_max_keep_alive_secs(self, max_keep_alive_secs: u16) -> Self {
        Self { max_keep_alive_secs, ..self }
    }
}

impl Config {
    /// The defaults, which fit any broker.
    pub const fn new() -> Self {
        Self {
            protocol: Protocol::V311,
            clean_session: false,
            keep_alive_secs: 60,
            ping_timeout_ms: 20_000,
            connect_timeout_ms: 10_000,
            backoff: Backoff::Exponential { base_ms: 1_000, cap_ms: 60_000 },
            stable_after_ms: 30_000,
            takeover_delay_ms: 60_000,
            max_in_flight: 20,
            pass_window: true,
            max_packet_size: 65_536 + 1_024,
            resubscribe: Resubscribe::WithoutSession,
            offline: Offline::QueueAll,
            manual_ack: false,
            exactly_once: true,
            keep_session: false,
            max_requests_per_sec: 0,
            max_whole_message: u32::MAX,
            tell_qos_0: true,
            limits: Limits::none(),
        }
    }

    // The builder methods return a new value instead of changing `mut self`: with that, rustc 1.95 at opt-level 1 may change
    // the caller's copy as well.

    /// Sets the protocol version to speak.
    #[inline]
    #[must_use]
    pub const fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// Sets whether the server forgets the session when a connection ends.
    #[inline]
    #[must_use]
    pub const fn with_clean_session(self, clean_session: bool) -> Self {
        Self { clean_session, ..self }
    }

    /// Sets the keep-alive, in seconds; 0 turns it off.
    #[inline]
    #[must_use]
    pub const fn with_keep_alive_secs(self, keep_alive_secs: u16) -> Self {
        Self { keep_alive_secs, ..self }
    }

    /// Sets how long a ping may wait for its answer.
    #[inline]
    #[must_use]
    pub const fn with_ping_timeout_ms(self, ping_timeout_ms: u32) -> Self {
        Self { ping_timeout_ms, ..self }
    }

    /// Sets how long an attempt to connect may take.
    #[inline]
    #[must_use]
    pub const fn with_connect_timeout_ms(self, connect_timeout_ms: u32) -> Self {
        Self { connect_timeout_ms, ..self }
    }

    /// Sets how long to wait before the next attempt to connect.
    #[inline]
    #[must_use]
    pub const fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Sets how long a connection must last to count as stable.
    #[inline]
    #[must_use]
    pub const fn with_stable_after_ms(self, stable_after_ms: u32) -> Self {
        Self { stable_after_ms, ..self }
    }

    /// Sets the longest delay after a suspected takeover of the client id.
    #[inline]
    #[must_use]
    pub const fn with_takeover_delay_ms(self, takeover_delay_ms: u32) -> Self {
        Self { takeover_delay_ms, ..self }
    }

    /// Sets how many publications of QoS 1 and 2 may be in flight.
    #[inline]
    #[must_use]
    pub const fn with_max_in_flight(self, max_in_flight: u16) -> Self {
        Self { max_in_flight, ..self }
    }

    /// Sets whether what need not wait for the in-flight window passes publications that do.
    #[inline]
    #[must_use]
    pub const fn with_pass_window(self, pass_window: bool) -> Self {
        Self { pass_window, ..self }
    }

    /// Sets the longest packet to accept from the server, in bytes.
    #[inline]
    #[must_use]
    pub const fn with_max_packet_size(self, max_packet_size: u32) -> Self {
        Self { max_packet_size, ..self }
    }

    /// Sets when to subscribe again after a reconnect.
    #[inline]
    #[must_use]
    pub const fn with_resubscribe(self, resubscribe: Resubscribe) -> Self {
        Self { resubscribe, ..self }
    }

    /// Sets what to accept while there is no connection.
    #[inline]
    #[must_use]
    pub const fn with_offline(self, offline: Offline) -> Self {
        Self { offline, ..self }
    }

    /// Sets whether the caller acknowledges messages by [`acknowledge`](crate::Client::acknowledge).
    #[inline]
    #[must_use]
    pub const fn with_manual_ack(self, manual_ack: bool) -> Self {
        Self { manual_ack, ..self }
    }

    /// Sets whether to support QoS 2.
    #[inline]
    #[must_use]
    pub const fn with_exactly_once(self, exactly_once: bool) -> Self {
        Self { exactly_once, ..self }
    }

    /// Sets whether to report every change of the session, to be stored.
    #[inline]
    #[must_use]
    pub const fn with_keep_session(self, keep_session: bool) -> Self {
        Self { keep_session, ..self }
    }

    /// Sets the highest average rate of requests per second; 0 for no limit.
    #[inline]
    #[must_use]
    pub const fn with_max_requests_per_sec(self, max_requests_per_sec: u16) -> Self {
        Self { max_requests_per_sec, ..self }
    }

    /// Sets the length in bytes from which on a packet is received in parts.
    #[inline]
    #[must_use]
    pub const fn with_max_whole_message(self, max_whole_message: u32) -> Self {
        Self { max_whole_message, ..self }
    }

    /// Sets whether [`Event::Published`](crate::Event::Published) is reported for QoS 0 too.
    #[inline]
    #[must_use]
    pub const fn with_tell_qos_0(self, tell_qos_0: bool) -> Self {
        Self { tell_qos_0, ..self }
    }

    /// Sets the limits of the service.
    #[inline]
    #[must_use]
    pub const fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The keep alive that CONNECT carries, within the limits.
    pub(crate) fn keep_alive(&self) -> u16 {
        let max = self.limits.max_keep_alive_secs;
        match self.keep_alive_secs {
            0 if max == u16::MAX => 0,
            0 => max,
            secs => secs.min(max),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
