//! Payloads that tell who sent them.

/// Sender, number, and the number that the server gives the copy of each receiver.
pub(crate) const HEAD: usize = 10;
const LONGEST: usize = 300;
const FILL: [u8; LONGEST] = [0x5a; LONGEST];
/// Messages that no client sent.
pub(crate) const BACKEND: u16 = u16::MAX;

/// The number of what is published alone, which has no ticket.
pub(crate) const ALONE: u32 = u32::MAX;

/// What a payload says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) sender: u16,
    pub(crate) number: u32,
    pub(crate) copy: u32,
}

impl Content {
    /// How long the payload is: mostly short, sometimes long enough for a second byte of length, or third.
    pub(crate) const fn len(self) -> usize {
        HEAD + match self.number & 63 {
            0 => LONGEST - HEAD - 1,
            1 => 110,
            short => (short & 15) as usize,
        }
    }

    pub(crate) fn head(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..2].copy_from_slice(&self.sender.to_be_bytes());
        head[2..6].copy_from_slice(&self.number.to_be_bytes());
        head[6..].copy_from_slice(&self.copy.to_be_bytes());
        head
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head());
        out.extend_from_slice(&FILL[..self.len() - HEAD]);
    }

    /// `None` if the payload is damaged.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (head, fill) = payload.split_first_chunk::<HEAD>()?;
        let content = Self {
            sender: u16::from_be_bytes([head[0], head[1]]),
            number: u32::from_be_bytes([head[2], head[3], head[4], head[5]]),
            copy: u32::from_be_bytes([head[6], head[7], head[8], head[9]]),
        };
        (payload.len() == content.len() && *fill == FILL[..fill.len()]).then_some(content)
    }
}
