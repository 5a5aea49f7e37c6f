//! What a measured message carries: when it was handed to the client, and which one it is.

use std::time::Duration;

/// Time, publisher and number, in 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Since the start of the run.
    pub(super) time: Duration,
    pub(super) publisher: u16,
    pub(super) number: u64,
}

impl Stamp {
    const LEN: usize = 16;
    /// The bits of the second half that hold the number: enough for months.
    const NUMBER_BITS: u32 = 48;

    /// Writes it to the start of a payload, which is long enough.
    pub(super) fn write(self, payload: &mut [u8]) {
        let nanos = u64::try_from(self.time.as_nanos()).unwrap_or(u64::MAX);
        let which = u64::from(self.publisher) << Self::NUMBER_BITS | self.number;
        let bytes = u128::from(nanos) << 64 | u128::from(which);
        if let Some(start) = payload.first_chunk_mut::<{ Self::LEN }>() {
            *start = bytes.to_be_bytes();
        }
    }

    /// Reads it; `None` from a payload that is too short.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let bytes = u128::from_be_bytes(*payload.first_chunk::<{ Self::LEN }>()?);
        let which = bytes as u64;
        Some(Self {
            time: Duration::from_nanos((bytes >> 64) as u64),
            publisher: (which >> Self::NUMBER_BITS) as u16,
            number: which & ((1 << Self::NUMBER_BITS) - 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let stamp = Stamp { time: Duration::from_nanos(123_456_789_012), publisher: 999, number: 1 << 40 };
        let mut payload = [0; 20];
        stamp.write(&mut payload);
        assert_eq!(Stamp::read(&payload), Some(stamp));
        assert_eq!(Stamp::read(&payload[..15]), None);
    }
}
