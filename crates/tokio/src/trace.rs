//! The packets that went by, one entry each, for who asked: no payload, no log-in.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt_p2p_core::Frame;
use mqtt_p2p_core::{PacketType, QoS};

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
}

/// A packet that went by, from [`Client::trace_log`](crate::Client::trace_log). It has neither payload nor client id,
/// user name or password. Display makes a line of it:
///
/// ```text
/// 09:26:53.589793 > PUBLISH #7 QoS 1 dup parent/p2p/GID_a@@@bob, 64 bytes
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceEntry {
    /// When it was handed to the socket, or taken from what had come.
    pub at: SystemTime,
    /// Which way it went.
    pub direction: Direction,
    /// What it is.
    pub packet_type: PacketType,
    /// Its packet identifier, if its type and QoS have one.
    pub packet_id: Option<u16>,
    /// The QoS of a PUBLISH, and of a SUBSCRIBE's first filter.
    pub qos: Option<QoS>,
    /// DUP of a PUBLISH.
    pub dup: bool,
    /// RETAIN of a PUBLISH.
    pub retain: bool,
    /// The topic of a PUBLISH, and the first topic filter of a SUBSCRIBE or UNSUBSCRIBE.
    pub topic: Option<String>,
    /// The return code of a CONNACK.
    pub return_code: Option<u8>,
    /// Its length in bytes, with the fixed header.
    pub length: usize,
}

impl TraceEntry {
    pub(crate) fn new(direction: Direction, frame: &Frame<'_>, length: usize) -> Self {
        let Frame { packet_type, flags, body } = *frame;
        let publish = packet_type == PacketType::Publish;
        let request = matches!(packet_type, PacketType::Subscribe | PacketType::Unsubscribe);
        let topic_at = if publish { 0 } else { 2 };
        let topic = (publish || request).then(|| text(body, topic_at)).flatten();
        let behind_topic = topic_at + 2 + topic.map_or(0, str::len);
        let qos = match packet_type {
            PacketType::Publish => QoS::from_bits(flags >> 1 & 0b11),
            PacketType::Subscribe => body.get(behind_topic).copied().and_then(QoS::from_bits),
            _ => None,
        };
        Self {
            at: SystemTime::now(),
            direction,
            packet_type,
            packet_id: packet_id(frame),
            qos,
            dup: publish && flags & 0b1000 != 0,
            retain: publish && flags & 0b0001 != 0,
            topic: topic.map(Into::into),
            return_code: body.get(1).copied().filter(|_| packet_type == PacketType::ConnAck),
            length,
        }
    }
}

fn number(body: &[u8], at: usize) -> Option<u16> {
    body.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn text(body: &[u8], at: usize) -> Option<&str> {
    let len = usize::from(number(body, at)?);
    std::str::from_utf8(body.get(at + 2..at + 2 + len)?).ok()
}

/// The packet identifier of any packet that has one.
pub(crate) fn packet_id(frame: &Frame<'_>) -> Option<u16> {
    match frame.packet_type {
        PacketType::Publish if frame.flags & 0b110 == 0 => None,
        PacketType::Publish => number(frame.body, 2 + usize::from(number(frame.body, 0)?)),
        PacketType::Connect
        | PacketType::ConnAck
        | PacketType::PingReq
        | PacketType::PingResp
        | PacketType::Disconnect => None,
        _ => number(frame.body, 0),
    }
}

impl fmt::Display for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let secs = at.as_secs() % 86_400;
        let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
        let arrow = match self.direction {
            Direction::Sent => '>',
            Direction::Received => '<',
        };
        write!(
            f,
            "{hours:02}:{minutes:02}:{secs:02}.{:06} {arrow} {}",
            at.subsec_micros(),
            self.packet_type
        )?;
        if let Some(id) = self.packet_id {
            write!(f, " #{id}")?;
        }
        if let Some(qos) = self.qos {
            write!(f, " QoS {qos}")?;
        }
        if self.dup {
            f.write_str(" dup")?;
        }
        if self.retain {
            f.write_str(" retain")?;
        }
        if let Some(topic) = &self.topic {
            // One line each, whatever a server puts into its topics.
            write!(f, " {}", topic.escape_debug())?;
        }
        if let Some(code) = self.return_code {
            write!(f, " return code {code}")?;
        }
        write!(f, ", {} bytes", self.length)
    }
}

/// The last packets, as many as were asked for.
#[derive(Debug)]
pub(crate) struct Trace {
    capacity: usize,
    entries: VecDeque<TraceEntry>,
    pub(crate) on: bool,
}

impl Trace {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: VecDeque::new(), on: true }
    }

    pub(crate) fn push(&mut self, entry: TraceEntry) {
        if self.entries.len() >= self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn log(&self) -> Vec<TraceEntry> {
        self.entries.iter().cloned().collect()
    }
}
