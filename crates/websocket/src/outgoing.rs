//! Frames to the server: one binary message for each packet ([MQTT-6.0.0-1]), never in fragments, always masked.

use mqtt_p2p_packet::packet_len;

use crate::incoming::Incoming;
use crate::masks::Masks;

/// First bytes of frames that are whole messages.
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;
/// In the second byte: there is a mask.
const MASKED: u8 = 0x80;
/// "Normal closure" (RFC 6455, 7.4.1).
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();
/// The longest header.
const MAX_HEADER: usize = 14;

/// What is being sent.
#[derive(Clone)]
pub(crate) struct Outgoing {
    /// Of the message under way.
    mask: [u8; 4],
    /// Bytes of it that have still to be taken from the caller.
    left: usize,
    /// A close frame is wanted, or was sent.
    closing: bool,
    closed: bool,
}

/// A header: its bytes, and how many there are.
struct Header([u8; MAX_HEADER], usize);

impl Outgoing {
    pub(crate) const fn new() -> Self {
        Self { mask: [0; 4], left: 0, closing: false, closed: false }
    }

    pub(crate) const fn close(&mut self) {
        self.closing = true;
    }

    /// Whether there is something to send that is not the caller's.
    pub(crate) const fn is_pending(&self, incoming: &Incoming) -> bool {
        (self.closing && !self.closed) || incoming.ping.is_some()
    }

    /// Writes as much as there is room for, and gives how much; takes off the caller's packets what is in it.
    pub(crate) fn wrap(
        &mut self,
        incoming: &mut Incoming,
        masks: &mut Masks,
        packets: &mut &[u8],
        out: &mut [u8],
    ) -> usize {
        let all = out.len();
        let mut room = out;
        while self.step(incoming, masks, packets, &mut room) {}
        all.saturating_sub(room.len())
    }

    /// One frame's header, or a piece of a message. `false` if there is nothing more to write, or no room.
    fn step(
        &mut self,
        incoming: &mut Incoming,
        masks: &mut Masks,
        packets: &mut &[u8],
        room: &mut &mut [u8],
    ) -> bool {
        if self.closed {
            return false;
        }
        if self.left > 0 {
            return self.payload(packets, room);
        }
        // Between messages only: a frame is never cut.
        if let Some(ping) = &incoming.ping {
            let written = control(PONG, ping.as_slice(), masks.mask(), room);
            if written {
                incoming.ping = None;
            }
            return written;
        }
        if let Some(len) = packet_len(packets) {
            let mask = masks.mask();
            let header = Header::new(BINARY, len, mask);
            if !header.write(room) {
                return false;
            }
            self.mask = mask;
            self.left = len;
            return true;
        }
        if self.closing && packets.is_empty() {
            self.closed = control(CLOSE, &NORMAL, masks.mask(), room);
        }
        false
    }

    fn payload(&mut self, packets: &mut &[u8], room: &mut &mut [u8]) -> bool {
        let run = self.left.min(packets.len()).min(room.len());
        let (Some((bytes, rest)), Some((place, free))) =
            (packets.split_at_checked(run), core::mem::take(room).split_at_mut_checked(run))
        else {
            return false;
        };
        apply(self.mask, bytes, place);
        // The mask goes on where it stopped.
        self.mask.rotate_left(run % 4);
        self.left = self.left.saturating_sub(run);
        *packets = rest;
        *room = free;
        run > 0
    }
}

/// Writes a whole control frame; `false` if there is no room.
fn control(first: u8, payload: &[u8], mask: [u8; 4], room: &mut &mut [u8]) -> bool {
    let header = Header::new(first, payload.len(), mask);
    if room.len() < header.1.saturating_add(payload.len()) || !header.write(room) {
        return false;
    }
    let Some((place, free)) = core::mem::take(room).split_at_mut_checked(payload.len()) else {
        return false;
    };
    apply(mask, payload, place);
    *room = free;
    true
}

fn apply(mask: [u8; 4], bytes: &[u8], place: &mut [u8]) {
    for ((to, from), mask) in place.iter_mut().zip(bytes).zip(mask.iter().cycle()) {
        *to = from ^ mask;
    }
}

impl Header {
    fn new(first: u8, len: usize, mask: [u8; 4]) -> Self {
        let [a, b, c, d] = mask;
        let [l7, l6, l5, l4, l3, l2, l1, l0] = (len as u64).to_be_bytes();
        match len {
            0..126 => Self([first, MASKED | l0, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0], 6),
            126..65_536 => Self([first, MASKED | 126, l1, l0, a, b, c, d, 0, 0, 0, 0, 0, 0], 8),
            _ => Self([first, MASKED | 127, l7, l6, l5, l4, l3, l2, l1, l0, a, b, c, d], MAX_HEADER),
        }
    }

    /// `false` if there is no room.
    fn write(&self, room: &mut &mut [u8]) -> bool {
        let Self(bytes, len) = self;
        if room.len() < *len {
            return false;
        }
        let Some((place, free)) = core::mem::take(room).split_at_mut_checked(*len) else {
            return false;
        };
        for (to, from) in place.iter_mut().zip(bytes) {
            *to = *from;
        }
        *room = free;
        true
    }
}
