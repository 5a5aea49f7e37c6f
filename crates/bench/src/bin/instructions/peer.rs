//! The same with mqttbytes.

use std::hint::black_box;

use bytes::BytesMut;
use mqttbytes::QoS;
use mqttbytes::v4::{Packet, Publish, read};

use crate::packet::{acked, encoded, small};
use crate::{PAYLOAD, Row, TOPIC, repeat};

/// How the names of these rows begin.
pub(crate) const PREFIX: &str = "mqttbytes:";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("mqttbytes: encode QoS 0", "Publish::new, write", None, |times| {
            encode(times, QoS::AtMostOnce);
        }),
        Row::new("mqttbytes: encode QoS 1", "Publish::new, write", None, |times| {
            encode(times, QoS::AtLeastOnce);
        }),
        Row::new("mqttbytes: decode QoS 0", "read; no check of the topic", None, |times| {
            decode(times, &encoded(None))
        }),
        Row::new("mqttbytes: decode QoS 1", "read; no check of the topic", None, |times| {
            decode(times, &encoded(acked()))
        }),
        Row::new("mqttbytes: 64 KiB of 16-byte PUBLISHes", "read, and 64 KiB copied", None, |times| {
            decode_all(times, &small("topic/01"))
        })
        .many(4096, 2),
    ]
}

fn encode(times: u32, qos: QoS) {
    let mut buffer = BytesMut::with_capacity(256);
    repeat(times, || {
        let mut publish = Publish::new(black_box(TOPIC), black_box(qos), black_box(PAYLOAD.as_slice()));
        publish.pkid = 10;
        buffer.clear();
        let _ = black_box(publish.write(black_box(&mut buffer)));
    });
}

fn decode(times: u32, packet: &[u8]) {
    // As many packets for one run as for the other, so that laying them out cancels.
    let mut input = BytesMut::from(packet.repeat(2000).as_slice());
    repeat(times, || match read(black_box(&mut input), 1 << 20) {
        Ok(Packet::Publish(publish)) => {
            black_box(&publish);
        }
        other => panic!("{other:?}"),
    });
}

fn decode_all(times: u32, packets: &[u8]) {
    repeat(times, || {
        let mut input = BytesMut::from(black_box(packets));
        while let Ok(Packet::Publish(publish)) = read(&mut input, 1 << 20) {
            black_box(&publish);
        }
        assert!(input.is_empty());
    });
}
