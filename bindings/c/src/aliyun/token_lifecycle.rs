//! The life of a client's tokens: when to get new ones, and which may still be sent.

use core::ffi::c_void;
use core::time::Duration;

use mqtt_p2p_aliyun::{Advice, Margins, TokenLifecycle};

use super::token::{kind, kinds, mqttp2p_token_notice_t, numbers};
use crate::handle::{Handle, Object, guarded};
use crate::status::{
    DONE, MQTTP2P_E_NULL, MQTTP2P_E_TOKEN_EXPIRED, MQTTP2P_NONE, Outcome, Status, mqttp2p_status_t,
};
use crate::types::{Sized32, must_give};

/// It is about no token that is in use: nothing is to be done.
pub const MQTTP2P_ADVICE_STALE: i32 = 0;
/// A new token is needed; `mqttp2p_token_lifecycle_due` says of which types, and when.
pub const MQTTP2P_ADVICE_RENEW: i32 = 1;
/// New tokens do not help: what they are issued for is wrong, or the log-in is. A person has to look. Nothing is due and
/// no log-in allowed before `mqttp2p_token_lifecycle_start_over`.
pub const MQTTP2P_ADVICE_GIVE_UP: i32 = 2;

/// The life of up to three tokens, one of each type. It holds no token, only times and what happened. What it is made
/// of is the library's affair.
///
/// Before every CONNECT: for each type that is due, ask whoever issues tokens, and tell it by `_obtained` or `_failed`.
/// Then log in only if `_log_in` says 1. Online, wait for `_due_at` or a notice, obtain, and if `_upload` says 1, send the
/// upload, and `_uploaded` after MQTTP2P_EVENT_PUBLISHED_ALONE. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct mqttp2p_token_lifecycle_t {
    _private: [u8; 0],
}

impl Object for TokenLifecycle {
    type Opaque = mqttp2p_token_lifecycle_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqT\0");
}

type Life = Handle<TokenLifecycle>;

/// How many bytes a `mqttp2p_token_lifecycle_t` takes at most; aligned to 8: see `mqttp2p_token_lifecycle_memory_t`.
pub const MQTTP2P_TOKEN_LIFECYCLE_SIZE: usize = 416;
const _: () = assert!(size_of::<Life>() <= MQTTP2P_TOKEN_LIFECYCLE_SIZE && align_of::<Life>() <= 8);

/// How careful a `mqttp2p_token_lifecycle_t` is, in milliseconds. Begin with `MQTTP2P_MARGINS_INIT`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_margins_t {
    /// The size of this struct, as the INIT macro sets it.
    pub struct_size: u32,
    /// A token counts as expired so long before it does.
    pub clock_skew_ms: u32,
    /// A new token is due so long before the old one expires, or after three quarters of its life if that is later.
    pub renew_before_ms: u32,
    /// The pause after a failure to get a token. It doubles with every further one.
    pub initial_backoff_ms: u32,
    /// The longest pause.
    pub max_backoff_ms: u32,
    /// So long after the service accepted it, a token is young: a notice that it is not valid can be about the one before.
    pub grace_period_ms: u32,
}

// SAFETY: numbers only, and the size comes first.
unsafe impl Sized32 for mqttp2p_margins_t {
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        clock_skew_ms: 5_000,
        renew_before_ms: 300_000,
        initial_backoff_ms: 5_000,
        max_backoff_ms: 60_000,
        grace_period_ms: 30_000,
    };
}

impl mqttp2p_margins_t {
    fn get(&self) -> Margins {
        let millis = |ms: u32| Duration::from_millis(ms.into());
        Margins::new()
            .with_clock_skew(millis(self.clock_skew_ms))
            .with_renew_before(millis(self.renew_before_ms))
            .with_initial_backoff(millis(self.initial_backoff_ms))
            .with_max_backoff(millis(self.max_backoff_ms))
            .with_grace_period(millis(self.grace_period_ms))
    }
}

/// Makes the life of tokens of these types (`MQTTP2P_TOKEN_R | MQTTP2P_TOKEN_W`, say), none of which is at hand, in memory
/// of the caller's: a `mqttp2p_token_lifecycle_memory_t`. `margins` may be NULL for the defaults. One thread at a time.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL; MQTTP2P_E_INVALID_ARGUMENT.
///
/// # Safety
/// `memory` is NULL or the caller's to write to, `memory_len` bytes, for as long as the object lives; `margins` is NULL or
/// may be read; `life` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_init(
    memory: *mut c_void,
    memory_len: usize,
    token_types: u32,
    margins: *const mqttp2p_margins_t,
    life: *mut *mut mqttp2p_token_lifecycle_t,
) -> mqttp2p_status_t {
    guarded(|| {
        let margins = match margins.is_null() {
            true => mqttp2p_margins_t::DEFAULT,
            // SAFETY: the caller's promise.
            false => unsafe { mqttp2p_margins_t::read(margins) }?,
        };
        let object = TokenLifecycle::new(kinds(token_types)?, margins.get());
        // SAFETY: the caller's promise.
        unsafe { Life::place(memory, memory_len, object, life) }
    })
}

/// # Safety
/// `life` is NULL, or was made by `mqttp2p_token_lifecycle_init`.
unsafe fn with(
    life: *mut mqttp2p_token_lifecycle_t,
    call: impl FnOnce(&mut TokenLifecycle) -> Outcome,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Life::with(life, call) }
}

/// A token is at hand: new from whoever issues them, or kept from an earlier run. With `expires_at_ms` 0 it counts as good
/// until the service says otherwise.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_TOKEN_EXPIRED, and then what was at hand before stays, and it counts as a failure;
/// MQTTP2P_E_INVALID_ARGUMENT for the type; or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC, as every call here.
///
/// # Safety
/// `life` is NULL, or was made by `mqttp2p_token_lifecycle_init`, here and in all that follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_obtained(
    life: *mut mqttp2p_token_lifecycle_t,
    token_type: u32,
    now_ms: u64,
    expires_at_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            let expires_at_ms = (expires_at_ms != 0).then_some(expires_at_ms);
            life.obtained(kind(token_type)?, now_ms, expires_at_ms)
                .map_err(|_| Status(MQTTP2P_E_TOKEN_EXPIRED))?;
            DONE
        })
    }
}

/// Nobody issued a token of this type: whoever is asked for it gets a pause. Returns as every call here, or
/// MQTTP2P_E_INVALID_ARGUMENT.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_failed(
    life: *mut mqttp2p_token_lifecycle_t,
    token_type: u32,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            life.failed(kind(token_type)?, now_ms);
            DONE
        })
    }
}

/// The types of which whoever issues tokens should be asked for one now: a sum of `MQTTP2P_TOKEN_...`, or 0. Ask again only
/// when `_obtained` or `_failed` was called. Errors as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_due(
    life: *mut mqttp2p_token_lifecycle_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(life, |life| Ok(numbers(life.due(now_ms)) as i32)) }
}

/// Writes to `at_ms` when something will be due, as things are. Where the clock may be set, ask again every minute or so.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if only an event can make something due; or an error as every call here.
///
/// # Safety
/// `at_ms` is NULL or may be written to; see `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_due_at(
    life: *mut mqttp2p_token_lifecycle_t,
    now_ms: u64,
    at_ms: *mut u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| match life.due_at(now_ms) {
            Some(at) => must_give(at_ms, at).and(DONE),
            None => Ok(MQTTP2P_NONE),
        })
    }
}

/// CONNECT is about to be sent, with the tokens at hand, if the answer is 1. If it is 0, it may not be: a token is missing
/// or no longer good. Errors as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_log_in(
    life: *mut mqttp2p_token_lifecycle_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(life, |life| Ok(life.log_in(now_ms).into())) }
}

/// The service accepted the log-in: MQTTP2P_EVENT_CONNECTED. Returns as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_logged_in(
    life: *mut mqttp2p_token_lifecycle_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            life.logged_in(now_ms);
            DONE
        })
    }
}

/// The service refused the log-in with MQTTP2P_REASON_REFUSED_PASSWORD or _NOT_AUTHORIZED. Returns
/// `MQTTP2P_ADVICE_RENEW` or `MQTTP2P_ADVICE_GIVE_UP`, or an error as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_refused(
    life: *mut mqttp2p_token_lifecycle_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(life, |life| Ok(advice(life.refused(now_ms)))) }
}

const fn advice(advice: Advice) -> i32 {
    match advice {
        Advice::Stale => MQTTP2P_ADVICE_STALE,
        Advice::Renew => MQTTP2P_ADVICE_RENEW,
        Advice::GiveUp => MQTTP2P_ADVICE_GIVE_UP,
    }
}

/// A token is about to be uploaded, if the answer is 1; if it is 0, there is no connection, or it has been given this
/// token, or the token is not good. One upload at a time. Errors as every call here, or MQTTP2P_E_INVALID_ARGUMENT.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_upload(
    life: *mut mqttp2p_token_lifecycle_t,
    token_type: u32,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(life, |life| Ok(life.upload(kind(token_type)?, now_ms).into())) }
}

/// The service acknowledged the upload: MQTTP2P_EVENT_PUBLISHED_ALONE. Returns as every call here, or
/// MQTTP2P_E_INVALID_ARGUMENT.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_uploaded(
    life: *mut mqttp2p_token_lifecycle_t,
    token_type: u32,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            life.uploaded(kind(token_type)?, now_ms);
            DONE
        })
    }
}

/// The connection is gone, or the attempt to make one ended: MQTTP2P_EVENT_DISCONNECTED. Returns as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_lost(
    life: *mut mqttp2p_token_lifecycle_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            life.lost();
            DONE
        })
    }
}

/// A notice came. Returns `MQTTP2P_ADVICE_STALE`, `_RENEW` or `_GIVE_UP`; MQTTP2P_E_INVALID_ARGUMENT; or an error as every
/// call here.
///
/// # Safety
/// `notice` is NULL or may be read; see `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_notice(
    life: *mut mqttp2p_token_lifecycle_t,
    notice: *const mqttp2p_token_notice_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            if notice.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            Ok(advice(life.notice(&notice.read_unaligned().get()?, now_ms)))
        })
    }
}

/// Somebody saw to what made it give up, and wants another try: with new tokens. Returns as every call here.
///
/// # Safety
/// See `mqttp2p_token_lifecycle_obtained`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_token_lifecycle_start_over(
    life: *mut mqttp2p_token_lifecycle_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(life, |life| {
            life.start_over();
            DONE
        })
    }
}
