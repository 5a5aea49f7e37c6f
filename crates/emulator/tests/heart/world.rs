//! An emulator and the clients of a test: packets in, packets out, time by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use mqtt_p2p_emulator::{CloseReason, Config, ConnectionId, Emulator, Event, Output, Quirks};
use mqtt_p2p_packet::{
    Ack, AckedQoS, Connect, Decoded, Filters, Options, Packet, PacketId, Publish, QoS, Subscribe,
    SubscribeFilter, TopicFilter, TopicName, Unsubscribe, decode,
};

pub(crate) const KEEP_ALIVE: u16 = 60;

pub(crate) struct World {
    pub emulator: Emulator,
    pub now: Duration,
    inboxes: BTreeMap<ConnectionId, Vec<Seen>>,
    closed: Vec<ConnectionId>,
}

/// A packet from the emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    ConnAck { code: u8, session_present: bool },
    Message(Message),
    PubAck(u16),
    PubRec(u16),
    PubRel(u16),
    PubComp(u16),
    SubAck(u16, Vec<u8>),
    UnsubAck(u16),
    PingResp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub id: u16,
    pub dup: bool,
    pub retain: bool,
}

/// A message as it should arrive the first time.
pub(crate) fn message(topic: &str, payload: &str, qos: u8, id: u16) -> Seen {
    Seen::Message(Message {
        topic: topic.into(),
        payload: payload.into(),
        qos,
        id,
        dup: false,
        retain: false,
    })
}

pub(crate) fn accepted() -> Seen {
    Seen::ConnAck { code: 0, session_present: false }
}

pub(crate) fn refused(code: u8) -> Seen {
    Seen::ConnAck { code, session_present: false }
}

pub(crate) fn bytes_of(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![0; packet.encoded_len().unwrap()];
    packet.encode(&mut bytes).unwrap();
    bytes
}

pub(crate) fn ack(id: u16) -> Ack {
    Ack::new(PacketId::new(id).unwrap())
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The service's quirks, without late answers, and open to all.
pub(crate) fn service() -> Config {
    Config::default().anonymous().quirks(Quirks::service().without_delays())
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            emulator: Emulator::new(config, 7),
            now: Duration::ZERO,
            inboxes: BTreeMap::new(),
            closed: Vec::new(),
        }
    }

    pub(crate) fn service() -> Self {
        Self::new(service())
    }

    pub(crate) fn open(&mut self) -> ConnectionId {
        let id = self.emulator.connection_opened(self.now);
        self.collect();
        id
    }

    pub(crate) fn raw(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.emulator.bytes_received(self.now, id, bytes);
        self.collect();
    }

    pub(crate) fn send(&mut self, id: ConnectionId, packet: Packet<'_>) {
        self.raw(id, &bytes_of(&packet));
    }

    /// Opens a connection and sends CONNECT, whatever comes of it.
    pub(crate) fn connect(&mut self, connect: Connect<'_>) -> ConnectionId {
        let id = self.open();
        self.send(id, Packet::Connect(connect));
        id
    }

    /// Takes the first packet that came over a connection.
    pub(crate) fn inbox_starts_with(&mut self, id: ConnectionId, expected: &Seen) {
        let first = self.inboxes.get_mut(&id).map(|inbox| inbox.remove(0));
        assert_eq!(first.as_ref(), Some(expected));
    }

    /// Logs in without a user name, and takes CONNACK.
    pub(crate) fn join(&mut self, client_id: &str, clean_session: bool) -> ConnectionId {
        let mut connect = Connect::new(client_id);
        connect.clean_session = clean_session;
        connect.keep_alive = KEEP_ALIVE;
        let id = self.connect(connect);
        let connack = self.inboxes.get_mut(&id).map(|inbox| inbox.remove(0));
        assert!(matches!(connack, Some(Seen::ConnAck { code: 0, .. })), "{connack:?}");
        id
    }

    pub(crate) fn lose(&mut self, id: ConnectionId) {
        self.emulator.connection_closed(self.now, id);
        self.collect();
    }

    pub(crate) fn publish(&mut self, id: ConnectionId, topic: &str, payload: &str, qos: u8, packet_id: u16) {
        let acked = [AckedQoS::AtLeastOnce, AckedQoS::ExactlyOnce];
        let delivery = (qos > 0).then(|| (acked[usize::from(qos) - 1], ack(packet_id).packet_id));
        let mut publish = Publish::new(TopicName::new(topic).unwrap(), payload.as_bytes());
        publish.delivery = delivery;
        self.send(id, Packet::Publish(publish));
    }

    pub(crate) fn subscribe(&mut self, id: ConnectionId, filter: &str, qos: u8) {
        let entries = [SubscribeFilter::new(TopicFilter::new(filter).unwrap(), QoS::from_bits(qos).unwrap())];
        let subscribe = Subscribe::new(ack(99).packet_id, Filters::new(&entries));
        self.send(id, Packet::Subscribe(subscribe));
    }

    /// Subscribes, and takes SUBACK.
    pub(crate) fn follow(&mut self, id: ConnectionId, filter: &str, qos: u8) {
        self.subscribe(id, filter, qos);
        assert_eq!(self.take(id), [Seen::SubAck(99, vec![qos])]);
    }

    pub(crate) fn unsubscribe(&mut self, id: ConnectionId, filter: &str) {
        let entries = [TopicFilter::new(filter).unwrap()];
        let unsubscribe = Unsubscribe::new(ack(98).packet_id, Filters::new(&entries));
        self.send(id, Packet::Unsubscribe(unsubscribe));
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.emulator.advance(self.now);
        self.collect();
    }

    /// Lets time pass while clients keep their connections alive.
    pub(crate) fn pass_with_pings(&mut self, time: Duration, ids: &[ConnectionId]) {
        let end = self.now + time;
        while self.now < end {
            self.pass(secs(1).min(end - self.now));
            for &id in ids {
                self.send(id, Packet::PingReq);
                if let Some(inbox) = self.inboxes.get_mut(&id) {
                    inbox.retain(|seen| *seen != Seen::PingResp);
                }
            }
        }
    }

    /// What came over a connection since the last call.
    pub(crate) fn take(&mut self, id: ConnectionId) -> Vec<Seen> {
        self.inboxes.remove(&id).unwrap_or_default()
    }

    pub(crate) fn is_closed(&self, id: ConnectionId) -> bool {
        self.closed.contains(&id)
    }

    /// Why a connection ended, if it did.
    pub(crate) fn why_closed(&mut self, id: ConnectionId) -> Option<CloseReason> {
        assert!(self.is_closed(id), "it is still open");
        std::iter::from_fn(|| self.emulator.poll_event()).find_map(|event| match event {
            Event::Closed { connection, reason, .. } if connection == id => Some(reason),
            _ => None,
        })
    }

    fn collect(&mut self) {
        while let Some(output) = self.emulator.poll_output() {
            match output {
                Output::Send { id, bytes } => {
                    assert!(!self.is_closed(id), "a packet after the close");
                    self.inboxes.entry(id).or_default().push(read(&bytes));
                }
                Output::Close { id } => self.closed.push(id),
            }
        }
    }
}

fn read(bytes: &[u8]) -> Seen {
    let Ok(Decoded::Packet { packet, len }) = decode(bytes, &Options::default()) else {
        panic!("not a packet: {bytes:02x?}");
    };
    assert_eq!(len, bytes.len(), "more than one packet");
    match packet {
        Packet::ConnAck(connack) => Seen::ConnAck {
            code: connack.reason.connack_code().unwrap(),
            session_present: connack.session_present,
        },
        Packet::Publish(publish) => Seen::Message(Message {
            topic: publish.topic.as_str().into(),
            payload: String::from_utf8_lossy(publish.payload).into_owned(),
            qos: publish.qos() as u8,
            id: publish.packet_id().map_or(0, PacketId::get),
            dup: publish.dup,
            retain: publish.retain,
        }),
        Packet::PubAck(ack) => Seen::PubAck(ack.packet_id.get()),
        Packet::PubRec(ack) => Seen::PubRec(ack.packet_id.get()),
        Packet::PubRel(ack) => Seen::PubRel(ack.packet_id.get()),
        Packet::PubComp(ack) => Seen::PubComp(ack.packet_id.get()),
        Packet::SubAck(suback) => {
            Seen::SubAck(suback.packet_id.get(), suback.return_codes.as_bytes().to_vec())
        }
        Packet::UnsubAck(ack) => Seen::UnsubAck(ack.packet_id.get()),
        Packet::PingResp => Seen::PingResp,
        other => panic!("a server does not send {other:?}"),
    }
}
