//! The client's memory, in statics.

use mqtt_p2p_embedded::{Inline, Memory, Storage};
use static_cell::ConstStaticCell;

/// Four messages of 1,000 bytes with their topics, and what else may be under way.
type Packets = Inline<{ 4 * 1_152 }, 8, 256, 64, 1>;

/// The longest packet that comes.
const RECEIVE: usize = 1_280;

static PACKETS: ConstStaticCell<Packets> = ConstStaticCell::new(Packets::new());
static RECEIVED: ConstStaticCell<[u8; RECEIVE]> = ConstStaticCell::new([0; RECEIVE]);

/// Room for what the client sends.
#[derive(Debug)]
pub struct Room(&'static mut Packets);

impl Room {
    /// The receive buffer, and the room.
    ///
    /// # Panics
    /// They were taken before.
    pub fn take() -> (&'static mut [u8], Self) {
        (RECEIVED.take(), Self(PACKETS.take()))
    }
}

impl Storage for Room {
    fn memory(&mut self) -> Memory<'_> {
        self.0.memory()
    }
}
