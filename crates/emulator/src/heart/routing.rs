//! PUBLISH from a client: to whom it goes.

use std::sync::Arc;

use mqtt_p2p_aliyun::{P2p, parse_p2p};
use mqtt_p2p_packet::{Ack, AckedQoS, Packet, PacketType, Publish, QoS};
use serde::Deserialize;

use super::connection::Client;
use super::event::{CloseReason, Event};
use super::message::{Delivery, Message};
use super::tokens::Action;
use super::{ConnectionId, Emulator, encode};
use crate::quirks::{Oversize, P2pOffline, TrailingSlash, Unsupported};

/// Topics below this are control messages for the service.
pub(super) const CONTROL: &str = "$SYS";

/// Replaces a token of the connection.
const UPLOAD: &str = "$SYS/uploadToken";

/// Asks for publications to stay in order.
const ORDER: &str = "$SYS/enableOrderMsg";

/// The payload of `$SYS/enableOrderMsg`.
#[derive(Deserialize)]
struct OrderText {
    order: String,
}

/// The first level of a topic name or filter. One leading `/` does not count (kernel).
pub(super) fn parent_of(topic: &str) -> &str {
    let topic = topic.strip_prefix('/').unwrap_or(topic);
    topic.split('/').next().unwrap_or_default()
}

/// A receiver, the QoS it gets a message at, and whether the message waits if it is away.
type Receiver = (Arc<str>, QoS, bool);

impl Emulator {
    pub(super) fn publish(
        &mut self,
        id: ConnectionId,
        client: &Client,
        publish: &Publish<'_>,
    ) -> Result<(), CloseReason> {
        self.log.client(&client.id).published += 1;
        if publish.retain && self.config.quirks.retain == Unsupported::Close {
            return Err(CloseReason::RetainNotSupported);
        }
        let oversize = publish.payload.len() > self.config.max_payload;
        if oversize && self.config.quirks.oversize == Oversize::Close {
            return Err(CloseReason::PayloadTooLarge);
        }
        self.note_early(id, client, PacketType::Publish);
        let topic = publish.topic.as_str();
        self.check_topic(topic)?;
        if parent_of(topic) != CONTROL {
            self.authorize(id, client, Action::Publish, topic)?;
        }
        match publish.delivery {
            // Of the documented QoS only; otherwise it is a control message without effect.
            Some((AckedQoS::AtLeastOnce, packet_id)) if topic == UPLOAD => {
                self.upload(id, client, publish, packet_id)?;
            }
            None => self.route(id, client, publish),
            Some((AckedQoS::AtLeastOnce, packet_id)) => {
                self.route(id, client, publish);
                self.send(id, encode(&Packet::PubAck(Ack::new(packet_id))));
            }
            Some((AckedQoS::ExactlyOnce, packet_id)) => {
                // Passed on when it comes first (§4.3.3, method B), told apart by the identifier and never by DUP.
                let new = self
                    .sessions
                    .get_mut(&client.id)
                    .is_some_and(|session| session.received.insert(packet_id));
                if new {
                    self.route(id, client, publish);
                } else {
                    self.log.counters.duplicates += 1;
                }
                self.send(id, encode(&Packet::PubRec(Ack::new(packet_id))));
            }
        }
        Ok(())
    }

    /// The end of a publication of QoS 2. PUBCOMP is due for unknown identifiers too: an earlier one may be lost.
    pub(super) fn release(&mut self, id: ConnectionId, client: &Client, ack: Ack) {
        if let Some(session) = self.sessions.get_mut(&client.id) {
            session.received.remove(&ack.packet_id);
        }
        self.send(id, encode(&Packet::PubComp(ack)));
    }

    /// Whether a topic name or filter may be used at all.
    pub(super) fn check_topic(&self, topic: &str) -> Result<(), CloseReason> {
        if let Some(max) = self.config.quirks.max_topic_len
            && self.p2p(topic).is_none()
            && topic.chars().count() > max
        {
            return Err(CloseReason::TopicTooLong);
        }
        let parent = parent_of(topic);
        match &self.config.parents {
            Some(parents) if parent != CONTROL && !parents.contains(parent) => {
                Err(CloseReason::ParentNotAuthorized)
            }
            _ => Ok(()),
        }
    }

    /// Passes a message on. RETAIN has no effect: the service does not support it.
    fn route(&mut self, id: ConnectionId, sender: &Client, publish: &Publish<'_>) {
        self.log.counters.published += 1;
        let topic = publish.topic.as_str();
        if parent_of(topic) == CONTROL {
            return self.control(id, sender, publish);
        }
        if publish.payload.len() > self.config.max_payload {
            let client_id = Arc::clone(&sender.id);
            return self.log.event(Event::PayloadIgnored { client_id, len: publish.payload.len() });
        }
        let p2p = self.p2p(topic);
        let receivers = match p2p {
            Some(p2p) => vec![self.p2p_receiver(p2p.target, sender, publish.qos())],
            None => self.subscribers(publish),
        };
        if receivers.is_empty() {
            return;
        }
        self.last_message += 1;
        let message = Arc::new(Message {
            number: self.last_message,
            published: self.now,
            topic: self.delivered_topic(topic, p2p.is_some()),
            payload: publish.payload.to_vec(),
        });
        for (client_id, qos, keep) in receivers {
            let message = Arc::clone(&message);
            self.deliver(&client_id, Delivery { message, qos, keep });
        }
    }

    /// The one receiver of a P2P message, whatever it subscribed to, at the message's own QoS (kernel). Whether the
    /// message waits for it is the sender's matter (documentation: terms).
    fn p2p_receiver(&self, target: &str, sender: &Client, qos: QoS) -> Receiver {
        let client_id = match self.sessions.get_key_value(target) {
            Some((client_id, _)) => Arc::clone(client_id),
            None => target.into(),
        };
        let keep = match self.config.quirks.p2p_offline {
            P2pOffline::BySender => !sender.clean_session,
            P2pOffline::Always => true,
            P2pOffline::Never => false,
        };
        (client_id, qos, keep)
    }

    /// A topic taken apart, if P2P goes by it.
    fn p2p<'a>(&self, topic: &'a str) -> Option<P2p<'a>> {
        parse_p2p(topic).filter(|_| self.config.quirks.implicit_p2p)
    }

    /// A control message. Uploaded tokens are not among them here; those that it does not know have no effect.
    fn control(&mut self, id: ConnectionId, client: &Client, publish: &Publish<'_>) {
        let asks_for_order = publish.topic.as_str() == ORDER
            && serde_json::from_slice::<OrderText>(publish.payload).is_ok_and(|text| text.order == "true");
        if asks_for_order && let Some(connection) = self.connections.get_mut(&id) {
            connection.ordered = true;
            self.log.event(Event::OrderEnabled { connection: id, client_id: Arc::clone(&client.id) });
        }
    }

    /// Who subscribed to an ordinary message: one copy each, at the higher of the QoS that its matching subscriptions
    /// ask for, and no higher than published ([MQTT-3.3.5-1]).
    fn subscribers(&self, publish: &Publish<'_>) -> Vec<Receiver> {
        let ignore_slash = self.config.quirks.trailing_slash != TrailingSlash::Never;
        self.sessions
            .iter()
            .filter_map(|(client_id, session)| {
                let qos = session.subscribed(publish.topic, ignore_slash)?.min(publish.qos());
                Some((Arc::clone(client_id), qos, !session.clean))
            })
            .collect()
    }

    fn delivered_topic(&self, topic: &str, p2p: bool) -> String {
        let slash = match self.config.quirks.trailing_slash {
            TrailingSlash::Never => false,
            TrailingSlash::ButP2p => !p2p,
            TrailingSlash::Always => true,
        };
        let mut topic = topic.to_owned();
        // Within what a topic name can hold.
        if slash && !topic.ends_with('/') && topic.len() < usize::from(u16::MAX) {
            topic.push('/');
        }
        topic
    }
}
