//! Tokens: their types, the service's notices about them, the upload of a new one.

use mqtt_p2p_aliyun::{InvalidReason, TokenKind, TokenKinds, TokenNotice, UploadError, write_upload};

use super::credentials::token_status;
use crate::handle::guarded;
use crate::status::{
    DONE, MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_NOTICE, MQTTP2P_E_UNKNOWN, MQTTP2P_NONE, Outcome, Status,
    mqttp2p_status_t,
};
use crate::types::{mqttp2p_bytes_t, must_give, room, written};

/// A token to receive. Types are bits, so that several make a set.
pub const MQTTP2P_TOKEN_R: u32 = 1;
/// A token to publish.
pub const MQTTP2P_TOKEN_W: u32 = 2;
/// A token to publish and to receive.
pub const MQTTP2P_TOKEN_RW: u32 = 4;

/// The token will expire at `expires_at_ms`.
pub const MQTTP2P_NOTICE_EXPIRE: u32 = 1;
/// The token is not valid, for the reason `code`. The service closes the connection next, or has closed the one before.
pub const MQTTP2P_NOTICE_INVALID: u32 = 2;

/// What the service says about a token (ApsaraMQ docs: token authentication).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct mqttp2p_token_notice_t {
    /// `MQTTP2P_NOTICE_EXPIRE` or `MQTTP2P_NOTICE_INVALID`.
    pub r#type: u32,
    /// `MQTTP2P_TOKEN_R`, `_W` or `_RW`.
    pub token: u32,
    /// When it expires, in milliseconds since 1970.
    pub expires_at_ms: u64,
    /// Why it is not valid: 1 forged, 2 expired, 3 revoked, 4 not for this topic, 5 not for this action, 8 bad signature,
    /// -1 the account may not.
    pub code: i32,
}

pub(super) fn kind(number: u32) -> Result<TokenKind, Status> {
    match number {
        MQTTP2P_TOKEN_R => Ok(TokenKind::R),
        MQTTP2P_TOKEN_W => Ok(TokenKind::W),
        MQTTP2P_TOKEN_RW => Ok(TokenKind::RW),
        _ => Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
    }
}

pub(super) fn number(kind: TokenKind) -> u32 {
    match kind {
        TokenKind::R => MQTTP2P_TOKEN_R,
        TokenKind::W => MQTTP2P_TOKEN_W,
        // The service knows three types.
        _ => MQTTP2P_TOKEN_RW,
    }
}

pub(super) fn kinds(numbers: u32) -> Result<TokenKinds, Status> {
    let all = [MQTTP2P_TOKEN_R, MQTTP2P_TOKEN_W, MQTTP2P_TOKEN_RW];
    if numbers == 0 || numbers > all.iter().sum() {
        return Err(Status(MQTTP2P_E_INVALID_ARGUMENT));
    }
    all.into_iter().filter(|bit| numbers & bit != 0).map(kind).collect()
}

pub(super) fn numbers(kinds: TokenKinds) -> u32 {
    kinds.iter().map(number).sum()
}

impl mqttp2p_token_notice_t {
    fn of(notice: &TokenNotice) -> Result<Self, Status> {
        let token = number(notice.kind());
        match *notice {
            TokenNotice::Expire { expires_at_ms, .. } => {
                Ok(Self { r#type: MQTTP2P_NOTICE_EXPIRE, token, expires_at_ms, code: 0 })
            }
            TokenNotice::Invalid { reason, .. } => {
                Ok(Self { r#type: MQTTP2P_NOTICE_INVALID, token, expires_at_ms: 0, code: reason.code() })
            }
            _ => Err(Status(MQTTP2P_E_UNKNOWN)),
        }
    }

    pub(super) fn get(&self) -> Result<TokenNotice, Status> {
        let kind = kind(self.token)?;
        match self.r#type {
            MQTTP2P_NOTICE_EXPIRE => Ok(TokenNotice::Expire { kind, expires_at_ms: self.expires_at_ms }),
            MQTTP2P_NOTICE_INVALID => {
                Ok(TokenNotice::Invalid { kind, reason: InvalidReason::from_code(self.code) })
            }
            _ => Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
        }
    }
}

/// Reads a message if it is a notice about a token: every message should pass through here. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_NONE if the topic is another one; MQTTP2P_E_NOTICE if it is one that can't be understood;
/// MQTTP2P_E_NULL.
///
/// # Safety
/// `topic` and `payload` may be read; `notice` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_token_notice(
    topic: mqttp2p_bytes_t,
    payload: mqttp2p_bytes_t,
    notice: *mut mqttp2p_token_notice_t,
) -> mqttp2p_status_t {
    let read = || -> Outcome {
        // SAFETY: the caller's promise.
        let (topic, payload) = unsafe { (topic.text()?, payload.get()?) };
        match TokenNotice::parse(topic, payload) {
            // SAFETY: the caller's promise.
            Some(Ok(found)) => unsafe { must_give(notice, mqttp2p_token_notice_t::of(&found)?) }.and(DONE),
            Some(Err(_)) => Err(Status(MQTTP2P_E_NOTICE)),
            None => Ok(MQTTP2P_NONE),
        }
    };
    guarded(read)
}

/// Writes the message that gives the service a new token on a connection that lives to `buffer`; `length` is told its
/// length, which is at most 25 more than the token's. Send it by `mqttp2p_publish_alone` to
/// `MQTTP2P_ALIYUN_UPLOAD_TOPIC`, and use the new token for the next CONNECT. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_TOKEN; MQTTP2P_E_CREDENTIALS_MISSING for an empty token; MQTTP2P_E_BUFFER_TOO_SMALL;
/// MQTTP2P_E_INVALID_ARGUMENT for the type; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `token` may be read; `buffer` may be written to, `buffer_len` bytes; `length` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_write_upload(
    token_type: u32,
    token: mqttp2p_bytes_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        match write_upload(kind(token_type)?, token.text()?, room(buffer, buffer_len)?) {
            Ok(len) => written(length, Ok(len)),
            Err(UploadError::BufferTooSmall { needed }) => written(length, Err(needed)),
            Err(UploadError::Token(error)) => Err(token_status(&error)),
            Err(_) => Err(Status(MQTTP2P_E_UNKNOWN)),
        }
    })
}
