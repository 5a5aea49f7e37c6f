//! A message on its way through the emulator.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_packet::QoS;

/// What a client published, shared by all who receive it.
#[derive(Debug)]
pub(super) struct Message {
    /// Its place among all messages of this emulator; what waits is sent in this order.
    pub(super) number: u64,
    pub(super) published: Duration,
    /// As it is delivered, a trailing slash of the quirk's included.
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

/// A message for one client.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) message: Arc<Message>,
    pub(super) qos: QoS,
    /// Whether it survives the client's absence. In pub/sub the receiver's cleanSession decides, in P2P the sender's.
    pub(super) keep: bool,
}

impl Delivery {
    /// Roughly what it costs in memory: topic, payload and what holds them.
    pub(super) fn cost(&self) -> usize {
        const OVERHEAD: usize = 256;
        self.message.topic.len() + self.message.payload.len() + OVERHEAD
    }
}
