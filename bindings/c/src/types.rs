//! What crosses the border: byte ranges, pointers to write to, numbers that become enums by a match.

use core::ptr;

use mqtt_p2p_core::{QoS, TopicFilter, TopicName, is_text};

use crate::status::{
    MQTTP2P_E_BUFFER_TOO_SMALL, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_NULL, MQTTP2P_E_TEXT,
    MQTTP2P_E_TOO_LARGE, MQTTP2P_E_TOPIC_FILTER, MQTTP2P_E_TOPIC_NAME, Status, topic_status,
};

/// Bytes that somebody else owns. Text is not ended by NUL. `ptr` may be NULL if `len` is 0, and stands for nothing
/// where that differs from an empty text.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_bytes_t {
    /// The first of them.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
}

impl mqttp2p_bytes_t {
    pub(crate) const NONE: Self = Self { ptr: ptr::null(), len: 0 };

    #[inline]
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// # Safety
    /// `ptr` is NULL, or `len` bytes may be read there for as long as `'a`.
    #[inline]
    pub(crate) unsafe fn get<'a>(self) -> Result<&'a [u8], Status> {
        if self.ptr.is_null() {
            return if self.len == 0 { Ok(&[]) } else { Err(Status(MQTTP2P_E_NULL)) };
        }
        if self.len > isize::MAX as usize {
            return Err(Status(MQTTP2P_E_TOO_LARGE));
        }
        // SAFETY: not NULL, not too long, and readable as the caller promises; bytes have no alignment.
        Ok(unsafe { core::slice::from_raw_parts(self.ptr, self.len) })
    }

    /// Nothing if `ptr` is NULL.
    ///
    /// # Safety
    /// As for [`Self::get`].
    pub(crate) unsafe fn maybe<'a>(self) -> Result<Option<&'a [u8]>, Status> {
        // SAFETY: the same condition.
        let bytes = unsafe { self.get() }?;
        Ok((!self.ptr.is_null()).then_some(bytes))
    }

    /// # Safety
    /// As for [`Self::get`].
    pub(crate) unsafe fn text<'a>(self) -> Result<&'a str, Status> {
        // SAFETY: the same condition.
        text(unsafe { self.get() }?)
    }

    /// # Safety
    /// As for [`Self::get`].
    #[inline]
    pub(crate) unsafe fn topic_name<'a>(self) -> Result<TopicName<'a>, Status> {
        // SAFETY: the same condition.
        let bytes = unsafe { self.get() }?;
        TopicName::from_bytes(bytes).map_err(|error| topic_status(error, MQTTP2P_E_TOPIC_NAME))
    }

    /// # Safety
    /// As for [`Self::get`].
    pub(crate) unsafe fn topic_filter<'a>(self) -> Result<TopicFilter<'a>, Status> {
        // SAFETY: the same condition.
        let bytes = unsafe { self.get() }?;
        TopicFilter::from_bytes(bytes).map_err(|error| topic_status(error, MQTTP2P_E_TOPIC_FILTER))
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, Status> {
    if !is_text(bytes) {
        return Err(Status(MQTTP2P_E_TEXT));
    }
    // SAFETY: it is UTF-8, as was just checked. The check of the standard library would be one more kilobyte of flash.
    Ok(unsafe { core::str::from_utf8_unchecked(bytes) })
}

/// An array of the caller's.
///
/// # Safety
/// `items` is NULL, or `count` of them may be read there for as long as `'a`, aligned.
pub(crate) unsafe fn array<'a, T>(items: *const T, count: usize) -> Result<&'a [T], Status> {
    if count == 0 {
        return Ok(&[]);
    }
    if items.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    if !items.is_aligned() {
        return Err(Status(crate::status::MQTTP2P_E_MISALIGNED));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|size| size > isize::MAX as usize) {
        return Err(Status(MQTTP2P_E_TOO_LARGE));
    }
    // SAFETY: not NULL, aligned, not too long, and readable as the caller promises.
    Ok(unsafe { core::slice::from_raw_parts(items, count) })
}

/// The 16 bytes of a seed.
///
/// # Safety
/// `seed` is NULL, or 16 bytes may be read there.
pub(crate) unsafe fn seed(seed: *const u8) -> Result<[u8; 16], Status> {
    if seed.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    // SAFETY: not NULL, readable as the caller promises, and bytes have no alignment.
    Ok(unsafe { seed.cast::<[u8; 16]>().read() })
}

/// A place of the caller's to write bytes to.
///
/// # Safety
/// `buffer` is NULL, or `len` bytes may be written there for as long as `'a`, by nobody else.
pub(crate) unsafe fn room<'a>(buffer: *mut u8, len: usize) -> Result<&'a mut [u8], Status> {
    if len == 0 {
        return Ok(&mut []);
    }
    if buffer.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    if len > isize::MAX as usize {
        return Err(Status(MQTTP2P_E_TOO_LARGE));
    }
    // SAFETY: not NULL, not too long, and the caller's to write to; what the bytes hold is not looked at.
    Ok(unsafe { core::slice::from_raw_parts_mut(buffer, len) })
}

/// Writes a result, unless nobody wants it.
///
/// # Safety
/// `place` is NULL, or a `T` may be written there.
#[inline]
pub(crate) unsafe fn give<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's to write to; it may lie anywhere.
        unsafe { place.write_unaligned(value) }
    }
}

/// Writes a result that there is no point in calling without.
///
/// # Safety
/// As for [`give`].
#[inline]
pub(crate) unsafe fn must_give<T>(place: *mut T, value: T) -> Result<(), Status> {
    if place.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    // SAFETY: the same condition.
    unsafe { give(place, value) };
    Ok(())
}

/// Tells a length that was written, or that would have been needed.
///
/// # Safety
/// As for [`give`].
pub(crate) unsafe fn written(place: *mut usize, result: Result<usize, usize>) -> crate::status::Outcome {
    let (Ok(len) | Err(len)) = result;
    // SAFETY: the same condition.
    unsafe { give(place, len) };
    result.map(|_| crate::status::MQTTP2P_OK).map_err(|_| Status(MQTTP2P_E_BUFFER_TOO_SMALL))
}

/// 0 or 1.
#[inline]
pub(crate) const fn flag(number: u8) -> Result<bool, Status> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
    }
}

/// 0, 1 or 2.
#[inline]
pub(crate) fn qos(number: u8) -> Result<QoS, Status> {
    QoS::from_bits(number).ok_or(Status(MQTTP2P_E_INVALID_ARGUMENT))
}

/// Structs that a caller gives, which begin with their size: so that a program built with an older header, whose
/// structs were shorter, gets the defaults for what it does not know.
///
/// # Safety
/// Any bytes are a value of the type, `#[repr(C)]`, and its first field is a `u32` with the struct's size.
pub(crate) unsafe trait Sized32: Copy {
    /// What stands for the fields that are not given.
    const DEFAULT: Self;
    /// The shortest that there ever was.
    const MIN_SIZE: usize = size_of::<u32>();

    /// Reads one.
    ///
    /// # Safety
    /// `given` is NULL, or as many bytes as its first field says may be read there.
    unsafe fn read(given: *const Self) -> Result<Self, Status> {
        if given.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        // SAFETY: the first field is there as the caller promises; it may lie anywhere.
        let size = unsafe { given.cast::<u32>().read_unaligned() } as usize;
        if !(Self::MIN_SIZE..=size_of::<Self>()).contains(&size) {
            return Err(Status(MQTTP2P_E_INVALID_ARGUMENT));
        }
        let mut value = Self::DEFAULT;
        // SAFETY: `size` bytes may be read as the caller promises, and written since they are no more than the struct
        // has; any bytes are a value.
        unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut value).cast::<u8>(), size) };
        Ok(value)
    }
}
