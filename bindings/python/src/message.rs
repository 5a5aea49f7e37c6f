//! Messages, as Python sees them.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use mqtt_p2p_core::{AckToken, QoS, TopicFilter, TopicName};
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::aliyun::P2p;
use crate::buffer;
use crate::errors;

/// A message from the server.
#[pyclass(frozen, module = "mqtt_p2p")]
pub(crate) struct Message {
    #[pyo3(get)]
    topic: Py<PyString>,
    #[pyo3(get)]
    payload: Py<PyBytes>,
    #[pyo3(get)]
    qos: u8,
    #[pyo3(get)]
    retain: bool,
    #[pyo3(get)]
    dup: bool,
    /// 0: nothing to acknowledge.
    pub(crate) ack: u64,
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (topic, payload=None, qos=0, retain=false, dup=false))]
    fn new(
        topic: Bound<'_, PyString>,
        payload: Option<&Bound<'_, PyAny>>,
        qos: u8,
        retain: bool,
        dup: bool,
    ) -> PyResult<Self> {
        let py = topic.py();
        let payload = payload.map(buffer::bytes).transpose()?.unwrap_or_default();
        let payload = PyBytes::new(py, &payload).unbind();
        Ok(Self { topic: topic.unbind(), payload, qos, retain, dup, ack: 0 })
    }

    #[classattr]
    #[pyo3(name = "__match_args__")]
    fn match_args(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, ["topic", "payload", "qos", "retain", "dup"])
    }

    /// The payload as text.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.payload.bind(py).call_method0("decode")
    }

    /// What the topic says of a P2P message.
    #[getter]
    fn p2p(&self, py: Python<'_>) -> PyResult<Option<P2p>> {
        Ok(mqtt_p2p_aliyun::parse_p2p(self.topic.bind(py).to_str()?).map(|p2p| P2p::of(&p2p)))
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else {
            return Ok(py.NotImplemented());
        };
        let other = other.get();
        let equal = self.qos == other.qos
            && self.retain == other.retain
            && self.dup == other.dup
            && self.payload.bind(py).as_bytes() == other.payload.bind(py).as_bytes()
            && self.topic.bind(py).to_str()? == other.topic.bind(py).to_str()?;
        Ok(match op {
            CompareOp::Eq => equal.into_pyobject(py)?.to_owned().into_any().unbind(),
            CompareOp::Ne => (!equal).into_pyobject(py)?.to_owned().into_any().unbind(),
            _ => py.NotImplemented(),
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.topic.bind(py), self.payload.bind(py), self.qos).into_pyobject(py)?.hash()
    }

    /// Long payloads are not shown whole.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        const SHOWN: usize = 40;
        let payload = self.payload.bind(py).as_bytes();
        let shown = payload.get(..SHOWN).unwrap_or(payload);
        let rest = if payload.len() > SHOWN { "..." } else { "" };
        Ok(format!(
            "Message({}, {}{rest}, qos={})",
            self.topic.bind(py).repr()?,
            PyBytes::new(py, shown).repr()?,
            self.qos
        ))
    }
}

/// A message on its way to Python: it lies in what came in, or was put aside.
pub(crate) struct Parcel<'b> {
    topic: Cow<'b, [u8]>,
    payload: Cow<'b, [u8]>,
    qos: QoS,
    retain: bool,
    dup: bool,
    ack: Option<AckToken>,
}

impl<'b> Parcel<'b> {
    #[inline]
    pub(crate) fn new(message: &mqtt_p2p_core::Message<'b>) -> Self {
        Self {
            topic: Cow::Borrowed(message.topic.as_bytes()),
            payload: Cow::Borrowed(message.payload),
            qos: message.qos,
            retain: message.retain,
            dup: message.dup,
            ack: message.ack,
        }
    }

    pub(crate) fn into_owned(self) -> Parcel<'static> {
        Parcel {
            topic: Cow::Owned(self.topic.into_owned()),
            payload: Cow::Owned(self.payload.into_owned()),
            ..self
        }
    }

    pub(crate) fn open<'py>(&self, py: Python<'py>, topics: &mut Topics) -> PyResult<Bound<'py, Message>> {
        let message = Message {
            topic: topics.get(py, &self.topic),
            payload: PyBytes::new(py, &self.payload).unbind(),
            qos: self.qos as u8,
            retain: self.retain,
            dup: self.dup,
            ack: self.ack.map_or(0, AckToken::to_bits),
        };
        Bound::new(py, message)
    }
}

/// Topics that came lately, as Python's strings: a client sees the same few again and again.
#[derive(Default)]
pub(crate) struct Topics(Vec<Option<Known>>);

type Known = (Box<[u8]>, Py<PyString>);

impl Topics {
    const SLOTS: usize = 256;
    /// Longer ones are not kept, which bounds the memory.
    const LONGEST: usize = 256;

    fn get(&mut self, py: Python<'_>, topic: &[u8]) -> Py<PyString> {
        if self.0.is_empty() {
            self.0.resize_with(Self::SLOTS, || None);
        }
        let slot = hash(topic) as usize % Self::SLOTS;
        if let Some(Some((known, string))) = self.0.get(slot)
            && **known == *topic
        {
            return string.clone_ref(py);
        }
        // The core has checked it.
        let string = PyString::new(py, std::str::from_utf8(topic).unwrap_or_default()).unbind();
        if topic.len() <= Self::LONGEST
            && let Some(place) = self.0.get_mut(slot)
        {
            *place = Some((topic.into(), string.clone_ref(py)));
        }
        string
    }
}

/// Mixes a word at a time. Who makes two topics meet on purpose makes them slower by a string each.
fn hash(topic: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = topic.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let mix =
        |sum: u64, word: [u8; 8]| (sum.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    mix(words.iter().copied().fold(topic.len() as u64, mix), last) >> 32
}

/// The cache of one client. It is lent out, so that nothing is locked while Python's objects are made.
#[derive(Default)]
pub(crate) struct TopicCache(Mutex<Topics>);

impl TopicCache {
    pub(crate) fn lend(&self) -> Topics {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn give_back(&self, topics: Topics) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), topics);
        // Another thread's, if there is one: not under the lock.
        drop(before);
    }
}

/// Whether a topic filter, with or without wildcards, takes a topic.
#[pyfunction]
pub(crate) fn topic_matches(filter: &str, topic: &str) -> PyResult<bool> {
    let filter = TopicFilter::new(filter).map_err(errors::topic)?;
    Ok(filter.matches(TopicName::new(topic).map_err(errors::topic)?))
}
