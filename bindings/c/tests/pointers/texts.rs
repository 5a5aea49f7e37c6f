//! Calls without an object: topics, packets, and what numbers mean.

use std::ffi::CStr;
use std::ptr::null_mut;

use mqttp2p::*;

use crate::driver::{Heap, NOTHING, bytes, c, ok, read};

#[test]
fn topics_and_packets_are_judged_without_a_client() {
    let (name, filter, wrong) = (Heap::of(b"a/b"), Heap::of(b"a/+"), Heap::of(b"#a"));
    ok!(mqttp2p_check_topic_name(name.range()));
    assert_eq!(c!(mqttp2p_check_topic_name(filter.range())), MQTTP2P_E_TOPIC_NAME);
    ok!(mqttp2p_check_topic_filter(filter.range()));
    assert_eq!(c!(mqttp2p_check_topic_filter(wrong.range())), MQTTP2P_E_TOPIC_FILTER);
    assert_eq!(c!(mqttp2p_check_topic_filter(NOTHING)), MQTTP2P_E_TOPIC_FILTER);
    assert_eq!(c!(mqttp2p_topic_matches(filter.range(), name.range())), 1);
    assert_eq!(c!(mqttp2p_topic_matches(bytes(b"#"), bytes(b"$SYS/x"))), 0);
    assert_eq!(c!(mqttp2p_topic_matches(wrong.range(), name.range())), MQTTP2P_E_TOPIC_FILTER);

    let (packets, mut len) = (Heap::of(b"\x30\x04\0\x01txEND"), 0);
    let mut first = |packets| c!(mqttp2p_packet_len(packets, &raw mut len));
    assert_eq!(first(packets.range()), MQTTP2P_OK);
    assert_eq!(first(mqttp2p_bytes_t { len: 5, ..packets.range() }), MQTTP2P_INCOMPLETE);
    assert_eq!(first(NOTHING), MQTTP2P_INCOMPLETE);
    assert_eq!(first(mqttp2p_bytes_t { len: 1, ..NOTHING }), MQTTP2P_E_NULL);
    assert_eq!(len, 6);
    ok!(mqttp2p_packet_len(packets.range(), null_mut()));
}

#[test]
fn texts_end_with_nul_or_in_the_callers_buffer() {
    // SAFETY: both end with NUL and live for ever.
    let texts = [mqttp2p_version(), mqttp2p_status_str(MQTTP2P_E_FULL), mqttp2p_status_str(i32::MIN)]
        .map(|text| unsafe { CStr::from_ptr(text) }.to_str());
    assert_eq!(texts[0], Ok(env!("CARGO_PKG_VERSION")));
    assert!(texts[1].is_ok_and(|text| text.len() > 10));
    assert_eq!(texts[2], Ok("unknown status"));

    let mut len = 0;
    let describe = |reason, room, size, len| c!(mqttp2p_reason_describe(reason, room, size, len));
    let reason = MQTTP2P_REASON_REFUSED_PASSWORD;
    assert_eq!(describe(reason, null_mut(), 0, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!(describe(reason, null_mut(), 5, null_mut()), MQTTP2P_E_NULL);
    let (whole, begun) = (Heap::new(len), Heap::new(len - 1));
    assert_eq!(describe(reason, whole.at(), len, null_mut()), MQTTP2P_OK);
    assert_eq!(describe(reason, begun.at(), len - 1, null_mut()), MQTTP2P_E_BUFFER_TOO_SMALL);
    let text = read(whole.range());
    assert!(text.starts_with(b"the server refused the log-in") && text.starts_with(&read(begun.range())));
    assert_eq!(describe(0, whole.at(), len, null_mut()), MQTTP2P_E_INVALID_ARGUMENT);
}
