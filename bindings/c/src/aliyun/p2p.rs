//! P2P topics: `<parent topic>/p2p/<client id>`.

use mqtt_p2p_aliyun::{P2pTopic, parse_p2p};

use super::give_text;
use crate::handle::guarded;
use crate::requests::p2p_status;
use crate::status::{DONE, MQTTP2P_NONE, mqttp2p_status_t};
use crate::types::{mqttp2p_bytes_t, must_give};

/// The longest P2P topic, in bytes.
pub const MQTTP2P_ALIYUN_P2P_TOPIC_MAX: usize = 133;
const _: () = assert!(MQTTP2P_ALIYUN_P2P_TOPIC_MAX == P2pTopic::CAPACITY);

/// A P2P topic, taken apart. The ranges lie in the topic.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_p2p_t {
    /// The parent topic.
    pub parent: mqttp2p_bytes_t,
    /// The client id of the receiver.
    pub target: mqttp2p_bytes_t,
    /// What follows the client id, without slashes around it; `ptr` is NULL if nothing does.
    pub rest: mqttp2p_bytes_t,
}

/// Writes the topic under which a message goes straight to one client id to `buffer`, for which
/// `MQTTP2P_ALIYUN_P2P_TOPIC_MAX` bytes are always enough, without a NUL; `length` is told its length (ApsaraMQ docs: P2P
/// messages). `mqttp2p_publish_p2p` does it on its own. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_PARENT_TOPIC; MQTTP2P_E_P2P_TARGET; MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL;
/// MQTTP2P_E_NULL.
///
/// # Safety
/// `parent` and `target` may be read; `buffer` may be written to, `buffer_len` bytes; `length` is NULL or may be written
/// to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_p2p_topic(
    parent: mqttp2p_bytes_t,
    target: mqttp2p_bytes_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let topic = P2pTopic::new(parent.text()?, target.text()?).map_err(p2p_status)?;
        give_text(topic.as_str(), buffer, buffer_len, length)
    })
}

/// Takes a topic apart if it looks like a P2P topic. It is advice only: the service can deliver a P2P message under any
/// topic, and an ordinary message under one that looks like this. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if it does not look like one; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `topic` may be read; `p2p` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_parse_p2p(
    topic: mqttp2p_bytes_t,
    p2p: *mut mqttp2p_p2p_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let Some(found) = parse_p2p(topic.text()?) else { return Ok(MQTTP2P_NONE) };
        let parts = mqttp2p_p2p_t {
            parent: mqttp2p_bytes_t::of(found.parent.as_bytes()),
            target: mqttp2p_bytes_t::of(found.target.as_bytes()),
            rest: found.rest.map_or(mqttp2p_bytes_t::NONE, |rest| mqttp2p_bytes_t::of(rest.as_bytes())),
        };
        must_give(p2p, parts).and(DONE)
    })
}
