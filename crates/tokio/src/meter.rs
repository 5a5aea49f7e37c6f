//! What the driver sees of the packets that go by: how many, how long an answer takes, and the trace.

use std::time::Duration;

use mqtt_p2p_core::{Frame, Framed, PacketType, frame};
use tokio::time::Instant;

use crate::trace::{Direction, Trace, TraceEntry, packet_id};

/// Plain numbers under the lock of the state.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) sent: Flow,
    pub(crate) received: Flow,
    pub(crate) round_trip: RoundTrip,
    pub(crate) trace: Option<Trace>,
    /// Entries for the program's own log, told once the lock is released; `None` if nobody reads it.
    pub(crate) log: Option<Vec<TraceEntry>>,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) packets: u64,
    /// PUBLISH, by QoS.
    pub(crate) messages: [u64; 3],
}

/// The time between a request and its answer, of one request at a time.
#[derive(Debug, Default)]
pub(crate) struct RoundTrip {
    pub(crate) last: Option<Duration>,
    pub(crate) smoothed: Option<Duration>,
    waiting: Option<Probe>,
}

/// A request that went out, and the answer that it waits for.
#[derive(Debug)]
struct Probe {
    answer: PacketType,
    packet_id: Option<u16>,
    since: Instant,
}

impl Flow {
    #[inline]
    fn count(&mut self, frame: &Frame<'_>) {
        self.packets += 1;
        if frame.packet_type == PacketType::Publish
            && let Some(messages) = self.messages.get_mut(usize::from(frame.flags >> 1 & 0b11))
        {
            *messages += 1;
        }
    }
}

impl Meter {
    /// Whole packets on their way out.
    #[inline]
    pub(crate) fn sent(&mut self, mut packets: &[u8]) {
        while let Ok(Framed::Complete(frame, rest)) = frame(packets, u32::MAX) {
            self.sent.count(&frame);
            self.round_trip.sent(&frame);
            if self.is_watched() {
                self.note(Direction::Sent, &frame, packets.len() - rest.len());
            }
            packets = rest;
        }
    }

    /// What the state machine took: whole packets, and whatever it gave up on.
    #[inline]
    pub(crate) fn received(&mut self, mut packets: &[u8]) {
        while let Ok(Framed::Complete(frame, rest)) = frame(packets, u32::MAX) {
            self.received.count(&frame);
            if self.round_trip.waiting.is_some() {
                self.round_trip.received(&frame);
            }
            if self.is_watched() {
                self.note(Direction::Received, &frame, packets.len() - rest.len());
            }
            packets = rest;
        }
    }

    #[inline]
    fn is_watched(&self) -> bool {
        self.log.is_some() || self.trace.as_ref().is_some_and(|trace| trace.on)
    }

    #[cold]
    fn note(&mut self, direction: Direction, frame: &Frame<'_>, length: usize) {
        let entry = TraceEntry::new(direction, frame, length);
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.on) {
            trace.push(entry.clone());
        }
        if let Some(log) = &mut self.log {
            log.push(entry);
        }
    }
}

impl RoundTrip {
    #[inline]
    fn sent(&mut self, frame: &Frame<'_>) {
        if self.waiting.is_none() || matches!(frame.packet_type, PacketType::PingReq | PacketType::Connect) {
            self.ask(frame);
        }
    }

    /// A ping is always measured: whatever was not answered by then is no good measure.
    fn ask(&mut self, frame: &Frame<'_>) {
        let answer = match frame.packet_type {
            PacketType::Publish if frame.flags & 0b110 == 0b010 => PacketType::PubAck,
            PacketType::Subscribe => PacketType::SubAck,
            PacketType::PingReq => PacketType::PingResp,
            // The answers to what went over the last connection will not come.
            PacketType::Connect => return self.forget(),
            _ => return,
        };
        self.waiting = Some(Probe { answer, packet_id: packet_id(frame), since: Instant::now() });
    }

    /// The answer will come late, or not at all, for reasons that are not the network's.
    pub(crate) fn forget(&mut self) {
        self.waiting = None;
    }

    fn received(&mut self, frame: &Frame<'_>) {
        let Some(probe) = &self.waiting else { return };
        if probe.answer != frame.packet_type || probe.packet_id != packet_id(frame) {
            return;
        }
        let last = probe.since.elapsed();
        self.waiting = None;
        self.last = Some(last);
        // As RFC 6298 smooths it.
        self.smoothed = Some(self.smoothed.map_or(last, |smoothed| (smoothed * 7 + last) / 8));
    }
}
