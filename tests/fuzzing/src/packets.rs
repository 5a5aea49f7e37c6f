//! The codec: any bytes, any packet, any cuts.

use arbitrary::{Arbitrary, Unstructured};
use mqtt_p2p_core::{Config, DisconnectReason};
use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Connect, DecodeError, Decoded, EncodeError, Filters, Frame, Framed, Options,
    Packet, PacketId, Protocol, Publish, QoS, ReasonCode, ReturnCodes, SubAck, Subscribe, SubscribeFilter,
    TopicFilter, TopicName, Unsubscribe, Will, frame,
};

use crate::driver::{Driver, Received, Seen, config, server};
use crate::qos;

const EDITIONS: [Protocol; 2] = [Protocol::V31, Protocol::V311];

/// Bytes are refused, incomplete, or a packet that is written again with the same bytes; and the packets of one stream
/// are the same however often it is asked.
pub fn decode(input: &[u8]) {
    for protocol in EDITIONS {
        let options = Options::new().protocol(protocol);
        let mut rest = input;
        while let Some(len) = decode_one(rest, &options) {
            rest = &rest[len..];
        }
    }
}

/// The length of the packet at the start, if there is one.
fn decode_one(input: &[u8], options: &Options) -> Option<usize> {
    let decoded = mqtt_p2p_packet::decode(input, options);
    let limited = mqtt_p2p_packet::decode(input, &options.max_packet_size(16));
    match decoded {
        Ok(Decoded::Packet { packet, len }) => {
            assert!((2..=input.len()).contains(&len));
            assert_eq!(
                mqtt_p2p_packet::decode(&input[..len], options),
                decoded,
                "what follows does not matter"
            );
            if len > 16 {
                assert_eq!(limited, Err(DecodeError::TooLarge { size: len as u32, max: 16 }));
            } else {
                assert_eq!(limited, decoded);
            }
            let incomplete = mqtt_p2p_packet::decode(&input[..len - 1], options);
            assert!(matches!(incomplete, Ok(Decoded::Incomplete { needed: 1 })), "{incomplete:?}");
            written_again(&input[..len], &packet, options);
            Some(len)
        }
        Ok(Decoded::Incomplete { needed }) => {
            assert!(needed > 0);
            None
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn written_again(bytes: &[u8], packet: &Packet<'_>, options: &Options) {
    // A server reads it, to refuse it with return code 2 ([MQTT-3.1.3-8]); a client never writes it.
    if matches!(packet, Packet::Connect(connect) if connect.client_id.is_empty() && !connect.clean_session) {
        assert_eq!(packet.encoded_len(), Err(EncodeError::EmptyClientId));
        return;
    }
    let written = server::encoded(packet);
    let again = mqtt_p2p_packet::decode(&written, options);
    assert_eq!(again, Ok(Decoded::Packet { packet: *packet, len: written.len() }));
    assert!(written.len() <= bytes.len());
    // A remaining length of too many digits, DUP and the unused byte of MQTT 3.1 are not kept.
    if options.protocol == Protocol::V311 && written.len() == bytes.len() {
        assert_eq!(written, bytes);
    }
    assert!(!format!("{packet:?}").is_empty());
}

#[derive(Arbitrary, Debug)]
struct AnyWill<'a> {
    topic: &'a str,
    payload: &'a [u8],
    qos: u8,
    retain: bool,
}

#[derive(Arbitrary, Debug)]
enum AnyPacket<'a> {
    Connect {
        older: bool,
        clean_session: bool,
        keep_alive: u16,
        client_id: &'a str,
        will: Option<AnyWill<'a>>,
        user_name: Option<&'a str>,
        password: Option<&'a [u8]>,
    },
    ConnAck(bool, u8),
    Publish {
        dup: bool,
        retain: bool,
        qos: u8,
        id: u16,
        topic: &'a str,
        payload: &'a [u8],
    },
    Ack(u8, u16),
    Subscribe(u16, Vec<(&'a str, u8)>),
    SubAck(u16, &'a [u8]),
    Unsubscribe(u16, Vec<&'a str>),
    Bare(u8),
}

impl AnyPacket<'_> {
    /// Calls `f` with the packet, if these values make one.
    fn with(&self, f: impl FnOnce(Packet<'_>)) -> Option<()> {
        match self {
            Self::Connect { older, clean_session, keep_alive, client_id, will, user_name, password } => {
                let will = match will {
                    Some(will) => Some(
                        Will::new(TopicName::new(will.topic).ok()?, will.payload)
                            .with_qos(qos(will.qos))
                            .with_retain(will.retain),
                    ),
                    None => None,
                };
                let mut connect = Connect::new(client_id)
                    .with_protocol(EDITIONS[usize::from(!older)])
                    .with_clean_session(*clean_session)
                    .with_keep_alive(*keep_alive);
                (connect.will, connect.user_name, connect.password) = (will, *user_name, *password);
                f(Packet::Connect(connect));
            }
            Self::ConnAck(session_present, code) => {
                let reason = ReasonCode::from_connack(*code)?;
                f(Packet::ConnAck(ConnAck::new(*session_present, reason)));
            }
            Self::Publish { dup, retain, qos: number, id, topic, payload } => {
                let delivery = match number % 3 {
                    0 => None,
                    1 => Some((AckedQoS::AtLeastOnce, PacketId::new(*id)?)),
                    _ => Some((AckedQoS::ExactlyOnce, PacketId::new(*id)?)),
                };
                let topic = TopicName::new(topic).ok()?;
                f(Packet::Publish(
                    Publish::new(topic, payload)
                        .with_dup(*dup && delivery.is_some())
                        .with_retain(*retain)
                        .with_delivery(delivery),
                ));
            }
            Self::Ack(kind, id) => {
                const ACKS: [fn(Ack) -> Packet<'static>; 5] =
                    [Packet::PubAck, Packet::PubRec, Packet::PubRel, Packet::PubComp, Packet::UnsubAck];
                f(ACKS[usize::from(*kind) % ACKS.len()](Ack::new(PacketId::new(*id)?)));
            }
            Self::Subscribe(id, entries) => {
                let entries: Option<Vec<_>> = entries
                    .iter()
                    .map(|(text, number)| {
                        Some(SubscribeFilter::new(TopicFilter::new(text).ok()?, qos(*number)))
                    })
                    .collect();
                let filters = Filters::new(entries.as_deref()?);
                f(Packet::Subscribe(Subscribe::new(PacketId::new(*id)?, filters)));
            }
            Self::SubAck(id, codes) => {
                let return_codes = ReturnCodes::new(codes).ok()?;
                f(Packet::SubAck(SubAck::new(PacketId::new(*id)?, return_codes)));
            }
            Self::Unsubscribe(id, entries) => {
                let entries: Option<Vec<_>> =
                    entries.iter().map(|text| TopicFilter::new(text).ok()).collect();
                let filters = Filters::new(entries.as_deref()?);
                f(Packet::Unsubscribe(Unsubscribe::new(PacketId::new(*id)?, filters)));
            }
            Self::Bare(kind) => {
                f([Packet::PingReq, Packet::PingResp, Packet::Disconnect][usize::from(*kind) % 3]);
            }
        }
        Some(())
    }
}

/// A packet is read as it was written, by a buffer that has just its length; or it can't be written, and nothing is.
pub fn round_trip(input: &[u8]) {
    let Ok(packet) = AnyPacket::arbitrary_take_rest(Unstructured::new(input)) else { return };
    let _ = packet.with(|packet| {
        let protocol = match packet {
            Packet::Connect(Connect { protocol, .. }) => protocol,
            _ => Protocol::V311,
        };
        let len = match packet.encoded_len() {
            Ok(len) => len,
            Err(error) => {
                let mut buffer = [0xa5; 256];
                assert_eq!(packet.encode(&mut buffer), Err(error));
                assert_eq!(buffer, [0xa5; 256]);
                return;
            }
        };
        let mut buffer = vec![0xa5; len + 1];
        assert!(packet.encode(&mut buffer[..len - 1]).is_err());
        assert!(buffer.iter().all(|byte| *byte == 0xa5), "a buffer that is too small is left alone");
        assert_eq!(packet.encode(&mut buffer), Ok(len));
        assert_eq!(buffer.pop(), Some(0xa5), "no byte is written behind the packet");
        let options = Options::new().protocol(protocol);
        assert_eq!(mqtt_p2p_packet::decode(&buffer, &options), Ok(Decoded::Packet { packet, len }));
        let framed = frame(&buffer, u32::MAX);
        let Ok(Framed::Complete(Frame { packet_type, .. }, [])) = framed else { panic!("{framed:?}") };
        assert_eq!(packet_type, packet.packet_type());
    });
}

/// What a client makes of a stream, however it is cut: the first byte says how long the pieces are, the second how the
/// client takes long messages, the rest is what the server sends.
pub fn chunked(input: &[u8]) {
    let [cut, parts, raw @ ..] = input else { return };
    let in_parts = parts & 1 != 0;
    let config = config()
        .with_max_packet_size(300)
        .with_max_whole_message(if in_parts { 24 } else { u32::MAX })
        .with_manual_ack(parts & 2 != 0);
    let connected = parts & 4 == 0;
    let whole = Outcome::of(config, connected, [raw].into_iter());
    let mut lens = [usize::from(*cut) % 8 + 1, usize::from(*cut) / 8 + 1].into_iter().cycle();
    let mut rest = raw;
    let pieces = std::iter::from_fn(|| {
        let len = lens.next()?.min(rest.len());
        let (piece, behind) = rest.split_at(len);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    });
    Outcome::of(config, connected, pieces).is_that_of(&whole, in_parts);
    Outcome::of(config, connected, raw.chunks(1)).is_that_of(&whole, in_parts);
}

/// What a client saw, and what it wrote.
struct Outcome {
    seen: Vec<Seen>,
    /// How the malformed packet is called that ended the connection.
    fault: Option<DecodeError>,
    written: Vec<u8>,
    open: bool,
}

impl Outcome {
    fn of<'a>(config: Config, connected: bool, pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut driver = Driver::new(config);
        driver.connect();
        driver.opened();
        if connected {
            driver.receive(&server::connack(true));
            // Something of everything for the acknowledgements to meet.
            driver.publish("t", b"1", QoS::AtLeastOnce);
            driver.publish("t", b"2", QoS::ExactlyOnce);
            driver.subscribe(&[("a", QoS::ExactlyOnce), ("b", QoS::AtMostOnce)]);
            driver.unsubscribe(&["c"]);
            driver.client.ping();
            driver.run();
        }
        for piece in pieces {
            if !driver.checks.is_open() {
                break;
            }
            driver.receive(piece);
        }
        let (seen, fault) = joined(driver.take_seen());
        Self { seen, fault, written: driver.written.concat(), open: driver.checks.is_open() }
    }

    /// Pieces give as much as the whole. What closes the connection takes the answers with it that were not written
    /// yet: the more came at once, the more of them. Of a long message with two faults, that is told first which is seen
    /// first.
    fn is_that_of(&self, whole: &Self, in_parts: bool) {
        if in_parts && matches!(self.fault, Some(DecodeError::TooLarge { .. })) {
            // A message whose topic alone is longer than a part is told only if it comes as a whole.
            let before: Vec<_> = self.seen.iter().filter(|seen| **seen != Seen::Close).collect();
            assert!(whole.seen.iter().zip(&before).all(|(a, b)| a == *b), "{before:?} {:?}", whole.seen);
            return;
        }
        assert_eq!(self.seen, whole.seen);
        assert_eq!(self.open, whole.open);
        assert_eq!(self.fault.is_some(), whole.fault.is_some());
        if !in_parts {
            assert_eq!(self.fault, whole.fault);
        }
        if self.open {
            assert_eq!(self.written, whole.written);
        } else {
            assert!(self.written.starts_with(&whole.written), "{:x?} {:x?}", self.written, whole.written);
        }
    }
}

/// The same with the parts of each message put together, and the name of the fault by itself.
fn joined(seen: Vec<Seen>) -> (Vec<Seen>, Option<DecodeError>) {
    let (mut joined, mut fault) = (Vec::new(), None);
    let mut begun: Option<Received> = None;
    for seen in seen {
        match (seen, &mut begun) {
            (Seen::Begin(message, _), _) => begun = Some(message),
            (Seen::Part(part), Some(message)) => message.payload.extend(part),
            (Seen::End(_), Some(_)) => joined.extend(begun.take().map(Seen::Message)),
            (Seen::Disconnected { reason: DisconnectReason::Malformed(error), .. }, _) => fault = Some(error),
            (other, _) => joined.push(other),
        }
    }
    (joined, fault)
}
