//! What the emulator keeps for a client id (§3.1.2.4), connected or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mqtt_p2p_packet::{AckedQoS, PacketId, QoS, TopicFilter, TopicName};

use super::ConnectionId;
use super::message::Delivery;

#[derive(Debug)]
pub(super) struct Session {
    /// cleanSession of the last CONNECT.
    pub(super) clean: bool,
    pub(super) connection: Option<ConnectionId>,
    pub(super) subscriptions: BTreeMap<String, QoS>,
    /// Identifiers of QoS 2 publications whose PUBREL has not come.
    pub(super) received: BTreeSet<PacketId>,
    /// Messages of QoS 1 and 2 under way to the client, in the order in which they were first sent.
    pub(super) in_flight: VecDeque<InFlight>,
    last_packet_id: u16,
}

/// A message of QoS 1 or 2 under way to a client.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) packet_id: PacketId,
    pub(super) qos: AckedQoS,
    pub(super) delivery: Delivery,
    /// PUBREC came: PUBREL was sent, and PUBCOMP is due.
    pub(super) released: bool,
    /// When it was sent the last time.
    pub(super) pushed: Duration,
    /// How often it was sent again on this connection.
    pub(super) repeats: u32,
}

impl Session {
    pub(super) fn new(clean: bool) -> Self {
        Self {
            clean,
            connection: None,
            subscriptions: BTreeMap::new(),
            received: BTreeSet::new(),
            in_flight: VecDeque::new(),
            last_packet_id: 0,
        }
    }

    /// The highest QoS of the subscriptions that cover a topic; on demand, a `/` at the end of either does not count.
    pub(super) fn subscribed(&self, topic: TopicName<'_>, ignore_slash: bool) -> Option<QoS> {
        let topic = TopicName::new(trimmed(topic.as_str(), ignore_slash)).unwrap_or(topic);
        self.subscriptions
            .iter()
            .filter(|(filter, _)| {
                TopicFilter::new(trimmed(filter, ignore_slash)).is_ok_and(|filter| filter.matches(topic))
            })
            .map(|(_, &qos)| qos)
            .max()
    }

    /// An identifier that no message under way has: the next one behind the last, so that they come round late.
    pub(super) fn next_packet_id(&mut self) -> PacketId {
        loop {
            self.last_packet_id = self.last_packet_id.wrapping_add(1);
            if let Some(id) = PacketId::new(self.last_packet_id)
                && self.in_flight.iter().all(|message| message.packet_id != id)
            {
                return id;
            }
        }
    }

    /// Where in `in_flight` a message is.
    pub(super) fn position(&self, packet_id: PacketId, qos: AckedQoS) -> Option<usize> {
        self.in_flight.iter().position(|message| message.packet_id == packet_id && message.qos == qos)
    }
}

fn trimmed(topic: &str, ignore_slash: bool) -> &str {
    match topic.strip_suffix('/') {
        Some(shorter) if ignore_slash && !shorter.is_empty() => shorter,
        _ => topic,
    }
}
