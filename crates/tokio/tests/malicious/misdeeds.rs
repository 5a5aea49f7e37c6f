//! What a server can do wrong, at every state of a connection, and how the client has to take it.

use mqtt_p2p_core::{DecodeError, PacketType};
use mqtt_p2p_tokio::{DisconnectReason, TransportError};

use DecodeError::{
    DupWithQoS0, EmptyList, InvalidConnAckFlags, InvalidQoS, InvalidRemainingLength, InvalidReturnCode,
    InvalidText, InvalidTopicName, ReservedType, TooLarge, TrailingBytes, Truncated, ZeroPacketId,
};

/// How far the connection is when the server begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// WebSocket: the request for the upgrade has come.
    Upgrade,
    /// CONNECT has come.
    Connect,
    /// CONNACK was sent.
    Online,
    /// SUBSCRIBE has come as well; its packet identifier is 1.
    Subscribe,
    /// The same over WebSocket: CONNECT has come in a frame, CONNACK was sent in one.
    OnlineWebSocket,
}

/// What the server does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Writes this.
    Say(&'static [u8]),
    /// Writes this so many times.
    Flood(&'static [u8], usize),
    /// Writes what this gives.
    Make(fn() -> Vec<u8>),
    /// Writes the same in segments of a byte each.
    Drip(fn() -> Vec<u8>),
    /// Writes this byte for ever, slowly, until the client closes.
    DripForEver(u8),
    /// Writes this for ever, until the client closes.
    Pour(&'static [u8]),
    /// Says nothing any more, until the client closes.
    Wait,
    /// Closes.
    Close,
    /// Resets the connection.
    Reset,
}

/// How it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// With this reason.
    Ends(DisconnectReason),
    /// As a connection that the server closed or broke, whichever of the two the operating system shows first.
    Lost,
    /// Not at all: the client gets the message that follows.
    Lives,
}

/// A misdeed: what it is, when, what the server does, how it ends.
pub(crate) type Misdeed = (&'static str, At, &'static [Do], End);

/// The largest packet that the client takes, as by default.
const MAX: u32 = 65_536 + 1_024;

const fn malformed(error: DecodeError) -> End {
    End::Ends(DisconnectReason::Malformed(error))
}

const fn flags(packet: PacketType, flags: u8) -> End {
    malformed(DecodeError::InvalidFlags { packet, flags })
}

const fn unexpected(packet: PacketType) -> End {
    End::Ends(DisconnectReason::Unexpected(packet))
}

const REFUSED_UPGRADE: End = End::Ends(DisconnectReason::Transport(TransportError::Upgrade));
const TIMEOUT: End = End::Ends(DisconnectReason::ConnectTimeout);
const DEAD: End = End::Ends(DisconnectReason::KeepAliveTimeout);
const BROKEN: End = End::Ends(DisconnectReason::Transport(TransportError::Broken));
const CONTRADICTION: End = End::Ends(DisconnectReason::Contradiction);

use At::{Connect, Online, OnlineWebSocket, Subscribe, Upgrade};
use Do::{Close, Drip, DripForEver, Flood, Make, Pour, Reset, Say, Wait};
use End::{Lives, Lost};

#[rustfmt::skip]
pub(crate) const MISDEEDS: &[Misdeed] = &[
    // ---- bad answers to the upgrade ----
    ("another protocol", Upgrade, &[Say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Wait], REFUSED_UPGRADE),
    ("MQTT without the upgrade", Upgrade, &[Say(b"\x20\x02\x00\x00"), Wait], REFUSED_UPGRADE),
    ("no upgrade", Upgrade, &[Say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), Wait], REFUSED_UPGRADE),
    ("a redirection", Upgrade, &[Say(b"HTTP/1.1 301 Moved\r\nlocation: ws://127.0.0.1:1/\r\n\r\n"), Wait], REFUSED_UPGRADE),
    ("an upgrade without a key", Upgrade, &[Say(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-protocol: mqtt\r\n\r\n"), Wait], REFUSED_UPGRADE),
    ("an upgrade with a wrong key", Upgrade, &[Say(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: AAAA\r\nsec-websocket-protocol: mqtt\r\n\r\n"), Wait], REFUSED_UPGRADE),
    ("headers without end", Upgrade, &[Say(b"HTTP/1.1 101 Switching Protocols\r\n"), Pour(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")], REFUSED_UPGRADE),
    ("a header without end", Upgrade, &[Say(b"HTTP/1.1 101 Switching Protocols\r\nx: "), Pour(b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")], REFUSED_UPGRADE),
    ("half an answer", Upgrade, &[Say(b"HTTP/1.1 101 Swi"), Close], REFUSED_UPGRADE),
    ("an answer that drips for ever", Upgrade, &[Say(b"HTTP/1.1 101 "), DripForEver(b'x')], REFUSED_UPGRADE),
    ("half an answer and silence", Upgrade, &[Say(b"HTTP/1.1 101 Swi"), Wait], TIMEOUT),
    ("no answer to the upgrade", Upgrade, &[Wait], TIMEOUT),

    // ---- instead of CONNACK ----
    ("no CONNACK", Connect, &[Wait], TIMEOUT),
    ("half a CONNACK", Connect, &[Say(b"\x20\x02\x00"), Wait], TIMEOUT),
    ("a PUBLISH that drips for ever", Connect, &[Say(b"\x30\xff\x7f"), DripForEver(b'x')], TIMEOUT),
    ("CONNACK with a reserved flag", Connect, &[Say(b"\x20\x02\x02\x00")], malformed(InvalidConnAckFlags(2))),
    ("CONNACK that refuses with a session", Connect, &[Say(b"\x20\x02\x01\x05")], malformed(InvalidConnAckFlags(1))),
    ("CONNACK with return code 6", Connect, &[Say(b"\x20\x02\x00\x06")], malformed(InvalidReturnCode(6))),
    ("CONNACK of three bytes", Connect, &[Say(b"\x20\x03\x00\x00\x00")], malformed(TrailingBytes)),
    ("CONNACK of one byte", Connect, &[Say(b"\x20\x01\x00")], malformed(Truncated)),
    ("CONNACK of no byte", Connect, &[Say(b"\x20\x00")], malformed(Truncated)),
    ("CONNACK with flags", Connect, &[Say(b"\x21\x02\x00\x00")], flags(PacketType::ConnAck, 1)),
    ("CONNACK of 256 MiB", Connect, &[Say(b"\x20\xff\xff\xff\x7f"), Pour(&[0; 1024])], malformed(TooLarge { size: 268_435_460, max: MAX })),
    ("packet type 0", Connect, &[Say(b"\x00\x00")], malformed(ReservedType(0))),
    ("packet type 15", Connect, &[Say(b"\xf0\x00")], malformed(ReservedType(15))),
    ("a length of five bytes", Connect, &[Say(b"\x20\x80\x80\x80\x80\x01")], malformed(InvalidRemainingLength)),
    ("PUBLISH before CONNACK", Connect, &[Say(b"\x30\x03\x00\x01t")], unexpected(PacketType::Publish)),
    ("PUBREL before CONNACK", Connect, &[Say(b"\x62\x02\x00\x01")], unexpected(PacketType::PubRel)),
    ("SUBACK before CONNACK", Connect, &[Say(b"\x90\x03\x00\x01\x00")], unexpected(PacketType::SubAck)),
    ("PINGRESP before CONNACK", Connect, &[Say(b"\xd0\x00")], unexpected(PacketType::PingResp)),
    ("CONNECT as the answer to CONNECT", Connect, &[Say(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")], unexpected(PacketType::Connect)),
    ("a close instead of CONNACK", Connect, &[Close], Lost),
    ("a reset instead of CONNACK", Connect, &[Reset], Lost),
    ("CONNACK in segments of a byte", Connect, &[Drip(|| b"\x20\x02\x00\x00".to_vec())], Lives),

    // ---- what no server may send ----
    ("CONNACK twice", Online, &[Say(b"\x20\x02\x00\x00")], unexpected(PacketType::ConnAck)),
    ("a late refusal", Online, &[Say(b"\x20\x02\x00\x05")], unexpected(PacketType::ConnAck)),
    ("CONNECT from the server", Online, &[Say(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")], unexpected(PacketType::Connect)),
    ("SUBSCRIBE from the server", Online, &[Say(b"\x82\x06\x00\x01\x00\x01f\x00")], unexpected(PacketType::Subscribe)),
    ("UNSUBSCRIBE from the server", Online, &[Say(b"\xa2\x05\x00\x01\x00\x01f")], unexpected(PacketType::Unsubscribe)),
    ("PINGREQ from the server", Online, &[Say(b"\xc0\x00")], unexpected(PacketType::PingReq)),
    ("DISCONNECT from the server", Online, &[Say(b"\xe0\x00")], unexpected(PacketType::Disconnect)),

    // ---- lengths ----
    ("PUBLISH of 256 MiB", Online, &[Say(b"\x30\xff\xff\xff\x7f"), Pour(&[b'x'; 1024])], malformed(TooLarge { size: 268_435_460, max: MAX })),
    ("PUBLISH one byte over the limit", Online, &[Say(b"\x30\xfd\x87\x04")], malformed(TooLarge { size: MAX + 1, max: MAX })),
    ("a length of five bytes", Online, &[Say(b"\x30\xff\xff\xff\xff\x01")], malformed(InvalidRemainingLength)),
    ("a topic that is longer than its packet", Online, &[Say(b"\x30\x02\x00\x05")], malformed(Truncated)),
    ("PUBLISH without anything", Online, &[Say(b"\x30\x00")], malformed(Truncated)),
    ("PUBLISH without its identifier", Online, &[Say(b"\x32\x03\x00\x01t")], malformed(Truncated)),
    ("PUBACK of one byte", Online, &[Say(b"\x40\x01\x00")], malformed(Truncated)),
    ("PUBACK of three bytes", Online, &[Say(b"\x40\x03\x00\x01\x00")], malformed(TrailingBytes)),
    ("PINGRESP with a body", Online, &[Say(b"\xd0\x01\x00")], malformed(TrailingBytes)),
    ("SUBACK without a return code", Online, &[Say(b"\x90\x02\x00\x01")], malformed(EmptyList)),
    ("packet type 0", Online, &[Say(b"\x00\x00")], malformed(ReservedType(0))),
    ("packet type 15", Online, &[Say(b"\xff\xff")], malformed(ReservedType(15))),

    // ---- flags ----
    ("QoS 3", Online, &[Say(b"\x36\x05\x00\x01t\x00\x01")], malformed(InvalidQoS)),
    ("QoS 0 with DUP", Online, &[Say(b"\x38\x03\x00\x01t")], malformed(DupWithQoS0)),
    ("PUBACK with flags", Online, &[Say(b"\x42\x02\x00\x01")], flags(PacketType::PubAck, 2)),
    ("PUBREL without its flags", Online, &[Say(b"\x60\x02\x00\x01")], flags(PacketType::PubRel, 0)),
    ("SUBACK with flags", Online, &[Say(b"\x92\x03\x00\x01\x00")], flags(PacketType::SubAck, 2)),
    ("PINGRESP with flags", Online, &[Say(b"\xd8\x00")], flags(PacketType::PingResp, 8)),

    // ---- strings ----
    ("a topic that is not UTF-8", Online, &[Say(b"\x30\x04\x00\x02\xff\xfe")], malformed(InvalidText)),
    ("a topic with a surrogate", Online, &[Say(b"\x30\x05\x00\x03\xed\xa0\x80")], malformed(InvalidText)),
    ("a topic with an overlong slash", Online, &[Say(b"\x30\x04\x00\x02\xc0\xaf")], malformed(InvalidText)),
    ("a topic with U+0000", Online, &[Say(b"\x30\x05\x00\x03a\x00b")], malformed(InvalidText)),
    ("an empty topic", Online, &[Say(b"\x30\x02\x00\x00")], malformed(InvalidTopicName)),
    ("a topic with +", Online, &[Say(b"\x30\x05\x00\x03a/+")], malformed(InvalidTopicName)),
    ("a topic with #", Online, &[Say(b"\x30\x03\x00\x01#")], malformed(InvalidTopicName)),
    ("a topic of control characters", Online, &[Say(b"\x30\x07\x00\x05\x1b[2J\x07")], Lives),
    ("the longest topic", Online, &[Make(|| publish(&"x".repeat(65_535), b""))], Lives),

    // ---- packet identifiers ----
    ("PUBLISH with identifier 0", Online, &[Say(b"\x32\x05\x00\x01t\x00\x00")], malformed(ZeroPacketId)),
    ("PUBACK with identifier 0", Online, &[Say(b"\x40\x02\x00\x00")], malformed(ZeroPacketId)),
    ("PUBREC with identifier 0", Online, &[Say(b"\x50\x02\x00\x00")], malformed(ZeroPacketId)),
    ("PUBREL with identifier 0", Online, &[Say(b"\x62\x02\x00\x00")], malformed(ZeroPacketId)),
    ("PUBCOMP with identifier 0", Online, &[Say(b"\x70\x02\x00\x00")], malformed(ZeroPacketId)),
    ("SUBACK with identifier 0", Online, &[Say(b"\x90\x03\x00\x00\x00")], malformed(ZeroPacketId)),
    ("UNSUBACK with identifier 0", Online, &[Say(b"\xb0\x02\x00\x00")], malformed(ZeroPacketId)),
    ("PUBACK for the future", Online, &[Say(b"\x40\x02\x12\x34")], Lives),
    ("PUBREC for the future", Online, &[Say(b"\x50\x02\x12\x34")], Lives),
    ("PUBCOMP for the future", Online, &[Say(b"\x70\x02\x12\x34")], Lives),
    ("SUBACK for the future", Online, &[Say(b"\x90\x03\x12\x34\x02")], Lives),
    ("SUBACK for a replay that there is not", Online, &[Say(b"\x90\x03\xff\xff\x02")], Lives),
    ("UNSUBACK for the future", Online, &[Say(b"\xb0\x02\x12\x34")], Lives),

    // ---- SUBACK ----
    ("SUBACK with QoS 3", Subscribe, &[Say(b"\x90\x03\x00\x01\x03")], malformed(InvalidReturnCode(3))),
    ("SUBACK with a reason of MQTT 5", Subscribe, &[Say(b"\x90\x03\x00\x01\x87")], malformed(InvalidReturnCode(0x87))),
    ("SUBACK with one answer too many", Subscribe, &[Say(b"\x90\x04\x00\x01\x00\x00")], CONTRADICTION),
    ("a giant SUBACK", Subscribe, &[Make(|| suback(60_000))], CONTRADICTION),
    ("a giant SUBACK for nothing", Online, &[Make(|| suback(60_000))], Lives),
    ("a SUBACK over the limit", Subscribe, &[Make(|| suback(MAX as usize))], malformed(TooLarge { size: MAX + 6, max: MAX })),
    ("PUBACK for a SUBSCRIBE", Subscribe, &[Say(b"\x40\x02\x00\x01")], Lives),
    ("UNSUBACK for a SUBSCRIBE", Subscribe, &[Say(b"\xb0\x02\x00\x01")], Lives),
    ("PUBREC for a SUBSCRIBE", Subscribe, &[Say(b"\x50\x02\x00\x01")], Lives),

    // ---- floods ----
    ("a flood of PUBREL", Online, &[Flood(b"\x62\x02\x00\x01", 200_000)], Lives),
    ("a flood of PUBREC", Online, &[Flood(b"\x50\x02\x00\x01", 200_000)], Lives),
    ("a flood of PUBACK", Online, &[Flood(b"\x40\x02\x00\x01", 200_000)], Lives),
    ("a flood of PINGRESP", Online, &[Flood(b"\xd0\x00", 200_000)], Lives),
    ("a flood of empty messages", Online, &[Flood(b"\x30\x03\x00\x01t", 200_000)], Lives),
    ("endless retained messages", Online, &[Flood(b"\x31\x0b\x00\x01tretained", 200_000)], Lives),
    ("one message of QoS 1, for ever with DUP", Online, &[Flood(b"\x3a\x06\x00\x01t\x00\x01x", 100_000)], Lives),
    ("one message of QoS 2, for ever with DUP", Online, &[Flood(b"\x3c\x06\x00\x01t\x00\x01x", 100_000)], Lives),
    ("messages of QoS 2 under every identifier and no PUBREL", Online, &[Make(unreleased)], Lives),
    ("a message in segments of a byte", Online, &[Drip(|| publish("t", &[b'x'; 300]))], Lives),

    // ---- silence, slowness, ends ----
    ("silence", Online, &[Wait], DEAD),
    ("a message that drips for ever", Online, &[Say(b"\x30\xff\xff\x03\x00\x01t"), DripForEver(b'x')], DEAD),
    ("a length that drips and stops", Online, &[Say(b"\x30\xff"), Wait], DEAD),
    ("a close", Online, &[Close], Lost),
    ("a reset", Online, &[Reset], Lost),
    ("a close in the middle of a packet", Online, &[Say(b"\x30\x7f\x00\x01t"), Close], Lost),
    ("data without end after the connection is over", Online, &[Say(b"\xff"), Pour(b"\x30\x03\x00\x01t")], malformed(ReservedType(15))),

    // ---- WebSocket frames ----
    ("MQTT that is malformed, in a good frame", OnlineWebSocket, &[Say(b"\x82\x02\x00\x00")], malformed(ReservedType(0))),
    ("CONNACK twice in one frame", OnlineWebSocket, &[Say(b"\x82\x08\x20\x02\x00\x00\x20\x02\x00\x00")], unexpected(PacketType::ConnAck)),
    ("a masked frame", OnlineWebSocket, &[Say(b"\x82\x82\x01\x02\x03\x04\xd1\x02")], BROKEN),
    ("a text frame", OnlineWebSocket, &[Say(b"\x81\x02\xd0\x00")], BROKEN),
    ("a text frame of JSON", OnlineWebSocket, &[Say(b"\x81\x02{}")], BROKEN),
    ("a reserved opcode", OnlineWebSocket, &[Say(b"\x83\x00")], BROKEN),
    ("a reserved control opcode", OnlineWebSocket, &[Say(b"\x8b\x00")], BROKEN),
    ("a reserved bit, as of compression", OnlineWebSocket, &[Say(b"\xc2\x02\xd0\x00")], BROKEN),
    ("a ping in fragments", OnlineWebSocket, &[Say(b"\x09\x00")], BROKEN),
    ("a ping of 126 bytes", OnlineWebSocket, &[Make(|| [b"\x89\x7e\x00\x7e", &[0; 126][..]].concat())], BROKEN),
    ("a continuation of nothing", OnlineWebSocket, &[Say(b"\x80\x02\xd0\x00")], BROKEN),
    ("a message within a message", OnlineWebSocket, &[Say(b"\x02\x01\xd0\x82\x02\xd0\x00")], BROKEN),
    ("a frame of 8 EiB", OnlineWebSocket, &[Say(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), Pour(&[0; 1024])], BROKEN),
    ("a frame whose length has its top bit set", OnlineWebSocket, &[Say(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), Pour(&[0; 1024])], BROKEN),
    ("a message of endless fragments", OnlineWebSocket, &[Say(b"\x02\x00"), Pour(&ENDLESS)], BROKEN),
    ("a close frame of one byte", OnlineWebSocket, &[Say(b"\x88\x01\x03")], BROKEN),
    ("a close frame with good manners", OnlineWebSocket, &[Say(b"\x88\x02\x03\xe8")], Lost),
    ("data without end after the close frame", OnlineWebSocket, &[Say(b"\x88\x02\x03\xe8"), Pour(b"\x82\x05\x30\x03\x00\x01t")], Lost),
    ("a flood of pings", OnlineWebSocket, &[Flood(b"\x89\x04ping", 50_000)], Lives),
    ("a flood of pongs", OnlineWebSocket, &[Flood(b"\x8a\x04pong", 50_000)], Lives),
    ("a flood of empty frames", OnlineWebSocket, &[Flood(b"\x82\x00", 50_000)], Lives),
    ("a message in fragments of a byte, pings between them", OnlineWebSocket, &[Say(b"\x02\x01\x30\x89\x00\x00\x01\x03\x89\x00\x00\x01\x00\x00\x01\x01\x89\x00\x80\x01t")], Lives),
    ("a frame in segments of a byte", OnlineWebSocket, &[Drip(|| b"\x82\x05\x30\x03\x00\x01t".to_vec())], Lives),
    ("silence", OnlineWebSocket, &[Wait], DEAD),
    ("a ping for ever and no PINGRESP", OnlineWebSocket, &[Pour(b"\x89\x00")], DEAD),
];

/// A fragment of 64 bytes that another follows.
const ENDLESS: [u8; 66] = {
    let mut fragment = [0; 66];
    fragment[1] = 64;
    fragment
};

/// A PUBLISH of QoS 0.
pub(crate) fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&(topic.len() as u16).to_be_bytes(), topic.as_bytes(), payload].concat())
}

/// A SUBACK for identifier 1 with so many return codes.
fn suback(codes: usize) -> Vec<u8> {
    packet(0x90, &[&[0, 1][..], &vec![0; codes]].concat())
}

/// A message of QoS 2 under each identifier.
fn unreleased() -> Vec<u8> {
    (1..=u16::MAX).flat_map(|id| [&b"\x34\x05\x00\x01t"[..], &id.to_be_bytes()].concat()).collect()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    while rest > 127 {
        packet.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    packet.push(rest as u8);
    packet.extend_from_slice(body);
    packet
}
