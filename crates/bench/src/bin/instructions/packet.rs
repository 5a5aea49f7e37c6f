//! The packet crate: encode and decode.

use std::hint::black_box;

use mqtt_p2p_packet::{
    AckedQoS, Decoded, Framed, Options, Packet, PacketId, Publish, TopicName, decode, frame,
};

use crate::{PAYLOAD, Row, TOPIC, repeat};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("encode QoS 0", "Publish made of a TopicName, encode", Some(130), |times| {
            encode(times, None, false)
        }),
        Row::new("encode QoS 1", "Publish made of a TopicName, encode", Some(140), |times| {
            encode(times, acked(), false)
        }),
        Row::new("encode QoS 0 and check", "TopicName::new, Publish, encode", Some(130), |times| {
            encode(times, None, true)
        }),
        Row::new("encode QoS 1 and check", "TopicName::new, Publish, encode", Some(140), |times| {
            encode(times, acked(), true)
        }),
        Row::new("check topic", "TopicName::new", None, check),
        Row::new("decode QoS 0", "decode, any packet, every check", Some(146), |times| {
            decode_any(times, None)
        }),
        Row::new("decode QoS 1", "decode, any packet, every check", None, |times| {
            decode_any(times, acked());
        }),
        Row::new("decode QoS 0 by frame", "frame, Publish::decode: every check", Some(146), |times| {
            decode_frame(times, None)
        }),
        Row::new("decode QoS 1 by frame", "frame, Publish::decode: every check", None, |times| {
            decode_frame(times, acked())
        }),
        Row::new(
            "64 KiB of 16-byte PUBLISHes",
            "decode, any packet; topic 8 bytes, payload 4",
            Some(157),
            |times| decode_all(times, &small("topic/01")),
        )
        .many(4096, 2),
        Row::new(
            "64 KiB of 16-byte PUBLISHes by frame",
            "frame, Publish::decode; topic 8 bytes, payload 4",
            Some(157),
            |times| frame_all(times, &small("topic/01")),
        )
        .many(4096, 2),
        Row::new(
            "64 KiB of 16-byte PUBLISHes, short topic",
            "decode, any packet; topic 4 bytes, payload 8",
            Some(157),
            |times| decode_all(times, &small("a/b1")),
        )
        .many(4096, 2),
        Row::new(
            "64 KiB of 16-byte PUBLISHes, short topic, by frame",
            "frame, Publish::decode; topic 4 bytes, payload 8",
            Some(157),
            |times| frame_all(times, &small("a/b1")),
        )
        .many(4096, 2),
    ]
}

pub(crate) fn acked() -> Option<(AckedQoS, PacketId)> {
    PacketId::new(10).map(|id| (AckedQoS::AtLeastOnce, id))
}

pub(crate) fn topic() -> TopicName<'static> {
    TopicName::new(TOPIC).expect("a topic name")
}

/// The packet of [`TOPIC`] and [`PAYLOAD`].
pub(crate) fn encoded(delivery: Option<(AckedQoS, PacketId)>) -> Vec<u8> {
    let packet = Packet::Publish(Publish { delivery, ..Publish::new(topic(), &PAYLOAD) });
    let mut buffer = vec![0; 256];
    let len = packet.encode(&mut buffer).expect("room");
    buffer.truncate(len);
    buffer
}

/// 64 KiB of packets of 16 bytes, with as much payload as the topic leaves.
pub(crate) fn small(topic: &str) -> Vec<u8> {
    let publish = Publish::new(TopicName::new(topic).expect("a topic name"), &PAYLOAD[..12 - topic.len()]);
    let mut packet = [0; 16];
    assert_eq!(publish.encode(&mut packet), Ok(16));
    packet.repeat(4096)
}

fn encode(times: u32, delivery: Option<(AckedQoS, PacketId)>, check: bool) {
    let (topic, mut buffer) = (topic(), [0; 256]);
    repeat(times, || {
        let topic =
            if check { TopicName::new(black_box(TOPIC)).expect("a topic name") } else { black_box(topic) };
        let publish = Publish {
            dup: false,
            retain: false,
            topic,
            delivery: black_box(delivery),
            payload: black_box(&PAYLOAD),
        };
        let _ = black_box(publish.encode(black_box(&mut buffer)));
    });
    assert_eq!(buffer[..100], encoded(delivery)[..100]);
}

fn check(times: u32) {
    repeat(times, || {
        let _ = black_box(TopicName::new(black_box(TOPIC)));
    });
}

fn decode_any(times: u32, delivery: Option<(AckedQoS, PacketId)>) {
    let (packet, options) = (encoded(delivery), Options::new());
    repeat(times, || match decode(black_box(&packet), &options) {
        Ok(Decoded::Packet { packet: Packet::Publish(publish), len }) => {
            black_box((&publish, len));
        }
        other => panic!("{other:?}"),
    });
}

fn decode_frame(times: u32, delivery: Option<(AckedQoS, PacketId)>) {
    let packet = encoded(delivery);
    repeat(times, || {
        let Ok(Framed::Complete(frame, rest)) = frame(black_box(&packet), 1 << 20) else {
            panic!("one packet")
        };
        let publish = Publish::decode(&frame).expect("a PUBLISH");
        black_box((&publish, rest));
    });
}

fn decode_all(times: u32, packets: &[u8]) {
    let options = Options::new();
    repeat(times, || {
        let mut rest = black_box(packets);
        while let Ok(Decoded::Packet { packet: Packet::Publish(publish), len }) = decode(rest, &options) {
            black_box(&publish);
            rest = &rest[len..];
        }
        assert!(rest.is_empty());
    });
}

fn frame_all(times: u32, packets: &[u8]) {
    repeat(times, || {
        let mut received = black_box(packets);
        while let Ok(Framed::Complete(frame, rest)) = frame(received, 1 << 20) {
            black_box(&Publish::decode(&frame).expect("a PUBLISH"));
            received = rest;
        }
        assert!(received.is_empty());
    });
}
