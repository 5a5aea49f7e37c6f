//! SUBSCRIBE and UNSUBSCRIBE.

use std::sync::Arc;

use mqtt_p2p_packet::{Ack, Packet, PacketType, ReturnCodes, SubAck, Subscribe, TopicFilter, Unsubscribe};

use super::connection::Client;
use super::event::{CloseReason, Event};
use super::routing::{CONTROL, parent_of};
use super::tokens::Action;
use super::{ConnectionId, Emulator, encode};

impl Emulator {
    /// How many SUBACKs of a connection may be late at a time; one more, and the first goes out early.
    const MAX_DELAYED: usize = 1024;

    /// Grants what is asked for, never with 0x80 (kernel); subscriptions over the limits have no effect.
    pub(super) fn subscribe(
        &mut self,
        id: ConnectionId,
        client: &Client,
        subscribe: &Subscribe<'_>,
    ) -> Result<(), CloseReason> {
        self.log.client(&client.id).subscribes += 1;
        self.note_early(id, client, PacketType::Subscribe);
        for entry in subscribe.filters.iter() {
            let filter = entry.filter.as_str();
            self.check_topic(filter)?;
            if parent_of(filter) != CONTROL {
                self.authorize(id, client, Action::Subscribe, filter)?;
            }
        }
        let mut codes = Vec::new();
        for entry in subscribe.filters.iter() {
            codes.push(entry.qos as u8);
            if self.has_room_for(&client.id, entry.filter) {
                if let Some(session) = self.sessions.get_mut(&client.id) {
                    session.subscriptions.insert(entry.filter.as_str().to_owned(), entry.qos);
                }
            } else {
                self.log.event(Event::SubscriptionIgnored {
                    client_id: Arc::clone(&client.id),
                    filter: entry.filter.as_str().to_owned(),
                });
            }
        }
        if let Ok(return_codes) = ReturnCodes::new(&codes) {
            let packet_id = subscribe.packet_id;
            let suback = encode(&Packet::SubAck(SubAck::new(packet_id, return_codes)));
            self.send_later(id, suback);
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, id: ConnectionId, client: &Client, unsubscribe: &Unsubscribe<'_>) {
        if let Some(session) = self.sessions.get_mut(&client.id) {
            for filter in unsubscribe.filters.iter() {
                session.subscriptions.remove(filter.as_str());
            }
        }
        let packet_id = unsubscribe.packet_id;
        self.send(id, encode(&Packet::UnsubAck(Ack::new(packet_id))));
    }

    /// Whether one more subscription takes effect. To change the QoS of one that is there always does.
    fn has_room_for(&self, client_id: &str, filter: TopicFilter<'_>) -> bool {
        let Some(session) = self.sessions.get(client_id) else {
            return false;
        };
        if session.subscriptions.contains_key(filter.as_str()) {
            return true;
        }
        let quirks = &self.config.quirks;
        if quirks.max_subscriptions.is_some_and(|max| session.subscriptions.len() >= max) {
            return false;
        }
        match quirks.max_wildcard_subscriptions_per_parent {
            Some(max) if filter.has_wildcards() => self.wildcards_below(parent_of(filter.as_str())) < max,
            _ => true,
        }
    }

    /// How many subscriptions of all clients have a wildcard below a parent topic.
    fn wildcards_below(&self, parent: &str) -> usize {
        self.sessions
            .values()
            .flat_map(|session| session.subscriptions.keys())
            .filter(|filter| filter.contains(['+', '#']) && parent_of(filter) == parent)
            .count()
    }

    fn send_later(&mut self, id: ConnectionId, packet: Vec<u8>) {
        let delay = self.random.delay(self.config.quirks.suback_delay);
        let due = self.now.saturating_add(delay);
        if delay.is_zero() {
            return self.send(id, packet);
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.delayed.push((due, packet));
        if connection.delayed.len() > Self::MAX_DELAYED {
            let (_, first) = connection.delayed.remove(0);
            self.send(id, first);
        }
    }
}
