//! Packets to bytes and back, by any library.

use std::hint::black_box;
use std::time::Duration;

use super::row::{OURS, PAYLOAD, Row, TOPIC, repeat};

/// A client id, a user name and a password as ApsaraMQ has them.
pub(crate) const LOG_IN: [&str; 3] = [
    "GID_devices@@@000042",
    "Signature|LTAI4xxxxxxxxxxxxxxx|post-cn-xxxxxxxx",
    "mkHDXxxxxxxxxxxxxxxxxxxxxxI=",
];
pub(crate) const KEEP_ALIVE: u16 = 60;

/// A library that makes bytes of packets and packets of bytes.
pub(crate) trait Codec {
    const NAME: &'static str;
    /// What it does to encode, and what it checks.
    const ENCODES: &'static str;
    /// What it does to decode, and what it checks.
    const DECODES: &'static str;

    /// What it writes to, with room for the largest packet.
    type Output: AsRef<[u8]>;
    fn output() -> Self::Output;
    /// Writes one packet, over what was there.
    fn publish(output: &mut Self::Output, topic: &str, payload: &[u8], packet_id: Option<u16>);
    fn connect(output: &mut Self::Output, log_in: [&str; 3]);
    fn puback(output: &mut Self::Output, packet_id: u16);

    /// What it reads from.
    type Input;
    fn input(packets: &[u8]) -> Self::Input;
    /// Reads the next packet; says whether there was one.
    fn decode(input: &mut Self::Input) -> bool;
}

/// Bytes that are read one packet after the other.
pub(crate) struct Laid {
    bytes: Vec<u8>,
    at: usize,
}

impl Laid {
    pub(crate) fn out(packets: &[u8]) -> Self {
        Self { bytes: packets.to_vec(), at: 0 }
    }

    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    #[inline]
    pub(crate) const fn advance(&mut self, len: usize) {
        self.at += len;
    }
}

/// The lengths of a packet's fixed header and of what follows it.
#[inline]
pub(crate) fn lengths(packet: &[u8]) -> (usize, usize) {
    let header = 2 + packet[1..4].iter().take_while(|byte| **byte >= 0x80).count();
    let remaining = (1..header).map(|at| usize::from(packet[at] & 0x7f) << (7 * (at - 1))).sum();
    (header, remaining)
}

const SIZES: [(&str, usize, u32); 4] =
    [("16 B", 16, 1000), ("64 B", 64, 1000), ("1 KiB", 1024, 200), ("64 KiB", 64 * 1024, 10)];

pub(crate) fn rows<C: Codec>() -> Vec<Row> {
    let (mut rows, mut decoding) = (Vec::new(), Vec::new());
    let ours = C::NAME == OURS;
    for (qos, packet_id) in [(0, None), (1, Some(10))] {
        for (name, len, times) in SIZES {
            let encode =
                Row::new(C::NAME, format!("encode PUBLISH QoS {qos}, {name}"), C::ENCODES, move |n| {
                    encode::<C>(n, &publish(len, packet_id), |output, packet| {
                        C::publish(
                            output,
                            black_box(TOPIC),
                            black_box(&packet[packet.len() - len..]),
                            packet_id,
                        );
                    })
                });
            let decode =
                Row::new(C::NAME, format!("decode PUBLISH QoS {qos}, {name}"), C::DECODES, move |n| {
                    decode::<C>(n, 2 * times, &publish(len, packet_id))
                });
            let [mut encode, mut decode] = [encode, decode].map(|row| row.many(1, times));
            if ours && len == PAYLOAD.len() {
                encode.budget = Some(130 + 10 * qos);
                decode.budget = (qos == 0).then_some(146);
            }
            rows.push(encode);
            decoding.push(decode);
        }
    }
    rows.push(Row::new(C::NAME, "encode CONNECT", C::ENCODES, |n| {
        encode::<C>(n, &connect(), |output, _| C::connect(output, black_box(LOG_IN)))
    }));
    rows.push(Row::new(C::NAME, "encode PUBACK", C::ENCODES, |n| {
        encode::<C>(n, &PUBACK, |output, _| C::puback(output, black_box(10)))
    }));
    rows.extend(decoding);
    rows.push(Row::new(C::NAME, "decode CONNECT", C::DECODES, |n| decode::<C>(n, 2000, &connect())));
    rows.push(Row::new(C::NAME, "decode PUBACK", C::DECODES, |n| decode::<C>(n, 2000, &PUBACK)));
    let small = Row::new(C::NAME, "decode 64 KiB of 16-byte PUBLISHes", C::DECODES, |n| {
        decode::<C>(n * 4096, 4 * 4096, &small())
    });
    rows.push(Row { budget: ours.then_some(157), ..small.many(4096, 2) });
    rows
}

const PUBACK: [u8; 4] = [0x40, 2, 0, 10];

/// 16 bytes, with a topic of 8.
pub(crate) fn small() -> Vec<u8> {
    b"\x30\x0e\x00\x08topic/01xxxx".to_vec()
}

/// The packet of [`TOPIC`] and so much payload, made by hand.
pub(crate) fn publish(payload: usize, packet_id: Option<u16>) -> Vec<u8> {
    let mut packet = vec![if packet_id.is_some() { 0x32 } else { 0x30 }];
    let mut remaining = 2 + TOPIC.len() + 2 * usize::from(packet_id.is_some()) + payload;
    while remaining >= 0x80 {
        packet.push((remaining & 0x7f) as u8 | 0x80);
        remaining >>= 7;
    }
    packet.extend([remaining as u8, 0, TOPIC.len() as u8]);
    packet.extend(TOPIC.as_bytes());
    packet.extend(packet_id.into_iter().flat_map(u16::to_be_bytes));
    packet.resize(packet.len() + payload, PAYLOAD[0]);
    packet
}

/// The packet of [`LOG_IN`], made by hand.
fn connect() -> Vec<u8> {
    let mut packet = b"\x10\x00\x00\x04MQTT\x04\xc2\x00\x3c".to_vec();
    for text in LOG_IN {
        packet.extend([0, text.len() as u8]);
        packet.extend(text.as_bytes());
    }
    packet[1] = (packet.len() - 2) as u8;
    assert!(packet[1] < 0x80 && packet[11] == KEEP_ALIVE as u8);
    packet
}

fn encode<C: Codec>(times: u32, expected: &[u8], write: impl Fn(&mut C::Output, &[u8])) -> Duration {
    let mut output = C::output();
    write(&mut output, expected);
    assert_eq!(&output.as_ref()[..expected.len()], expected, "{}", C::NAME);
    repeat(times, || {
        write(black_box(&mut output), expected);
        black_box(&output);
    })
}

/// `laid` packets are there for one run as for the other, so that laying them out cancels.
fn decode<C: Codec>(times: u32, laid: u32, packet: &[u8]) -> Duration {
    let mut input = C::input(&packet.repeat(laid as usize));
    repeat(times, || assert!(C::decode(black_box(&mut input))))
}
