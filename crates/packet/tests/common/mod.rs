//! What the tests share: short ways to decode and encode, and one smallest packet of every type.
#![allow(dead_code, reason = "every test file is a crate of its own and uses its own part of this")]

use mqtt_p2p_packet::{
    Decoded, EncodeError, Options, Packet, PacketId, PacketType, Protocol, TopicFilter, TopicName, decode,
};

pub(crate) mod packets;

pub(crate) const V31: Options = Options::new().protocol(Protocol::V31);
pub(crate) const V311: Options = Options::new().protocol(Protocol::V311);

/// The smallest packet of each type, written by hand after the standard's chapter 3.
pub(crate) const SMALLEST: [(PacketType, &[u8]); 14] = [
    (PacketType::Connect, b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"),
    (PacketType::ConnAck, b"\x20\x02\x00\x00"),
    (PacketType::Publish, b"\x30\x03\x00\x01t"),
    (PacketType::PubAck, b"\x40\x02\x00\x01"),
    (PacketType::PubRec, b"\x50\x02\x00\x01"),
    (PacketType::PubRel, b"\x62\x02\x00\x01"),
    (PacketType::PubComp, b"\x70\x02\x00\x01"),
    (PacketType::Subscribe, b"\x82\x06\x00\x01\x00\x01f\x00"),
    (PacketType::SubAck, b"\x90\x03\x00\x01\x00"),
    (PacketType::Unsubscribe, b"\xa2\x05\x00\x01\x00\x01f"),
    (PacketType::UnsubAck, b"\xb0\x02\x00\x01"),
    (PacketType::PingReq, b"\xc0\x00"),
    (PacketType::PingResp, b"\xd0\x00"),
    (PacketType::Disconnect, b"\xe0\x00"),
];

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("a packet identifier is not 0")
}

pub(crate) fn topic(name: &str) -> TopicName<'_> {
    TopicName::new(name).expect("a valid topic name")
}

pub(crate) fn filter(filter: &str) -> TopicFilter<'_> {
    TopicFilter::new(filter).expect("a valid topic filter")
}

/// The packet that `bytes` are, from the first to the last.
#[track_caller]
pub(crate) fn decoded<'a>(bytes: &'a [u8], options: &Options) -> Packet<'a> {
    match decode(bytes, options) {
        Ok(Decoded::Packet { packet, len }) if len == bytes.len() => packet,
        other => panic!("{bytes:02x?} gave {other:?}, not one whole packet"),
    }
}

/// The packet's bytes, written into a buffer of exactly the length that it asks for.
pub(crate) fn encoded(packet: &Packet<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = vec![0; packet.encoded_len()?];
    let len = packet.encode(&mut buffer)?;
    assert_eq!(len, buffer.len(), "encoded_len is exact");
    Ok(buffer)
}

/// Whether it is a CONNECT without a client identifier that asks for a session to be kept.
pub(crate) fn is_of_nobody(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::Connect(connect) if connect.client_id.is_empty() && !connect.clean_session)
}

/// A packet with this first byte around `body`; its remaining length is written with as few bytes as it takes.
pub(crate) fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    loop {
        let digit = (rest % 128) as u8;
        rest /= 128;
        if rest == 0 {
            packet.push(digit);
            break;
        }
        packet.push(digit + 128);
    }
    packet.extend_from_slice(body);
    packet
}

/// The body of the packet that starts `bytes`, and its length with the fixed header, by the pseudo code of
/// §2.2.3; `None` if the fixed header is not whole or not one.
pub(crate) fn extent(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut remaining = 0;
    let mut multiplier = 1;
    for (digits, digit) in bytes.iter().skip(1).take(4).enumerate() {
        remaining += usize::from(digit % 128) * multiplier;
        multiplier *= 128;
        if *digit < 128 {
            let header = digits + 2;
            let end = bytes.len().min(header + remaining);
            return Some((&bytes[header..end], header + remaining));
        }
    }
    None
}

/// Whether wildcards are where §4.7.1 lets them be, level by level.
pub(crate) fn is_filter(text: &str) -> bool {
    let wildcards_alone = text.split('/').all(|level| level.len() == 1 || !level.contains(['+', '#']));
    let number_sign_last = text.split('/').rev().skip(1).all(|level| level != "#");
    !text.is_empty() && wildcards_alone && number_sign_last
}
