//! mqtt-protocol-core, on which mqtt-endpoint-tokio stands.

use std::hint::black_box;
use std::sync::Arc;

use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{Connection, Event, role};
use mqtt_protocol_core::mqtt::packet::v3_1_1::{Connect, Puback, Publish};
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Qos};

use super::codec::{Codec, KEEP_ALIVE, LOG_IN, Laid, lengths};
use super::machine::Machine;

const NAME: &str = "mqtt-protocol-core";

pub(crate) struct ProtocolCore;

#[inline]
fn build(topic: &str, payload: &[u8], qos: Qos, packet_id: Option<u16>) -> Publish {
    let builder = Publish::builder().topic_name(topic).expect("a topic name").qos(qos).payload(payload);
    match packet_id {
        Some(id) => builder.packet_id(id).build(),
        None => builder.build(),
    }
    .expect("a PUBLISH")
}

#[inline]
fn log_in([client_id, user_name, password]: [&str; 3]) -> Connect {
    Connect::builder()
        .client_id(client_id)
        .and_then(|builder| builder.user_name(user_name))
        .and_then(|builder| builder.password(password))
        .and_then(|builder| builder.clean_session(true).keep_alive(KEEP_ALIVE).build())
        .expect("a CONNECT")
}

impl Codec for ProtocolCore {
    const NAME: &'static str = NAME;
    const ENCODES: &'static str =
        "packet built with copies, wildcards in the topic refused, written into a new Vec";
    const DECODES: &'static str =
        "the body copied, as its connection does, then parse: UTF-8, no check for NUL or wildcards";

    type Output = Vec<u8>;

    fn output() -> Vec<u8> {
        Vec::new()
    }

    #[inline]
    fn publish(output: &mut Vec<u8>, topic: &str, payload: &[u8], packet_id: Option<u16>) {
        let qos = if packet_id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
        *output = build(topic, payload, qos, packet_id).to_continuous_buffer();
    }

    #[inline]
    fn connect(output: &mut Vec<u8>, texts: [&str; 3]) {
        *output = log_in(texts).to_continuous_buffer();
    }

    #[inline]
    fn puback(output: &mut Vec<u8>, packet_id: u16) {
        *output = Puback::builder().packet_id(packet_id).build().expect("not 0").to_continuous_buffer();
    }

    type Input = Laid;

    fn input(packets: &[u8]) -> Laid {
        Laid::out(packets)
    }

    #[inline]
    fn decode(laid: &mut Laid) -> bool {
        let packets = laid.rest();
        let (header, remaining) = lengths(packets);
        let body = &packets[header..header + remaining];
        let good = match packets[0] >> 4 {
            1 => black_box(Connect::parse(&black_box(body.to_vec()))).is_ok(),
            4 => black_box(Puback::parse(&black_box(body.to_vec()))).is_ok(),
            _ => black_box(Publish::parse(packets[0] & 0x0f, Arc::from(body))).is_ok(),
        };
        laid.advance(header + remaining);
        good
    }
}

impl Machine for Connection<role::Client> {
    const NAME: &'static str = NAME;
    const PUBLISHES: &'static str = "Publish built, send, the packets of its events to bytes";
    const RECEIVES: &'static str = "recv, the packets of its events to bytes";

    fn connected() -> Self {
        let mut connection = Self::new(Version::V3_1_1);
        connection.set_auto_pub_response(true);
        take(connection.send(log_in(LOG_IN).into()));
        connection.receive(&[0x20, 2, 0, 0]);
        connection
    }

    #[inline]
    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) -> u16 {
        let qos = Qos::try_from(qos).expect("a QoS");
        let id = (qos != Qos::AtMostOnce).then(|| self.acquire_packet_id().expect("one is free"));
        take(self.send(build(topic, payload, qos, id).into()));
        id.unwrap_or(0)
    }

    #[inline]
    fn receive(&mut self, packet: &[u8]) {
        take(self.recv(&mut Cursor::new(packet)));
    }
}

/// Does what the events ask for.
#[inline]
fn take(events: Vec<Event>) {
    for event in events {
        match event {
            Event::RequestSendPacket { packet, .. } => {
                black_box(packet.to_continuous_buffer());
            }
            Event::NotifyError(error) => panic!("{error:?}"),
            event => {
                black_box(&event);
            }
        }
    }
}
