//! A client, connected, over a transport in memory that takes all it is offered: any library's.

use std::hint::black_box;

use super::codec::publish;
use super::row::{PAYLOAD, Row, TOPIC, repeat};

pub(crate) const PUBLISH_0: &str = "client: publish QoS 0";
pub(crate) const PUBLISH_1: &str = "client: publish QoS 1 and PUBACK";
pub(crate) const PUBLISH_2: &str = "client: publish QoS 2, whole";
pub(crate) const RECEIVE_0: &str = "client: receive QoS 0";
pub(crate) const RECEIVE_1: &str = "client: receive QoS 1 and send PUBACK";

/// The first bytes of what has but a packet identifier.
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;

/// A library that keeps a client's state.
pub(crate) trait Machine {
    const NAME: &'static str;
    const PUBLISHES: &'static str;
    const RECEIVES: &'static str;

    fn connected() -> Self;
    /// Publishes as far as bytes that go out; gives the packet identifier.
    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) -> u16;
    /// Takes one packet, as far as its event and the bytes that go out for it.
    fn receive(&mut self, packet: &[u8]);
}

pub(crate) fn rows<M: Machine>() -> Vec<Row> {
    let publish_with = |qos: u8, answers: &'static [u8]| {
        move |times| {
            let mut client = M::connected();
            repeat(times, || {
                let id = client.publish(black_box(TOPIC), black_box(&PAYLOAD), qos);
                for first in answers {
                    client.receive(black_box(&ack(*first, id)));
                }
            })
        }
    };
    let receive = |packet_id: Option<u16>| {
        move |times| {
            let (mut client, packet) = (M::connected(), publish(PAYLOAD.len(), packet_id));
            repeat(times, || client.receive(black_box(&packet)))
        }
    };
    vec![
        Row::new(M::NAME, PUBLISH_0, M::PUBLISHES, publish_with(0, &[])),
        Row::new(M::NAME, PUBLISH_1, M::PUBLISHES, publish_with(1, &[PUBACK])),
        Row::new(M::NAME, PUBLISH_2, M::PUBLISHES, publish_with(2, &[PUBREC, PUBCOMP])),
        Row::new(M::NAME, RECEIVE_0, M::RECEIVES, receive(None)),
        Row::new(M::NAME, RECEIVE_1, M::RECEIVES, receive(Some(10))),
    ]
}

/// The packet that begins with this and has this packet identifier.
#[inline]
pub(crate) const fn ack(first: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [first, 2, high, low]
}
