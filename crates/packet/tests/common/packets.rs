//! Random packets, and random bytes that are nearly packets.

use super::{encoded, framed};
use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Connect, Filters, Packet, PacketId, Protocol, Publish, QoS, ReasonCode,
    ReturnCodes, SubAck, Subscribe, SubscribeFilter, TopicFilter, TopicName, Unsubscribe, Will,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

/// A packet that owns what a [`Packet`] borrows.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Connect {
        protocol: Protocol,
        clean_session: bool,
        keep_alive: u16,
        client_id: String,
        will: Option<(String, Vec<u8>, QoS, bool)>,
        login: Option<(String, Option<Vec<u8>>)>,
    },
    Publish {
        dup: bool,
        retain: bool,
        topic: String,
        delivery: Option<(AckedQoS, PacketId)>,
        payload: Vec<u8>,
    },
    Subscribe(PacketId, Vec<(String, QoS)>),
    SubAck(PacketId, Vec<u8>),
    Unsubscribe(PacketId, Vec<String>),
    /// The packets that borrow nothing.
    Plain(Packet<'static>),
}

impl Owned {
    /// Calls `f` with the packet, whose lists live no longer than the call.
    pub(crate) fn with<R>(&self, f: impl FnOnce(Packet<'_>) -> R) -> R {
        let topic = |name| TopicName::new(name).expect("the strategy makes valid topic names");
        let filter = |filter| TopicFilter::new(filter).expect("the strategy makes valid topic filters");
        match self {
            Self::Connect { protocol, clean_session, keep_alive, client_id, will, login } => {
                let mut connect = Connect::new(client_id)
                    .with_protocol(*protocol)
                    .with_clean_session(*clean_session)
                    .with_keep_alive(*keep_alive);
                connect.will = will.as_ref().map(|(name, payload, qos, retain)| {
                    Will::new(topic(name), payload).with_qos(*qos).with_retain(*retain)
                });
                connect.user_name = login.as_ref().map(|(user_name, _)| user_name.as_str());
                connect.password = login.as_ref().and_then(|(_, password)| password.as_deref());
                f(Packet::Connect(connect))
            }
            Self::Publish { dup, retain, topic: name, delivery, payload } => f(Packet::Publish(
                Publish::new(topic(name), payload)
                    .with_dup(*dup)
                    .with_retain(*retain)
                    .with_delivery(*delivery),
            )),
            Self::Subscribe(packet_id, entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(text, qos)| SubscribeFilter::new(filter(text), *qos)).collect();
                f(Packet::Subscribe(Subscribe::new(*packet_id, Filters::new(&entries))))
            }
            Self::SubAck(packet_id, codes) => f(Packet::SubAck(SubAck::new(
                *packet_id,
                ReturnCodes::new(codes).expect("the strategy makes valid return codes"),
            ))),
            Self::Unsubscribe(packet_id, entries) => {
                let entries: Vec<_> = entries.iter().map(|text| filter(text)).collect();
                f(Packet::Unsubscribe(Unsubscribe::new(*packet_id, Filters::new(&entries))))
            }
            Self::Plain(packet) => f(*packet),
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        self.with(|packet| encoded(&packet).expect("the strategy makes packets that can be written"))
    }
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    prop_oneof![Just(1), Just(u16::MAX), 1..=u16::MAX]
        .prop_map(|number| PacketId::new(number).expect("the strategy makes no 0"))
}

fn qos() -> impl Strategy<Value = QoS> {
    select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

/// Text of any characters that MQTT allows, empty text and long text among it.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[ -~]{0,24}",
        4 => r"[^\x00]{0,12}",
        2 => "[a-z/$温度é🦀]{0,12}",
        1 => (select(vec![127, 128, 65_534, 65_535]), "[a-z]").prop_map(|(len, c): (usize, String)| c.repeat(len)),
    ]
    .boxed()
}

pub(crate) fn topic_name() -> impl Strategy<Value = String> {
    text().prop_map(|text| match text.replace(['+', '#'], "/") {
        name if name.is_empty() => String::from("/"),
        name => name,
    })
}

pub(crate) fn topic_filter() -> impl Strategy<Value = String> {
    let level = prop_oneof![
        2 => Just(String::from("+")),
        3 => topic_name().prop_map(|name| name.chars().filter(|c| *c != '/').take(8).collect()),
    ];
    let levels = (vec(level, 1..6), any::<bool>()).prop_map(|(mut levels, all_below)| {
        if all_below {
            levels.push(String::from("#"));
        }
        levels.join("/")
    });
    prop_oneof![
        levels.prop_filter("a topic filter has a character", |filter| !filter.is_empty()),
        topic_name()
    ]
}

/// A topic of levels by these patterns: so few characters that filters and names often match.
pub(crate) fn levels(level: &'static str, last: &'static str) -> impl Strategy<Value = String> {
    (vec(level, 0..4), last)
        .prop_map(|(mut levels, last)| {
            levels.push(last);
            levels.join("/")
        })
        .prop_filter("a topic has a character", |topic| !topic.is_empty())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    // Around 128 and 16,384, where the remaining length takes a byte more, whatever the rest of the packet takes.
    let boundary = select((96..=130).chain(16_344..=16_386).collect::<Vec<usize>>());
    prop_oneof![
        6 => vec(any::<u8>(), 0..64),
        1 => (prop_oneof![boundary, 0..20_000_usize], any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

/// Binary data with its length in two bytes: an MQTT field.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        10 => vec(any::<u8>(), 0..32),
        1 => Just(vec![0xff; 65_535]),
    ]
}

fn connect(protocol: Protocol) -> impl Strategy<Value = Owned> {
    let will = (topic_name(), field(), qos(), any::<bool>());
    let login = (text(), proptest::option::of(field()));
    (any::<bool>(), any::<u16>(), text(), proptest::option::of(will), proptest::option::of(login)).prop_map(
        move |(clean_session, keep_alive, client_id, will, login)| Owned::Connect {
            protocol,
            clean_session: clean_session || client_id.is_empty(),
            keep_alive,
            client_id,
            will,
            login,
        },
    )
}

fn connack(protocol: Protocol) -> impl Strategy<Value = Owned> {
    // Only a success continues a session, and MQTT 3.1 has no session present at all.
    let session_present = any::<bool>().prop_map(move |present| present && protocol == Protocol::V311);
    (0..=5_u8, session_present).prop_map(|(code, session_present)| {
        Owned::Plain(Packet::ConnAck(ConnAck::new(
            session_present && code == 0,
            ReasonCode::from_connack(code).expect("0 to 5 are return codes"),
        )))
    })
}

fn publish() -> impl Strategy<Value = Owned> {
    let acked = (select(vec![AckedQoS::AtLeastOnce, AckedQoS::ExactlyOnce]), packet_id());
    (any::<bool>(), any::<bool>(), topic_name(), proptest::option::of(acked), payload()).prop_map(
        |(dup, retain, topic, delivery, payload)| Owned::Publish {
            dup: dup && delivery.is_some(),
            retain,
            topic,
            delivery,
            payload,
        },
    )
}

/// Any of the fourteen packets, as this edition of the protocol has it.
pub(crate) fn packet(protocol: Protocol) -> BoxedStrategy<Owned> {
    const ACKS: [fn(Ack) -> Packet<'static>; 5] =
        [Packet::PubAck, Packet::PubRec, Packet::PubRel, Packet::PubComp, Packet::UnsubAck];
    let ack = (select(&ACKS), packet_id())
        .prop_map(|(packet, packet_id)| Owned::Plain(packet(Ack::new(packet_id))));
    let empty = select(vec![Packet::PingReq, Packet::PingResp, Packet::Disconnect]).prop_map(Owned::Plain);
    let subscribe = (packet_id(), vec((topic_filter(), qos()), 1..8))
        .prop_map(|(packet_id, entries)| Owned::Subscribe(packet_id, entries));
    let suback = (packet_id(), vec(select(vec![0, 1, 2, 0x80]), 1..200))
        .prop_map(|(packet_id, codes)| Owned::SubAck(packet_id, codes));
    let unsubscribe = (packet_id(), vec(topic_filter(), 1..8))
        .prop_map(|(packet_id, entries)| Owned::Unsubscribe(packet_id, entries));
    prop_oneof![
        3 => connect(protocol),
        1 => connack(protocol),
        3 => publish(),
        2 => ack,
        2 => subscribe,
        1 => suback,
        2 => unsubscribe,
        1 => empty,
    ]
    // The strategies are large values, and a test's stack is small.
    .boxed()
}

/// Bytes that a decoder stumbles over: ends of ranges, wildcards, broken UTF-8.
fn telling_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        select(vec![0, 1, 2, 3, 0x7f, 0x80, 0xff, b'+', b'#', b'/', b'$', 0xc0, 0xed, 0xf4]),
        any::<u8>(),
    ]
}

/// One change to a packet's bytes.
fn mutate(bytes: &mut Vec<u8>, kind: u8, at: Index, byte: u8) {
    let place = at.index(bytes.len() + 1);
    match (kind, bytes.get_mut(place)) {
        (0, Some(old)) => *old = byte,
        (1, Some(old)) => *old ^= 1 << (byte % 8),
        (2, Some(_)) => drop(bytes.remove(place)),
        (3, Some(_)) => bytes.truncate(place),
        _ => bytes.insert(place, byte),
    }
}

/// The bytes of a packet with a few of them changed; its remaining length often fits again, so that the
/// changes reach the decoders of the fields.
fn mutated(protocol: Protocol) -> impl Strategy<Value = Vec<u8>> {
    let flags = prop_oneof![6 => Just(0), 1 => 0..=15_u8];
    let changes = vec((0..=4_u8, any::<Index>(), telling_byte()), 0..4);
    (packet(protocol), flags, changes, prop::bool::weighted(0.8)).prop_map(
        |(packet, flags, changes, refit)| {
            let mut bytes = packet.encoded();
            bytes[0] ^= flags;
            if refit {
                let (body, _) = super::extent(&bytes).expect("a whole packet");
                let mut body = body.to_vec();
                for (kind, at, byte) in changes {
                    mutate(&mut body, kind, at, byte);
                }
                framed(bytes[0], &body)
            } else {
                for (kind, at, byte) in changes {
                    mutate(&mut bytes, kind, at, byte);
                }
                bytes
            }
        },
    )
}

/// A body of random bytes, mostly of those that make up fields, behind a right fixed header.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let body = vec(prop_oneof![2 => 0..6_u8, 1 => telling_byte()], 0..24);
    prop_oneof![
        3 => (any::<u8>(), body).prop_map(|(first, body)| framed(first, &body)),
        1 => vec(any::<u8>(), 0..64),
    ]
}

/// What may come in from a peer that is broken or hostile, and sometimes a right packet.
pub(crate) fn input(protocol: Protocol) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![3 => mutated(protocol), 1 => noise()].boxed()
}

pub(crate) fn protocol() -> impl Strategy<Value = Protocol> {
    select(vec![Protocol::V31, Protocol::V311])
}

/// So many cases, or as many as `PROPTEST_CASES` says; failures are kept in `regressions`, a file of the repository.
pub(crate) fn config(cases: u32, regressions: &'static str) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(regressions)));
    config
}
