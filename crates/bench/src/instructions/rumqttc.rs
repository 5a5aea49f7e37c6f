//! rumqttc: its packets, and its state as its event loop drives it.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use rumqttc::{Connect, Login, MqttState, Packet, PubAck, Publish, QoS, Request};

use super::codec::{Codec, KEEP_ALIVE};
use super::machine::Machine;

const NAME: &str = "rumqttc";
const MAX: usize = 1 << 20;

pub(crate) struct Rumqttc;

impl Codec for Rumqttc {
    const NAME: &'static str = NAME;
    const ENCODES: &'static str =
        "packet built with a copy of the topic, written into a BytesMut; topic not checked";
    const DECODES: &'static str = "UTF-8; no check for NUL, wildcards or flags; topic copied, payload shared";

    type Output = BytesMut;

    fn output() -> BytesMut {
        BytesMut::with_capacity(70_000)
    }

    #[inline]
    fn publish(output: &mut BytesMut, topic: &str, payload: &[u8], packet_id: Option<u16>) {
        let qos = if packet_id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let mut publish = Publish::from_bytes(topic, qos, Bytes::copy_from_slice(payload));
        publish.pkid = packet_id.unwrap_or(0);
        output.clear();
        publish.write(output).expect("room");
    }

    #[inline]
    fn connect(output: &mut BytesMut, [client_id, user_name, password]: [&str; 3]) {
        let mut connect = Connect::new(client_id);
        connect.keep_alive = KEEP_ALIVE;
        connect.login = Some(Login::new(user_name, password));
        output.clear();
        connect.write(output).expect("room");
    }

    #[inline]
    fn puback(output: &mut BytesMut, packet_id: u16) {
        output.clear();
        PubAck::new(packet_id).write(output).expect("room");
    }

    type Input = BytesMut;

    fn input(packets: &[u8]) -> BytesMut {
        packets.into()
    }

    #[inline]
    fn decode(input: &mut BytesMut) -> bool {
        Packet::read(input, MAX).map(black_box).is_ok()
    }
}

pub(crate) struct State {
    state: MqttState,
    read: BytesMut,
    write: BytesMut,
}

impl State {
    #[inline]
    fn send(&mut self, packet: Option<Packet>) {
        if let Some(packet) = packet {
            packet.write(&mut self.write, MAX).expect("room");
            black_box(&self.write);
            self.write.clear();
        }
        while let Some(event) = self.state.events.pop_front() {
            black_box(&event);
        }
    }
}

impl Machine for State {
    const NAME: &'static str = NAME;
    const PUBLISHES: &'static str =
        "Publish::new, valid_topic, handle_outgoing_packet, write, events taken; without its channel";
    const RECEIVES: &'static str =
        "copied into its buffer, read, handle_incoming_packet, write, events taken";

    fn connected() -> Self {
        let buffer = || BytesMut::with_capacity(10 * 1024);
        Self { state: MqttState::new(100, false), read: buffer(), write: buffer() }
    }

    #[inline]
    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) -> u16 {
        let qos = rumqttc::qos(qos).expect("a QoS");
        let publish = Publish::new(topic, qos, payload);
        assert!(rumqttc::valid_topic(topic));
        let packet = self.state.handle_outgoing_packet(Request::Publish(publish)).expect("room");
        let Some(Packet::Publish(Publish { pkid, .. })) = packet else { panic!("a PUBLISH") };
        self.send(packet);
        pkid
    }

    #[inline]
    fn receive(&mut self, packet: &[u8]) {
        self.read.extend_from_slice(packet);
        let packet = Packet::read(&mut self.read, MAX).expect("a packet");
        let answer = self.state.handle_incoming_packet(packet).expect("it is in place");
        self.send(answer);
    }
}
