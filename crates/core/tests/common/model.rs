//! A small server, written without a look at the client: one session, kept or lost, and a log of what arrived.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_p2p_core::QoS;
use mqtt_p2p_packet::Packet;

use super::server;

/// Names a message in either direction; its payload.
pub(crate) type Serial = u32;

/// How many messages of QoS 2 the server has under way at most.
const MAX_QOS_2: usize = 4;

/// A message to the client that is not acknowledged.
#[derive(Clone, Debug)]
struct Outgoing {
    serial: Serial,
    id: u16,
    qos: QoS,
    /// PUBREC came.
    released: bool,
}

/// What survives a connection, unless the server forgets it.
#[derive(Clone, Debug, Default)]
struct Session {
    /// Messages of QoS 2 whose PUBREL is due.
    unreleased: BTreeMap<u16, Serial>,
    /// Messages of QoS 1 and 2 that came in this session.
    seen: BTreeSet<Serial>,
    outgoing: Vec<Outgoing>,
    subscriptions: BTreeMap<String, QoS>,
    next_id: u16,
    /// The client has shown that it knows this session: it sent something after CONNECT.
    confirmed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    session: Option<Session>,
    connected: bool,
    /// What came of a packet that is not whole yet.
    begun: Vec<u8>,
    /// What is on its way to the client.
    pub(crate) out: Vec<u8>,
    /// What arrived and was passed on, in this order.
    pub(crate) log: Vec<(Serial, QoS)>,
    /// How often a session was lost.
    pub(crate) losses: u32,
}

impl Server {
    pub(crate) const fn is_connected(&self) -> bool {
        self.connected
    }

    /// Nothing waits for the client's answer.
    pub(crate) fn is_settled(&self) -> bool {
        self.out.is_empty() && self.session.as_ref().is_none_or(|session| session.outgoing.is_empty())
    }

    pub(crate) fn subscriptions(&self) -> Vec<(String, QoS)> {
        let session = self.session.iter();
        session.flat_map(|session| session.subscriptions.clone()).collect()
    }

    /// The link is gone, with all that was on its way. A new session goes with it if CONNACK may have been lost:
    /// "session present" the next time would let the client believe that its old session lives on, and MQTT has no
    /// remedy for that.
    pub(crate) fn cut(&mut self) {
        self.connected = false;
        self.begun.clear();
        self.out.clear();
        if self.session.as_ref().is_some_and(|session| !session.confirmed) {
            self.session = None;
            self.losses += 1;
        }
    }

    /// Restarts without what it knew.
    pub(crate) fn forget(&mut self) {
        self.cut();
        self.losses += 1;
        self.session = None;
    }

    /// Sends a message, now or when the client is back. `false` if it has no session to send it in.
    pub(crate) fn send(&mut self, serial: Serial, qos: QoS) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        let under_way = |qos| session.outgoing.iter().filter(|out| out.qos == qos).count();
        if (qos == QoS::ExactlyOnce && under_way(qos) == MAX_QOS_2) || session.outgoing.len() == 10 {
            return false;
        }
        let message = Outgoing { serial, id: session.free_id(), qos, released: false };
        if self.connected {
            self.out.extend(message.packet(false));
        }
        if qos != QoS::AtMostOnce {
            session.outgoing.push(message);
        } else if !self.connected {
            return false;
        }
        true
    }

    /// Sends something again that it has no reason to send again.
    pub(crate) fn repeat(&mut self, choice: usize) {
        if let Some(session) = &self.session
            && self.connected
            && let Some(message) = session.outgoing.get(choice % session.outgoing.len().max(1))
            && !message.released
        {
            self.out.extend(message.packet(true));
        }
    }

    /// The packet identifier of a message of QoS 2 that waits for PUBREC.
    pub(crate) fn unreceived(&self, serial: Serial) -> Option<u16> {
        let session = self.session.as_ref()?;
        let message = session.outgoing.iter().find(|out| out.serial == serial)?;
        if message.released { None } else { Some(message.id) }
    }

    /// Bytes come from the client.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        while let Some(len) = mqtt_p2p_core::packet_len(&self.begun)
            && len <= self.begun.len()
        {
            let rest = self.begun.split_off(len);
            let packet = std::mem::replace(&mut self.begun, rest);
            self.packet(&server::decoded(&packet));
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        if let Packet::Connect(_) = packet {
            return self.connect();
        }
        assert!(self.connected, "{packet:?} without CONNECT");
        let session = self.session.as_mut().expect("a connection has a session");
        session.confirmed = true;
        match packet {
            Packet::Publish(publish) => {
                let serial = Serial::from_be_bytes(publish.payload[..4].try_into().expect("a serial number"));
                let again = session.seen.contains(&serial);
                assert!(!again || publish.dup, "{serial} comes again in one session without DUP");
                let id = publish.packet_id().map_or(0, mqtt_p2p_packet::PacketId::get);
                if publish.qos() != QoS::AtMostOnce {
                    session.seen.insert(serial);
                }
                match publish.qos() {
                    QoS::AtMostOnce => {}
                    QoS::AtLeastOnce => self.out.extend(server::puback(id)),
                    QoS::ExactlyOnce => {
                        self.out.extend(server::pubrec(id));
                        if let Some(before) = session.unreleased.insert(id, serial) {
                            assert_eq!(before, serial, "identifier {id} is in use");
                            return;
                        }
                    }
                }
                self.log.push((serial, publish.qos()));
            }
            Packet::PubRel(ack) => {
                session.unreleased.remove(&ack.packet_id.get());
                self.out.extend(server::pubcomp(ack.packet_id.get()));
            }
            Packet::PubAck(ack) => session.ended(ack.packet_id.get(), QoS::AtLeastOnce),
            Packet::PubRec(ack) => {
                let id = ack.packet_id.get();
                if let Some(message) =
                    session.outgoing.iter_mut().find(|out| out.id == id && out.qos == QoS::ExactlyOnce)
                {
                    message.released = true;
                    self.out.extend(server::pubrel(id));
                }
            }
            Packet::PubComp(ack) => session.ended(ack.packet_id.get(), QoS::ExactlyOnce),
            Packet::Subscribe(subscribe) => {
                for entry in subscribe.filters.iter() {
                    session.subscriptions.insert(entry.filter.as_str().into(), entry.qos);
                }
                self.out.extend(server::suback(subscribe.packet_id.get(), &server::grant(subscribe)));
            }
            Packet::Unsubscribe(unsubscribe) => {
                for filter in unsubscribe.filters.iter() {
                    session.subscriptions.remove(filter.as_str());
                }
                self.out.extend(server::unsuback(unsubscribe.packet_id.get()));
            }
            Packet::PingReq => self.out.extend(server::pingresp()),
            Packet::Disconnect => self.cut(),
            other => panic!("a client does not send {other:?}"),
        }
    }

    fn connect(&mut self) {
        assert!(!self.connected, "CONNECT comes once");
        self.connected = true;
        self.out.extend(server::connack(self.session.is_some()));
        let session = self.session.get_or_insert_default();
        for message in &session.outgoing {
            self.out.extend(if message.released { server::pubrel(message.id) } else { message.packet(true) });
        }
    }
}

impl Session {
    /// Few identifiers, so that they come round often.
    fn free_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id % 12 + 1;
            if self.outgoing.iter().all(|out| out.id != self.next_id) {
                return self.next_id;
            }
        }
    }

    /// PUBACK or PUBCOMP came.
    fn ended(&mut self, id: u16, qos: QoS) {
        self.outgoing
            .retain(|out| out.id != id || out.qos != qos || (qos == QoS::ExactlyOnce && !out.released));
    }
}

impl Outgoing {
    fn packet(&self, dup: bool) -> Vec<u8> {
        server::publish(self.id, self.qos, dup, &self.serial.to_be_bytes())
    }
}
