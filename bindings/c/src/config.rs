//! What a client is told once.

use mqtt_p2p_aliyun::profile;
use mqtt_p2p_core::{Backoff, Config, Limits, Offline, Protocol, Resubscribe};

use crate::status::{DONE, MQTTP2P_E_INVALID_ARGUMENT, Status, mqttp2p_status_t};
use crate::types::{Sized32, flag, must_give};

/// MQTT 3.1.1.
pub const MQTTP2P_PROTOCOL_V311: u8 = 4;
/// MQTT 3.1.
pub const MQTTP2P_PROTOCOL_V31: u8 = 3;

/// Ask for subscriptions again when CONNACK says that the server has no session for this client.
pub const MQTTP2P_RESUBSCRIBE_WITHOUT_SESSION: u8 = 0;
/// After every CONNACK: for servers whose word on the session can't be relied on.
pub const MQTTP2P_RESUBSCRIBE_ALWAYS: u8 = 1;
/// Never: the caller does it.
pub const MQTTP2P_RESUBSCRIBE_NEVER: u8 = 2;

/// While there is no connection, accept everything for later, as long as there is room.
pub const MQTTP2P_OFFLINE_QUEUE_ALL: u8 = 0;
/// Accept publications of QoS 1 and 2, subscriptions and unsubscriptions.
pub const MQTTP2P_OFFLINE_QUEUE_ACKNOWLEDGED: u8 = 1;
/// Accept nothing.
pub const MQTTP2P_OFFLINE_REFUSE: u8 = 2;

/// How a client behaves. Begin with `MQTTP2P_CONFIG_INIT`, or with `MQTTP2P_CONFIG_ALIYUN_INIT` for ApsaraMQ, and change
/// what should differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct mqttp2p_config_t {
    /// The size of this struct, as the INIT macros set it.
    pub struct_size: u32,
    /// The edition to speak: `MQTTP2P_PROTOCOL_V311` or `MQTTP2P_PROTOCOL_V31`.
    pub protocol: u8,
    /// 1: ask the server to forget the session when a connection ends [MQTT-3.1.2-6]. What this client has accepted
    /// lives on either way.
    pub clean_session: u8,
    /// The longest silence of the client, in seconds; 0 turns keep alive off [MQTT-3.1.2-23]. A ping goes out an
    /// eighth earlier, also if nothing was received for so long.
    pub keep_alive_secs: u16,
    /// How long a ping may wait for its answer before the connection counts as dead, in milliseconds.
    pub ping_timeout_ms: u32,
    /// How long an attempt to connect may take, from MQTTP2P_ACTION_OPEN_TRANSPORT to CONNACK, in milliseconds.
    pub connect_timeout_ms: u32,
    /// The wait before the next attempt: any time up to this many milliseconds after the first failure, and up to twice
    /// as many after each further one.
    pub backoff_base_ms: u32,
    /// The bound of that doubling, in milliseconds. 0: no doubling and no chance, always `backoff_base_ms`.
    pub backoff_cap_ms: u32,
    /// A connection that lasted so many milliseconds proves that all is well: the wait begins anew after it.
    pub stable_after_ms: u32,
    /// How many milliseconds to stay away, at most, when another client seems to use this client id.
    pub takeover_delay_ms: u32,
    /// The longest packet taken from the server, in bytes with its fixed header. The receive buffer must hold as much,
    /// unless `mqttp2p_tell_in_parts` was called.
    pub max_packet_size: u32,
    /// How many publications of QoS 1 and 2 may be under way at once.
    pub max_in_flight: u16,
    /// When subscriptions are asked for again after a reconnect: `MQTTP2P_RESUBSCRIBE_...`
    pub resubscribe: u8,
    /// What may be published while there is no connection: `MQTTP2P_OFFLINE_...`
    pub offline: u8,
    /// 1: acknowledge messages only when `mqttp2p_acknowledge` says so.
    pub manual_ack: u8,
    /// 1 if the service knows retained messages.
    pub retain: u8,
    /// 1 if the service knows wills.
    pub will: u8,
    /// 1: the end of publications of QoS 0 is told by MQTTP2P_EVENT_PUBLISHED. 0: they end silently once their bytes are
    /// handed over, which spares a poll for each; given up, they end in MQTTP2P_EVENT_DROPPED either way.
    pub tell_qos_0: u8,
    /// The longest payload that the service takes, in bytes.
    pub max_payload: u32,
    /// The most subscriptions that the service grants.
    pub max_subscriptions: u16,
    /// The longest keep alive that the service takes, in seconds; if it is not 65535, 0 becomes this too.
    pub max_keep_alive_secs: u16,
    /// For `mqttp2p_client_init`: how many requests can be under way at once, 16 bytes of the buffer each.
    pub requests: u16,
    /// For `mqttp2p_client_init`: how many incoming messages of QoS 2 can be under way at once, 4 bytes each.
    pub inbound: u16,
    /// For `mqttp2p_client_init`: bytes of the buffer for acknowledgements, pings and the log-in, which must fit: at
    /// least 64 more than client id, user name, password and will.
    pub control_bytes: u32,
    /// For `mqttp2p_client_init`: bytes of the buffer for subscriptions, of each the length of its filter and 3.
    pub subscription_bytes: u32,
    /// Any number that differs from device to device and from start to start; it spreads the attempts to reconnect.
    /// Hosted, 0 has the library choose one.
    pub seed: u64,
}

const _: () = assert!(size_of::<mqttp2p_config_t>() == 72);

impl mqttp2p_config_t {
    /// For any broker, or for ApsaraMQ.
    const fn of(config: &Config) -> Self {
        let (backoff_base_ms, backoff_cap_ms) = match config.backoff {
            Backoff::Exponential { base_ms, cap_ms } => (base_ms, cap_ms),
            Backoff::Fixed { delay_ms } => (delay_ms, 0),
            _ => (1_000, 60_000),
        };
        Self {
            struct_size: size_of::<Self>() as u32,
            protocol: MQTTP2P_PROTOCOL_V311,
            clean_session: config.clean_session as u8,
            keep_alive_secs: config.keep_alive_secs,
            ping_timeout_ms: config.ping_timeout_ms,
            connect_timeout_ms: config.connect_timeout_ms,
            backoff_base_ms,
            backoff_cap_ms,
            stable_after_ms: config.stable_after_ms,
            takeover_delay_ms: config.takeover_delay_ms,
            max_packet_size: config.max_packet_size,
            max_in_flight: config.max_in_flight,
            resubscribe: match config.resubscribe {
                Resubscribe::WithoutSession => MQTTP2P_RESUBSCRIBE_WITHOUT_SESSION,
                Resubscribe::Never => MQTTP2P_RESUBSCRIBE_NEVER,
                _ => MQTTP2P_RESUBSCRIBE_ALWAYS,
            },
            offline: MQTTP2P_OFFLINE_QUEUE_ALL,
            manual_ack: config.manual_ack as u8,
            retain: config.limits.retain as u8,
            will: config.limits.will as u8,
            tell_qos_0: config.tell_qos_0 as u8,
            max_payload: config.limits.max_payload,
            max_subscriptions: config.limits.max_subscriptions,
            max_keep_alive_secs: config.limits.max_keep_alive_secs,
            requests: 8,
            inbound: 4,
            control_bytes: 256,
            subscription_bytes: 128,
            seed: 0,
        }
    }

    /// As the core takes it. What is asked for by calls of its own is off here, for all that the compiler knows: a
    /// program that never calls them has none of their code.
    #[inline(always)]
    pub(crate) fn core(&self) -> Result<Config, Status> {
        let wrong = Status(MQTTP2P_E_INVALID_ARGUMENT);
        Ok(Config::new()
            .with_protocol(protocol(self.protocol)?)
            .with_clean_session(flag(self.clean_session)?)
            .with_keep_alive_secs(self.keep_alive_secs)
            .with_ping_timeout_ms(self.ping_timeout_ms)
            .with_connect_timeout_ms(self.connect_timeout_ms)
            .with_backoff(match self.backoff_cap_ms {
                0 => Backoff::Fixed { delay_ms: self.backoff_base_ms },
                cap_ms => Backoff::Exponential { base_ms: self.backoff_base_ms, cap_ms },
            })
            .with_stable_after_ms(self.stable_after_ms)
            .with_takeover_delay_ms(self.takeover_delay_ms)
            .with_max_in_flight(self.max_in_flight)
            .with_max_packet_size(self.max_packet_size)
            .with_resubscribe(match self.resubscribe {
                MQTTP2P_RESUBSCRIBE_WITHOUT_SESSION => Resubscribe::WithoutSession,
                MQTTP2P_RESUBSCRIBE_ALWAYS => Resubscribe::Always,
                MQTTP2P_RESUBSCRIBE_NEVER => Resubscribe::Never,
                _ => return Err(wrong),
            })
            .with_offline(match self.offline {
                MQTTP2P_OFFLINE_QUEUE_ALL => Offline::QueueAll,
                MQTTP2P_OFFLINE_QUEUE_ACKNOWLEDGED => Offline::QueueAcknowledged,
                MQTTP2P_OFFLINE_REFUSE => Offline::Refuse,
                _ => return Err(wrong),
            })
            .with_manual_ack(flag(self.manual_ack)?)
            .with_exactly_once(true)
            .with_keep_session(false)
            .with_max_requests_per_sec(0)
            .with_max_whole_message(u32::MAX)
            .with_tell_qos_0(flag(self.tell_qos_0)?)
            .with_limits(
                Limits::none()
                    .with_max_payload(self.max_payload)
                    .with_max_subscriptions(self.max_subscriptions)
                    .with_retain(flag(self.retain)?)
                    .with_will(flag(self.will)?)
                    .with_max_keep_alive_secs(self.max_keep_alive_secs),
            ))
    }
}

pub(crate) const fn protocol(number: u8) -> Result<Protocol, Status> {
    match number {
        MQTTP2P_PROTOCOL_V311 => Ok(Protocol::V311),
        MQTTP2P_PROTOCOL_V31 => Ok(Protocol::V31),
        _ => Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
    }
}

// SAFETY: numbers only, and the size comes first.
unsafe impl Sized32 for mqttp2p_config_t {
    const DEFAULT: Self = Self::of(&Config::new());
}

/// Writes the values of `MQTTP2P_CONFIG_INIT` to `config`: for languages without the macro. Returns MQTTP2P_OK or
/// MQTTP2P_E_NULL.
///
/// # Safety
/// `config` is NULL, or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_config_default(config: *mut mqttp2p_config_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    crate::status::outcome(unsafe { must_give(config, mqttp2p_config_t::DEFAULT) }.and(DONE))
}

/// Writes the values of `MQTTP2P_CONFIG_ALIYUN_INIT` to `config`: keep alive 90 s, 3 s to connect, payloads up to 64 KB,
/// 30 subscriptions, no wills, no retained messages, subscriptions asked for again after every CONNACK. Returns
/// MQTTP2P_OK or MQTTP2P_E_NULL.
///
/// # Safety
/// `config` is NULL, or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_config_aliyun(config: *mut mqttp2p_config_t) -> mqttp2p_status_t {
    const ALIYUN: mqttp2p_config_t = mqttp2p_config_t::of(&profile());
    // SAFETY: the caller's promise.
    crate::status::outcome(unsafe { must_give(config, ALIYUN) }.and(DONE))
}
