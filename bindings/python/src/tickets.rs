//! Sets of tickets.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type Tickets = HashSet<u32, BuildHasherDefault<TicketHasher>>;

/// Tickets are no secret, and few are there at a time.
#[derive(Default)]
pub(crate) struct TicketHasher(u64);

impl Hasher for TicketHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u32(&mut self, ticket: u32) {
        // The table looks at the highest bits as well.
        self.0 = u64::from(ticket).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
