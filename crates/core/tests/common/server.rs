//! The server's side of the wire: what it sends as bytes, what it reads in words.

use mqtt_p2p_core::{PacketType, QoS, ReasonCode, ReturnCodes, TopicName};
use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Decoded, Options, Packet, PacketId, Publish, SubAck, Subscribe, decode,
};

/// The packet identifier with which subscriptions are replayed.
pub(crate) const REPLAY: u16 = 65_535;
/// That of the publication that goes alone.
pub(crate) const ALONE: u16 = 65_534;

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("a packet identifier is not 0")
}

pub(crate) fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let len = packet.encoded_len().expect("a packet that can be written");
    let mut bytes = vec![0; len];
    packet.encode(&mut bytes).expect("the length is exact");
    bytes
}

/// The one packet that `bytes` are.
#[track_caller]
pub(crate) fn decoded(bytes: &[u8]) -> Packet<'_> {
    match decode(bytes, &Options::new()) {
        Ok(Decoded::Packet { packet, len }) if len == bytes.len() => packet,
        other => panic!("{bytes:02x?} gave {other:?}, not one whole packet"),
    }
}

pub(crate) fn connack(session_present: bool) -> Vec<u8> {
    encoded(&Packet::ConnAck(ConnAck::new(session_present, ReasonCode::Success)))
}

pub(crate) fn refusal(reason: ReasonCode) -> Vec<u8> {
    encoded(&Packet::ConnAck(ConnAck::new(false, reason)))
}

fn ack(packet_type: PacketType, number: u16) -> Vec<u8> {
    Ack::new(id(number)).to_bytes(packet_type).to_vec()
}

pub(crate) fn puback(id: u16) -> Vec<u8> {
    ack(PacketType::PubAck, id)
}

pub(crate) fn pubrec(id: u16) -> Vec<u8> {
    ack(PacketType::PubRec, id)
}

pub(crate) fn pubrel(id: u16) -> Vec<u8> {
    ack(PacketType::PubRel, id)
}

pub(crate) fn pubcomp(id: u16) -> Vec<u8> {
    ack(PacketType::PubComp, id)
}

pub(crate) fn unsuback(id: u16) -> Vec<u8> {
    ack(PacketType::UnsubAck, id)
}

pub(crate) fn suback(number: u16, codes: &[u8]) -> Vec<u8> {
    encoded(&Packet::SubAck(SubAck::new(id(number), ReturnCodes::new(codes).expect("valid return codes"))))
}

pub(crate) fn pingresp() -> Vec<u8> {
    encoded(&Packet::PingResp)
}

/// A message to the client; the identifier means nothing with QoS 0.
pub(crate) fn publish(number: u16, qos: QoS, dup: bool, payload: &[u8]) -> Vec<u8> {
    let delivery = match qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce => Some((AckedQoS::AtLeastOnce, id(number))),
        QoS::ExactlyOnce => Some((AckedQoS::ExactlyOnce, id(number))),
    };
    encoded(&Packet::Publish(
        Publish::new(TopicName::new("from/server").expect("a valid topic name"), payload)
            .with_dup(dup)
            .with_delivery(delivery),
    ))
}

/// The return codes that grant what a SUBSCRIBE asks for.
pub(crate) fn grant(subscribe: &Subscribe<'_>) -> Vec<u8> {
    subscribe.filters.iter().map(|entry| entry.qos as u8).collect()
}

/// A packet in words: `PUBLISH q1 #7 dup topic=payload`, `SUBSCRIBE #8 filter:1`, `PUBACK #9`, `PINGREQ`.
pub(crate) fn words(bytes: &[u8]) -> String {
    let packet = decoded(bytes);
    let name = packet.packet_type();
    match packet {
        Packet::Publish(publish) => {
            let id = publish.packet_id().map_or(String::new(), |id| format!(" #{id}"));
            let dup = if publish.dup { " dup" } else { "" };
            let retain = if publish.retain { " retain" } else { "" };
            let payload = String::from_utf8_lossy(publish.payload);
            let topic = publish.topic.as_str();
            format!("{name} q{}{id}{dup}{retain} {topic}={payload}", publish.qos())
        }
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            format!("{name} #{}", ack.packet_id)
        }
        Packet::Subscribe(subscribe) => {
            let filters: String = subscribe
                .filters
                .iter()
                .map(|entry| format!(" {}:{}", entry.filter.as_str(), entry.qos))
                .collect();
            format!("{name} #{}{filters}", subscribe.packet_id)
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters: String =
                unsubscribe.filters.iter().map(|filter| format!(" {}", filter.as_str())).collect();
            format!("{name} #{}{filters}", unsubscribe.packet_id)
        }
        _ => name.to_string(),
    }
}
