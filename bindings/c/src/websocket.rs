//! MQTT over WebSocket: between the client and a byte stream.

use core::ffi::c_void;

use mqtt_p2p_websocket::{AnswerError, End, RequestError, WebSocket};

use crate::handle::{Handle, Object, guarded};
use crate::reason::{MQTTP2P_REASON_BROKEN, MQTTP2P_REASON_CLOSED_BY_PEER, MQTTP2P_REASON_NOT_MQTT};
use crate::status::{
    DONE, MQTTP2P_E_BUFFER_TOO_SMALL, MQTTP2P_E_NULL, MQTTP2P_E_UPGRADE, MQTTP2P_E_URL, MQTTP2P_INCOMPLETE,
    MQTTP2P_NONE, Status, mqttp2p_status_t,
};
use crate::types::{give, mqttp2p_bytes_t, must_give, room, written};

/// One WebSocket connection (RFC 6455), of a client. What it is made of is the library's affair.
///
/// Send what `mqttp2p_websocket_request` writes; read until `mqttp2p_websocket_answer` is MQTTP2P_OK, and only then call
/// `mqttp2p_transport_opened`. From then on, what comes in goes through `_unwrap` before it goes to `mqttp2p_poll`, and what
/// MQTTP2P_ACTION_TRANSMIT has through `_wrap`. A new connection takes a new one.
#[derive(Debug)]
pub struct mqttp2p_websocket_t {
    _private: [u8; 0],
}

impl Object for WebSocket {
    type Opaque = mqttp2p_websocket_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqW\0");
}

/// How many bytes a `mqttp2p_websocket_t` takes at most; aligned to 8: see `mqttp2p_websocket_memory_t`.
pub const MQTTP2P_WEBSOCKET_SIZE: usize = 512;
const _: () =
    assert!(size_of::<Handle<WebSocket>>() <= MQTTP2P_WEBSOCKET_SIZE && align_of::<Handle<WebSocket>>() <= 8);

/// Makes a connection that has not begun, in memory of the caller's: a `mqttp2p_websocket_memory_t`, also one that held an
/// earlier connection. `seed` are 16 bytes from the system's source of randomness, anew for each connection: they make the
/// masks (RFC 6455, 10.3). One thread at a time.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
///
/// # Safety
/// `memory` is NULL or the caller's to write to, `memory_len` bytes, for as long as the object lives; `seed` is NULL or
/// may be read, 16 bytes; `socket` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_init(
    memory: *mut c_void,
    memory_len: usize,
    seed: *const u8,
    socket: *mut *mut mqttp2p_websocket_t,
) -> mqttp2p_status_t {
    guarded(|| {
        let mut key = [0; 16];
        if seed.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(seed, key.as_mut_ptr(), key.len()) };
        // SAFETY: the caller's promise.
        unsafe { Handle::place(memory, memory_len, WebSocket::new(key), socket) }
    })
}

/// Writes the request that begins the connection to `buffer`: about 180 bytes more than host and path; `length` is told
/// its length. `host` is a name or address, in brackets if it is one of IPv6, with `:port` unless that is the scheme's.
/// It asks for the subprotocol `mqtt` [MQTT-6.0.0-3].
///
/// Returns MQTTP2P_OK; MQTTP2P_E_URL for what can't be a host or a path; MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL; or
/// MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC, as every call here.
///
/// # Safety
/// `host` and `path` may be read; `buffer` may be written to, `buffer_len` bytes; `length` is NULL or may be written to;
/// `socket` is NULL or was made by `mqttp2p_websocket_init`, here and in all that follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_request(
    socket: *mut mqttp2p_websocket_t,
    host: mqttp2p_bytes_t,
    path: mqttp2p_bytes_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            match socket.request(host.text()?, path.text()?, room(buffer, buffer_len)?) {
                Ok(len) => written(length, Ok(len)),
                Err(RequestError::BufferTooSmall { needed }) => written(length, Err(needed)),
                Err(_) => Err(Status(MQTTP2P_E_URL)),
            }
        })
    }
}

/// Reads the server's answer. `*rx` and `*rx_len` are the bytes that came; they are advanced past the answer once it is
/// whole and good. `detail`, unless NULL, is told the status code of an answer that refuses.
///
/// Returns MQTTP2P_OK; MQTTP2P_INCOMPLETE if more bytes are needed, and then call again with these and more;
/// MQTTP2P_E_UPGRADE for a refusal and everything else that is not the beginning of such a connection, to be told to the
/// client as MQTTP2P_REASON_UPGRADE; or an error as every call here.
///
/// # Safety
/// `*rx` may be read, `*rx_len` bytes; `detail` is NULL or may be written to; see `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_answer(
    socket: *mut mqttp2p_websocket_t,
    rx: *mut *const u8,
    rx_len: *mut usize,
    detail: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            if rx.is_null() || rx_len.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            let (ptr, len) = (rx.read_unaligned(), rx_len.read_unaligned());
            let mut received = mqttp2p_bytes_t { ptr, len }.get()?;
            match socket.answer(&mut received) {
                Ok(true) => {
                    give(rx, received.as_ptr());
                    give(rx_len, received.len());
                    DONE
                }
                Ok(false) => Ok(MQTTP2P_INCOMPLETE),
                Err(error) => {
                    let status = if let AnswerError::Refused { status } = error { status } else { 0 };
                    give(detail, status.into());
                    Err(Status(MQTTP2P_E_UPGRADE))
                }
            }
        })
    }
}

/// Takes `raw_len` bytes that came in, all of them, and leaves of them what is MQTT, at the front of `raw`: `length` bytes.
/// What is not whole is remembered.
///
/// Returns MQTTP2P_OK, or an error as every call here.
///
/// # Safety
/// `raw` may be read and written to, `raw_len` bytes; `length` is NULL or may be written to; see
/// `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_unwrap(
    socket: *mut mqttp2p_websocket_t,
    raw: *mut u8,
    raw_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            if length.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            must_give(length, socket.unwrap(room(raw, raw_len)?)).and(DONE)
        })
    }
}

/// Writes frames of `packets` to `out`, as much as there is room for. `*packets` and `*packets_len` are the bytes of
/// MQTTP2P_ACTION_TRANSMIT, and are advanced past what is in the frames: tell that much by `mqttp2p_transmitted`. `length`
/// is told how many bytes of `out` are to be sent. Pongs, and the close frame once no packet is left, come by themselves:
/// call it with no packets as well (both NULL) while `mqttp2p_websocket_is_pending`. `out` must have at least 131 bytes
/// for control frames, 15 for packets.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL if there is something to write and no room for any of it; or an error as
/// every call here.
///
/// # Safety
/// `*packets` may be read, `*packets_len` bytes; `out` may be written to, `out_len` bytes; `length` is NULL or may be
/// written to; see `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_wrap(
    socket: *mut mqttp2p_websocket_t,
    packets: *mut *const u8,
    packets_len: *mut usize,
    out: *mut u8,
    out_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            if length.is_null() || packets.is_null() != packets_len.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            let out = room(out, out_len)?;
            let mut rest: &[u8] = &[];
            if !packets.is_null() {
                let (ptr, len) = (packets.read_unaligned(), packets_len.read_unaligned());
                rest = mqttp2p_bytes_t { ptr, len }.get()?;
            }
            let len = socket.wrap(&mut rest, out);
            give(length, len);
            if !packets.is_null() && !rest.is_empty() {
                give(packets, rest.as_ptr());
            }
            give(packets_len, rest.len());
            if len == 0 && socket.is_pending() { Err(Status(MQTTP2P_E_BUFFER_TOO_SMALL)) } else { DONE }
        })
    }
}

/// Whether `mqttp2p_websocket_wrap` has something to write of its own accord: 1 or 0, or an error as every call here.
///
/// # Safety
/// See `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_is_pending(socket: *mut mqttp2p_websocket_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Handle::<WebSocket>::with(socket, |socket| Ok(socket.is_pending().into())) }
}

/// Ends the connection: a close frame follows what is still wrapped. Returns MQTTP2P_OK, or an error as every call here.
///
/// # Safety
/// See `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_close(socket: *mut mqttp2p_websocket_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            socket.close();
            DONE
        })
    }
}

/// How the connection ended, if it has. `reason` is told what `mqttp2p_transport_closed` takes; `detail`, unless NULL, the
/// server's close code, or 0 if it broke the protocol.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if it has not ended; or an error as every call here.
///
/// # Safety
/// `reason` and `detail` are NULL or may be written to; see `mqttp2p_websocket_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_end(
    socket: *mut mqttp2p_websocket_t,
    reason: *mut i32,
    detail: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        Handle::<WebSocket>::with(socket, |socket| {
            let (number, code) = match socket.end() {
                None => return Ok(MQTTP2P_NONE),
                Some(End::Closed { code }) => (MQTTP2P_REASON_CLOSED_BY_PEER, code.into()),
                Some(End::Failed(mqtt_p2p_websocket::FrameError::Text)) => (MQTTP2P_REASON_NOT_MQTT, 0),
                Some(_) => (MQTTP2P_REASON_BROKEN, 0),
            };
            give(reason, number);
            give(detail, code);
            DONE
        })
    }
}
