//! What there is to see of a client.

use crate::client::{Inner, mqttp2p_client_t, with};
use crate::requests::mqttp2p_filter_t;
use crate::status::{
    DONE, MQTTP2P_E_BUFFER_TOO_SMALL, MQTTP2P_E_NULL, MQTTP2P_NONE, Status, mqttp2p_status_t,
};
use crate::types::{give, mqttp2p_bytes_t, must_give};

/// Counters since the client was made. They stop at their largest number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct mqttp2p_stats_t {
    /// Acknowledgements that answer nothing under way.
    pub unexpected_acks: u32,
    /// Messages of QoS 2 that came again and were not delivered again.
    pub duplicates: u32,
    /// Connections that the server accepted.
    pub connections: u32,
    /// Publications of QoS 1 and 2 that the transport had had, and that went out again over a later connection.
    pub resends: u32,
    /// Publications of QoS 1 and 2 that wait for the server now.
    pub in_flight: u32,
}

/// # Safety
/// As for [`with`].
unsafe fn ask(client: *mut mqttp2p_client_t, question: impl FnOnce(&Inner) -> bool) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| Ok(question(client).into())) }
}

/// Whether the server has accepted the log-in and the connection has not ended: 1 or 0, or an error as every call that
/// takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_is_connected(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ask(client, Inner::is_connected) }
}

/// Whether there is no connection, and none is wanted: 1 or 0, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_is_idle(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ask(client, Inner::is_idle) }
}

/// Whether DISCONNECT is the last that goes out, or has gone out already, so that the transport is to be closed in a way
/// that lets the server read it: 1 or 0, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_has_left(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ask(client, Inner::has_left) }
}

/// Whether a PINGREQ waits for its answer, or is about to go out: 1 or 0, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_awaits_ping(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { ask(client, Inner::awaits_ping) }
}

/// Writes the counters to `stats`.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// `stats` is NULL or may be written to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_stats(
    client: *mut mqttp2p_client_t,
    stats: *mut mqttp2p_stats_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let counted = client.stats();
            let now = mqttp2p_stats_t {
                unexpected_acks: counted.unexpected_acks,
                duplicates: counted.duplicates,
                connections: counted.connections,
                resends: counted.resends,
                in_flight: client.in_flight().into(),
            };
            must_give(stats, now).and(DONE)
        })
    }
}

/// Writes the tickets of the requests that have not ended to `tickets`, oldest first; `count` is told how many there are.
/// With `max` 0 that is all it does.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL, and the first `max` were written; or an error as every call that takes a
/// client.
///
/// # Safety
/// `tickets` is NULL or `max` of them may be written; `count` is NULL or may be written to; `client` as for
/// `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_requests(
    client: *mut mqttp2p_client_t,
    tickets: *mut u32,
    max: usize,
    count: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            if tickets.is_null() && max > 0 {
                return Err(Status(MQTTP2P_E_NULL));
            }
            let mut there = 0;
            for ticket in client.requests() {
                if there < max {
                    give(tickets.add(there), ticket.to_bits());
                }
                there += 1;
            }
            give(count, there);
            if there > max { Err(Status(MQTTP2P_E_BUFFER_TOO_SMALL)) } else { DONE }
        })
    }
}

/// Writes one of the subscriptions that the server granted to `filter`, counted from 0. Its bytes are the client's, and
/// good until the next call with it: to subscribe to it anew, or to unsubscribe from it, copy them first.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if there are not so many; or an error as every call that takes a client.
///
/// # Safety
/// `filter` is NULL or may be written to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_subscription(
    client: *mut mqttp2p_client_t,
    index: usize,
    filter: *mut mqttp2p_filter_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| match client.subscriptions().nth(index) {
            Some(entry) => {
                let bytes = mqttp2p_bytes_t::of(entry.filter.as_bytes());
                must_give(filter, mqttp2p_filter_t { filter: bytes, qos: entry.qos as u8 }).and(DONE)
            }
            None => Ok(MQTTP2P_NONE),
        })
    }
}
