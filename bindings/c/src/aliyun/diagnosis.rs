//! What the service may have closed a connection for.

use core::ffi::c_void;

use mqtt_p2p_aliyun::{Cause, Diagnosis};
use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};

use crate::handle::{Handle, Object, guarded};
use crate::reason::{MQTTP2P_REASON_TAKEOVER_SUSPECTED, transport_error};
use crate::status::{DONE, MQTTP2P_OK, Outcome, mqttp2p_status_t};
use crate::types::{mqttp2p_bytes_t, must_give};

/// Nothing beyond the reason itself.
pub const MQTTP2P_CAUSE_NONE: u32 = 0;
/// The service closed the connection instead of answering the log-in: check that the group id exists in the console.
pub const MQTTP2P_CAUSE_LOGIN: u32 = 1;
/// A packet of `length` bytes was larger than the service takes.
pub const MQTTP2P_CAUSE_OVERSIZE: u32 = 2;
/// A topic of `length` bytes was longer than the service takes.
pub const MQTTP2P_CAUSE_TOPIC_TOO_LONG: u32 = 3;
/// The parent topic `parent` does not exist, or this client may not use it.
pub const MQTTP2P_CAUSE_TOPIC_NOT_AUTHORISED: u32 = 4;
/// Another client uses the same client id.
pub const MQTTP2P_CAUSE_TAKEOVER: u32 = 5;
/// A likely cause that this version of the binding has no number for.
pub const MQTTP2P_CAUSE_OTHER: u32 = 6;

/// A likely cause: the service does not say. Texts are good until the next call with the same diagnosis.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_cause_t {
    /// `MQTTP2P_CAUSE_...`
    pub r#type: u32,
    /// A length in bytes: see the types.
    pub length: usize,
    /// A parent topic: see the types.
    pub parent: mqttp2p_bytes_t,
    /// What to do about it, in one sentence.
    pub advice: mqttp2p_bytes_t,
}

/// Remembers what the service may have closed the connection for: MQTT 3.1.1 has no way for it to say so. What it is made
/// of is the library's affair.
#[derive(Debug)]
pub struct mqttp2p_diagnosis_t {
    _private: [u8; 0],
}

impl Object for Diagnosis {
    type Opaque = mqttp2p_diagnosis_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqE\0");
}

/// How many bytes a `mqttp2p_diagnosis_t` takes at most; aligned to 8: see `mqttp2p_diagnosis_memory_t`.
pub const MQTTP2P_DIAGNOSIS_SIZE: usize = 704;
const _: () =
    assert!(size_of::<Handle<Diagnosis>>() <= MQTTP2P_DIAGNOSIS_SIZE && align_of::<Handle<Diagnosis>>() <= 8);

/// Makes one to which nothing happened yet, in memory of the caller's: a `mqttp2p_diagnosis_memory_t`. One thread at a
/// time.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
///
/// # Safety
/// `memory` is NULL or the caller's to write to, `memory_len` bytes, for as long as the object lives; `diagnosis` is NULL
/// or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_init(
    memory: *mut c_void,
    memory_len: usize,
    diagnosis: *mut *mut mqttp2p_diagnosis_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { Handle::place(memory, memory_len, Diagnosis::new(), diagnosis) })
}

/// # Safety
/// `diagnosis` is NULL or was made by `mqttp2p_diagnosis_init`.
unsafe fn with(
    diagnosis: *mut mqttp2p_diagnosis_t,
    call: impl FnOnce(&mut Diagnosis) -> Outcome,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Handle::with(diagnosis, call) }
}

/// The service accepted a log-in. `now_ms` as for the client. Returns MQTTP2P_OK, or MQTTP2P_E_NULL, _MISALIGNED,
/// _NO_OBJECT, _BUSY, _PANIC, as every call here.
///
/// # Safety
/// `diagnosis` is NULL or was made by `mqttp2p_diagnosis_init`, and what is passed in with it does not lie in it, here and in
/// all that follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_connected(
    diagnosis: *mut mqttp2p_diagnosis_t,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(diagnosis, |diagnosis| {
            diagnosis.connected(Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// The client publishes to a topic, or, with `payload_len` 0, subscribes to it. Returns as every call here, or
/// MQTTP2P_E_TEXT.
///
/// # Safety
/// `topic` may be read; see `mqttp2p_diagnosis_connected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_used(
    diagnosis: *mut mqttp2p_diagnosis_t,
    topic: mqttp2p_bytes_t,
    payload_len: usize,
    now_ms: u64,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(diagnosis, |diagnosis| {
            diagnosis.used(topic.text()?, payload_len, Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// The service answered a use of this topic, by PUBACK, PUBCOMP or a SUBACK that grants it. Returns as every call here, or
/// MQTTP2P_E_TEXT.
///
/// # Safety
/// `topic` may be read; see `mqttp2p_diagnosis_connected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_confirmed(
    diagnosis: *mut mqttp2p_diagnosis_t,
    topic: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(diagnosis, |diagnosis| {
            diagnosis.confirmed(topic.text()?);
            DONE
        })
    }
}

/// An answer came and left nothing unanswered: the short form of `mqttp2p_diagnosis_confirmed` for who does not keep
/// topics. Returns as every call here.
///
/// # Safety
/// See `mqttp2p_diagnosis_connected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_answered(diagnosis: *mut mqttp2p_diagnosis_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(diagnosis, |diagnosis| {
            diagnosis.answered();
            DONE
        })
    }
}

/// A connection ended, or did not come about, for this reason (of MQTTP2P_EVENT_DISCONNECTED): writes to `cause` what
/// the service may have done it for. Returns as every call here.
///
/// # Safety
/// `cause` is NULL or may be written to; see `mqttp2p_diagnosis_connected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_diagnosis_explain(
    diagnosis: *mut mqttp2p_diagnosis_t,
    reason: i32,
    now_ms: u64,
    cause: *mut mqttp2p_cause_t,
) -> mqttp2p_status_t {
    // Which reasons are the service's doing; for all others nothing is suspected, whatever they are.
    let reason = match reason {
        MQTTP2P_REASON_TAKEOVER_SUSPECTED => DisconnectReason::TakeoverSuspected,
        number => match transport_error(number) {
            Some(error @ (TransportError::ClosedByPeer | TransportError::Broken)) => {
                DisconnectReason::Transport(error)
            }
            _ => DisconnectReason::Requested,
        },
    };
    // SAFETY: the caller's promise.
    unsafe {
        with(diagnosis, |diagnosis| {
            let told = mqttp2p_cause_t::of(diagnosis.explain(&reason, Instant::from_millis(now_ms)));
            must_give(cause, told)?;
            Ok(MQTTP2P_OK)
        })
    }
}

impl mqttp2p_cause_t {
    fn of(cause: Cause<'_>) -> Self {
        let (r#type, length, parent) = match cause {
            Cause::None => (MQTTP2P_CAUSE_NONE, 0, ""),
            Cause::Login => (MQTTP2P_CAUSE_LOGIN, 0, ""),
            Cause::Oversize { length } => (MQTTP2P_CAUSE_OVERSIZE, length, ""),
            Cause::TopicTooLong { length } => (MQTTP2P_CAUSE_TOPIC_TOO_LONG, length, ""),
            Cause::TopicNotAuthorised { parent } => (MQTTP2P_CAUSE_TOPIC_NOT_AUTHORISED, 0, parent),
            Cause::Takeover => (MQTTP2P_CAUSE_TAKEOVER, 0, ""),
            _ => (MQTTP2P_CAUSE_OTHER, 0, ""),
        };
        let parent = mqttp2p_bytes_t::of(parent.as_bytes());
        Self { r#type, length, parent, advice: mqttp2p_bytes_t::of(cause.advice().as_bytes()) }
    }
}
