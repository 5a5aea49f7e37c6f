//! Messages to clients: sent, put aside, acknowledged.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_packet::{Ack, AckedQoS, Packet, PacketId, Publish, QoS, TopicName};

use super::connection::Client;
use super::event::DropReason;
use super::message::{Delivery, Message};
use super::session::InFlight;
use super::{ConnectionId, Emulator, encode};
use crate::quirks::SessionPresent;

impl Emulator {
    /// Sends a message, or puts it aside, or drops it.
    pub(super) fn deliver(&mut self, client_id: &Arc<str>, delivery: Delivery) {
        let Some(id) = self.connection_of(client_id) else {
            let kept = match delivery.qos {
                QoS::AtMostOnce => false,
                QoS::AtLeastOnce => delivery.keep,
                QoS::ExactlyOnce => delivery.keep && self.standard_sessions(),
            };
            return if kept {
                self.log.counters.stored += 1;
                self.store_offline(client_id, delivery);
            } else {
                self.log.dropped(client_id, DropReason::Offline);
            };
        };
        let qos = match delivery.qos {
            QoS::AtMostOnce => return self.push(id, &delivery.message, None, false),
            QoS::AtLeastOnce => AckedQoS::AtLeastOnce,
            QoS::ExactlyOnce => AckedQoS::ExactlyOnce,
        };
        if self.standard_sessions() && !self.offline.has_none_of(client_id) {
            // The standard asks for messages in their order; the service promises none (documentation: FAQ).
            self.store_offline(client_id, delivery);
        } else if self.has_window(client_id) && self.waiting.has_none_of(client_id) {
            self.launch(id, client_id, qos, delivery);
        } else {
            let dropped = self.waiting.push(client_id, delivery);
            self.count_dropped(&dropped, DropReason::NoRoom);
        }
    }

    pub(super) fn standard_sessions(&self) -> bool {
        self.config.quirks.session_present == SessionPresent::Standard
    }

    pub(super) fn store_offline(&mut self, client_id: &Arc<str>, delivery: Delivery) {
        self.expire_offline();
        let dropped = self.offline.push(client_id, delivery);
        self.count_dropped(&dropped, DropReason::NoRoom);
    }

    fn expire_offline(&mut self) {
        if let Some(earliest) = self.now.checked_sub(self.config.retention) {
            let expired = self.offline.expire(earliest);
            self.count_dropped(&expired, DropReason::Expired);
        }
    }

    fn count_dropped(&mut self, owners: &[Arc<str>], reason: DropReason) {
        for owner in owners {
            self.log.dropped(owner, reason);
        }
    }

    /// Whether one more message may be under way to a client.
    fn has_window(&self, client_id: &str) -> bool {
        // Never so many that packet identifiers run out, and never none.
        let max = self.config.in_flight.clamp(1, usize::from(u16::MAX) / 2);
        self.sessions.get(client_id).is_some_and(|session| session.in_flight.len() < max)
    }

    /// Sends a message of QoS 1 or 2 for the first time.
    pub(super) fn launch(&mut self, id: ConnectionId, client_id: &str, qos: AckedQoS, delivery: Delivery) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let packet_id = session.next_packet_id();
        let message = Arc::clone(&delivery.message);
        session.in_flight.push_back(InFlight {
            packet_id,
            qos,
            delivery,
            released: false,
            pushed: self.now,
            repeats: 0,
        });
        self.push(id, &message, Some((qos, packet_id)), false);
        self.schedule_re_push(id);
    }

    /// Sends a PUBLISH. RETAIN is never set.
    pub(super) fn push(
        &mut self,
        id: ConnectionId,
        message: &Message,
        delivery: Option<(AckedQoS, PacketId)>,
        dup: bool,
    ) {
        // It was one when it came in.
        let Ok(topic) = TopicName::new(&message.topic) else {
            return;
        };
        let publish = Publish::new(topic, &message.payload).with_dup(dup).with_delivery(delivery);
        self.log.counters.delivered += 1;
        if let Some(client) = self.connections.get(&id).and_then(|connection| connection.client.as_ref()) {
            self.log.client(&client.id).delivered += 1;
        }
        self.send(id, encode(&Packet::Publish(publish)));
    }

    /// PUBACK or PUBCOMP: the end of a message. One that fits nothing is the late answer to a repeat.
    pub(super) fn finish(&mut self, id: ConnectionId, client: &Client, ack: Ack, qos: AckedQoS) {
        if let Some(session) = self.sessions.get_mut(&client.id)
            && let Some(position) = session.position(ack.packet_id, qos)
            && session
                .in_flight
                .get(position)
                .is_some_and(|message| message.released == (qos == AckedQoS::ExactlyOnce))
        {
            session.in_flight.remove(position);
            self.log.client(&client.id).acknowledged += 1;
            self.fill_window(id, &client.id);
        }
    }

    /// PUBREC. It is answered with PUBREL even when it fits nothing, so that the client can end its side.
    pub(super) fn on_pubrec(&mut self, id: ConnectionId, client: &Client, ack: Ack) {
        if let Some(session) = self.sessions.get_mut(&client.id)
            && let Some(position) = session.position(ack.packet_id, AckedQoS::ExactlyOnce)
            && let Some(message) = session.in_flight.get_mut(position)
        {
            message.released = true;
        }
        self.send(id, encode(&Packet::PubRel(ack)));
    }

    /// Sends what waits for room among the messages under way.
    fn fill_window(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        while self.has_window(client_id)
            && let Some(delivery) = self.waiting.pop(client_id)
        {
            self.launch_waiting(id, client_id, delivery);
        }
        if self.offline.has_none_of(client_id) {
            return;
        }
        match self.config.quirks.offline_batch {
            None => self.send_offline(id, client_id),
            Some(batch) => {
                let at = self.now.saturating_add(batch.interval.max(Self::TICK));
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.batch_at.get_or_insert(at);
                }
            }
        }
    }

    fn launch_waiting(&mut self, id: ConnectionId, client_id: &str, delivery: Delivery) {
        let qos = match delivery.qos {
            QoS::ExactlyOnce => AckedQoS::ExactlyOnce,
            // QoS 0 never waits.
            QoS::AtMostOnce | QoS::AtLeastOnce => AckedQoS::AtLeastOnce,
        };
        self.launch(id, client_id, qos, delivery);
    }

    /// After a log-in: first what was under way in a standard session ([MQTT-4.4.0-1]), then what waited.
    pub(super) fn resume(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let mut again = Vec::new();
        for message in &mut session.in_flight {
            message.pushed = self.now;
            message.repeats = 0;
            again.push((
                message.packet_id,
                message.qos,
                (!message.released).then(|| Arc::clone(&message.delivery.message)),
            ));
        }
        if !again.is_empty() {
            self.schedule_re_push(id);
        }
        for (packet_id, qos, message) in again {
            match message {
                Some(message) => {
                    self.log.counters.repeated += 1;
                    self.push(id, &message, Some((qos, packet_id)), true);
                }
                None => self.send(id, encode(&Packet::PubRel(Ack::new(packet_id)))),
            }
        }
        match self.connections.get_mut(&id) {
            Some(connection) if connection.held.is_some() => {
                connection.batch_at = connection.held.as_ref().map(|held| held.until);
            }
            _ => self.send_offline(id, client_id),
        }
    }

    /// Sends the next batch of what waited for an offline client, and sets the time of the one after it. If too many
    /// messages are under way, the next acknowledgement sets it.
    pub(super) fn send_offline(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        self.expire_offline();
        let batch = self.config.quirks.offline_batch;
        let mut left = batch.map_or(usize::MAX, |batch| batch.messages.max(1));
        while left > 0
            && self.has_window(client_id)
            && self.waiting.has_none_of(client_id)
            && let Some(delivery) = self.offline.pop(client_id)
        {
            self.launch_waiting(id, client_id, delivery);
            left -= 1;
        }
        let more = !self.offline.has_none_of(client_id) && self.has_window(client_id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.batch_at =
                batch.filter(|_| more).map(|batch| self.now.saturating_add(batch.interval.max(Self::TICK)));
        }
    }

    /// Sees to it that the messages without PUBACK are looked at in time. Later ones find the time already set.
    fn schedule_re_push(&mut self, id: ConnectionId) {
        let Some(re_push) = self.config.quirks.re_push else {
            return;
        };
        let at = self.now.saturating_add(re_push.interval.max(Self::TICK));
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.re_push_at.get_or_insert(at);
            self.arm(id);
        }
    }

    /// Gives a message of QoS 1 under way another packet identifier: PUBACK under the old one ends nothing any more.
    fn renew_packet_id(&mut self, client_id: &str, old: PacketId) -> PacketId {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return old;
        };
        let new = session.next_packet_id();
        if let Some(position) = session.position(old, AckedQoS::AtLeastOnce)
            && let Some(message) = session.in_flight.get_mut(position)
        {
            message.packet_id = new;
        }
        new
    }

    /// Sends the messages of QoS 1 again whose PUBACK is late, without DUP; drops
    /// those that were sent often enough. QoS 2 is pushed once (documentation: terms).
    pub(super) fn re_push(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.re_push_at = None;
        let Some(re_push) = self.config.quirks.re_push else {
            return;
        };
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let interval = re_push.interval.max(Self::TICK);
        let mut again = Vec::new();
        let mut dropped = 0;
        let mut next = None;
        session.in_flight.retain_mut(|message| {
            if message.qos != AckedQoS::AtLeastOnce {
                return true;
            }
            if message.pushed.saturating_add(interval) <= self.now {
                if message.repeats >= re_push.times {
                    dropped += 1;
                    return false;
                }
                message.pushed = self.now;
                message.repeats += 1;
                let renew = message.repeats > re_push.same_id;
                again.push((message.packet_id, Arc::clone(&message.delivery.message), renew));
            }
            let due = message.pushed.saturating_add(interval);
            next = Some(next.map_or(due, |next: Duration| next.min(due)));
            true
        });
        connection.re_push_at = next;
        for (packet_id, message, renew) in again {
            self.log.counters.repeated += 1;
            let packet_id = if renew { self.renew_packet_id(client_id, packet_id) } else { packet_id };
            self.push(id, &message, Some((AckedQoS::AtLeastOnce, packet_id)), false);
        }
        for _ in 0..dropped {
            self.log.dropped(client_id, DropReason::NotAcknowledged);
        }
        if dropped > 0 {
            self.fill_window(id, client_id);
        }
    }
}
