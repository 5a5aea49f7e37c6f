//! The header of a frame (RFC 6455 §5.2): read one byte after the other, and written at once.

use crate::error::FrameError;

/// What a frame is for. There are no text frames in MQTT ([MQTT-6.0.0-1]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A binary frame or a continuation.
    Data,
    Close,
    Ping,
    Pong,
}

/// The longest payload of a control frame (§5.5).
pub(crate) const MAX_CONTROL: usize = 125;

/// The longest header that a client writes.
pub(crate) const MAX_HEADER: usize = 14;

/// Where in a frame the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    First,
    Second,
    /// So many bytes of an extended length are still to come; the least that it may say.
    Length {
        left: u8,
        least: u64,
    },
    Payload,
}

/// Reads headers, and counts the payloads behind them.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    at: At,
    kind: Kind,
    /// Of the payload, how much is still to come; while a header is read, its length so far.
    left: u64,
    /// A message has begun that is still to be continued.
    continues: bool,
}

impl Header {
    pub(crate) const fn new() -> Self {
        Self { at: At::First, kind: Kind::Data, left: 0, continues: false }
    }

    /// The kind of the frame whose payload comes next, and how much of it is to come; `None` within a header.
    pub(crate) fn payload(&self) -> Option<(Kind, u64)> {
        (self.at == At::Payload).then_some((self.kind, self.left))
    }

    /// So many bytes of the payload have come.
    pub(crate) fn advance(&mut self, len: u64) {
        self.left = self.left.saturating_sub(len);
        if self.left == 0 {
            self.at = At::First;
        }
    }

    /// Reads the next byte of a header. After the last, [`payload`](Self::payload) is not `None`.
    pub(crate) fn read(&mut self, byte: u8) -> Result<(), FrameError> {
        self.at = match self.at {
            At::First => self.first(byte)?,
            At::Second => self.second(byte)?,
            At::Length { left: 8, .. } if byte & 0x80 != 0 => return Err(FrameError::LengthTooLarge),
            At::Length { left, least } => {
                self.left = self.left << 8 | u64::from(byte);
                match left.saturating_sub(1) {
                    0 if self.left < least => return Err(FrameError::NonMinimalLength),
                    0 => At::Payload,
                    left => At::Length { left, least },
                }
            }
            At::Payload => At::Payload,
        };
        Ok(())
    }

    fn first(&mut self, byte: u8) -> Result<At, FrameError> {
        let last = byte & 0x80 != 0;
        if byte & 0x70 != 0 {
            return Err(FrameError::ReservedBits);
        }
        self.kind = match byte & 0x0f {
            0 if !self.continues => return Err(FrameError::UnexpectedContinuation),
            1 => return Err(FrameError::Text),
            2 if self.continues => return Err(FrameError::UnfinishedMessage),
            0 | 2 => Kind::Data,
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            opcode => return Err(FrameError::UnknownOpcode(opcode)),
        };
        if self.kind == Kind::Data {
            self.continues = !last;
        } else if !last {
            return Err(FrameError::FragmentedControl);
        }
        Ok(At::Second)
    }

    fn second(&mut self, byte: u8) -> Result<At, FrameError> {
        if byte & 0x80 != 0 {
            return Err(FrameError::Masked);
        }
        if self.kind != Kind::Data && usize::from(byte) > MAX_CONTROL {
            return Err(FrameError::LongControl);
        }
        self.left = 0;
        Ok(match byte {
            126 => At::Length { left: 2, least: 126 },
            127 => At::Length { left: 8, least: 0x1_0000 },
            len => {
                self.left = u64::from(len);
                At::Payload
            }
        })
    }
}

/// Writes the header of a final, masked frame; says how long it is. `None` if it does not fit: nothing is written then.
pub(crate) fn write(kind: Kind, len: usize, key: [u8; 4], out: &mut [u8]) -> Option<usize> {
    let first = match kind {
        Kind::Data => 0x82,
        Kind::Close => 0x88,
        Kind::Ping => 0x89,
        Kind::Pong => 0x8a,
    };
    let [a, b, c, d] = key;
    let len = len as u64;
    let [.., e, f, g, h] = len.to_be_bytes();
    match len {
        0..=125 => put(out, [first, 0x80 | h, a, b, c, d]),
        126..=0xffff => put(out, [first, 0xfe, g, h, a, b, c, d]),
        // A packet of MQTT has less than 2^32 bytes.
        _ => put(out, [first, 0xff, 0, 0, 0, 0, e, f, g, h, a, b, c, d]),
    }
}

fn put<const N: usize>(out: &mut [u8], header: [u8; N]) -> Option<usize> {
    *out.first_chunk_mut()? = header;
    Some(N)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers that RFC 6455 §5.7 gives, and those at the borders of the three ways to write a length.
    #[test]
    fn a_length_is_written_in_the_fewest_bytes() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let mut out = [0; MAX_HEADER];
        for (len, header) in [
            (5, &[0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d][..]),
            (125, &[0x82, 0xfd, 0x37, 0xfa, 0x21, 0x3d]),
            (126, &[0x82, 0xfe, 0, 126, 0x37, 0xfa, 0x21, 0x3d]),
            (256, &[0x82, 0xfe, 1, 0, 0x37, 0xfa, 0x21, 0x3d]),
            (0xffff, &[0x82, 0xfe, 0xff, 0xff, 0x37, 0xfa, 0x21, 0x3d]),
            (0x1_0000, &[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0x37, 0xfa, 0x21, 0x3d]),
        ] {
            assert_eq!(write(Kind::Data, len, key, &mut out), Some(header.len()));
            assert_eq!(out[..header.len()], *header);
            assert_eq!(write(Kind::Data, len, key, &mut out[1..header.len()]), None);
        }
    }
}
