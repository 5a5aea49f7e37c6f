//! Messages, and the streams that bring them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::{BufMut, Bytes, BytesMut};
use mqtt_p2p_aliyun::{P2p, parse_p2p};
use mqtt_p2p_core::QoS;
use tokio::sync::mpsc;

use crate::shared::Shared;

/// How many bytes a queue may hold while an answer of the server is awaited.
const OVERFLOW: usize = 64 * 1024 * 1024;

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
/// read it, or drop it. While somebody awaits an answer of the server ([`Delivery`](crate::Delivery),
/// [`subscribe`](crate::Client::subscribe)), which can lie behind any number of messages, the queue takes more, up to
/// 64 MiB: so the task that reads messages may await deliveries too.
pub struct Messages {
    queue: mpsc::UnboundedReceiver<Message>,
    level: Arc<Level>,
    shared: Arc<Shared>,
}

/// How much waits in a stream's queue. The driver fills it, the reader empties it.
#[derive(Debug, Default)]
pub(crate) struct Level {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Level {
    pub(crate) fn add(&self, message: &Message) {
        self.messages.fetch_add(1, SeqCst);
        self.bytes.fetch_add(message.bytes.len(), SeqCst);
    }

    fn remove(&self, message: &Message) {
        self.messages.fetch_sub(1, SeqCst);
        self.bytes.fetch_sub(message.bytes.len(), SeqCst);
    }

    /// Whether there is no room for another message.
    pub(crate) fn is_full(&self, capacity: usize, answer_awaited: bool) -> bool {
        self.messages.load(SeqCst) >= capacity && !(answer_awaited && self.bytes.load(SeqCst) < OVERFLOW)
    }
}

impl Messages {
    pub(crate) const fn new(
        queue: mpsc::UnboundedReceiver<Message>,
        level: Arc<Level>,
        shared: Arc<Shared>,
    ) -> Self {
        Self { queue, level, shared }
    }

    /// The next message; `None` when the client has been closed and the queue is empty.
    ///
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.queue.recv().await?;
        Some(self.taken(message))
    }

    /// The next message, if one is there.
    pub fn try_recv(&mut self) -> Option<Message> {
        let message = self.queue.try_recv().ok()?;
        Some(self.taken(message))
    }

    fn taken(&self, message: Message) -> Message {
        self.level.remove(&message);
        self.shared.room_in_a_stream();
        message
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.queue.close();
        self.shared.room_in_a_stream();
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("level", &self.level).finish_non_exhaustive()
    }
}
