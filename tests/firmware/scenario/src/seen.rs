//! Which messages came, and how often one came again.

use crate::payload::MAX_MESSAGES;

/// A tick for each message.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    bits: [u32; MAX_MESSAGES as usize / 32],
    count: u16,
    duplicates: u32,
}

impl Seen {
    /// Nothing came.
    pub const fn new() -> Self {
        Self { bits: [0; MAX_MESSAGES as usize / 32], count: 0, duplicates: 0 }
    }

    /// This one came; says whether for the first time.
    pub fn note(&mut self, number: u16) -> bool {
        let Some(bits) = self.bits.get_mut(usize::from(number) / 32) else { return false };
        let bit = 1 << (number % 32);
        let is_new = *bits & bit == 0;
        *bits |= bit;
        if is_new {
            self.count += 1;
        } else {
            self.duplicates += 1;
        }
        is_new
    }

    /// How many different ones came.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// How many came that were there before: QoS 1 allows it.
    pub const fn duplicates(&self) -> u32 {
        self.duplicates
    }
}
