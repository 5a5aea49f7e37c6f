//! Time as the caller tells it.

/// A moment on the caller's monotonic clock, in milliseconds since any start of the caller's choice.
///
/// The core reads no clock. A moment earlier than one it has seen already counts as that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// Earlier than any other.
    pub(crate) const START: Self = Self(0);

    /// So many milliseconds after the clock's start.
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's start.
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// So many milliseconds later.
    #[inline]
    #[must_use]
    pub const fn after_millis(self, millis: u32) -> Self {
        Self(self.0.saturating_add(millis as u64))
    }

    /// Milliseconds from `earlier` to here, 0 if that is later.
    #[inline]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

pub(crate) use moment::{Millis, Moment};

/// A moment as the state machine keeps it: on the caller's clock.
#[cfg(not(any(target_os = "none", mqtt_p2p_as_firmware)))]
mod moment {
    use super::Instant;

    /// Milliseconds; the largest number for ever.
    pub(crate) type Millis = u64;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Moment(u64);

    impl Moment {
        pub(crate) const START: Self = Self(Instant::START.0);
        pub(crate) const NEVER: Self = Self(u64::MAX);

        /// The present, when the clock shows this.
        #[inline]
        pub(crate) const fn present(clock: Instant) -> Self {
            Self(clock.0)
        }

        #[inline]
        pub(crate) const fn later(self, millis: Millis) -> Self {
            Self(self.0.saturating_add(millis))
        }

        /// What is kept of an interval that begins now: its beginning, which costs nothing.
        #[inline]
        pub(crate) const fn begin(self, _interval: Millis) -> Self {
            self
        }

        /// When an interval ends of which this was kept.
        #[inline]
        pub(crate) const fn end(self, interval: Millis) -> Self {
            self.later(interval)
        }

        #[inline]
        pub(crate) const fn millis_after(self, earlier: Self) -> Millis {
            self.0.saturating_sub(earlier.0)
        }

        #[inline]
        pub(crate) const fn to_instant(self, _clock: Instant) -> Option<Instant> {
            if self.0 == u64::MAX { None } else { Some(Instant(self.0)) }
        }

        /// The clock went on.
        #[inline]
        pub(crate) const fn pass(&mut self, _millis: u32) {}
    }
}

/// A moment as the state machine keeps it in firmware: how far it lies ahead of the present. What has come is 0, so that
/// most questions of time are about 0; numbers of 64 bits would take a microcontroller several instructions each.
#[cfg(any(target_os = "none", mqtt_p2p_as_firmware))]
mod moment {
    use super::Instant;

    /// Milliseconds; the largest number for ever.
    pub(crate) type Millis = u32;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Moment(u32);

    impl Moment {
        pub(crate) const START: Self = Self(0);
        /// What lies 49 days ahead never comes either.
        pub(crate) const NEVER: Self = Self(u32::MAX);

        /// The present, whatever the clock shows.
        #[inline]
        pub(crate) const fn present(_clock: Instant) -> Self {
            Self::START
        }

        #[inline]
        pub(crate) const fn later(self, millis: Millis) -> Self {
            Self(self.0.saturating_add(millis))
        }

        /// What is kept of an interval that begins now: its end, since what has passed can't be kept.
        #[inline]
        pub(crate) const fn begin(self, interval: Millis) -> Self {
            self.later(interval)
        }

        /// When an interval ends of which this was kept.
        #[inline]
        pub(crate) const fn end(self, _interval: Millis) -> Self {
            self
        }

        #[inline]
        pub(crate) const fn millis_after(self, earlier: Self) -> Millis {
            self.0.saturating_sub(earlier.0)
        }

        #[inline]
        pub(crate) const fn to_instant(self, clock: Instant) -> Option<Instant> {
            // Wrapping, as the years do by hundreds of millions.
            if self.0 == u32::MAX { None } else { Some(Instant(clock.0.wrapping_add(self.0 as u64))) }
        }

        /// The clock went on.
        #[inline(never)]
        pub(crate) const fn pass(&mut self, millis: u32) {
            if self.0 != u32::MAX {
                self.0 = self.0.saturating_sub(millis);
            }
        }
    }
}
