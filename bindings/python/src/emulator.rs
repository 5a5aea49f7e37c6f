//! The emulator without sockets, for `mqtt_p2p.testing`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt_p2p_aliyun::TokenKind;
use mqtt_p2p_emulator::{Account, Config, ConnectionId, Output, Quirks, SignMode};
use mqtt_p2p_packet::ReasonCode;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer;
use crate::errors;

/// Bytes to send over a connection, or `None`: close it.
type Sent<'py> = (u64, Option<Bound<'py, PyBytes>>);

/// A stand-in for an instance of ApsaraMQ.
#[pyclass(frozen, module = "mqtt_p2p._core")]
pub(crate) struct Emulator(Mutex<Heart>);

struct Heart {
    emulator: mqtt_p2p_emulator::Emulator,
    /// Python names connections by numbers.
    connections: BTreeMap<u64, ConnectionId>,
    opened: u64,
}

impl Heart {
    fn number(&self, id: ConnectionId) -> Option<u64> {
        self.connections.iter().find(|(_, known)| **known == id).map(|(number, _)| *number)
    }
}

impl Emulator {
    fn lock(&self) -> MutexGuard<'_, Heart> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Emulator {
    #[new]
    #[pyo3(signature = (seed, *, instance_id, accounts, anonymous=false, parents=None, groups=None, standard=false, delays=false, min_token_lifetime=60.0))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        seed: u64,
        instance_id: String,
        accounts: Vec<(String, String, String, Option<String>)>,
        anonymous: bool,
        parents: Option<Vec<String>>,
        groups: Option<Vec<String>>,
        standard: bool,
        delays: bool,
        min_token_lifetime: f64,
    ) -> PyResult<Self> {
        let quirks = if standard { Quirks::standard() } else { Quirks::service() };
        let quirks = if delays { quirks } else { quirks.without_delays() };
        let mut config = Config::new(instance_id).quirks(quirks);
        for (mode, id, secret, client_id) in accounts {
            config = config.account(account(&mode, id, secret, client_id)?);
        }
        if let Some(parents) = parents {
            config = config.parents(parents);
        }
        if let Some(groups) = groups {
            config = config.groups(groups);
        }
        if anonymous {
            config = config.anonymous();
        }
        config.min_token_lifetime = duration(min_token_lifetime);
        let emulator = mqtt_p2p_emulator::Emulator::new(config, seed);
        Ok(Self(Mutex::new(Heart { emulator, connections: BTreeMap::new(), opened: 0 })))
    }

    fn set_unix_time(&self, now: f64, unix_time: f64) {
        self.lock().emulator.set_unix_time(duration(now), duration(unix_time));
    }

    fn connection_opened(&self, now: f64) -> u64 {
        let mut heart = self.lock();
        let id = heart.emulator.connection_opened(duration(now));
        heart.opened += 1;
        let number = heart.opened;
        heart.connections.insert(number, id);
        number
    }

    fn connection_closed(&self, now: f64, connection: u64) {
        let mut heart = self.lock();
        if let Some(id) = heart.connections.remove(&connection) {
            heart.emulator.connection_closed(duration(now), id);
        }
    }

    fn bytes_received(&self, now: f64, connection: u64, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = buffer::bytes(data)?;
        let mut heart = self.lock();
        if let Some(id) = heart.connections.get(&connection).copied() {
            heart.emulator.bytes_received(duration(now), id, &data);
        }
        Ok(())
    }

    fn advance(&self, now: f64) {
        self.lock().emulator.advance(duration(now));
    }

    /// When `advance` has to be called, on the clock of `now`.
    fn next_deadline(&self) -> Option<f64> {
        self.lock().emulator.next_deadline().map(|at| at.as_secs_f64())
    }

    /// What is to be done, in this order.
    fn outputs<'py>(&self, py: Python<'py>) -> Vec<Sent<'py>> {
        let mut outputs = Vec::new();
        {
            let mut heart = self.lock();
            while let Some(output) = heart.emulator.poll_output() {
                match output {
                    Output::Send { id, bytes } => {
                        outputs.extend(heart.number(id).map(|number| (number, Some(bytes))));
                    }
                    Output::Close { id } => {
                        if let Some(number) = heart.number(id) {
                            heart.connections.remove(&number);
                            outputs.push((number, None));
                        }
                    }
                }
            }
        }
        let bytes = |bytes: Vec<u8>| PyBytes::new(py, &bytes);
        outputs.into_iter().map(|(number, data)| (number, data.map(bytes))).collect()
    }

    /// What happened, in words.
    fn events(&self) -> Vec<String> {
        let mut heart = self.lock();
        std::iter::from_fn(|| heart.emulator.poll_event()).map(|event| words(&event)).collect()
    }

    fn connected_clients(&self) -> Vec<String> {
        self.lock().emulator.connected_clients().map(Into::into).collect()
    }

    fn offline_messages(&self, client_id: &str) -> usize {
        self.lock().emulator.offline_messages(client_id)
    }

    /// Cuts the connection of a client, as a broken link does.
    fn cut(&self, now: f64, client_id: &str) -> bool {
        let mut heart = self.lock();
        match heart.emulator.connection_of(client_id) {
            Some(id) => heart.emulator.cut(duration(now), id),
            None => false,
        }
    }

    fn cut_all(&self, now: f64) {
        self.lock().emulator.cut_all(duration(now));
    }

    fn set_refusing(&self, refusing: bool) {
        self.lock().emulator.set_refusing(refusing);
    }

    /// A token's text, and when it expires, in seconds since 1970.
    #[pyo3(signature = (now, resources, kind="RW", lifetime=3600.0))]
    fn issue_token(
        &self,
        now: f64,
        resources: Vec<String>,
        kind: &str,
        lifetime: f64,
    ) -> PyResult<(String, f64)> {
        let kind: TokenKind = kind.parse().map_err(errors::invalid)?;
        let token = self.lock().emulator.issue_token(duration(now), resources, kind, duration(lifetime));
        let token = token.map_err(errors::invalid)?;
        Ok((token.text, token.expire_time as f64 / 1000.0))
    }

    fn revoke_token(&self, now: f64, token: &str) -> PyResult<()> {
        self.lock().emulator.revoke_token(duration(now), token).map_err(errors::invalid)
    }

    /// What goes wrong from now on; without arguments nothing does.
    #[pyo3(signature = (*, client_id=None, refuse_log_ins=None, silent_connack=false, half_open=false, lose_publishes=0, lose_pubacks=0, lose_subacks=0, duplicate_publishes=0, delay=0.0))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn set_faults(
        &self,
        client_id: Option<String>,
        refuse_log_ins: Option<u8>,
        silent_connack: bool,
        half_open: bool,
        lose_publishes: u32,
        lose_pubacks: u32,
        lose_subacks: u32,
        duplicate_publishes: u32,
        delay: f64,
    ) -> PyResult<()> {
        let refuse_log_ins = refuse_log_ins
            .map(|code| {
                ReasonCode::from_connack(code)
                    .ok_or_else(|| errors::unknown("refuse_log_ins", code, "1 to 5"))
            })
            .transpose()?;
        let mut heart = self.lock();
        let faults = heart.emulator.faults_mut();
        *faults = mqtt_p2p_emulator::Faults::default();
        faults.client_id = client_id;
        faults.refuse_log_ins = refuse_log_ins;
        faults.silent_connack = silent_connack;
        faults.half_open = half_open;
        faults.lose_publishes = lose_publishes;
        faults.lose_pubacks = lose_pubacks;
        faults.lose_subacks = lose_subacks;
        faults.duplicate_publishes = duplicate_publishes;
        faults.delay = duration(delay);
        Ok(())
    }

    /// How many messages went which way.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = self.lock().emulator.counters();
        let known = PyDict::new(py);
        for (name, count) in [
            ("published", counters.published),
            ("delivered", counters.delivered),
            ("repeated", counters.repeated),
            ("stored", counters.stored),
            ("dropped", counters.dropped),
            ("refused", counters.refused),
            ("tokens_issued", counters.tokens_issued),
            ("uploads", counters.uploads),
            ("before_upload_ack", counters.before_upload_ack),
        ] {
            known.set_item(name, count)?;
        }
        Ok(known)
    }
}

fn words(event: &mqtt_p2p_emulator::Event) -> String {
    match event {
        mqtt_p2p_emulator::Event::Closed { client_id, reason, .. } => {
            format!("closed {}: {reason}", client_id.as_deref().unwrap_or("a connection without a log-in"))
        }
        other => format!("{other:?}"),
    }
}

fn account(mode: &str, id: String, secret: String, client_id: Option<String>) -> PyResult<Account> {
    Ok(match (mode, client_id) {
        ("access-key", None) => Account::access_key(id, secret),
        ("device", Some(client_id)) => Account::device(client_id, id, secret),
        ("custom", _) => Account::custom(id, secret, SignMode::Origin),
        ("custom-signed", _) => Account::custom(id, secret, SignMode::Signed),
        (other, _) => {
            let known = "access-key, device (with a client id), custom or custom-signed";
            return Err(errors::unknown("an account's mode", other, known));
        }
    })
}

/// What is below 0 or no number is 0.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}
