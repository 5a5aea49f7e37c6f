//! Clients: made in memory of the caller's or on the heap, and ended.

use core::ffi::c_void;

use mqtt_p2p_core::Client;

use crate::config::mqttp2p_config_t;
use crate::handle::{Handle, Object, guarded};
use crate::memory::Store;
use crate::status::{Outcome, Status, mqttp2p_status_t};
use crate::types::Sized32;

/// A client. What it is made of is the library's affair.
#[derive(Debug)]
pub struct mqttp2p_client_t {
    _private: [u8; 0],
}

/// What stands behind it.
pub(crate) type Inner = Client<Store>;

impl Object for Inner {
    type Opaque = mqttp2p_client_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqC\0");
}

pub(crate) type ClientHandle = Handle<Inner>;

/// How many bytes a client takes at most where pointers have 4 bytes: see `MQTTP2P_CLIENT_SIZE`.
pub const MQTTP2P_CLIENT_SIZE_32: usize = 416;
/// How many bytes a client takes at most where pointers have 8 bytes: see `MQTTP2P_CLIENT_SIZE`.
pub const MQTTP2P_CLIENT_SIZE_64: usize = 640;

const CLIENT_SIZE: usize =
    if size_of::<usize>() == 4 { MQTTP2P_CLIENT_SIZE_32 } else { MQTTP2P_CLIENT_SIZE_64 };
const _: () = assert!(size_of::<ClientHandle>() <= CLIENT_SIZE, "MQTTP2P_CLIENT_SIZE");
const _: () = assert!(align_of::<ClientHandle>() <= 8, "mqttp2p_client_memory_t");

/// How many bytes a client takes: at most `MQTTP2P_CLIENT_SIZE`. Never fails; any thread.
#[unsafe(no_mangle)]
pub const extern "C" fn mqttp2p_client_size() -> usize {
    size_of::<ClientHandle>()
}

/// How a client's memory must be aligned, in bytes. Never fails; any thread.
#[unsafe(no_mangle)]
pub const extern "C" fn mqttp2p_client_align() -> usize {
    align_of::<ClientHandle>()
}

/// Makes a client in memory of the caller's: no heap.
///
/// `memory` is for the client itself: a `mqttp2p_client_memory_t`, or `memory_len` bytes aligned to
/// `mqttp2p_client_align()`. `tx` is for what it must remember: `MQTTP2P_BUFFER_SIZE(...)` bytes aligned to 4, shared out
/// as `config` says; all that is left is for outgoing packets, which stay there until their handshake ends. Both are the
/// library's from now on until `mqttp2p_client_deinit`, and must not be moved. `config` is read in this call only.
///
/// The client is written to `client`. It may be used from one thread at a time; different clients from different
/// threads.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL; MQTTP2P_E_INVALID_ARGUMENT for a
/// value in `config`; MQTTP2P_E_NO_SEED in freestanding builds.
///
/// # Safety
/// As said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_client_init(
    memory: *mut c_void,
    memory_len: usize,
    config: *const mqttp2p_config_t,
    tx: *mut c_void,
    tx_len: usize,
    client: *mut *mut mqttp2p_client_t,
) -> mqttp2p_status_t {
    guarded(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { mqttp2p_config_t::read(config) }?;
        // SAFETY: the caller's promise.
        let store = unsafe { Store::lent(&config, tx.cast(), tx_len) }?;
        let inner = Client::new(config.core()?, seed(&config)?, store);
        // SAFETY: the caller's promise.
        unsafe { ClientHandle::place(memory, memory_len, inner, client) }
    })
}

/// Ends a client that `mqttp2p_client_init` made: wipes what it kept, and gives its memory back to the caller. Also after
/// MQTTP2P_E_PANIC. It says nothing to the server: see `mqttp2p_disconnect`.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_NO_OBJECT; MQTTP2P_E_BUSY; or
/// MQTTP2P_E_INVALID_ARGUMENT for a client of `mqttp2p_client_new`.
///
/// # Safety
/// `client` is NULL or was made by `mqttp2p_client_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_client_deinit(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ClientHandle::end(client, false) }
}

#[cfg(not(feature = "std"))]
const fn seed(config: &mqttp2p_config_t) -> Result<u64, Status> {
    match config.seed {
        0 => Err(Status(crate::status::MQTTP2P_E_NO_SEED)),
        seed => Ok(seed),
    }
}

/// The system's own randomness, by way of what keys hash tables.
#[cfg(feature = "std")]
fn seed(config: &mqttp2p_config_t) -> Result<u64, Status> {
    use std::hash::{BuildHasher, RandomState};
    match config.seed {
        0 => Ok(RandomState::new().hash_one(0)),
        seed => Ok(seed),
    }
}

#[cfg(feature = "std")]
mod hosted {
    use super::*;
    use mqtt_p2p_core::Growing;

    /// Makes a client on the heap, with memory that starts small and grows as it is needed: up to `max_tx` bytes of
    /// outgoing packets, or 64 MiB if that is 0. End it with `mqttp2p_client_free`. Not in freestanding builds.
    ///
    /// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_INVALID_ARGUMENT for a value in `config`. If the system has no
    /// memory, the program ends, as it does when a client can't grow.
    ///
    /// # Safety
    /// `config` is NULL or may be read, `client` is NULL or may be written to.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn mqttp2p_client_new(
        config: *const mqttp2p_config_t,
        max_tx: usize,
        client: *mut *mut mqttp2p_client_t,
    ) -> mqttp2p_status_t {
        guarded(|| {
            // SAFETY: the caller's promise.
            let config = unsafe { mqttp2p_config_t::read(config) }?;
            let growing = if max_tx == 0 { Growing::default() } else { Growing::new(max_tx) };
            let inner = Client::new(config.core()?, seed(&config)?, Store::growing(growing));
            // SAFETY: the caller's promise.
            unsafe { ClientHandle::on_heap(inner, client) }
        })
    }

    /// Ends a client that `mqttp2p_client_new` made, wipes what it kept, and frees its memory; also after
    /// MQTTP2P_E_PANIC. It says nothing to the server: see `mqttp2p_disconnect`. NULL is nothing to free.
    ///
    /// Returns MQTTP2P_OK; MQTTP2P_E_NO_OBJECT if `client` is not a client; MQTTP2P_E_BUSY; or MQTTP2P_E_INVALID_ARGUMENT
    /// for a client of `mqttp2p_client_init`.
    ///
    /// # Safety
    /// `client` is NULL or was made by `mqttp2p_client_new` and has not been freed.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn mqttp2p_client_free(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
        if client.is_null() {
            return crate::status::MQTTP2P_OK;
        }
        // SAFETY: the caller's promise.
        unsafe { ClientHandle::end(client, true) }
    }
}
#[cfg(feature = "std")]
pub use hosted::{mqttp2p_client_free, mqttp2p_client_new};

/// Does something with a client, alone.
///
/// # Safety
/// `client` is NULL, or was made by this library and has not ended.
#[inline]
pub(crate) unsafe fn with(
    client: *mut mqttp2p_client_t,
    call: impl FnOnce(&mut Inner) -> Outcome,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ClientHandle::with(client, call) }
}
