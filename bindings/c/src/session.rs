//! The session: as bytes, or kept change by change; and what is asked for before the first use.

use mqtt_p2p_core::{Key, SessionError, SessionStore};

use crate::action::MQTTP2P_KEY_LEN;
use crate::client::{mqttp2p_client_t, with};
use crate::status::{DONE, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_SESSION_DAMAGED, Status, mqttp2p_status_t};
use crate::types::{array, mqttp2p_bytes_t, room, written};

/// Writes the session to `buffer`: what was accepted and has not ended, incoming QoS 2, subscriptions. Poll until
/// MQTTP2P_WAIT first. `length` is told how many bytes it has, or would take: with `buffer_len` 0 that is all it does.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL; or an error as every call that takes a client.
///
/// # Safety
/// `buffer` is NULL or may be written to, `buffer_len` bytes; `length` is NULL or may be written to; `client` as for
/// `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_session_export(
    client: *mut mqttp2p_client_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| match client.export_session(room(buffer, buffer_len)?) {
            Ok(len) => written(length, Ok(len)),
            Err(SessionError::BufferTooSmall { needed }) => written(length, Err(needed)),
            Err(error) => Err(error.into()),
        })
    }
}

/// Takes over a session that `mqttp2p_session_export` of this or an earlier version wrote. The client must not have been
/// used. The session's tickets stay valid: see `mqttp2p_requests`.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_SESSION_FORMAT; MQTTP2P_E_SESSION_DAMAGED; MQTTP2P_E_IN_USE; MQTTP2P_E_FULL or
/// MQTTP2P_E_TOO_LARGE for memory too small; or an error as every call that takes a client. With an error the client is
/// as it was.
///
/// # Safety
/// `session` may be read; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_session_import(
    client: *mut mqttp2p_client_t,
    session: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.import_session(session.get()?)?;
            DONE
        })
    }
}

/// Has every change of the session told by MQTTP2P_ACTION_STORE_PUT and MQTTP2P_ACTION_STORE_REMOVE, so that it outlives
/// a crash. Before the first use of the client. A program that never calls this does not link its code.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_keep_session(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.keep_session()?;
            DONE
        })
    }
}

/// Has a message whose packet is longer than `max_whole_message` bytes told in parts (MQTTP2P_EVENT_MESSAGE_BEGIN, _PART,
/// _END), so that the receive buffer need hold no more than that. A message whose topic alone is longer ends the
/// connection. Before the first use of the client. A program that never calls this does not link its code.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_tell_in_parts(
    client: *mut mqttp2p_client_t,
    max_whole_message: u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.tell_in_parts(max_whole_message)?;
            DONE
        })
    }
}

/// Sends at most so many requests (publications, subscriptions, unsubscriptions) in a second on average, and the rest
/// when its turn comes; 0 for no bound. ApsaraMQ recommends `MQTTP2P_ALIYUN_MESSAGES_PER_SECOND`. Before the first use of
/// the client. A program that never calls this does not link its code.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_pace(
    client: *mut mqttp2p_client_t,
    max_requests_per_sec: u16,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.pace(max_requests_per_sec)?;
            DONE
        })
    }
}

/// A record of a kept session.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_record_t {
    /// As MQTTP2P_ACTION_STORE_PUT told it.
    pub key: [u8; MQTTP2P_KEY_LEN],
    /// The record.
    pub value: mqttp2p_bytes_t,
}

/// The records that a caller shows, all at once. They are not changed: the caller does that when it is told.
struct Shown<'a>(&'a [mqttp2p_record_t]);

impl SessionStore for Shown<'_> {
    type Error = Status;

    fn put(&mut self, _: Key, _: &[u8]) -> Result<(), Status> {
        Ok(())
    }

    fn remove(&mut self, _: Key) -> Result<(), Status> {
        Ok(())
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), Status> {
        for record in self.0 {
            let key = Key::from_bytes(&record.key).ok_or(Status(MQTTP2P_E_SESSION_DAMAGED))?;
            // SAFETY: `mqttp2p_session_restore`'s caller promised that the values may be read.
            show(key, unsafe { record.value.get() }?);
        }
        Ok(())
    }
}

/// Takes over a session that was kept change by change, into a client that has not been used: all records, in ascending
/// order of their keys, byte by byte. Publications of QoS 1 and 2 go on with their tickets: see `mqttp2p_requests`. Call
/// `mqttp2p_keep_session` as well if it is to be kept on.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT for records out of order or doubled; MQTTP2P_E_SESSION_DAMAGED;
/// MQTTP2P_E_IN_USE; MQTTP2P_E_FULL or MQTTP2P_E_TOO_LARGE for memory too small; or an error as every call that takes a
/// client. With an error the client is as it was.
///
/// # Safety
/// `records` is NULL or `count` of them may be read, and what they point to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_session_restore(
    client: *mut mqttp2p_client_t,
    records: *const mqttp2p_record_t,
    count: usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let records = array(records, count)?;
            if !records.is_sorted_by(|a, b| a.key < b.key) {
                return Err(Status(MQTTP2P_E_INVALID_ARGUMENT));
            }
            client.restore(&mut Shown(records))?;
            DONE
        })
    }
}
