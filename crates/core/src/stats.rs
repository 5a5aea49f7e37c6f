//! Counters of what is odd but not fatal.

/// Counters since the client was made. They stop at their largest number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// Acknowledgements that answer nothing under way.
    pub unexpected_acks: u32,
    /// Messages of QoS 2 that came again and were not delivered again.
    pub duplicates: u32,
    /// Connections that the server accepted.
    pub connections: u32,
    /// Publications of QoS 1 and 2 that the transport had had, and that went out again over a later connection.
    pub resends: u32,
}

#[inline(never)]
pub(crate) fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
