//! Where what lives as long as the program lies: in statics, not on the stack that is measured, as in firmware.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// A place for one value.
pub struct Place<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: there is one thread, and `put` is called once.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    /// An empty place.
    #[expect(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// A place that holds a value from the start.
    pub const fn holding(value: T) -> Self {
        Self(UnsafeCell::new(MaybeUninit::new(value)))
    }

    /// What it holds.
    ///
    /// # Safety
    /// It was made [`holding`](Self::holding) a value, and this is called once in the life of the program.
    #[expect(clippy::mut_from_ref, reason = "it is called once")]
    pub unsafe fn take(&'static self) -> &'static mut T {
        // SAFETY: it holds one, and nobody else has a reference to it, as the caller promises.
        unsafe { (*self.0.get()).assume_init_mut() }
    }

    /// Puts the value there.
    ///
    /// # Safety
    /// It is called once in the life of the program.
    #[inline(never)]
    #[expect(clippy::mut_from_ref, reason = "it is called once")]
    pub unsafe fn put(&'static self, make: impl FnOnce() -> T) -> &'static mut T {
        // SAFETY: nobody else has a reference to what is in it, as the caller promises.
        unsafe { (*self.0.get()).write(make()) }
    }
}

/// Gives a `&'static mut` to what an expression makes. It must be reached once. After `const` the value is there from the
/// start; another one is made first, and a copy of it that the compiler has on the stack meanwhile is gone afterwards.
#[macro_export]
macro_rules! in_static {
    (const $type:ty, $value:expr) => {{
        static PLACE: $crate::Place<$type> = $crate::Place::holding($value);
        // SAFETY: `start` runs once, and has no loop around this.
        unsafe { PLACE.take() }
    }};
    ($type:ty, $value:expr) => {{
        static PLACE: $crate::Place<$type> = $crate::Place::new();
        // SAFETY: `start` runs once, and has no loop around this.
        unsafe { PLACE.put(|| $value) }
    }};
}
