//! Events in: what concerns the connection.

use mqtt_p2p_core::{Instant, Login, Will};

use crate::client::{mqttp2p_client_t, with};
use crate::config::protocol;
use crate::reason::transport_error;
use crate::status::{
    DONE, MQTTP2P_E_IN_USE, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_OK, MQTTP2P_WAIT, Status, mqttp2p_status_t,
};
use crate::types::{Sized32, flag, mqttp2p_bytes_t, qos, text};

/// What CONNECT says of the client. Begin with `MQTTP2P_LOGIN_INIT`. What has no `ptr` is left out.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_login_t {
    /// The size of this struct, as the INIT macro sets it.
    pub struct_size: u32,
    /// QoS of the will.
    pub will_qos: u8,
    /// 1 if the server should keep the will for later subscribers.
    pub will_retain: u8,
    /// 0.
    pub reserved: u16,
    /// Who this is, UTF-8. May be empty with a clean session only [MQTT-3.1.3-7].
    pub client_id: mqttp2p_bytes_t,
    /// User name, UTF-8.
    pub user_name: mqttp2p_bytes_t,
    /// Password, with a user name only [MQTT-3.1.2-22].
    pub password: mqttp2p_bytes_t,
    /// Topic name of what the server publishes if this client vanishes.
    pub will_topic: mqttp2p_bytes_t,
    /// Payload of that.
    pub will_payload: mqttp2p_bytes_t,
}

// SAFETY: numbers and pointers only, and the size comes first.
unsafe impl Sized32 for mqttp2p_login_t {
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        will_qos: 0,
        will_retain: 0,
        reserved: 0,
        client_id: mqttp2p_bytes_t::NONE,
        user_name: mqttp2p_bytes_t::NONE,
        password: mqttp2p_bytes_t::NONE,
        will_topic: mqttp2p_bytes_t::NONE,
        will_payload: mqttp2p_bytes_t::NONE,
    };
}

impl mqttp2p_login_t {
    /// # Safety
    /// The byte ranges may be read for as long as `'a`.
    unsafe fn core<'a>(&self) -> Result<Login<'a>, Status> {
        if self.reserved != 0 {
            return Err(Status(MQTTP2P_E_INVALID_ARGUMENT));
        }
        // SAFETY: the caller's promise.
        unsafe {
            let will = match self.will_topic.ptr.is_null() {
                true => None,
                false => Some(
                    Will::new(self.will_topic.topic_name()?, self.will_payload.get()?)
                        .with_qos(qos(self.will_qos)?)
                        .with_retain(flag(self.will_retain)?),
                ),
            };
            let mut login = Login::new(self.client_id.text()?);
            login.user_name = self.user_name.maybe()?.map(text).transpose()?;
            login.password = self.password.maybe()?;
            login.will = will;
            Ok(login)
        }
    }
}

/// Wants a connection from now on: an attempt begins at the next poll, and after every loss another one, until
/// `mqttp2p_disconnect`. While a retry is waited for, it is brought forward. `now_ms` are milliseconds on any monotonic
/// clock, here and everywhere.
///
/// Returns MQTTP2P_OK, or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY or _PANIC, as every call that takes a client.
///
/// # Safety
/// `client` is NULL or a client, and what is passed in with it does not lie in its memory, here and everywhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_connect(client: *mut mqttp2p_client_t, now_ms: u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.connect(Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// Wants no connection any more. What may already be sent goes out, then DISCONNECT, then the transport is closed; an
/// attempt under way is given up. What waits stays for the next `mqttp2p_connect`, or for `mqttp2p_abandon`. Go on
/// polling until MQTTP2P_EVENT_DISCONNECTED.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_disconnect(client: *mut mqttp2p_client_t, now_ms: u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.disconnect(Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// The host goes to the background: no attempt begins and no timer runs until `mqttp2p_resume`.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_pause(client: *mut mqttp2p_client_t, now_ms: u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.pause(Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// The host is back: reconnects at once, or asks at once whether the connection still lives.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_resume(client: *mut mqttp2p_client_t, now_ms: u64) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.resume(Instant::from_millis(now_ms));
            DONE
        })
    }
}

/// Asks the server at once whether it is there: a PINGREQ, ahead of its time. Without a connection nothing happens.
///
/// Returns MQTTP2P_OK, or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_ping(client: *mut mqttp2p_client_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.ping();
            DONE
        })
    }
}

/// Speaks another edition from the next CONNECT on, as after MQTTP2P_REASON_REFUSED_PROTOCOL. The session lives on.
/// `protocol` is `MQTTP2P_PROTOCOL_...`.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_IN_USE if CONNECT has gone out already; or an error as every
/// call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_set_protocol(client: *mut mqttp2p_client_t, number: u8) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| match client.set_protocol(protocol(number)?) {
            true => DONE,
            false => Err(Status(MQTTP2P_E_IN_USE)),
        })
    }
}

/// The transport is open: CONNECT goes out with this log-in. Ignored unless MQTTP2P_ACTION_OPEN_TRANSPORT was the last
/// word on the transport. `login` and what it points to are read in this call only; the packet that is made of them is
/// wiped with the client.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_TEXT or MQTTP2P_E_TOPIC_NAME for what `login` holds, and then
/// the attempt is still open: call again, or `mqttp2p_transport_closed`; or an error as every call that takes a client.
/// A log-in that no packet can say, or that the memory has no room for, ends the attempt: MQTTP2P_EVENT_DISCONNECTED
/// with MQTTP2P_REASON_INVALID_LOGIN.
///
/// # Safety
/// `login` is NULL or may be read, and what it points to; `client` as for `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_transport_opened(
    client: *mut mqttp2p_client_t,
    now_ms: u64,
    login: *const mqttp2p_login_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let login = mqttp2p_login_t::read(login)?;
            client.transport_opened(Instant::from_millis(now_ms), &login.core()?);
            DONE
        })
    }
}

/// The transport is gone, or could not be opened: `reason` is MQTTP2P_REASON_CLOSED_BY_PEER, _BROKEN,
/// _CONNECTION_REFUSED or another one between 101 and 199. Ignored after MQTTP2P_ACTION_CLOSE_TRANSPORT, so that one end is
/// never counted twice. Poll what had come before first.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT for another reason; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_transport_closed(
    client: *mut mqttp2p_client_t,
    now_ms: u64,
    reason: i32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            let why = transport_error(reason).ok_or(Status(MQTTP2P_E_INVALID_ARGUMENT))?;
            client.transport_closed(Instant::from_millis(now_ms), why);
            DONE
        })
    }
}

/// So many bytes of the last MQTTP2P_ACTION_TRANSMIT were written: some of them, or all.
///
/// Returns MQTTP2P_OK; MQTTP2P_WAIT if nothing is left to do before the moment that `mqttp2p_due_at` tells, which is that
/// of the last MQTTP2P_ACTION_WAIT or later: a program to which no bytes have come may spare the poll that would say so;
/// or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_transmitted(
    client: *mut mqttp2p_client_t,
    bytes: usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.transmitted(bytes);
            Ok(if client.is_waiting() { MQTTP2P_WAIT } else { MQTTP2P_OK })
        })
    }
}

/// The caller stops reading from the transport (`held` = 1) or goes on (0): while it does not read, no answer to a ping
/// is expected.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT; or an error as every call that takes a client.
///
/// # Safety
/// See `mqttp2p_connect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_hold_reading(
    client: *mut mqttp2p_client_t,
    now_ms: u64,
    held: u8,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(client, |client| {
            client.hold_reading(Instant::from_millis(now_ms), flag(held)?);
            DONE
        })
    }
}
