//! The client as a class: bytes in, a list of events out.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mqtt_p2p_aliyun::{Diagnosis, PublishP2p, TokenKind, TokenKinds, profile};
use mqtt_p2p_core::{
    AckToken, Client, Config, Growing, Publication, QoS, SessionError, SubscribeFilter, TopicFilter,
    TopicName,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::buffer;
use crate::config::{Login, Settings, qos};
use crate::driver::Driver;
use crate::errors;
use crate::message::{Message, TopicCache, Topics};
use crate::reasons;
use crate::tokens::Tokens;
use crate::told::Told;
use crate::websocket::Wrapped;

/// The state machine of a client, safe to use from any thread.
#[pyclass(frozen, module = "mqtt_p2p._core")]
pub(crate) struct Core {
    driver: Mutex<Driver>,
    topics: TopicCache,
}

impl Core {
    /// Never held while Python runs.
    fn lock(&self) -> MutexGuard<'_, Driver> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes objects of what was told. What can't be made is told again.
    fn objects<'py>(&self, py: Python<'py>, told: Vec<Told<'_>>) -> PyResult<Bound<'py, PyList>> {
        let mut topics = Topics::default();
        let mut lent = false;
        let mut objects = Vec::with_capacity(told.len());
        let mut failure = None;
        for item in &told {
            if matches!(item, Told::Message(_)) && !lent {
                topics = self.topics.lend();
                lent = true;
            }
            match item.object(py, &mut topics) {
                Ok(object) => objects.push(object),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if lent {
            self.topics.give_back(topics);
        }
        let list = match failure {
            None => PyList::new(py, objects),
            Some(error) => Err(error),
        };
        if list.is_err() {
            // Out of memory: all of it again with the next call.
            self.lock().put_back(told.into_iter().map(Told::into_owned));
        }
        list
    }
}

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (
        client_id, *, seed, aliyun=false, will=None, tokens=None, max_outgoing_bytes=67_108_864, protocol=None,
        clean_session=None, keep_alive=None, ping_timeout=None, connect_timeout=None, backoff=None,
        stable_after=None, takeover_delay=None, max_in_flight=None, max_packet_size=None, resubscribe=None,
        offline=None, manual_ack=None, max_requests_per_sec=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        client_id: String,
        seed: u64,
        aliyun: bool,
        will: Option<(String, Vec<u8>, u8, bool)>,
        tokens: Option<(String, String, Vec<String>)>,
        max_outgoing_bytes: usize,
        protocol: Option<u8>,
        clean_session: Option<bool>,
        keep_alive: Option<u16>,
        ping_timeout: Option<f64>,
        connect_timeout: Option<f64>,
        backoff: Option<(f64, f64)>,
        stable_after: Option<f64>,
        takeover_delay: Option<f64>,
        max_in_flight: Option<u16>,
        max_packet_size: Option<u32>,
        resubscribe: Option<String>,
        offline: Option<String>,
        manual_ack: Option<bool>,
        max_requests_per_sec: Option<u16>,
    ) -> PyResult<Self> {
        let settings = Settings {
            protocol,
            clean_session,
            keep_alive,
            ping_timeout,
            connect_timeout,
            backoff,
            stable_after,
            takeover_delay,
            max_in_flight,
            max_packet_size,
            resubscribe,
            offline,
            manual_ack,
            max_requests_per_sec,
        };
        let config = settings.over(if aliyun { profile() } else { Config::new() })?;
        let tokens = tokens
            .map(|(access_key_id, instance_id, names)| {
                let mut kinds = TokenKinds::EMPTY;
                for name in names {
                    kinds = kinds.with(kind(&name)?);
                }
                PyResult::Ok(Tokens::new(access_key_id, instance_id, kinds))
            })
            .transpose()?;
        let client = Client::new(config, seed, Growing::new(max_outgoing_bytes));
        let login = Login::new(client_id, will)?;
        let driver = Driver::new(client, login, tokens, aliyun.then(Diagnosis::new));
        Ok(Self { driver: Mutex::new(driver), topics: TopicCache::default() })
    }

    // ---- the log-in ----

    #[getter]
    fn client_id(&self) -> String {
        self.lock().login.client_id.clone()
    }

    #[pyo3(signature = (user_name, password=None))]
    fn set_log_in(&self, user_name: Option<String>, password: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let password = password.map(buffer::bytes).transpose()?;
        let mut driver = self.lock();
        driver.login.user_name = user_name;
        driver.login.password = password.map(|password| password.into_owned().into());
        Ok(())
    }

    #[pyo3(signature = (kind, text, expires_at=None))]
    fn token_obtained<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = kind_of)] kind: TokenKind,
        text: String,
        expires_at: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let told: Vec<_> = {
            let mut driver = self.lock();
            let failed = driver.tokens.as_mut().and_then(|tokens| tokens.obtained(kind, text, expires_at));
            failed.map(Told::from).into_iter().collect()
        };
        self.objects(py, told)
    }

    fn tokens_failed(&self, kinds: Vec<String>) -> PyResult<()> {
        for name in kinds {
            let kind = kind(&name)?;
            if let Some(tokens) = &mut self.lock().tokens {
                tokens.failed(kind);
            }
        }
        Ok(())
    }

    fn tokens_answered(&self) {
        if let Some(tokens) = &mut self.lock().tokens {
            tokens.answered();
        }
    }

    // ---- the connection ----

    fn connect(&self, now: f64) {
        let mut driver = self.lock();
        driver.at(now);
        driver.connect();
    }

    fn disconnect(&self, now: f64) {
        let mut driver = self.lock();
        driver.at(now);
        driver.disconnect();
    }

    fn abandon(&self) {
        self.lock().client.abandon();
    }

    fn ping(&self) {
        self.lock().client.ping();
    }

    fn pause(&self, now: f64) {
        let mut driver = self.lock();
        let now = driver.at(now);
        driver.client.pause(now);
    }

    fn resume(&self, now: f64) {
        let mut driver = self.lock();
        let now = driver.at(now);
        driver.client.resume(now);
    }

    #[pyo3(signature = (now, websocket=None))]
    fn connection_made(&self, now: f64, websocket: Option<(String, String, [u8; 16])>) -> PyResult<()> {
        let websocket = websocket
            .map(|(host, path, seed)| Wrapped::new(&host, &path, seed).map_err(errors::invalid))
            .transpose()?;
        let mut driver = self.lock();
        driver.at(now);
        driver.transport_opened(websocket);
        Ok(())
    }

    #[pyo3(signature = (now, kind="closed-by-peer", detail=""))]
    fn connection_lost(&self, now: f64, kind: &str, detail: &str) -> PyResult<()> {
        let why = reasons::transport(kind)?;
        let mut driver = self.lock();
        driver.at(now);
        driver.transport_closed(why, detail.into());
        Ok(())
    }

    fn hold_reading(&self, now: f64, held: bool) {
        let mut driver = self.lock();
        let now = driver.at(now);
        driver.client.hold_reading(now, held);
    }

    fn receive_data<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        now: f64,
    ) -> PyResult<Bound<'py, PyList>> {
        let data = buffer::bytes(data)?;
        let joined;
        let mut told = Vec::new();
        {
            let mut driver = self.lock();
            driver.at(now);
            joined = driver.join(data);
            driver.drain(&joined, &mut told);
        }
        self.objects(py, told)
    }

    fn tick<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyList>> {
        let joined;
        let mut told = Vec::new();
        {
            let mut driver = self.lock();
            driver.at(now);
            joined = driver.join(Cow::Borrowed(&[]));
            driver.drain(&joined, &mut told);
        }
        self.objects(py, told)
    }

    #[pyo3(signature = (now, max=262_144))]
    fn data_to_send<'py>(&self, py: Python<'py>, now: f64, max: usize) -> Bound<'py, PyBytes> {
        let data = {
            let mut driver = self.lock();
            driver.at(now);
            driver.data_to_send(max)
        };
        PyBytes::new(py, &data)
    }

    fn next_timeout(&self, now: f64) -> Option<f64> {
        let mut driver = self.lock();
        driver.at(now);
        driver.next_timeout()
    }

    #[getter]
    fn has_events(&self) -> bool {
        self.lock().has_events()
    }

    #[getter]
    fn is_blocked(&self) -> bool {
        self.lock().is_blocked()
    }

    #[getter]
    fn has_output(&self) -> bool {
        self.lock().has_output()
    }

    #[getter]
    fn is_connected(&self) -> bool {
        self.lock().client.is_connected()
    }

    #[getter]
    fn is_idle(&self) -> bool {
        self.lock().client.is_idle()
    }

    // ---- requests ----

    #[pyo3(signature = (topic, payload, qos=0, retain=false, awaited=false))]
    fn publish(
        &self,
        topic: &str,
        payload: &Bound<'_, PyAny>,
        qos: u8,
        retain: bool,
        awaited: bool,
    ) -> PyResult<u32> {
        let payload = buffer::bytes(payload)?;
        let name = TopicName::new(topic).map_err(errors::topic)?;
        let publication = Publication::new(name, &payload).with_qos(self::qos(qos)?).with_retain(retain);
        let mut driver = self.lock();
        let result = driver.client.publish(&publication);
        match result {
            Ok(ticket) => {
                driver.used(topic, payload.len());
                Ok(driver.accepted(ticket, awaited, qos > 0))
            }
            Err(error) => {
                drop(driver);
                Err(errors::not_accepted(error))
            }
        }
    }

    #[pyo3(signature = (parent, to, payload, qos=1, awaited=false))]
    fn publish_p2p(
        &self,
        parent: &str,
        to: &str,
        payload: &Bound<'_, PyAny>,
        qos: u8,
        awaited: bool,
    ) -> PyResult<u32> {
        let payload = buffer::bytes(payload)?;
        let qos = self::qos(qos)?;
        let mut driver = self.lock();
        match driver.client.publish_p2p(parent, to, &payload, qos) {
            Ok(ticket) => {
                driver.used(parent, payload.len());
                Ok(driver.accepted(ticket, awaited, qos != QoS::AtMostOnce))
            }
            Err(error) => {
                drop(driver);
                Err(errors::p2p_not_accepted(error))
            }
        }
    }

    #[pyo3(signature = (filters, awaited=false))]
    #[expect(clippy::needless_pass_by_value, reason = "made of Python's list for this call")]
    fn subscribe(&self, filters: Vec<(String, u8)>, awaited: bool) -> PyResult<u32> {
        let mut entries = Vec::with_capacity(filters.len());
        for (filter, number) in &filters {
            let filter = TopicFilter::new(filter).map_err(errors::topic)?;
            entries.push(SubscribeFilter::new(filter, qos(*number)?));
        }
        let mut driver = self.lock();
        match driver.client.subscribe(&entries) {
            Ok(ticket) => {
                filters.iter().for_each(|(filter, _)| driver.used(filter, 0));
                Ok(driver.accepted(ticket, awaited, true))
            }
            Err(error) => {
                drop(driver);
                Err(errors::not_accepted(error))
            }
        }
    }

    #[pyo3(signature = (filters, awaited=false))]
    #[expect(clippy::needless_pass_by_value, reason = "made of Python's list for this call")]
    fn unsubscribe(&self, filters: Vec<String>, awaited: bool) -> PyResult<u32> {
        let entries = filters.iter().map(|filter| TopicFilter::new(filter).map_err(errors::topic));
        let entries = entries.collect::<PyResult<Vec<_>>>()?;
        let mut driver = self.lock();
        match driver.client.unsubscribe(&entries) {
            Ok(ticket) => Ok(driver.accepted(ticket, awaited, true)),
            Err(error) => {
                drop(driver);
                Err(errors::not_accepted(error))
            }
        }
    }

    /// Does nothing for a message without an acknowledgement.
    fn ack(&self, message: &Bound<'_, Message>) -> PyResult<()> {
        let Some(token) = AckToken::from_bits(message.get().ack) else {
            return Ok(());
        };
        let result = {
            let mut driver = self.lock();
            driver.output_due();
            driver.client.acknowledge(token)
        };
        result.map_err(errors::not_accepted)
    }

    /// The oldest request that has not ended, as a number that counts up.
    #[getter]
    fn oldest_request(&self) -> Option<u32> {
        self.lock().client.requests().next().map(mqtt_p2p_core::Ticket::index)
    }

    /// The newest request that has not ended.
    #[getter]
    fn newest_request(&self) -> Option<u32> {
        self.lock().client.requests().last().map(mqtt_p2p_core::Ticket::index)
    }

    /// The tickets of all requests that have not ended, oldest first.
    fn requests(&self) -> Vec<u32> {
        self.lock().client.requests().map(mqtt_p2p_core::Ticket::to_bits).collect()
    }

    /// The subscriptions that the server granted.
    fn subscriptions(&self) -> Vec<(String, u8)> {
        let mut driver = self.lock();
        driver.client.subscriptions().map(|entry| (entry.filter.to_string(), entry.qos as u8)).collect()
    }

    /// Counters, by name.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (stats, in_flight) = {
            let driver = self.lock();
            (driver.client.stats(), driver.client.in_flight())
        };
        let counters = PyDict::new(py);
        counters.set_item("connections", stats.connections)?;
        counters.set_item("resends", stats.resends)?;
        counters.set_item("duplicates", stats.duplicates)?;
        counters.set_item("unexpected_acks", stats.unexpected_acks)?;
        counters.set_item("in_flight", in_flight)?;
        Ok(counters)
    }

    // ---- the session ----

    fn export_session<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let result = {
            let mut driver = self.lock();
            match driver.client.export_session(&mut []) {
                Err(SessionError::BufferTooSmall { needed }) => {
                    let mut session = vec![0; needed];
                    driver.client.export_session(&mut session).map(|_| session)
                }
                Err(error) => Err(error),
                Ok(_) => Ok(Vec::new()),
            }
        };
        result.map(|session| PyBytes::new(py, &session)).map_err(errors::session)
    }

    fn import_session(&self, session: &Bound<'_, PyAny>) -> PyResult<()> {
        let session = buffer::bytes(session)?;
        let result = self.lock().client.import_session(&session);
        result.map_err(errors::session)
    }

    fn __repr__(&self) -> String {
        let driver = self.lock();
        format!("Core('{}', is_connected={})", driver.login.client_id, driver.client.is_connected())
    }
}

fn kind(name: &str) -> PyResult<TokenKind> {
    name.parse().map_err(errors::invalid)
}

fn kind_of(name: &Bound<'_, PyAny>) -> PyResult<TokenKind> {
    kind(name.extract()?)
}
