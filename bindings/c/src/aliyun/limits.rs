//! The service's limits, as numbers and as questions.

use mqtt_p2p_aliyun::{SubscriptionCount, TopicWarning, limits, same_topic, topic_warning};

use crate::handle::guarded;
use crate::status::{MQTTP2P_OK, Status, mqttp2p_status_t};
use crate::types::{array, mqttp2p_bytes_t, text};

/// The longest payload, in bytes (ApsaraMQ docs: limits).
pub const MQTTP2P_ALIYUN_PAYLOAD_MAX: usize = 65_536;
/// The most subscriptions of one client (ApsaraMQ docs: limits).
pub const MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX: usize = 30;
/// Messages in a second that one client should not exceed (ApsaraMQ docs: limits): for `mqttp2p_pace`.
pub const MQTTP2P_ALIYUN_MESSAGES_PER_SECOND: u16 = 20;

const _: () = assert!(
    MQTTP2P_ALIYUN_PAYLOAD_MAX == limits::MAX_PAYLOAD
        && MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX == limits::MAX_SUBSCRIPTIONS
        && MQTTP2P_ALIYUN_MESSAGES_PER_SECOND as u32 == limits::RECOMMENDED_MESSAGES_PER_SECOND
);

/// The topic is longer than the service documents.
pub const MQTTP2P_WARNING_TOO_LONG: i32 = 11;
/// The topic has a character that the service does not document.
pub const MQTTP2P_WARNING_CHARACTER: i32 = 12;

/// Whether the service may dislike a topic name or topic filter. It is a warning, not an error: the documentation's
/// limits are stricter than MQTT's, and for P2P topics it does not say whether they hold. Any thread.
///
/// Returns MQTTP2P_OK; `MQTTP2P_WARNING_TOO_LONG` or `MQTTP2P_WARNING_CHARACTER`; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `topic` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_topic_warning(topic: mqttp2p_bytes_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        Ok(match topic_warning(topic.text()?) {
            None => MQTTP2P_OK,
            Some(TopicWarning::TooLong { .. }) => MQTTP2P_WARNING_TOO_LONG,
            Some(_) => MQTTP2P_WARNING_CHARACTER,
        })
    })
}

/// Whether two topics differ in no more than one `/` at the end, which the service may add to what it delivers: 1 or 0;
/// MQTTP2P_E_TEXT; MQTTP2P_E_NULL. Any thread.
///
/// # Safety
/// `a` and `b` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_same_topic(
    a: mqttp2p_bytes_t,
    b: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { Ok(same_topic(a.text()?, b.text()?).into()) })
}

/// How many of these topic filters, with a `parent` that is not NULL those with a wildcard below that parent topic, count
/// as subscriptions for the service: it ignores more than `MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX` in all without a word, and
/// more than 100 with a wildcard below one parent. Any thread.
///
/// Returns the count; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `filters` is NULL or `count` of them may be read, and what they point to; `parent` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_count_subscriptions(
    filters: *const mqttp2p_bytes_t,
    count: usize,
    parent: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let filters = array(filters, count)?;
        for filter in filters {
            filter.text()?;
        }
        // They are text: it was looked at just now.
        let texts = filters.iter().map(|filter| filter.get().and_then(text).unwrap_or_default());
        let counted = SubscriptionCount::of(texts);
        let counted = match parent.maybe()? {
            Some(parent) => counted.wildcards(text(parent)?),
            None => counted.total(),
        };
        i32::try_from(counted).map_err(|_| Status(crate::status::MQTTP2P_E_TOO_LARGE))
    })
}
