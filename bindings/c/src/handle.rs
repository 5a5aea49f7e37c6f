//! Objects in memory of the caller's: how they begin, how each call gets at them, how they end.
//!
//! Each begins with one word that says what it is and whether it is in use, so that memory that holds none, a second
//! use at the same time and a use after a panic each get a status.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::status::{
    MQTTP2P_E_BUSY, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_MEMORY_TOO_SMALL, MQTTP2P_E_MISALIGNED,
    MQTTP2P_E_NO_OBJECT, MQTTP2P_E_NULL, MQTTP2P_E_PANIC, MQTTP2P_OK, Outcome, Status, mqttp2p_status_t,
    outcome,
};

/// An object and its word.
#[repr(C)]
pub(crate) struct Handle<T> {
    word: AtomicU32,
    /// Whether it lies on the heap, and is to be freed.
    on_heap: bool,
    object: T,
}

/// What can be handed out.
pub(crate) trait Object: Sized {
    /// The opaque type that stands for it in the header.
    type Opaque;
    /// Its word while it is at rest. The two numbers behind it are its word while it is in use, and after a panic.
    const WORD: u32;
}

const IN_USE: u32 = 1;
const PANICKED: u32 = 2;
/// The word of an object that has ended.
const ENDED: u32 = 0;

impl<T: Object> Handle<T> {
    const fn new(object: T, on_heap: bool) -> Self {
        Self { word: AtomicU32::new(T::WORD), on_heap, object }
    }

    /// Puts an object on the heap, and hands it out.
    ///
    /// # Safety
    /// `out` is NULL, or may be written to.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn on_heap(object: T, out: *mut *mut T::Opaque) -> Outcome {
        if out.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        let handle = Box::into_raw(Box::new(Self::new(object, true)));
        // SAFETY: the caller's promise.
        unsafe { crate::types::give(out, handle.cast()) };
        crate::status::DONE
    }

    /// Puts an object into memory of the caller's, and hands it out.
    ///
    /// # Safety
    /// `memory` is NULL, or the caller's to write to, `len` bytes, for as long as the object lives.
    pub(crate) unsafe fn place(
        memory: *mut core::ffi::c_void,
        len: usize,
        object: T,
        out: *mut *mut T::Opaque,
    ) -> Outcome {
        if memory.is_null() || out.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        let place = memory.cast::<MaybeUninit<Self>>();
        if !place.is_aligned() {
            return Err(Status(MQTTP2P_E_MISALIGNED));
        }
        if len < size_of::<Self>() {
            return Err(Status(MQTTP2P_E_MEMORY_TOO_SMALL));
        }
        // SAFETY: not NULL, aligned, long enough and the caller's to write to.
        unsafe { place.write(MaybeUninit::new(Self::new(object, false))) };
        // SAFETY: `out` is not NULL, and the caller's to write to.
        unsafe { crate::types::give(out, memory.cast()) };
        crate::status::DONE
    }

    /// Whether there is one, at rest; then it is in use from now on.
    ///
    /// # Safety
    /// `handle` is NULL, or memory of which four bytes may be read and that nobody writes to but this library.
    #[inline]
    unsafe fn take<'a>(handle: *mut T::Opaque) -> Result<&'a AtomicU32, Status> {
        if handle.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        if !handle.cast::<Self>().is_aligned() {
            return Err(Status(MQTTP2P_E_MISALIGNED));
        }
        // SAFETY: not NULL, aligned for more than a word, readable as the caller promises, and shared: an atomic.
        let word = unsafe { &*handle.cast::<AtomicU32>() };
        // One step where the machine has one. Elsewhere there is one processor: an interrupt between the two runs to
        // its end before the second.
        #[cfg(target_has_atomic = "32")]
        let seen = word
            .compare_exchange(T::WORD, T::WORD | IN_USE, Ordering::Acquire, Ordering::Relaxed)
            .unwrap_or_else(|seen| seen);
        #[cfg(not(target_has_atomic = "32"))]
        let seen = {
            let seen = word.load(Ordering::Relaxed);
            if seen == T::WORD {
                word.store(T::WORD | IN_USE, Ordering::Relaxed);
            }
            seen
        };
        if seen == T::WORD { Ok(word) } else { Err(Self::refuse(seen)) }
    }

    #[cold]
    fn refuse(seen: u32) -> Status {
        Status(match seen ^ T::WORD {
            IN_USE => MQTTP2P_E_BUSY,
            PANICKED => MQTTP2P_E_PANIC,
            _ => MQTTP2P_E_NO_OBJECT,
        })
    }

    /// Does something with the object, alone. A panic is caught, and the object can only be ended then.
    ///
    /// # Safety
    /// As for [`Self::take`], and if the memory holds an object, it is this library's until its end.
    #[inline]
    pub(crate) unsafe fn with(
        handle: *mut T::Opaque,
        call: impl FnOnce(&mut T) -> Outcome,
    ) -> mqttp2p_status_t {
        // SAFETY: the same condition.
        let word = match unsafe { Self::take(handle) } {
            Ok(word) => word,
            Err(Status(status)) => return status,
        };
        // SAFETY: the word says that an object is there, and that nobody else uses it until the word is set back. The
        // object lies behind the word, so the two do not overlap.
        let object = unsafe { &mut (*handle.cast::<Self>()).object };
        match caught(|| call(object)) {
            Some(result) => {
                word.store(T::WORD, Ordering::Release);
                outcome(result)
            }
            None => {
                word.store(T::WORD | PANICKED, Ordering::Release);
                MQTTP2P_E_PANIC
            }
        }
    }

    /// Ends the object, also one that is beyond use after a panic.
    ///
    /// # Safety
    /// As for [`Self::with`].
    pub(crate) unsafe fn end(handle: *mut T::Opaque, on_heap: bool) -> mqttp2p_status_t {
        // SAFETY: the same condition.
        let (word, before) = match unsafe { Self::take(handle) } {
            Ok(word) => (word, T::WORD),
            Err(Status(MQTTP2P_E_PANIC)) => {
                // SAFETY: `take` found the word.
                (unsafe { &*handle.cast::<AtomicU32>() }, T::WORD | PANICKED)
            }
            Err(Status(status)) => return status,
        };
        let place = handle.cast::<Self>();
        // SAFETY: the word says that an object is there; nobody writes to this while it lives.
        if unsafe { (*place).on_heap } != on_heap {
            word.store(before, Ordering::Release);
            return MQTTP2P_E_INVALID_ARGUMENT;
        }
        // SAFETY: the word says that an object is there. From here on it is that of none, so this happens once.
        let dropped = caught(|| unsafe { core::ptr::drop_in_place(&raw mut (*place).object) });
        word.store(ENDED, Ordering::Release);
        #[cfg(feature = "std")]
        if on_heap {
            // SAFETY: `on_heap` made it of a box; what was in it has been dropped just now.
            drop(unsafe { Box::from_raw(place.cast::<MaybeUninit<Self>>()) });
        }
        if dropped.is_some() { MQTTP2P_OK } else { MQTTP2P_E_PANIC }
    }
}

/// What a call gives, or nothing if it panicked.
#[cfg(feature = "std")]
#[inline]
pub(crate) fn caught<R>(call: impl FnOnce() -> R) -> Option<R> {
    // What it was at when it panicked is not used again: the object is marked.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).ok()
}

/// What a call gives: without an operating system, a panic does not come back.
#[cfg(not(feature = "std"))]
#[inline]
pub(crate) fn caught<R>(call: impl FnOnce() -> R) -> Option<R> {
    Some(call())
}

/// For calls without an object.
#[inline]
pub(crate) fn guarded(call: impl FnOnce() -> Outcome) -> mqttp2p_status_t {
    caught(call).map_or(MQTTP2P_E_PANIC, outcome)
}

#[cfg(test)]
mod tests {
    use core::ptr::null_mut;

    use super::*;
    use crate::status::DONE;

    /// An object that tells how often it was dropped.
    struct Thing<'a>(&'a core::cell::Cell<u32>);

    enum Opaque {}

    impl Object for Thing<'_> {
        type Opaque = Opaque;
        const WORD: u32 = 0x5468_6900;
    }

    impl Drop for Thing<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn on_heap(drops: &core::cell::Cell<u32>) -> *mut Opaque {
        let mut handle = null_mut();
        // SAFETY: a place to write to.
        let made = unsafe { Handle::on_heap(Thing(drops), &raw mut handle) };
        assert_eq!(made, DONE);
        handle
    }

    fn with(handle: *mut Opaque, call: impl FnOnce() -> Outcome) -> mqttp2p_status_t {
        // SAFETY: the tests make and end their objects by `on_heap` and `end`.
        unsafe { Handle::<Thing<'_>>::with(handle, |_| call()) }
    }

    fn end(handle: *mut Opaque, on_heap: bool) -> mqttp2p_status_t {
        // SAFETY: as in `with`.
        unsafe { Handle::<Thing<'_>>::end(handle, on_heap) }
    }

    #[test]
    fn a_panic_stops_at_the_border_and_the_object_can_only_be_ended() {
        let drops = core::cell::Cell::new(0);
        let handle = on_heap(&drops);
        assert_eq!(with(handle, || DONE), MQTTP2P_OK);
        assert_eq!(with(handle, || panic!("a defect, on purpose")), MQTTP2P_E_PANIC);
        assert_eq!(with(handle, || unreachable!("it is marked")), MQTTP2P_E_PANIC);
        assert_eq!(drops.get(), 0);
        assert_eq!((end(handle, true), drops.get()), (MQTTP2P_OK, 1));
        assert_eq!(guarded(|| panic!("a defect, on purpose")), MQTTP2P_E_PANIC);
    }

    #[test]
    fn a_second_use_at_the_same_time_is_refused_and_the_first_goes_on() {
        let drops = core::cell::Cell::new(0);
        let handle = on_heap(&drops);
        let inner = || {
            assert_eq!(with(handle, || unreachable!("it is in use")), MQTTP2P_E_BUSY);
            assert_eq!(end(handle, true), MQTTP2P_E_BUSY);
            Ok(7)
        };
        assert_eq!(with(handle, inner), 7);
        assert_eq!(with(handle, || DONE), MQTTP2P_OK);
        assert_eq!((end(handle, true), drops.get()), (MQTTP2P_OK, 1));
    }

    #[test]
    fn an_object_is_ended_once_and_in_the_way_that_it_was_made() {
        let drops = core::cell::Cell::new(0);
        let mut place = MaybeUninit::<Handle<Thing<'_>>>::uninit();
        let mut handle = null_mut();
        // SAFETY: the place is large enough, aligned, and lives to the end of the test.
        let placed = unsafe {
            Handle::place(place.as_mut_ptr().cast(), size_of_val(&place), Thing(&drops), &raw mut handle)
        };
        assert_eq!(placed, DONE);
        assert_eq!((end(handle, true), drops.get()), (MQTTP2P_E_INVALID_ARGUMENT, 0));
        assert_eq!((end(handle, false), drops.get()), (MQTTP2P_OK, 1));
        assert_eq!((end(handle, false), drops.get()), (MQTTP2P_E_NO_OBJECT, 1));
        assert_eq!(with(handle, || unreachable!("it has ended")), MQTTP2P_E_NO_OBJECT);
    }

    #[test]
    fn words_of_different_objects_differ_in_every_state() {
        let words = [
            crate::client::Inner::WORD,
            mqtt_p2p_aliyun::TokenLifecycle::WORD,
            mqtt_p2p_aliyun::Diagnosis::WORD,
            mqtt_p2p_websocket::WebSocket::WORD,
            mqtt_p2p_aliyun::Deduplicator::<{ crate::MQTTP2P_DEDUPLICATOR_KEYS }>::WORD,
            ENDED,
        ];
        for (at, word) in words.iter().enumerate() {
            assert_eq!(word & (IN_USE | PANICKED), 0);
            assert!(!words[..at].contains(word));
        }
    }
}
