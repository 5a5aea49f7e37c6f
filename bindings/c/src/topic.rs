//! Topics and packets without a client.

use mqtt_p2p_core::packet_len;

use crate::handle::guarded;
use crate::status::{DONE, MQTTP2P_INCOMPLETE, mqttp2p_status_t};
use crate::types::{give, mqttp2p_bytes_t};

/// Whether bytes are a topic name to publish to. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_TOPIC_NAME; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `topic` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_check_topic_name(topic: mqttp2p_bytes_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { topic.topic_name() }.and(DONE))
}

/// Whether bytes are a topic filter to subscribe to. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_TOPIC_FILTER; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `filter` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_check_topic_filter(filter: mqttp2p_bytes_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { filter.topic_filter() }.and(DONE))
}

/// Whether a message to `topic` goes to who subscribed to `filter` (MQTT 3.1.1, 4.7). Any thread.
///
/// Returns 1 or 0; MQTTP2P_E_TOPIC_FILTER, MQTTP2P_E_TOPIC_NAME, MQTTP2P_E_TEXT or MQTTP2P_E_NULL.
///
/// # Safety
/// `filter` and `topic` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_topic_matches(
    filter: mqttp2p_bytes_t,
    topic: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { Ok(filter.topic_filter()?.matches(topic.topic_name()?).into()) })
}

/// Writes the length of the first packet in `packets` to `length`: for transports that carry one packet a message, such
/// as WebSocket. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_INCOMPLETE if `packets` does not begin with a whole packet; MQTTP2P_E_NULL.
///
/// # Safety
/// `packets` may be read; `length` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_packet_len(
    packets: mqttp2p_bytes_t,
    length: *mut usize,
) -> mqttp2p_status_t {
    guarded(|| {
        // SAFETY: the caller's promise.
        let packets = unsafe { packets.get() }?;
        match packet_len(packets) {
            Some(len) if len <= packets.len() => {
                // SAFETY: the caller's promise.
                unsafe { give(length, len) };
                DONE
            }
            _ => Ok(MQTTP2P_INCOMPLETE),
        }
    })
}
