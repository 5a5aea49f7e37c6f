//! The WebSocket: handshake, then frames in both directions.

use core::cell::Cell;
use core::fmt;

use mqtt_p2p_packet::packet_len;

use crate::error::{End, RequestError, TransmitError};
use crate::frame::{self, Kind, MAX_CONTROL, MAX_HEADER};
use crate::handshake::{Handshake, key};
use crate::mask::{Mask, Masks};
use crate::receive::{Receiver, Step};
use crate::request::Request;

/// A client's end of a WebSocket that carries MQTT, over any number of connections one after the other.
///
/// The [crate's documentation](crate) shows how to drive it.
#[derive(Clone)]
pub struct WebSocket {
    masks: Masks,
    phase: Phase,
    /// How this connection ended.
    end: Option<End>,
    /// The message on its way: its mask, and how many bytes of it are still to be written.
    mask: Mask,
    left: usize,
    close: Close,
}

#[derive(Clone)]
enum Phase {
    Idle,
    Handshake(Handshake),
    Open(Receiver),
}

/// This end's close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    No,
    Due(Option<u16>),
    Written,
}

/// What became of received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "MQTT's bytes, and the end of the connection"]
pub struct Received {
    /// So many bytes at the front are MQTT's. They came before the end, if there is one, and are good.
    pub len: usize,
    /// How the connection ended, if it has.
    pub end: Option<End>,
}

/// What became of packets that are to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "how much to send, and how much to report as transmitted"]
pub struct Transmitted {
    /// So many bytes of the packets are in what was written.
    pub taken: usize,
    /// So many bytes have been written, for the transport.
    pub written: usize,
}

impl WebSocket {
    /// With an `out` of so many bytes, [`transmit`](Self::transmit) always gets on: the longest pong.
    pub const MIN_ROOM: usize = MAX_CONTROL + 6;

    /// A WebSocket without a connection. The seed is to come from an entropy source: who can foretell the mask keys
    /// can make bytes on the wire that a cache on the way takes for a request and its answer (RFC 6455 §10.3).
    pub const fn new(seed: [u8; 16]) -> Self {
        Self {
            masks: Masks::new(seed),
            phase: Phase::Idle,
            end: None,
            mask: Mask::new([0; 4]),
            left: 0,
            close: Close::No,
        }
    }

    /// Begins a new connection, and forgets the one before: writes the request for the upgrade into `out`, and says
    /// how long it is. 220 bytes and those of host, path and headers are enough.
    ///
    /// # Errors
    /// The request is invalid or does not fit; nothing has changed then.
    pub fn open(&mut self, request: &Request<'_>, out: &mut [u8]) -> Result<usize, RequestError> {
        let key = key(self.masks.nonce());
        let written = request.write(&key, out)?;
        self.phase = Phase::Handshake(Handshake::new(&key, request.subprotocol()));
        self.end = None;
        self.left = 0;
        self.close = Close::No;
        Ok(written)
    }

    /// Whether the handshake is over and the connection has not ended.
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && self.end.is_none()
    }

    /// Reads what came in; gives the next bytes of MQTT, borrowed from it, and advances `received` past them. `None`
    /// when all has been read: nothing needs to be kept for later.
    ///
    /// # Errors
    /// How the connection ended. It is told again at every call until [`open`](Self::open).
    pub fn receive<'b>(&mut self, received: &mut &'b [u8]) -> Result<Option<&'b [u8]>, End> {
        if let Some(end) = self.end {
            return Err(end);
        }
        while !received.is_empty() {
            let step = self.step(received)?;
            let taken = received.get(..step.taken).unwrap_or_default();
            *received = received.get(step.taken..).unwrap_or_default();
            if step.payload > 0 {
                return Ok(taken.get(taken.len().saturating_sub(step.payload)..));
            }
        }
        Ok(None)
    }

    /// Reads what came in, and moves MQTT's bytes in it to its front: a buffer that holds bytes of MQTT, and behind
    /// them what the transport has just read, then holds bytes of MQTT only. It takes time in proportion to
    /// the length of `received`.
    pub fn receive_in_place(&mut self, received: &mut [u8]) -> Received {
        let (mut read, mut len) = (0_usize, 0_usize);
        while self.end.is_none() && read < received.len() {
            let Ok(step) = self.step(received.get(read..).unwrap_or_default()) else { break };
            read = read.saturating_add(step.taken);
            move_down(received, read.saturating_sub(step.payload), read, len);
            len = len.saturating_add(step.payload);
        }
        Received { len, end: self.end }
    }

    /// Reads something of `input`, which is not empty.
    fn step(&mut self, input: &[u8]) -> Result<Step, End> {
        let step = match &mut self.phase {
            Phase::Idle => Err(End::NotOpened),
            Phase::Open(receiver) => receiver.read(input),
            Phase::Handshake(handshake) => match handshake.read(input) {
                Ok(None) => Ok(Step { taken: input.len(), payload: 0 }),
                Ok(Some(taken)) => {
                    self.phase = Phase::Open(Receiver::new());
                    Ok(Step { taken, payload: 0 })
                }
                Err(error) => Err(End::Refused(error)),
            },
        };
        if let Err(end) = step {
            self.end = Some(end);
            // A close frame is answered with its own code (§5.5.1), a fault with what it was (§7.1.7).
            let code = match end {
                End::Closed { code } => Some(code),
                End::Failed(error) => Some(Some(error.close_code())),
                _ => None,
            };
            if let (Close::No, Some(code)) = (self.close, code) {
                self.close = Close::Due(code);
            }
        }
        step
    }

    /// Writes what the transport is to send into `out`: as many of the packets as fit, each as one message of one
    /// frame ([MQTT-6.0.0-2] lets the receiver not rely on it), and between them pongs and the close frame.
    ///
    /// `packets` are packets one behind the other: what the client asks to transmit. The first one's beginning may have been
    /// taken before; the last one may end later, if its fixed header is there, which says how long its frame is. Pass
    /// what was not taken, and what follows it, at the next call, and none if there is none.
    /// Until the handshake is over nothing is written; once the connection has ended or closes, no packet is begun.
    ///
    /// # Errors
    /// Nothing fits into `out`, or what comes next is no packet; nothing has changed then.
    pub fn transmit(&mut self, packets: &[u8], out: &mut [u8]) -> Result<Transmitted, TransmitError> {
        let mut done = Transmitted::default();
        let Self { masks, phase: Phase::Open(receiver), .. } = self else { return Ok(done) };
        loop {
            let rest = packets.get(done.taken..).unwrap_or_default();
            let room = out.get_mut(done.written..).unwrap_or_default();
            let written = if self.left > 0 {
                let piece = rest.get(..self.left).unwrap_or(rest);
                let len = self.mask.copy(piece, room);
                self.left = self.left.saturating_sub(len);
                done.taken = done.taken.saturating_add(len);
                if len == 0 {
                    return if piece.is_empty() { Ok(done) } else { done.or_no_room(1) };
                }
                Some(len)
            } else if let (Close::No, None, Some(payload)) = (self.close, self.end, receiver.pong()) {
                let written = control(Kind::Pong, payload, masks, room);
                let needed = payload.len().saturating_add(6);
                if written.is_none() {
                    return done.or_no_room(needed);
                }
                receiver.pong_written();
                written
            } else if let Close::Due(code) = self.close
                && (self.end.is_some() || rest.is_empty())
            {
                let bytes = code.unwrap_or_default().to_be_bytes();
                let payload = if code.is_some() { &bytes[..] } else { &[] };
                let written = control(Kind::Close, payload, masks, room);
                if written.is_none() {
                    return done.or_no_room(payload.len().saturating_add(6));
                }
                self.close = Close::Written;
                written
            } else if rest.is_empty() || self.close == Close::Written {
                return Ok(done);
            } else {
                let Some(len) = packet_len(rest) else {
                    return if done == Transmitted::default() {
                        Err(TransmitError::NotAPacket)
                    } else {
                        Ok(done)
                    };
                };
                let key = masks.next();
                let written = frame::write(Kind::Data, len, key, room);
                if written.is_none() {
                    return done.or_no_room(MAX_HEADER);
                }
                (self.mask, self.left) = (Mask::new(key), len);
                written
            };
            done.written = done.written.saturating_add(written.unwrap_or_default());
        }
    }

    /// Whether [`transmit`](Self::transmit) has something to write without packets: a pong or the close frame.
    pub fn wants_transmit(&self) -> bool {
        let Phase::Open(receiver) = &self.phase else { return false };
        let pong = self.close == Close::No && self.end.is_none() && receiver.pong().is_some();
        self.left == 0 && (pong || matches!(self.close, Close::Due(_)))
    }

    /// Closes the WebSocket with status code 1000, behind the packets that are still passed to
    /// [`transmit`](Self::transmit) at its next call. The peer's close frame then ends the connection.
    pub fn close(&mut self) {
        if self.is_open() && self.close == Close::No {
            self.close = Close::Due(Some(1000));
        }
    }

    /// The reason that the peer gave with [`End::Closed`]; empty without one. It is the peer's text, for a log.
    pub fn close_reason(&self) -> &str {
        match (&self.phase, self.end) {
            (Phase::Open(receiver), Some(End::Closed { code: Some(_) })) => {
                let reason = receiver.control().get(2..).unwrap_or_default();
                core::str::from_utf8(reason).unwrap_or_default()
            }
            _ => "",
        }
    }
}

impl Transmitted {
    /// That no more fits is an error only if nothing did.
    fn or_no_room(self, needed: usize) -> Result<Self, TransmitError> {
        if self.written == 0 { Err(TransmitError::NoRoom { needed }) } else { Ok(self) }
    }
}

/// Without the seed and the keys, and without bytes of the peer.
impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Idle => "idle",
            Phase::Handshake(_) => "handshake",
            Phase::Open(_) => "open",
        };
        f.debug_struct("WebSocket").field("phase", &phase).field("end", &self.end).finish_non_exhaustive()
    }
}

/// Writes a control frame, or nothing if it does not fit.
fn control(kind: Kind, payload: &[u8], masks: &mut Masks, room: &mut [u8]) -> Option<usize> {
    if room.len() < payload.len().saturating_add(6) {
        return None;
    }
    let key = masks.next();
    let header = frame::write(kind, payload.len(), key, room)?;
    let len = Mask::new(key).copy(payload, room.get_mut(header..)?);
    Some(header.saturating_add(len))
}

/// Moves `from..end` down to `to`, byte by byte: the standard library's move has a panic path.
fn move_down(buffer: &mut [u8], from: usize, end: usize, to: usize) {
    let cells = Cell::from_mut(buffer).as_slice_of_cells();
    let (places, bytes) = (cells.get(to..).unwrap_or_default(), cells.get(from..end).unwrap_or_default());
    for (place, byte) in places.iter().zip(bytes) {
        place.set(byte.get());
    }
}
