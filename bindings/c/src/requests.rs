//! Events in: what the program wants of the server.

use mqtt_p2p_aliyun::{P2pTopicError, PublishP2p, PublishP2pError};
use mqtt_p2p_core::{AckToken, Publication, QoS, SubscribeFilter, Ticket, TopicFilter};

use crate::client::{mqttp2p_client_t, with};
use crate::status::{
    DONE, MQTTP2P_E_P2P_TARGET, MQTTP2P_E_PARENT_TOPIC, MQTTP2P_E_STALE, MQTTP2P_E_TOO_MANY_FILTERS,
    MQTTP2P_E_TOPIC_NAME, MQTTP2P_E_UNKNOWN, Outcome, Status, mqttp2p_status_t, topic_status,
};
use crate::types::{array, flag, give, mqttp2p_bytes_t, qos};

/// How many topic filters one call takes.
pub const MQTTP2P_MAX_FILTERS: usize = 16;

/// A topic filter and the highest QoS wanted under it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_filter_t {
    /// The topic filter, UTF-8.
    pub filter: mqttp2p_bytes_t,
    /// 0, 1 or 2.
    pub qos: u8,
}

#[inline]
unsafe fn accepted(ticket: *mut u32, accepted: Ticket) -> Outcome {
    // SAFETY: the caller's promise.
    unsafe { give(ticket, accepted.to_bits()) };
    DONE
}

/// Accepts a message for sending. With a connection it goes out at the next poll; without one it waits, as
/// `config.offline` says. Topic and payload are copied in this call. The ticket, written to `ticket` unless that is NULL,
/// comes back in MQTTP2P_EVENT_PUBLISHED or MQTTP2P_EVENT_DROPPED.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_FULL; MQTTP2P_E_TOO_LARGE; MQTTP2P_E_OFFLINE; MQTTP2P_E_RETAIN; MQTTP2P_E_TOPIC_NAME;
/// MQTTP2P_E_TEXT; MQTTP2P_E_INVALID_ARGUMENT for `qos` above 2 or `retain` above 1; or an error as every call that takes
/// a client. With an error nothing was accepted.
///
/// # Safety
/// `topic` and `payload` may be read, `ticket` is NULL or may be written to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_publish(
    client: *mut mqttp2p_client_t,
    topic: mqttp2p_bytes_t,
    payload: mqttp2p_bytes_t,
    qos_wanted: u8,
    retain: u8,
    ticket: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let publication = Publication::new(topic.topic_name()?, payload.get()?)
                .with_qos(qos(qos_wanted)?)
                .with_retain(flag(retain)?);
            accepted(ticket, client.publish(&publication)?)
        })
    }
}

/// Accepts a P2P message for one client id: it goes to `<parent>/p2p/<target>`, and needs no subscription there. ApsaraMQ
/// wants the right to publish to the parent topic. Otherwise as `mqttp2p_publish`.
///
/// Returns as `mqttp2p_publish`, and MQTTP2P_E_PARENT_TOPIC or MQTTP2P_E_P2P_TARGET for what breaks the service's rules.
///
/// # Safety
/// As for `mqttp2p_publish`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_publish_p2p(
    client: *mut mqttp2p_client_t,
    parent: mqttp2p_bytes_t,
    target: mqttp2p_bytes_t,
    payload: mqttp2p_bytes_t,
    qos_wanted: u8,
    ticket: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let (parent, target) = (parent.text()?, target.text()?);
            let published = client.publish_p2p(parent, target, payload.get()?, qos(qos_wanted)?);
            match published {
                Ok(new) => accepted(ticket, new),
                Err(PublishP2pError::Topic(error)) => Err(p2p_status(error)),
                Err(PublishP2pError::TopicName(error)) => Err(topic_status(error, MQTTP2P_E_TOPIC_NAME)),
                Err(PublishP2pError::NotAccepted(error)) => Err(error.into()),
                Err(_) => Err(Status(MQTTP2P_E_UNKNOWN)),
            }
        })
    }
}

/// Whose rule is broken.
pub(crate) const fn p2p_status(error: P2pTopicError) -> Status {
    Status(match error {
        P2pTopicError::ParentTooShort { .. }
        | P2pTopicError::ParentTooLong { .. }
        | P2pTopicError::ParentCharacter(_) => MQTTP2P_E_PARENT_TOPIC,
        P2pTopicError::NoTarget | P2pTopicError::TargetTooLong { .. } | P2pTopicError::TargetCharacter(_) => {
            MQTTP2P_E_P2P_TARGET
        }
        _ => MQTTP2P_E_UNKNOWN,
    })
}

/// Publishes with QoS 1, ahead of all that waits; until the acknowledgement has come no other PUBLISH, no SUBSCRIBE and
/// no UNSUBSCRIBE goes out. For what a server has to know first: ApsaraMQ's new token, and its switch for ordered
/// messages. It ends with MQTTP2P_EVENT_PUBLISHED_ALONE, or with the connection.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_OFFLINE without a connection; MQTTP2P_E_FULL while another one is under way, or while the
/// control part of the buffer has no room; MQTTP2P_E_TOO_LARGE if it never has; MQTTP2P_E_TOPIC_NAME; MQTTP2P_E_TEXT; or
/// an error as every call that takes a client.
///
/// # Safety
/// As for `mqttp2p_publish`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_publish_alone(
    client: *mut mqttp2p_client_t,
    topic: mqttp2p_bytes_t,
    payload: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.publish_alone(topic.topic_name()?, payload.get()?)?;
            DONE
        })
    }
}

/// Asks for the messages of these topic filters, 1 to `MQTTP2P_MAX_FILTERS`. Each is asked for again after a reconnect,
/// once the server has granted it. The ticket comes back in MQTTP2P_EVENT_SUBSCRIBED, whose `data` has a return code for
/// each filter: the granted QoS or 0x80, refused.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NO_FILTER; MQTTP2P_E_TOO_MANY_FILTERS; MQTTP2P_E_TOPIC_FILTER; MQTTP2P_E_TEXT;
/// MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_FULL; MQTTP2P_E_TOO_LARGE; MQTTP2P_E_OFFLINE; MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS; or
/// an error as every call that takes a client. With an error nothing was accepted.
///
/// # Safety
/// `filters` is NULL or `count` of them may be read, and what they point to; otherwise as for `mqttp2p_publish`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_subscribe(
    client: *mut mqttp2p_client_t,
    filters: *const mqttp2p_filter_t,
    count: usize,
    ticket: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let given = array(filters, count)?;
            let mut room = [SubscribeFilter::new(ANY, QoS::AtMostOnce); MQTTP2P_MAX_FILTERS];
            let filters = room.get_mut(..count).ok_or(Status(MQTTP2P_E_TOO_MANY_FILTERS))?;
            for (place, given) in filters.iter_mut().zip(given) {
                *place = SubscribeFilter::new(given.filter.topic_filter()?, qos(given.qos)?);
            }
            accepted(ticket, client.subscribe(filters)?)
        })
    }
}

/// Ends the subscriptions to these topic filters, 1 to `MQTTP2P_MAX_FILTERS`. The ticket comes back in
/// MQTTP2P_EVENT_UNSUBSCRIBED.
///
/// Returns as `mqttp2p_subscribe`, but for MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS.
///
/// # Safety
/// As for `mqttp2p_subscribe`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_unsubscribe(
    client: *mut mqttp2p_client_t,
    filters: *const mqttp2p_bytes_t,
    count: usize,
    ticket: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let given = array(filters, count)?;
            let mut room = [ANY; MQTTP2P_MAX_FILTERS];
            let filters = room.get_mut(..count).ok_or(Status(MQTTP2P_E_TOO_MANY_FILTERS))?;
            for (place, given) in filters.iter_mut().zip(given) {
                *place = given.topic_filter()?;
            }
            accepted(ticket, client.unsubscribe(filters)?)
        })
    }
}

/// What stands in a list before the caller's filters do.
const ANY: TopicFilter<'static> = TopicFilter::ALL;

/// Acknowledges a message, with `config.manual_ack`: `ack` is that of its event.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_STALE, and what was not acknowledged in time the server delivers again; MQTTP2P_E_FULL
/// while earlier acknowledgements wait for the transport; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_acknowledge(client: *mut mqttp2p_client_t, ack: u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.acknowledge(AckToken::from_bits(ack).ok_or(Status(MQTTP2P_E_STALE))?)?;
            DONE
        })
    }
}

/// Gives up everything that was accepted and has not ended: each ticket ends in MQTTP2P_EVENT_DROPPED. Only without a
/// connection; otherwise nothing happens.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_abandon(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.abandon();
            DONE
        })
    }
}
