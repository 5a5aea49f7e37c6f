//! What came in and was not taken yet.

use core::cell::Cell;
use core::fmt;

use mqtt_p2p_core::Config;

/// The receive buffer.
pub(crate) struct Receive<'b> {
    buffer: &'b mut [u8],
    taken: usize,
    filled: usize,
}

impl<'b> Receive<'b> {
    pub(crate) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, taken: 0, filled: 0 }
    }

    /// A configuration in which no packet is longer than the buffer, so that reading never stops for good.
    pub(crate) const fn fit(&self, config: Config) -> Config {
        let size = if self.buffer.len() > u32::MAX as usize { u32::MAX } else { self.buffer.len() as u32 };
        let mut config = config;
        if config.max_whole_message > size && config.max_packet_size > size {
            config.max_packet_size = size;
        }
        config
    }

    /// What is to be polled with.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.taken..self.filled).unwrap_or_default()
    }

    /// All of it: what an event lies in.
    pub(crate) const fn whole(&self) -> &[u8] {
        self.buffer
    }

    /// So many bytes are left of [`Self::bytes`].
    pub(crate) const fn leave(&mut self, rest: usize) {
        self.taken = self.filled.saturating_sub(rest);
    }

    /// Where more can be put. What an event lies in may be gone.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.taken > 0 {
            move_down(self.buffer, self.taken, self.filled);
            self.filled = self.filled.saturating_sub(self.taken);
            self.taken = 0;
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// So many bytes were put there.
    pub(crate) const fn put(&mut self, len: usize) {
        self.filled = self.filled.saturating_add(len);
    }

    /// A new connection begins.
    pub(crate) const fn clear(&mut self) {
        self.taken = 0;
        self.filled = 0;
    }
}

/// Moves a part of a buffer to its front, byte by byte: the standard library's move has a panic path.
pub(crate) fn move_down(buffer: &mut [u8], start: usize, end: usize) {
    let cells = Cell::from_mut(buffer).as_slice_of_cells();
    let bytes = cells.get(start..end).unwrap_or_default();
    for (place, byte) in cells.iter().zip(bytes) {
        place.set(byte.get());
    }
}

/// Without the bytes, which are the peer's.
impl fmt::Debug for Receive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive")
            .field("size", &self.buffer.len())
            .field("held", &self.bytes().len())
            .finish()
    }
}
