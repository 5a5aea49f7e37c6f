//! Actions out: the next thing to do, or what happened.

use mqtt_p2p_core::{AckToken, Action, Change, DropReason, Event, Instant, Key, Message};

use crate::client::{mqttp2p_client_t, with};
use crate::reason::{reason, refusal};
use crate::status::{DONE, MQTTP2P_NONE, MQTTP2P_OK, MQTTP2P_WAIT, Outcome, mqttp2p_status_t};
use crate::types::{give, mqttp2p_bytes_t, must_give};

/// Dial: resolve the name again, renew a token, and answer with `mqttp2p_transport_opened` or
/// `mqttp2p_transport_closed`. `count`: the attempts since the last stable connection, from 1.
pub const MQTTP2P_ACTION_OPEN_TRANSPORT: u32 = 1;
/// Write some of `data`, whole packets one behind the other but for the first, whose beginning may have gone out before;
/// and tell how much by `mqttp2p_transmitted`. `data` is the client's and good until the next call with this client.
pub const MQTTP2P_ACTION_TRANSMIT: u32 = 2;
/// Close the transport, or give up dialling. Nothing more is to be said of that transport.
pub const MQTTP2P_ACTION_CLOSE_TRANSPORT: u32 = 3;
/// Keep the record `key` with `data`, in the place of one with the same key, before any later TRANSMIT is carried out.
/// Only after `mqttp2p_keep_session`.
pub const MQTTP2P_ACTION_STORE_PUT: u32 = 4;
/// Forget the record `key`, if there is one.
pub const MQTTP2P_ACTION_STORE_REMOVE: u32 = 5;
/// Nothing to do until there is input or until `at_ms`. `mqttp2p_poll` returned MQTTP2P_WAIT.
pub const MQTTP2P_ACTION_WAIT: u32 = 6;

/// The server accepted the log-in. `flag`: it continues a session.
pub const MQTTP2P_EVENT_CONNECTED: u32 = 16;
/// The server refused the log-in for `reason`; this ends the attempt. `at_ms`: when the next one follows.
pub const MQTTP2P_EVENT_REFUSED: u32 = 17;
/// The connection ended, or did not come about, for `reason`; this ends the attempt. `at_ms`: when the next one follows.
pub const MQTTP2P_EVENT_DISCONNECTED: u32 = 18;
/// A message: `topic`, `data`, `qos`, `retain`, `dup`, `ack`. The bytes lie in the caller's receive buffer.
pub const MQTTP2P_EVENT_MESSAGE: u32 = 19;
/// A long message begins, with `count` bytes of payload in parts; otherwise as MQTTP2P_EVENT_MESSAGE. Only after
/// `mqttp2p_tell_in_parts`.
pub const MQTTP2P_EVENT_MESSAGE_BEGIN: u32 = 20;
/// The next bytes of its payload: `data`.
pub const MQTTP2P_EVENT_MESSAGE_PART: u32 = 21;
/// It has come entirely: `ack`.
pub const MQTTP2P_EVENT_MESSAGE_END: u32 = 22;
/// A publication is through: handed to the transport (QoS 0) or acknowledged (QoS 1 and 2). `ticket`.
pub const MQTTP2P_EVENT_PUBLISHED: u32 = 23;
/// The publication of `mqttp2p_publish_alone` is acknowledged.
pub const MQTTP2P_EVENT_PUBLISHED_ALONE: u32 = 24;
/// A SUBSCRIBE was answered: `ticket`, and in `data` a return code for each filter: 0, 1, 2 or 0x80, refused. The bytes
/// lie in the caller's receive buffer.
pub const MQTTP2P_EVENT_SUBSCRIBED: u32 = 25;
/// An UNSUBSCRIBE was answered. `ticket`.
pub const MQTTP2P_EVENT_UNSUBSCRIBED: u32 = 26;
/// A request was given up, by `mqttp2p_abandon`. `ticket`, and in `detail` why: `MQTTP2P_DROPPED_...`.
pub const MQTTP2P_EVENT_DROPPED: u32 = 27;
/// Subscriptions were asked for again after a reconnect: `data` has a return code for each, from number `count` of
/// `mqttp2p_subscription` on.
pub const MQTTP2P_EVENT_RESUBSCRIBED: u32 = 28;
/// The server refused a publication: `ticket`, and in `detail` its MQTT 5 reason code. MQTT 3.1.1 has no such answer, so a
/// connection with MQTT 3.1.1 never reports it.
pub const MQTTP2P_EVENT_REJECTED: u32 = 29;
/// Something that this version of the binding has no number for. Nothing is to be done.
pub const MQTTP2P_EVENT_OTHER: u32 = 30;

/// The caller gave the request up.
pub const MQTTP2P_DROPPED_CANCELLED: u32 = 1;
/// A reason that this version of the binding has no number for.
pub const MQTTP2P_DROPPED_OTHER: u32 = 0;

/// A moment that does not come.
pub const MQTTP2P_NEVER: u64 = u64::MAX;

/// How many bytes a record's key has.
pub const MQTTP2P_KEY_LEN: usize = 5;

/// The next thing to do, or what happened. `type` says which fields have a meaning; the others hold anything.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_action_t {
    /// `MQTTP2P_ACTION_...` or `MQTTP2P_EVENT_...`
    pub r#type: u32,
    /// As `mqttp2p_publish`, `mqttp2p_subscribe` or `mqttp2p_unsubscribe` gave it.
    pub ticket: u32,
    /// Bytes to write, to keep, or that came.
    pub data: mqttp2p_bytes_t,
    /// The topic name of a message, UTF-8.
    pub topic: mqttp2p_bytes_t,
    /// What `mqttp2p_acknowledge` takes; 0 with QoS 0.
    pub ack: u64,
    /// A moment on the caller's clock, in milliseconds, or MQTTP2P_NEVER.
    pub at_ms: u64,
    /// `MQTTP2P_REASON_...`
    pub reason: i32,
    /// More about the reason: of MQTTP2P_REASON_PACKET_TOO_LARGE the packet's length, of MQTTP2P_REASON_UNEXPECTED its type,
    /// of MQTTP2P_EVENT_DROPPED and _REJECTED the reason itself.
    pub detail: u32,
    /// A number: see the types.
    pub count: u32,
    /// The QoS at which it was delivered: 0, 1 or 2.
    pub qos: u8,
    /// 1: the server had kept the message for new subscribers.
    pub retain: u8,
    /// 1: the server believes to have sent the message before. That does not say whether it arrived.
    pub dup: u8,
    /// 1 or 0: see the types.
    pub flag: u8,
    /// A record's key, to be compared byte by byte.
    pub key: [u8; MQTTP2P_KEY_LEN],
}

/// Fills in the fields of one type, and leaves the others as they were: there are many polls and few that need all.
struct Out(*mut mqttp2p_action_t);

macro_rules! put {
    ($out:expr, $($field:ident = $value:expr),+ $(,)?) => {
        // SAFETY: `poll` made sure that the place is there and aligned, and the caller that it may be written to.
        unsafe { $((&raw mut (*$out.0).$field).write($value);)+ }
    };
}

impl Out {
    #[inline]
    fn action(&self, action: Action<'_, '_>) -> mqttp2p_status_t {
        match action {
            Action::Transmit(bytes) => {
                put!(self, r#type = MQTTP2P_ACTION_TRANSMIT, data = mqttp2p_bytes_t::of(bytes))
            }
            Action::Wait(until) => {
                put!(self, r#type = MQTTP2P_ACTION_WAIT, at_ms = moment(until));
                return MQTTP2P_WAIT;
            }
            Action::Event(event) => self.event(event),
            Action::OpenTransport { attempt, .. } => {
                put!(self, r#type = MQTTP2P_ACTION_OPEN_TRANSPORT, count = attempt);
            }
            Action::CloseTransport => put!(self, r#type = MQTTP2P_ACTION_CLOSE_TRANSPORT),
            Action::Store(Change::Put { key, value }) => {
                let data = mqttp2p_bytes_t::of(value);
                put!(self, r#type = MQTTP2P_ACTION_STORE_PUT, data = data, key = key.to_bytes());
            }
            Action::Store(Change::Remove { key }) => {
                put!(self, r#type = MQTTP2P_ACTION_STORE_REMOVE, key = key.to_bytes());
            }
        }
        MQTTP2P_OK
    }

    #[inline]
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Message(message) => {
                self.message(&message);
                put!(self, r#type = MQTTP2P_EVENT_MESSAGE);
            }
            Event::Published { ticket, .. } => {
                put!(self, r#type = MQTTP2P_EVENT_PUBLISHED, ticket = ticket.to_bits());
            }
            other => self.rarer(other),
        }
    }

    #[inline]
    fn message(&self, message: &Message<'_>) {
        put!(
            self,
            topic = mqttp2p_bytes_t::of(message.topic.as_bytes()),
            data = mqttp2p_bytes_t::of(message.payload),
            qos = message.qos as u8,
            retain = message.retain.into(),
            dup = message.dup.into(),
            ack = message.ack.map_or(0, AckToken::to_bits),
        );
    }

    #[inline(never)]
    fn rarer(&self, event: Event<'_>) {
        match event {
            Event::Connected { session_present, .. } => {
                put!(self, r#type = MQTTP2P_EVENT_CONNECTED, flag = session_present.into());
            }
            Event::Refused { reason, retry_at, .. } => put!(
                self,
                r#type = MQTTP2P_EVENT_REFUSED,
                reason = refusal(reason),
                detail = 0,
                at_ms = moment(retry_at),
            ),
            Event::Disconnected { reason: why, retry_at, .. } => {
                let (number, detail) = reason(why);
                put!(
                    self,
                    r#type = MQTTP2P_EVENT_DISCONNECTED,
                    reason = number,
                    detail = detail,
                    at_ms = moment(retry_at),
                );
            }
            Event::MessageBegin { message, payload_len } => {
                self.message(&message);
                put!(self, r#type = MQTTP2P_EVENT_MESSAGE_BEGIN, count = payload_len);
            }
            Event::MessagePart(bytes) => {
                put!(self, r#type = MQTTP2P_EVENT_MESSAGE_PART, data = mqttp2p_bytes_t::of(bytes));
            }
            Event::MessageEnd { ack } => {
                let ack = ack.map_or(0, AckToken::to_bits);
                put!(self, r#type = MQTTP2P_EVENT_MESSAGE_END, ack = ack);
            }
            Event::PublishedAlone => put!(self, r#type = MQTTP2P_EVENT_PUBLISHED_ALONE),
            Event::Subscribed { ticket, return_codes, .. } => put!(
                self,
                r#type = MQTTP2P_EVENT_SUBSCRIBED,
                ticket = ticket.to_bits(),
                data = mqttp2p_bytes_t::of(return_codes.as_bytes()),
            ),
            Event::Unsubscribed { ticket, .. } => {
                put!(self, r#type = MQTTP2P_EVENT_UNSUBSCRIBED, ticket = ticket.to_bits());
            }
            Event::Rejected { ticket, reason, .. } => put!(
                self,
                r#type = MQTTP2P_EVENT_REJECTED,
                ticket = ticket.to_bits(),
                detail = u32::from(reason as u8),
            ),
            Event::Dropped { ticket, reason, .. } => {
                let why = match reason {
                    DropReason::Cancelled => MQTTP2P_DROPPED_CANCELLED,
                    _ => MQTTP2P_DROPPED_OTHER,
                };
                put!(self, r#type = MQTTP2P_EVENT_DROPPED, ticket = ticket.to_bits(), detail = why);
            }
            Event::Resubscribed { first, return_codes, .. } => put!(
                self,
                r#type = MQTTP2P_EVENT_RESUBSCRIBED,
                count = u32::try_from(first).unwrap_or(u32::MAX),
                data = mqttp2p_bytes_t::of(return_codes.as_bytes()),
            ),
            _ => put!(self, r#type = MQTTP2P_EVENT_OTHER),
        }
    }
}

const _: () = assert!(MQTTP2P_KEY_LEN == Key::LEN);

fn moment(at: Option<Instant>) -> u64 {
    at.map_or(MQTTP2P_NEVER, Instant::as_millis)
}

/// The next thing to do. Call it until it returns MQTTP2P_WAIT: after every other call, when bytes have come, and when
/// the time has come that it told; and do what it says in that order.
///
/// `*rx` and `*rx_len` are the bytes that came in and were not taken yet; both are advanced past what is taken now. What
/// is left stays in the caller's buffer, in front of what comes next. Both may be NULL if nothing came. An event's bytes
/// lie in that buffer, and stay good as long as the caller leaves them there, whatever else is called; those of an
/// action lie in the client, and are good until the next call with it. `action` is written in any case.
///
/// Returns MQTTP2P_OK for an action or event; MQTTP2P_WAIT; or an error as every call that takes a client:
/// MQTTP2P_E_NULL, also for `action`, or if one of `rx` and `rx_len` is NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_NO_OBJECT;
/// MQTTP2P_E_BUSY; MQTTP2P_E_PANIC.
///
/// # Safety
/// `*rx` may be read, `*rx_len` bytes; `action` is NULL or may be written to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_poll(
    client: *mut mqttp2p_client_t,
    now_ms: u64,
    rx: *mut *const u8,
    rx_len: *mut usize,
    action: *mut mqttp2p_action_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| poll(client, now_ms, rx, rx_len, action)) }
}

/// # Safety
/// As for [`mqttp2p_poll`].
#[inline]
unsafe fn poll(
    client: &mut crate::client::Inner,
    now_ms: u64,
    rx: *mut *const u8,
    rx_len: *mut usize,
    action: *mut mqttp2p_action_t,
) -> Outcome {
    use crate::status::{MQTTP2P_E_MISALIGNED, MQTTP2P_E_NULL, Status};
    if action.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    if !action.is_aligned() {
        return Err(Status(MQTTP2P_E_MISALIGNED));
    }
    let mut received: &[u8] = &[];
    if !rx.is_null() && !rx_len.is_null() {
        // SAFETY: the caller's promise; they may lie anywhere.
        let (ptr, len) = unsafe { (rx.read_unaligned(), rx_len.read_unaligned()) };
        // Nothing came, mostly.
        if len > 0 {
            // SAFETY: the caller's promise.
            received = unsafe { mqttp2p_bytes_t { ptr, len }.get() }?;
        }
    } else if rx.is_null() != rx_len.is_null() {
        return Err(Status(MQTTP2P_E_NULL));
    }
    let len = received.len();
    let status = Out(action).action(client.poll(Instant::from_millis(now_ms), &mut received));
    let taken = len - received.len();
    if taken > 0 {
        // SAFETY: something was taken, so there was input; the sum lies at most behind its last byte.
        unsafe {
            give(rx, rx.read_unaligned().add(taken));
            give(rx_len, len - taken);
        }
    }
    Ok(status)
}

/// Writes to `at_ms` when `mqttp2p_poll` must be called even if the transport takes no bytes and brings none: for who is
/// kept from polling to the end.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if time makes nothing due; or an error as every call that takes a client.
///
/// # Safety
/// `at_ms` is NULL or may be written to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_due_at(client: *mut mqttp2p_client_t, at_ms: *mut u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| match client.due_at() {
            Some(at) => must_give(at_ms, at.as_millis()).and(DONE),
            None => Ok(MQTTP2P_NONE),
        })
    }
}
