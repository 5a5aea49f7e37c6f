//! The packet crate.

use std::hint::black_box;
use std::time::Duration;

use mqtt_p2p_packet::{
    Ack, AckedQoS, Connect, Decoded, Framed, Options, Packet, PacketId, PacketType, Publish, TopicName,
    decode, frame,
};

use super::codec::{Codec, KEEP_ALIVE, Laid, publish, small};
use super::row::{OURS, PAYLOAD, Row, TOPIC, repeat};

pub(crate) struct Ours;

impl Codec for Ours {
    const NAME: &'static str = OURS;
    const ENCODES: &'static str = "topic checked (UTF-8, NUL, wildcards), packet built, written into a slice";
    const DECODES: &'static str = "any packet, every check of the standard; nothing copied";

    type Output = Vec<u8>;

    fn output() -> Vec<u8> {
        vec![0; 70_000]
    }

    #[inline]
    fn publish(output: &mut Vec<u8>, topic: &str, payload: &[u8], packet_id: Option<u16>) {
        let topic = TopicName::new(topic).expect("a topic name");
        let delivery = packet_id.and_then(PacketId::new).map(|id| (AckedQoS::AtLeastOnce, id));
        let publish = Publish::new(topic, payload).with_delivery(delivery);
        publish.encode(output).expect("room");
    }

    #[inline]
    fn connect(output: &mut Vec<u8>, [client_id, user_name, password]: [&str; 3]) {
        let connect = Connect::new(client_id)
            .with_keep_alive(KEEP_ALIVE)
            .with_user_name(user_name)
            .with_password(password.as_bytes());
        connect.encode(output).expect("room");
    }

    #[inline]
    fn puback(output: &mut Vec<u8>, packet_id: u16) {
        let ack = Ack::new(PacketId::new(packet_id).expect("not 0"));
        output[..Ack::LEN].copy_from_slice(&ack.to_bytes(PacketType::PubAck));
    }

    type Input = (Laid, Options);

    fn input(packets: &[u8]) -> (Laid, Options) {
        (Laid::out(packets), Options::new())
    }

    #[inline]
    fn decode((laid, options): &mut (Laid, Options)) -> bool {
        let Ok(Decoded::Packet { packet, len }) = decode(laid.rest(), options) else { return false };
        black_box(&packet);
        laid.advance(len);
        true
    }
}

/// What the others can't do, or not so.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(OURS, "check topic", "TopicName::new", |times| {
            repeat(times, || {
                let _ = black_box(TopicName::new(black_box(TOPIC)));
            })
        }),
        Row::new(
            OURS,
            "encode PUBLISH QoS 0, 64 B, of a checked topic",
            "Publish made of a TopicName",
            |times| encode(times, None),
        )
        .budget(130),
        Row::new(
            OURS,
            "encode PUBLISH QoS 1, 64 B, of a checked topic",
            "Publish made of a TopicName",
            |times| encode(times, PacketId::new(10).map(|id| (AckedQoS::AtLeastOnce, id))),
        )
        .budget(140),
        Row::new(
            OURS,
            "decode PUBLISH QoS 0, 64 B, by frame",
            "frame, Publish::decode: every check",
            |times| by_frame(times, &publish(64, None).repeat(2000)),
        )
        .budget(146),
        Row::new(
            OURS,
            "decode PUBLISH QoS 1, 64 B, by frame",
            "frame, Publish::decode: every check",
            |times| by_frame(times, &publish(64, Some(10)).repeat(2000)),
        ),
        Row::new(
            OURS,
            "decode 64 KiB of 16-byte PUBLISHes, by frame",
            "frame, Publish::decode: every check",
            |times| by_frame(times * 4096, &small().repeat(4 * 4096)),
        )
        .many(4096, 2)
        .budget(157),
        Row::new(
            OURS,
            "decode 64 KiB of 16-byte PUBLISHes, short topic",
            "any packet; topic 4 bytes, less than a word",
            |times| short(times * 4096),
        )
        .many(4096, 2)
        .budget(157),
    ]
}

/// The packet of [`TOPIC`] and [`PAYLOAD`].
fn encode(times: u32, delivery: Option<(AckedQoS, PacketId)>) -> Duration {
    let (topic, mut buffer) = (TopicName::new(TOPIC).expect("a topic name"), [0; 256]);
    let took = repeat(times, || {
        let publish = Publish::new(black_box(topic), black_box(&PAYLOAD)).with_delivery(black_box(delivery));
        let _ = black_box(publish.encode(black_box(&mut buffer)));
    });
    let expected = publish(PAYLOAD.len(), delivery.map(|(_, id)| id.get()));
    assert_eq!(buffer[..expected.len()], expected);
    took
}

fn by_frame(times: u32, packets: &[u8]) -> Duration {
    let mut received = packets;
    repeat(times, || {
        let Ok(Framed::Complete(frame, rest)) = frame(black_box(received), 1 << 20) else {
            panic!("a packet")
        };
        black_box(&Publish::decode(&frame).expect("a PUBLISH"));
        received = rest;
    })
}

fn short(times: u32) -> Duration {
    let (packets, options) = (b"\x30\x0e\x00\x04a/b1xxxxxxxx".repeat(4 * 4096), Options::new());
    let mut rest = packets.as_slice();
    repeat(times, || {
        let Ok(Decoded::Packet { packet: Packet::Publish(publish), len }) = decode(black_box(rest), &options)
        else {
            panic!("a PUBLISH")
        };
        black_box(&publish);
        rest = &rest[len..];
    })
}
