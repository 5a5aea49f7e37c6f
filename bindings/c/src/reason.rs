//! Why a connection ended, or did not come about, as one number.

use core::fmt::{self, Write};

use mqtt_p2p_core::{DecodeError, DisconnectReason, EncodeError, PacketType, ReasonCode, TransportError};

use crate::handle::guarded;
use crate::status::{MQTTP2P_E_INVALID_ARGUMENT, Status, mqttp2p_status_t};
use crate::types::{room, written};

/// The caller asked for it.
pub const MQTTP2P_REASON_REQUESTED: i32 = 1;
/// The caller paused the client while it was connecting.
pub const MQTTP2P_REASON_PAUSED: i32 = 2;
/// No CONNACK within `connect_timeout_ms`.
pub const MQTTP2P_REASON_CONNECT_TIMEOUT: i32 = 3;
/// No answer to a ping within `ping_timeout_ms`.
pub const MQTTP2P_REASON_KEEP_ALIVE_TIMEOUT: i32 = 4;
/// The peer closed several connections in a row shortly after it had accepted them: another client may use this client
/// id.
pub const MQTTP2P_REASON_TAKEOVER_SUSPECTED: i32 = 5;
/// The peer sent a packet that a server may not send then.
pub const MQTTP2P_REASON_UNEXPECTED: i32 = 6;
/// The peer sent a SUBACK that does not fit its SUBSCRIBE, or claims a session that the client did not want.
pub const MQTTP2P_REASON_CONTRADICTION: i32 = 7;
/// The peer has more messages of QoS 2 under way than `inbound`.
pub const MQTTP2P_REASON_INBOUND_FULL: i32 = 8;
/// The log-in can't be sent, or the memory has no room for it.
pub const MQTTP2P_REASON_INVALID_LOGIN: i32 = 9;
/// The log-in has a will, which the service does not know.
pub const MQTTP2P_REASON_WILL_UNSUPPORTED: i32 = 10;
/// The peer sent what is no MQTT.
pub const MQTTP2P_REASON_MALFORMED: i32 = 11;
/// The peer sent a packet longer than `max_packet_size`; `detail` of the event is its length.
pub const MQTTP2P_REASON_PACKET_TOO_LARGE: i32 = 12;
/// A reason that this version of the binding has no number for.
pub const MQTTP2P_REASON_OTHER: i32 = 99;

/// The name could not be resolved. From here to 199: what the caller tells `mqttp2p_transport_closed`.
pub const MQTTP2P_REASON_NAME_NOT_FOUND: i32 = 101;
/// Nobody listens there.
pub const MQTTP2P_REASON_CONNECTION_REFUSED: i32 = 102;
/// There is no way to the host, or no answer from it.
pub const MQTTP2P_REASON_UNREACHABLE: i32 = 103;
/// There was no log-in to be had.
pub const MQTTP2P_REASON_NO_LOG_IN: i32 = 104;
/// The TLS handshake failed for another reason than those below.
pub const MQTTP2P_REASON_TLS: i32 = 105;
/// What answers the TLS handshake speaks no TLS, or ends the connection.
pub const MQTTP2P_REASON_NOT_TLS: i32 = 106;
/// No trusted authority stands behind the server's certificate.
pub const MQTTP2P_REASON_UNKNOWN_AUTHORITY: i32 = 107;
/// The server's certificate is that of an authority, which is no server's.
pub const MQTTP2P_REASON_AUTHORITY_AS_SERVER: i32 = 108;
/// The server's certificate has expired, by the clock of this machine.
pub const MQTTP2P_REASON_CERTIFICATE_EXPIRED: i32 = 109;
/// The server's certificate is not valid yet, by the clock of this machine.
pub const MQTTP2P_REASON_CERTIFICATE_NOT_YET_VALID: i32 = 110;
/// The server's certificate is for other names.
pub const MQTTP2P_REASON_WRONG_NAME: i32 = 111;
/// The server wants a client certificate, or another one.
pub const MQTTP2P_REASON_CLIENT_CERTIFICATE: i32 = 112;
/// The proxy can't be reached, or does not let the connection through.
pub const MQTTP2P_REASON_PROXY: i32 = 113;
/// What answers CONNECT speaks another protocol than MQTT.
pub const MQTTP2P_REASON_NOT_MQTT: i32 = 114;
/// The WebSocket upgrade was refused.
pub const MQTTP2P_REASON_UPGRADE: i32 = 115;
/// The peer closed the connection.
pub const MQTTP2P_REASON_CLOSED_BY_PEER: i32 = 116;
/// The connection broke.
pub const MQTTP2P_REASON_BROKEN: i32 = 117;

/// CONNACK 1: the server does not speak this edition of the protocol. From here on: MQTTP2P_EVENT_REFUSED.
pub const MQTTP2P_REASON_REFUSED_PROTOCOL: i32 = 201;
/// CONNACK 2: the client identifier is not allowed.
pub const MQTTP2P_REASON_REFUSED_CLIENT_ID: i32 = 202;
/// CONNACK 3: the server is there but can't serve now.
pub const MQTTP2P_REASON_REFUSED_UNAVAILABLE: i32 = 203;
/// CONNACK 4: user name or password is wrong.
pub const MQTTP2P_REASON_REFUSED_PASSWORD: i32 = 204;
/// CONNACK 5: the client may not connect.
pub const MQTTP2P_REASON_REFUSED_NOT_AUTHORIZED: i32 = 205;

/// What stands between the numbers of refusals and CONNACK's return codes.
const REFUSED: i32 = 200;

const TRANSPORT: [(i32, TransportError); 17] = [
    (MQTTP2P_REASON_NAME_NOT_FOUND, TransportError::NameNotFound),
    (MQTTP2P_REASON_CONNECTION_REFUSED, TransportError::ConnectionRefused),
    (MQTTP2P_REASON_UNREACHABLE, TransportError::Unreachable),
    (MQTTP2P_REASON_NO_LOG_IN, TransportError::NoLogIn),
    (MQTTP2P_REASON_TLS, TransportError::Tls),
    (MQTTP2P_REASON_NOT_TLS, TransportError::NotTls),
    (MQTTP2P_REASON_UNKNOWN_AUTHORITY, TransportError::UnknownAuthority),
    (MQTTP2P_REASON_AUTHORITY_AS_SERVER, TransportError::AuthorityAsServer),
    (MQTTP2P_REASON_CERTIFICATE_EXPIRED, TransportError::CertificateExpired),
    (MQTTP2P_REASON_CERTIFICATE_NOT_YET_VALID, TransportError::CertificateNotYetValid),
    (MQTTP2P_REASON_WRONG_NAME, TransportError::WrongName),
    (MQTTP2P_REASON_CLIENT_CERTIFICATE, TransportError::ClientCertificate),
    (MQTTP2P_REASON_PROXY, TransportError::Proxy),
    (MQTTP2P_REASON_NOT_MQTT, TransportError::NotMqtt),
    (MQTTP2P_REASON_UPGRADE, TransportError::Upgrade),
    (MQTTP2P_REASON_CLOSED_BY_PEER, TransportError::ClosedByPeer),
    (MQTTP2P_REASON_BROKEN, TransportError::Broken),
];

pub(crate) fn transport_error(number: i32) -> Option<TransportError> {
    TRANSPORT.iter().find(|(other, _)| *other == number).map(|(_, error)| *error)
}

/// The number of a reason, and what else is worth to be told of it.
pub(crate) fn reason(reason: DisconnectReason) -> (i32, u32) {
    use DisconnectReason as R;
    let number = match reason {
        R::Requested => MQTTP2P_REASON_REQUESTED,
        R::Paused => MQTTP2P_REASON_PAUSED,
        R::Transport(error) => {
            TRANSPORT.iter().find(|(_, other)| *other == error).map_or(MQTTP2P_REASON_BROKEN, |found| found.0)
        }
        R::ConnectTimeout => MQTTP2P_REASON_CONNECT_TIMEOUT,
        R::KeepAliveTimeout => MQTTP2P_REASON_KEEP_ALIVE_TIMEOUT,
        R::TakeoverSuspected => MQTTP2P_REASON_TAKEOVER_SUSPECTED,
        R::Malformed(DecodeError::TooLarge { size, .. }) => return (MQTTP2P_REASON_PACKET_TOO_LARGE, size),
        R::Malformed(_) => MQTTP2P_REASON_MALFORMED,
        R::Unexpected(packet) => return (MQTTP2P_REASON_UNEXPECTED, packet as u32),
        R::Contradiction => MQTTP2P_REASON_CONTRADICTION,
        R::InboundFull => MQTTP2P_REASON_INBOUND_FULL,
        R::InvalidLogin(_) => MQTTP2P_REASON_INVALID_LOGIN,
        R::WillUnsupported => MQTTP2P_REASON_WILL_UNSUPPORTED,
        _ => MQTTP2P_REASON_OTHER,
    };
    (number, 0)
}

/// The number of a refusal.
pub(crate) fn refusal(reason: ReasonCode) -> i32 {
    reason.connack_code().map_or(MQTTP2P_REASON_OTHER, |code| REFUSED + i32::from(code))
}

/// What a number stands for, as far as it tells.
fn told(number: i32) -> Option<DisconnectReason> {
    use DisconnectReason as R;
    Some(match number {
        MQTTP2P_REASON_REQUESTED => R::Requested,
        MQTTP2P_REASON_PAUSED => R::Paused,
        MQTTP2P_REASON_CONNECT_TIMEOUT => R::ConnectTimeout,
        MQTTP2P_REASON_KEEP_ALIVE_TIMEOUT => R::KeepAliveTimeout,
        MQTTP2P_REASON_TAKEOVER_SUSPECTED => R::TakeoverSuspected,
        MQTTP2P_REASON_CONTRADICTION => R::Contradiction,
        MQTTP2P_REASON_INBOUND_FULL => R::InboundFull,
        MQTTP2P_REASON_WILL_UNSUPPORTED => R::WillUnsupported,
        number => R::Transport(transport_error(number)?),
    })
}

/// What a reason means, and what to do about it.
fn describe(out: &mut dyn Write, number: i32) -> Result<(), Unknown> {
    if let Some(reason) = told(number) {
        return Ok(write!(out, "{reason}: {}", reason.advice())?);
    }
    // Those that carry more than their number says.
    let (what, like) = match number {
        MQTTP2P_REASON_UNEXPECTED => {
            ("the server sent a packet out of place", DisconnectReason::Unexpected(PacketType::Connect))
        }
        MQTTP2P_REASON_MALFORMED => {
            ("the server sent what is no MQTT", DisconnectReason::Malformed(DecodeError::Truncated))
        }
        MQTTP2P_REASON_PACKET_TOO_LARGE => {
            return Ok(out.write_str(
                "the server sent a packet over the limit: raise max_packet_size with the receive buffer, or have \
                 messages told in parts",
            )?);
        }
        MQTTP2P_REASON_INVALID_LOGIN => {
            ("the log-in can't be sent", DisconnectReason::InvalidLogin(EncodeError::InvalidText))
        }
        number => {
            let code = number.checked_sub(REFUSED).and_then(|code| u8::try_from(code).ok());
            return match code.and_then(ReasonCode::from_connack) {
                Some(code) if code != ReasonCode::Success => {
                    Ok(write!(out, "the server refused the log-in, {code}: {}", refusal_advice(code))?)
                }
                _ => Err(Unknown),
            };
        }
    };
    Ok(write!(out, "{what}: {}", like.advice())?)
}

/// The number is that of no reason.
struct Unknown;

impl From<fmt::Error> for Unknown {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

const fn refusal_advice(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::UnsupportedProtocolVersion => {
            "try MQTT 3.1 by mqttp2p_set_protocol, or ask who runs the server"
        }
        ReasonCode::ClientIdentifierNotValid => "choose a client id that the server allows",
        ReasonCode::BadUserNameOrPassword => {
            "check user name and password; with ApsaraMQ the secret, the instance id, and that the client id was signed \
             as it stands"
        }
        ReasonCode::NotAuthorized => "have the server's owner allow this client to connect",
        _ => "nothing: the client tries again",
    }
}

/// Writes what a reason means and what to do about it, UTF-8, to the start of `buffer`. `written` is told the length that
/// it has, or would need.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL, and then as much as fits was written; MQTTP2P_E_NULL;
/// MQTTP2P_E_INVALID_ARGUMENT for a number that is no reason. Any thread.
///
/// # Safety
/// `buffer` may be written to, `len` bytes; `written` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_reason_describe(
    reason: i32,
    buffer: *mut u8,
    len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    guarded(|| {
        // SAFETY: the caller's promise.
        let mut text = Text { buffer: unsafe { room(buffer, len) }?, len: 0 };
        describe(&mut text, reason).map_err(|Unknown| Status(MQTTP2P_E_INVALID_ARGUMENT))?;
        let result = if text.len > len { Err(text.len) } else { Ok(text.len) };
        // SAFETY: the caller's promise.
        unsafe { written(length, result) }
    })
}

/// Writes as far as the buffer goes, and counts on.
struct Text<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.buffer.get_mut(self.len..).unwrap_or_default();
        for (place, byte) in free.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}
