//! What a client is told once, out of Python's keyword arguments.

use mqtt_p2p_core::{Backoff, Config, Offline, Protocol, QoS, Resubscribe, TopicName};
use pyo3::prelude::*;
use zeroize::Zeroizing;

use crate::errors;

/// Keyword arguments of `Core`; what is not given is as the profile says. Times are in seconds.
pub(crate) struct Settings {
    pub(crate) protocol: Option<u8>,
    pub(crate) clean_session: Option<bool>,
    pub(crate) keep_alive: Option<u16>,
    pub(crate) ping_timeout: Option<f64>,
    pub(crate) connect_timeout: Option<f64>,
    pub(crate) backoff: Option<(f64, f64)>,
    pub(crate) stable_after: Option<f64>,
    pub(crate) takeover_delay: Option<f64>,
    pub(crate) max_in_flight: Option<u16>,
    pub(crate) max_packet_size: Option<u32>,
    pub(crate) resubscribe: Option<String>,
    pub(crate) offline: Option<String>,
    pub(crate) manual_ack: Option<bool>,
    pub(crate) max_requests_per_sec: Option<u16>,
}

impl Settings {
    pub(crate) fn over(self, profile: Config) -> PyResult<Config> {
        let mut config = profile;
        if let Some(protocol) = self.protocol {
            config.protocol = match protocol {
                3 => Protocol::V31,
                4 => Protocol::V311,
                other => return Err(errors::unknown("protocol", other, "3 (MQTT 3.1) or 4 (MQTT 3.1.1)")),
            };
        }
        set(&mut config.clean_session, self.clean_session);
        set(&mut config.keep_alive_secs, self.keep_alive);
        set(&mut config.ping_timeout_ms, self.ping_timeout.map(millis));
        set(&mut config.connect_timeout_ms, self.connect_timeout.map(millis));
        set(&mut config.stable_after_ms, self.stable_after.map(millis));
        set(&mut config.takeover_delay_ms, self.takeover_delay.map(millis));
        set(&mut config.max_in_flight, self.max_in_flight);
        set(&mut config.max_packet_size, self.max_packet_size);
        set(&mut config.manual_ack, self.manual_ack);
        set(&mut config.max_requests_per_sec, self.max_requests_per_sec);
        if let Some((base, cap)) = self.backoff {
            config.backoff = if cap > 0.0 {
                Backoff::Exponential { base_ms: millis(base), cap_ms: millis(cap) }
            } else {
                Backoff::Fixed { delay_ms: millis(base) }
            };
        }
        if let Some(word) = self.resubscribe {
            config.resubscribe = match &*word {
                "without-session" => Resubscribe::WithoutSession,
                "always" => Resubscribe::Always,
                "never" => Resubscribe::Never,
                other => {
                    return Err(errors::unknown("resubscribe", other, "without-session, always or never"));
                }
            };
        }
        if let Some(word) = self.offline {
            config.offline = match &*word {
                "queue-all" => Offline::QueueAll,
                "queue-acknowledged" => Offline::QueueAcknowledged,
                "refuse" => Offline::Refuse,
                other => {
                    return Err(errors::unknown("offline", other, "queue-all, queue-acknowledged or refuse"));
                }
            };
        }
        Ok(config)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Of seconds; what is below 0 or no number is 0.
pub(crate) fn millis(seconds: f64) -> u32 {
    (seconds * 1000.0) as u32
}

pub(crate) fn qos(number: u8) -> PyResult<QoS> {
    QoS::from_bits(number).ok_or_else(|| errors::unknown("qos", number, "0, 1 or 2"))
}

/// A log-in that is wiped when it goes.
#[derive(Default)]
pub(crate) struct Login {
    pub(crate) client_id: String,
    pub(crate) user_name: Option<String>,
    pub(crate) password: Option<Zeroizing<Vec<u8>>>,
    will: Option<Will>,
}

struct Will {
    topic: String,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
}

impl Login {
    pub(crate) fn new(client_id: String, will: Option<(String, Vec<u8>, u8, bool)>) -> PyResult<Self> {
        let will = will
            .map(|(topic, payload, number, retain)| {
                TopicName::new(&topic).map_err(errors::topic)?;
                PyResult::Ok(Will { topic, payload, qos: qos(number)?, retain })
            })
            .transpose()?;
        Ok(Self { client_id, will, ..Self::default() })
    }

    pub(crate) fn borrow(&self) -> mqtt_p2p_core::Login<'_> {
        let will = self.will.as_ref().and_then(|will| {
            let topic = TopicName::new(&will.topic).ok()?;
            Some(mqtt_p2p_core::Will::new(topic, &will.payload).with_qos(will.qos).with_retain(will.retain))
        });
        let mut login = mqtt_p2p_core::Login::new(&self.client_id);
        login.user_name = self.user_name.as_deref();
        login.password = self.password.as_deref().map(Vec::as_slice);
        login.will = will;
        login
    }
}
