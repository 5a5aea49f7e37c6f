//! mqttbytes.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use mqttbytes::QoS;
use mqttbytes::v4::{Connect, Login, PubAck, Publish, read};

use super::codec::{Codec, KEEP_ALIVE};

pub(crate) struct MqttBytes;

impl Codec for MqttBytes {
    const NAME: &'static str = "mqttbytes";
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
        connect.login = Some(Login { username: user_name.into(), password: password.into() });
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
        read(input, 1 << 20).map(black_box).is_ok()
    }
}
