//! Frames from the server (RFC 6455, 5.2): what they carry is moved together, what they are is judged.

use crate::error::{End, FrameError};

/// The longest payload of a control frame (RFC 6455, 5.5).
pub(crate) const MAX_CONTROL: usize = 125;
/// A header from a server has no mask.
const MAX_HEADER: usize = 10;
/// What stands for a close frame without a code (RFC 6455, 7.4.1).
const NO_CODE: u16 = 1005;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The payload of a control frame.
#[derive(Clone)]
pub(crate) struct Payload {
    bytes: [u8; MAX_CONTROL],
    len: usize,
}

impl Payload {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; MAX_CONTROL], len: 0 }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.wrapping_add(1);
        }
    }
}

/// Where in the stream of frames the server is.
#[derive(Clone)]
pub(crate) struct Incoming {
    /// The beginning of a header that is not whole.
    header: [u8; MAX_HEADER],
    header_len: usize,
    /// Of the frame whose header was read last.
    opcode: u8,
    /// Bytes of its payload that are still to come.
    left: u64,
    /// A message has begun, and its last fragment has not.
    in_message: bool,
    /// What came of a control frame.
    control: Payload,
    /// A ping that is to be answered.
    pub(crate) ping: Option<Payload>,
    pub(crate) end: Option<End>,
}

impl Incoming {
    pub(crate) const fn new() -> Self {
        Self {
            header: [0; MAX_HEADER],
            header_len: 0,
            opcode: 0,
            left: 0,
            in_message: false,
            control: Payload::new(),
            ping: None,
            end: None,
        }
    }

    /// Moves what frames carry to the front, and says how much that is. All bytes are taken.
    pub(crate) fn unwrap(&mut self, raw: &mut [u8]) -> usize {
        let (mut read, mut kept) = (0_usize, 0_usize);
        while self.end.is_none() && read < raw.len() {
            if self.left > 0 && self.opcode < CLOSE {
                let available = raw.len().saturating_sub(read);
                let run = usize::try_from(self.left).unwrap_or(usize::MAX).min(available);
                let until = read.saturating_add(run);
                if kept != read {
                    raw.copy_within(read..until, kept);
                }
                kept = kept.saturating_add(run);
                read = until;
                self.left = self.left.saturating_sub(run as u64);
                continue;
            }
            let Some(byte) = raw.get(read).copied() else { break };
            read = read.wrapping_add(1);
            if self.left > 0 {
                self.control.push(byte);
                self.left = self.left.wrapping_sub(1);
                self.end_control();
            } else if let Err(error) = self.header_byte(byte) {
                self.end = Some(End::Failed(error));
            }
        }
        kept
    }

    /// One more byte of a header. Each is judged as soon as it is there.
    fn header_byte(&mut self, byte: u8) -> Result<(), FrameError> {
        if let Some(place) = self.header.get_mut(self.header_len) {
            *place = byte;
        }
        self.header_len = self.header_len.wrapping_add(1);
        match (self.header_len, self.header) {
            (1, [first, ..]) => self.judge(first),
            (2, [_, second, ..]) => {
                if second & 0x80 != 0 {
                    return Err(FrameError::Masked);
                }
                if self.is_control() && second > MAX_CONTROL as u8 {
                    return Err(FrameError::InvalidControl);
                }
                if second < 126 {
                    self.begin(u64::from(second));
                }
                Ok(())
            }
            (4, [_, 126, high, low, ..]) => match u16::from_be_bytes([high, low]) {
                0..126 => Err(FrameError::InvalidLength),
                len => {
                    self.begin(u64::from(len));
                    Ok(())
                }
            },
            (MAX_HEADER, [_, _, len @ ..]) => match u64::from_be_bytes(len) {
                0..=0xffff | 0x8000_0000_0000_0000.. => Err(FrameError::InvalidLength),
                len => {
                    self.begin(len);
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }

    const fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }

    /// The first byte of a header.
    fn judge(&mut self, first: u8) -> Result<(), FrameError> {
        let is_last = first & 0x80 != 0;
        if first & 0x70 != 0 {
            return Err(FrameError::ReservedBits);
        }
        self.opcode = first & 0x0f;
        match self.opcode {
            CONTINUATION if !self.in_message => Err(FrameError::OutOfPlace),
            BINARY if self.in_message => Err(FrameError::OutOfPlace),
            CONTINUATION | BINARY => {
                self.in_message = !is_last;
                Ok(())
            }
            TEXT => Err(FrameError::Text),
            CLOSE | PING | PONG if !is_last => Err(FrameError::InvalidControl),
            CLOSE | PING | PONG => Ok(()),
            opcode => Err(FrameError::UnknownOpcode(opcode)),
        }
    }

    /// The header is whole.
    fn begin(&mut self, len: u64) {
        self.header_len = 0;
        self.left = len;
        self.control.len = 0;
        self.end_control();
    }

    /// Does what a control frame says, once it is whole.
    fn end_control(&mut self) {
        if self.left > 0 {
            return;
        }
        match self.opcode {
            // Of several, the last one may be answered alone (RFC 6455, 5.5.3).
            PING => self.ping = Some(self.control.clone()),
            CLOSE => {
                self.end = Some(match self.control.as_slice() {
                    [] => End::Closed { code: NO_CODE },
                    [high, low, ..] => End::Closed { code: u16::from_be_bytes([*high, *low]) },
                    [_] => End::Failed(FrameError::InvalidControl),
                });
            }
            _ => {}
        }
    }
}
