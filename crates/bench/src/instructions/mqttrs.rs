//! mqttrs.

use std::hint::black_box;

use mqttrs::{Connect, Packet, Pid, Protocol, Publish, QosPid, decode_slice, encode_slice};

use super::codec::{Codec, KEEP_ALIVE, Laid, lengths};

pub(crate) struct MqttRs;

impl Codec for MqttRs {
    const NAME: &'static str = "mqttrs";
    const ENCODES: &'static str = "packet built, written into a slice; topic not checked";
    const DECODES: &'static str = "UTF-8; no check for NUL or wildcards; nothing copied";

    type Output = Vec<u8>;

    fn output() -> Vec<u8> {
        vec![0; 70_000]
    }

    #[inline]
    fn publish(output: &mut Vec<u8>, topic_name: &str, payload: &[u8], packet_id: Option<u16>) {
        let pid = packet_id.and_then(|id| Pid::try_from(id).ok());
        let qospid = pid.map_or(QosPid::AtMostOnce, QosPid::AtLeastOnce);
        let publish = Publish { dup: false, qospid, retain: false, topic_name, payload };
        encode_slice(&Packet::Publish(publish), output).expect("room");
    }

    #[inline]
    fn connect(output: &mut Vec<u8>, [client_id, user_name, password]: [&str; 3]) {
        let connect = Connect {
            protocol: Protocol::MQTT311,
            keep_alive: KEEP_ALIVE,
            client_id,
            clean_session: true,
            last_will: None,
            username: Some(user_name),
            password: Some(password.as_bytes()),
        };
        encode_slice(&Packet::Connect(connect), output).expect("room");
    }

    #[inline]
    fn puback(output: &mut Vec<u8>, packet_id: u16) {
        encode_slice(&Packet::Puback(Pid::try_from(packet_id).expect("not 0")), output).expect("room");
    }

    type Input = Laid;

    fn input(packets: &[u8]) -> Laid {
        Laid::out(packets)
    }

    #[inline]
    fn decode(laid: &mut Laid) -> bool {
        let packets = laid.rest();
        let Ok(Some(packet)) = decode_slice(packets) else { return false };
        black_box(&packet);
        // It does not say how much it has read.
        let (header, remaining) = lengths(packets);
        laid.advance(header + remaining);
        true
    }
}
