//! Messages, and their acknowledgement by hand.

use std::fmt;
use std::str::Utf8Error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use bytes::{BufMut, Bytes, BytesMut};
use mqtt_p2p_aliyun::{P2p, parse_p2p};
use mqtt_p2p_core::{AckToken, Error, QoS};

use crate::error::AcknowledgeError;
use crate::shared::Shared;

/// A message from the server. Cheap to clone. Two are equal if the server's words were, whatever became of them.
#[derive(Clone)]
pub struct Message {
    /// Topic and payload, one behind the other.
    bytes: Bytes,
    topic_len: usize,
    qos: QoS,
    retain: bool,
    dup: bool,
    /// What is to be acknowledged by hand.
    receipt: Option<Arc<Receipt>>,
}

/// The acknowledgement that all clones of a message share.
struct Receipt {
    token: AckToken,
    /// It was given. Changes under the lock of the state only.
    given: AtomicBool,
    shared: Weak<Shared>,
}

impl Message {
    pub(crate) fn new(message: &mqtt_p2p_core::Message<'_>, shared: &Arc<Shared>) -> Self {
        let receipt = |token| {
            let shared = Arc::downgrade(shared);
            Arc::new(Receipt { token, given: AtomicBool::new(false), shared })
        };
        let topic = message.topic.as_bytes();
        let mut bytes = BytesMut::with_capacity(topic.len() + message.payload.len());
        bytes.put(topic);
        bytes.put(message.payload);
        Self {
            bytes: bytes.freeze(),
            topic_len: topic.len(),
            qos: message.qos,
            retain: message.retain,
            dup: message.dup,
            receipt: message.ack.filter(|_| shared.manual_ack).map(receipt),
        }
    }

    /// Where it was published to.
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.topic_len]).unwrap_or_default()
    }

    /// Its payload: any bytes.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.topic_len..]
    }

    /// Its payload as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn payload_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.payload())
    }

    /// Its payload, sharing the memory.
    pub fn into_payload(mut self) -> Bytes {
        self.bytes.split_off(self.topic_len)
    }

    /// The QoS at which it was delivered.
    pub const fn qos(&self) -> QoS {
        self.qos
    }

    /// The server had kept it for new subscribers.
    pub const fn retain(&self) -> bool {
        self.retain
    }

    /// The server believes to have sent it before. No basis for finding duplicates: a repeated message may lack it,
    /// and a first one may have it.
    pub const fn dup(&self) -> bool {
        self.dup
    }

    /// With [`Config::manual_ack`](crate::Config::manual_ack): tells the server that this message is dealt with. Any
    /// clone can do it, in any order, and as often as you like: the server hears it once. Without it, and for QoS 0,
    /// nothing is left to do.
    ///
    /// What is never acknowledged, the server delivers again after a reconnect, ApsaraMQ also after a few seconds. Most
    /// servers let only so many messages wait for it, and then send no more; that holds for messages that no stream
    /// wanted or that a stream [dropped](crate::WhenFull), too.
    ///
    /// # Errors
    /// The connection or session that it came over is gone, and the server delivers it again; the client was closed;
    /// the server takes no bytes and sends ever more.
    pub fn acknowledge(&self) -> Result<(), AcknowledgeError> {
        self.receipt.as_ref().map_or(Ok(()), |receipt| receipt.give())
    }

    /// Topic and payload, in bytes.
    pub(crate) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Parent topic and target, if the topic is that of a P2P message. Advice only: the service can deliver a P2P
    /// message under any topic.
    pub fn p2p(&self) -> Option<P2p<'_>> {
        parse_p2p(self.topic())
    }
}

impl Receipt {
    fn give(&self) -> Result<(), AcknowledgeError> {
        let shared = self.shared.upgrade().ok_or(AcknowledgeError::Closed)?;
        let mut state = shared.lock();
        if self.given.load(Relaxed) {
            return Ok(());
        }
        if state.closed {
            return Err(AcknowledgeError::Closed);
        }
        state.core.acknowledge(self.token).map_err(|error| match error {
            Error::Full(_) => AcknowledgeError::ServerBehind,
            _ => AcknowledgeError::Stale,
        })?;
        self.given.store(true, Relaxed);
        drop(state);
        shared.work.notify_one();
        Ok(())
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        let Self { bytes, topic_len, qos, retain, dup, receipt: _ } = self;
        (bytes, topic_len, qos, retain, dup)
            == (&other.bytes, &other.topic_len, &other.qos, &other.retain, &other.dup)
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("payload", &format_args!("{} bytes", self.payload().len()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("dup", &self.dup)
            .finish()
    }
}
