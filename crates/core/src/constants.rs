//! Constants that every layer of the core needs.

/// Whether the code is to be small rather than fast: on in firmware. The behaviour is the same.
///
/// `--cfg mqtt_p2p_as_firmware` turns it on for the tests of a host.
pub(crate) const SIZE_OPTIMIZED: bool = cfg!(any(target_os = "none", mqtt_p2p_as_firmware));

/// A value that only speed needs: firmware keeps none of it.
#[derive(Debug)]
pub(crate) struct ForSpeed<T>(
    #[cfg(not(any(target_os = "none", mqtt_p2p_as_firmware)))] T,
    #[cfg(any(target_os = "none", mqtt_p2p_as_firmware))] core::marker::PhantomData<T>,
);

#[cfg(not(any(target_os = "none", mqtt_p2p_as_firmware)))]
impl<T: Copy> ForSpeed<T> {
    #[inline(always)]
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value; in firmware `otherwise`.
    #[inline(always)]
    pub(crate) const fn get(&self, _otherwise: T) -> T {
        self.0
    }
}

#[cfg(any(target_os = "none", mqtt_p2p_as_firmware))]
impl<T: Copy> ForSpeed<T> {
    #[inline(always)]
    pub(crate) const fn new(_value: T) -> Self {
        Self(core::marker::PhantomData)
    }

    #[inline(always)]
    pub(crate) const fn get(&self, otherwise: T) -> T {
        otherwise
    }
}
