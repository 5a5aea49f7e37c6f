//! MQTT over WebSocket: between the client and a byte stream.

use core::ffi::c_void;

use mqtt_p2p_websocket::{End, FrameError, HandshakeError, Request, RequestError, TransmitError, WebSocket};

use crate::config::protocol;
use crate::handle::{Handle, Object, guarded};
use crate::reason::{
    MQTTP2P_REASON_BROKEN, MQTTP2P_REASON_CLOSED_BY_PEER, MQTTP2P_REASON_NOT_MQTT, MQTTP2P_REASON_UPGRADE,
};
use crate::status::{
    DONE, MQTTP2P_E_BUFFER_TOO_SMALL, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_NULL, MQTTP2P_E_URL,
    MQTTP2P_NONE, Outcome, Status, mqttp2p_status_t,
};
use crate::types::{give, mqttp2p_bytes_t, must_give, room, written};

/// The client's end of a WebSocket (RFC 6455) that carries MQTT, over any number of connections one after the other. What
/// it is made of is the library's affair.
///
/// Once the stream is there, send what `mqttp2p_websocket_open` writes. What comes in goes through `_receive`, which
/// leaves MQTT of it; once `_is_open` is 1, call `mqttp2p_transport_opened`. What MQTTP2P_ACTION_TRANSMIT has goes out
/// through `_transmit`; call it without packets as well while `_wants_transmit` is 1. When `_end` says so, the connection
/// is over.
#[derive(Debug)]
pub struct mqttp2p_websocket_t {
    _private: [u8; 0],
}

impl Object for WebSocket {
    type Opaque = mqttp2p_websocket_t;
    const WORD: u32 = u32::from_be_bytes(*b"MqW\0");
}

/// How many bytes a `mqttp2p_websocket_t` takes at most; aligned to 8: see `mqttp2p_websocket_memory_t`.
pub const MQTTP2P_WEBSOCKET_SIZE: usize = 384;
const _: () =
    assert!(size_of::<Handle<WebSocket>>() <= MQTTP2P_WEBSOCKET_SIZE && align_of::<Handle<WebSocket>>() <= 8);

/// How many bytes `mqttp2p_websocket_transmit` always gets on with.
pub const MQTTP2P_WEBSOCKET_MIN_ROOM: usize = 131;
const _: () = assert!(MQTTP2P_WEBSOCKET_MIN_ROOM == WebSocket::MIN_ROOM);

/// Makes a WebSocket without a connection, in memory of the caller's: a `mqttp2p_websocket_memory_t`. `seed` are 16 bytes
/// from the system's source of randomness: they make the masks (RFC 6455, 10.3). One thread at a time.
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
        // SAFETY: the caller's promise.
        let object = WebSocket::new(unsafe { crate::types::seed(seed) }?);
        // SAFETY: the caller's promise.
        unsafe { Handle::place(memory, memory_len, object, socket) }
    })
}

/// # Safety
/// `socket` is NULL or was made by `mqttp2p_websocket_init`.
unsafe fn with(
    socket: *mut mqttp2p_websocket_t,
    call: impl FnOnce(&mut WebSocket) -> Outcome,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { Handle::with(socket, call) }
}

/// Begins a new connection, and forgets the one before: writes the request for it to `buffer`; 220 bytes and those of
/// host and path are enough; `length` is told its length. `host` is a name or address, in brackets if it is one of IPv6,
/// with `:port` unless that is the scheme's. `protocol` is `MQTTP2P_PROTOCOL_...`: its subprotocol is asked for
/// [MQTT-6.0.0-3].
///
/// Returns MQTTP2P_OK; MQTTP2P_E_URL for what can't be a host or a path; MQTTP2P_E_INVALID_ARGUMENT for the edition;
/// MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL; or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC, as every call
/// here. With an error nothing has changed.
///
/// # Safety
/// `host` and `path` may be read; `buffer` may be written to, `buffer_len` bytes; `length` is NULL or may be written to;
/// `socket` is NULL or was made by `mqttp2p_websocket_init`, here and in all that follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_open(
    socket: *mut mqttp2p_websocket_t,
    host: mqttp2p_bytes_t,
    path: mqttp2p_bytes_t,
    edition: u8,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(socket, |socket| {
            let request = Request::new(host.text()?, path.text()?).with_protocol(protocol(edition)?);
            match socket.open(&request, room(buffer, buffer_len)?) {
                Ok(len) => written(length, Ok(len)),
                Err(RequestError::NoRoom { needed }) => written(length, Err(needed)),
                Err(_) => Err(Status(MQTTP2P_E_URL)),
            }
        })
    }
}

/// Takes `raw_len` bytes that came in, all of them, and leaves of them what is MQTT, at the front of `raw`: `length` bytes.
/// What is not whole is remembered. MQTT that came before an end is good: pass it to the client first.
///
/// Returns MQTTP2P_OK, or an error as every call here.
///
/// # Safety
/// `raw` may be read and written to, `raw_len` bytes; `length` is NULL or may be written to; see
/// `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_receive(
    socket: *mut mqttp2p_websocket_t,
    raw: *mut u8,
    raw_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(socket, |socket| {
            if length.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            must_give(length, socket.receive_in_place(room(raw, raw_len)?).len).and(DONE)
        })
    }
}

/// Whether the server has accepted the upgrade and the connection has not ended: 1 or 0, or an error as every call here.
///
/// # Safety
/// See `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_is_open(socket: *mut mqttp2p_websocket_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(socket, |socket| Ok(socket.is_open().into())) }
}

/// Writes frames of `packets` to `out`, as much as there is room for, each packet as one message; pongs and the close
/// frame come by themselves. `packets` are the bytes of MQTTP2P_ACTION_TRANSMIT, or none. `taken` is told how many of
/// them are in the frames, to be passed on to `mqttp2p_transmitted`; `length`, how many bytes of `out` are to be sent.
/// `MQTTP2P_WEBSOCKET_MIN_ROOM` bytes of `out` are always enough to get on.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL if nothing fits; MQTTP2P_E_INVALID_ARGUMENT if the bytes do not begin
/// with a packet and its fixed header; or an error as every call here.
///
/// # Safety
/// `packets` may be read; `out` may be written to, `out_len` bytes; `taken` and `length` are NULL or may be written to; see
/// `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_transmit(
    socket: *mut mqttp2p_websocket_t,
    packets: mqttp2p_bytes_t,
    out: *mut u8,
    out_len: usize,
    taken: *mut usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(socket, |socket| {
            if length.is_null() || taken.is_null() {
                return Err(Status(MQTTP2P_E_NULL));
            }
            match socket.transmit(packets.get()?, room(out, out_len)?) {
                Ok(done) => {
                    give(taken, done.taken);
                    give(length, done.written);
                    DONE
                }
                Err(TransmitError::NotAPacket) => Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
                Err(_) => Err(Status(MQTTP2P_E_BUFFER_TOO_SMALL)),
            }
        })
    }
}

/// Whether `mqttp2p_websocket_transmit` has something to write without packets, a pong or the close frame: 1 or 0, or an
/// error as every call here.
///
/// # Safety
/// See `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_wants_transmit(
    socket: *mut mqttp2p_websocket_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe { with(socket, |socket| Ok(socket.wants_transmit().into())) }
}

/// Closes the connection: a close frame follows the packets of the next `mqttp2p_websocket_transmit`. Returns MQTTP2P_OK,
/// or an error as every call here.
///
/// # Safety
/// See `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_close(socket: *mut mqttp2p_websocket_t) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(socket, |socket| {
            socket.close();
            DONE
        })
    }
}

/// How the connection ended, if it has. `reason` is told what `mqttp2p_transport_closed` takes: MQTTP2P_REASON_UPGRADE if
/// the server did not accept it; `detail`, unless NULL, the status code of its answer or of its close frame, or 0.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if it has not ended; or an error as every call here.
///
/// # Safety
/// `reason` and `detail` are NULL or may be written to; see `mqttp2p_websocket_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_websocket_end(
    socket: *mut mqttp2p_websocket_t,
    reason: *mut i32,
    detail: *mut u32,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    unsafe {
        with(socket, |socket| {
            let (number, code) = match socket.receive(&mut &[][..]) {
                Ok(_) => return Ok(MQTTP2P_NONE),
                Err(End::Closed { code }) => (MQTTP2P_REASON_CLOSED_BY_PEER, code.unwrap_or_default()),
                Err(End::Refused(HandshakeError::Status(status))) => (MQTTP2P_REASON_UPGRADE, status),
                Err(End::Refused(_)) => (MQTTP2P_REASON_UPGRADE, 0),
                Err(End::Failed(FrameError::Text)) => (MQTTP2P_REASON_NOT_MQTT, 0),
                Err(_) => (MQTTP2P_REASON_BROKEN, 0),
            };
            give(reason, number);
            give(detail, code.into());
            DONE
        })
    }
}
