//! Time as the caller tells it.

/// A moment on the caller's monotonic clock, in milliseconds since any start of the caller's choice.
///
/// The core reads no clock. A moment earlier than one it has seen already counts as that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// Later than any deadline.
    pub(crate) const NEVER: Self = Self(u64::MAX);

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
    // Where numbers of 64 bits take several instructions, it is not inlined.
    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    #[must_use]
    pub const fn after_millis(self, millis: u32) -> Self {
        Self(self.0.saturating_add(millis as u64))
    }

    /// So many milliseconds later, but not after [`Self::NEVER`].
    #[inline]
    pub(crate) const fn saturating_add(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to here, 0 if that is later.
    #[inline]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
