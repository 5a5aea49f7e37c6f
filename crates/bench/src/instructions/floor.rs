//! What a hand would write for these packets alone: the least that the work takes, with the checks of PUBLISH and nothing
//! of a library's generality.

use std::hint::black_box;

use super::codec::{Codec, KEEP_ALIVE, Laid};
use super::machine::Machine;

pub(crate) struct Floor;

/// UTF-8 by the standard library; no NUL, no wildcard, not empty.
#[inline]
fn is_topic(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && std::str::from_utf8(bytes).is_ok()
        && bytes.iter().fold(true, |good, byte| good & !matches!(byte, 0 | b'+' | b'#'))
}

#[inline]
fn header(output: &mut [u8], first: u8, mut remaining: usize) -> usize {
    output[0] = first;
    let mut at = 1;
    while remaining >= 0x80 {
        output[at] = remaining as u8 | 0x80;
        remaining >>= 7;
        at += 1;
    }
    output[at] = remaining as u8;
    at + 1
}

#[inline]
fn text(output: &mut [u8], at: usize, text: &[u8]) -> usize {
    output[at..at + 2].copy_from_slice(&(text.len() as u16).to_be_bytes());
    output[at + 2..at + 2 + text.len()].copy_from_slice(text);
    at + 2 + text.len()
}

#[inline]
fn write(output: &mut [u8], topic: &str, payload: &[u8], qos: u8, packet_id: u16) -> usize {
    assert!(is_topic(topic.as_bytes()));
    let acked = qos > 0;
    let mut at = header(output, 0x30 | qos << 1, 2 + topic.len() + 2 * usize::from(acked) + payload.len());
    at = text(output, at, topic.as_bytes());
    if acked {
        output[at..at + 2].copy_from_slice(&packet_id.to_be_bytes());
        at += 2;
    }
    output[at..at + payload.len()].copy_from_slice(payload);
    at + payload.len()
}

/// Where the body begins and ends.
#[inline]
fn body(packet: &[u8]) -> (usize, usize) {
    let (mut at, mut remaining) = (1, 0);
    loop {
        remaining |= usize::from(packet[at] & 0x7f) << (7 * (at - 1));
        at += 1;
        if packet[at - 1] < 0x80 {
            return (at, at + remaining);
        }
    }
}

/// The end of a packet's topic, once that is checked.
#[inline]
fn topic_end(packet: &[u8], start: usize) -> usize {
    let end = start + 2 + usize::from(u16::from_be_bytes([packet[start], packet[start + 1]]));
    assert!(is_topic(&packet[start + 2..end]));
    end
}

impl Codec for Floor {
    const NAME: &'static str = "floor";
    const ENCODES: &'static str =
        "topic checked by the standard library and a loop, bytes written into a slice";
    const DECODES: &'static str =
        "these packets alone; topic and packet identifier checked, CONNECT's texts too";

    type Output = Vec<u8>;

    fn output() -> Vec<u8> {
        vec![0; 70_000]
    }

    #[inline]
    fn publish(output: &mut Vec<u8>, topic: &str, payload: &[u8], packet_id: Option<u16>) {
        write(output, topic, payload, packet_id.is_some().into(), packet_id.unwrap_or(0));
    }

    #[inline]
    fn connect(output: &mut Vec<u8>, log_in: [&str; 3]) {
        let mut at = header(output, 0x10, 10 + log_in.iter().map(|text| 2 + text.len()).sum::<usize>());
        output[at..at + 8].copy_from_slice(b"\x00\x04MQTT\x04\xc2");
        output[at + 8..at + 10].copy_from_slice(&KEEP_ALIVE.to_be_bytes());
        at += 10;
        for part in log_in {
            at = text(output, at, part.as_bytes());
        }
        black_box(at);
    }

    #[inline]
    fn puback(output: &mut Vec<u8>, packet_id: u16) {
        let [high, low] = packet_id.to_be_bytes();
        output[..4].copy_from_slice(&[0x40, 2, high, low]);
    }

    type Input = Laid;

    fn input(packets: &[u8]) -> Laid {
        Laid::out(packets)
    }

    #[inline]
    fn decode(laid: &mut Laid) -> bool {
        let packet = laid.rest();
        let (start, end) = body(packet);
        match packet[0] {
            0x10 => {
                assert!(packet[start..].starts_with(b"\x00\x04MQTT\x04\xc2"));
                let mut at = start + 10;
                while at < end {
                    let len = usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
                    assert!(std::str::from_utf8(black_box(&packet[at + 2..at + 2 + len])).is_ok());
                    at += 2 + len;
                }
            }
            0x40 => assert!(end == 4 && black_box(u16::from_be_bytes([packet[2], packet[3]])) != 0),
            first => {
                let mut at = topic_end(packet, start);
                if first & 6 != 0 {
                    assert!(black_box(u16::from_be_bytes([packet[at], packet[at + 1]])) != 0);
                    at += 2;
                }
                black_box((&packet[start + 2..at], &packet[at..end]));
            }
        }
        laid.advance(end);
        true
    }
}

/// Packets under way in places of a fixed size, found by packet identifier.
pub(crate) struct Bench {
    places: Vec<([u8; 256], usize)>,
    next: u16,
    output: [u8; 256],
}

impl Machine for Bench {
    const NAME: &'static str = Floor::NAME;
    const PUBLISHES: &'static str = "topic checked, packet written into its place; its answer frees that";
    const RECEIVES: &'static str = "topic and packet identifier checked";

    fn connected() -> Self {
        Self { places: vec![([0; 256], 0); 100], next: 0, output: [0; 256] }
    }

    #[inline]
    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) -> u16 {
        if qos == 0 {
            let len = write(&mut self.output, topic, payload, 0, 0);
            black_box(&self.output[..len]);
            return 0;
        }
        self.next = self.next % 100 + 1;
        let (place, len) = &mut self.places[usize::from(self.next) - 1];
        assert!(*len == 0);
        *len = write(place, topic, payload, qos, self.next);
        black_box(&place[..*len]);
        self.next
    }

    #[inline]
    fn receive(&mut self, packet: &[u8]) {
        let id = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let mut answer = |first: u8, id: u16| {
            let [high, low] = id.to_be_bytes();
            self.output[..4].copy_from_slice(&[first, 2, high, low]);
            black_box(&self.output[..4]);
        };
        match packet[0] {
            0x40 | 0x70 => {
                let (_, len) = &mut self.places[usize::from(id(2)) - 1];
                assert!(*len > 0);
                *len = 0;
            }
            0x50 => answer(0x62, id(2)),
            first => {
                let (start, end) = body(packet);
                let mut at = topic_end(packet, start);
                if first & 6 != 0 {
                    answer(0x40, id(at));
                    at += 2;
                }
                black_box((&packet[start + 2..at], &packet[at..end]));
            }
        }
    }
}
