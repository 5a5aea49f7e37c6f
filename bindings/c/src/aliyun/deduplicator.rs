//! Messages that the service sends again, told by content.

use core::ffi::c_void;

use mqtt_p2p_aliyun::Deduplicator;

use crate::handle::{Handle, Object, guarded};
use crate::status::mqttp2p_status_t;
use crate::types::mqttp2p_bytes_t;

/// How many keys a `mqttp2p_deduplicator_t` remembers.
pub const MQTTP2P_DEDUPLICATOR_KEYS: usize = 256;

/// Remembers the last `MQTTP2P_DEDUPLICATOR_KEYS` keys of messages, and so lets through each message once. The service
/// repeats messages of QoS 1 under new packet identifiers and without DUP: what makes a message the same is for the
/// application to know (an order's number, say). What it is made of is the library's affair.
#[derive(Debug)]
pub struct mqttp2p_deduplicator_t {
    _private: [u8; 0],
}

type Inner = Deduplicator<MQTTP2P_DEDUPLICATOR_KEYS>;

impl Object for Inner {
    type Opaque = mqttp2p_deduplicator_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqD\0");
}

/// How many bytes a `mqttp2p_deduplicator_t` takes at most; aligned to 8: see `mqttp2p_deduplicator_memory_t`.
pub const MQTTP2P_DEDUPLICATOR_SIZE: usize = 2_176;
const _: () =
    assert!(size_of::<Handle<Inner>>() <= MQTTP2P_DEDUPLICATOR_SIZE && align_of::<Handle<Inner>>() <= 8);

/// Makes one that remembers nothing yet, in memory of the caller's: a `mqttp2p_deduplicator_memory_t`. `seed` are 16
/// bytes, random and secret, so that nobody can make up messages that hide others. One thread at a time.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
///
/// # Safety
/// `memory` is NULL or the caller's to write to, `memory_len` bytes, for as long as the object lives; `seed` is NULL or
/// may be read, 16 bytes; `deduplicator` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_deduplicator_init(
    memory: *mut c_void,
    memory_len: usize,
    seed: *const u8,
    deduplicator: *mut *mut mqttp2p_deduplicator_t,
) -> mqttp2p_status_t {
    guarded(|| {
        // SAFETY: the caller's promise.
        let object = Inner::new(unsafe { crate::types::seed(seed) }?);
        // SAFETY: the caller's promise.
        unsafe { Handle::place(memory, memory_len, object, deduplicator) }
    })
}

/// Whether the key is none of the last different ones: 1, and from now on it is one of them; or 0. Where dealing with a
/// message may fail, ask `mqttp2p_deduplicator_has_seen` before and this after it succeeded.
///
/// Errors: MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC.
///
/// # Safety
/// `key` may be read; `deduplicator` is NULL or was made by `mqttp2p_deduplicator_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_deduplicator_is_new(
    deduplicator: *mut mqttp2p_deduplicator_t,
    key: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Handle::<Inner>::with(deduplicator, |inner| Ok(inner.is_new(key.get()?).into())) }
}

/// Whether the key is one of the last different ones: 1 or 0, or an error as of `mqttp2p_deduplicator_is_new`.
///
/// # Safety
/// As for `mqttp2p_deduplicator_is_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_deduplicator_has_seen(
    deduplicator: *mut mqttp2p_deduplicator_t,
    key: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Handle::<Inner>::with(deduplicator, |inner| Ok(inner.has_seen(key.get()?).into())) }
}
