//! Messages, and the streams that bring them.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use mqtt_p2p_aliyun::{P2p, parse_p2p};
use mqtt_p2p_core::QoS;
use tokio::sync::mpsc;

/// A message from the server. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic and payload, one behind the other.
    bytes: Bytes,
    topic_len: usize,
    qos: QoS,
    retain: bool,
    dup: bool,
}

impl Message {
    pub(crate) fn new(message: &mqtt_p2p_core::Message<'_>) -> Self {
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

    /// Its payload, sharing the memory.
    pub fn into_payload(mut self) -> Bytes {
        self.bytes.split_off(self.topic_len)
    }

    /// The QoS of this delivery.
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

    /// Parent topic and target, if the topic is that of a P2P message. Advice only: the service can deliver a P2P
    /// message under any topic.
    pub fn p2p(&self) -> Option<P2p<'_>> {
        parse_p2p(self.topic())
    }
}

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

/// A stream of messages with a bounded queue of its own.
///
/// When the queue is full, the client stops reading from the socket until there is room, and so the server waits:
/// read it, or drop it.
#[derive(Debug)]
pub struct Messages(pub(crate) mpsc::Receiver<Message>);

impl Messages {
    /// The next message; `None` when the client has been closed and the queue is empty.
    ///
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<Message> {
        self.0.recv().await
    }

    /// The next message, if one is there.
    pub fn try_recv(&mut self) -> Option<Message> {
        self.0.try_recv().ok()
    }
}
