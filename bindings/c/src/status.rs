//! What every call answers: one number, whose hundreds say whose fault an error is.

use core::ffi::{CStr, c_char};

use mqtt_p2p_core::{EncodeError, Error, RestoreError, SessionError, TopicError};

/// What a call answers. 0: done. Above 0: nothing was wrong, and there is nothing to do or to tell. Below 0: an error,
/// and nothing has happened; `-1xx` is the caller's fault, `-2xx` a lack of resources, `-3xx` the network's, `-4xx` the
/// peer's, `-9xx` this library's.
pub type mqttp2p_status_t = i32;

/// Done.
pub const MQTTP2P_OK: mqttp2p_status_t = 0;
/// There is nothing to do before the time that the action tells, unless something happens.
pub const MQTTP2P_WAIT: mqttp2p_status_t = 1;
/// There is none of what was asked for.
pub const MQTTP2P_NONE: mqttp2p_status_t = 2;
/// More bytes are needed to tell.
pub const MQTTP2P_INCOMPLETE: mqttp2p_status_t = 3;
/// A waiting time went by without an event.
pub const MQTTP2P_TIMED_OUT: mqttp2p_status_t = 4;
/// Somebody asked to be heard.
pub const MQTTP2P_WOKEN: mqttp2p_status_t = 5;

/// A pointer is NULL that may not be.
pub const MQTTP2P_E_NULL: mqttp2p_status_t = -101;
/// Memory does not begin where it must.
pub const MQTTP2P_E_MISALIGNED: mqttp2p_status_t = -102;
/// Memory given for a client or another object is too small.
pub const MQTTP2P_E_MEMORY_TOO_SMALL: mqttp2p_status_t = -103;
/// A number is none of those that the call takes, or `struct_size` is not what a header says.
pub const MQTTP2P_E_INVALID_ARGUMENT: mqttp2p_status_t = -104;
/// The memory holds no object of this kind: it was not made, or has ended.
pub const MQTTP2P_E_NO_OBJECT: mqttp2p_status_t = -105;
/// The object is in use: by another thread, or by the call that was interrupted.
pub const MQTTP2P_E_BUSY: mqttp2p_status_t = -106;
/// A freestanding client needs a seed.
pub const MQTTP2P_E_NO_SEED: mqttp2p_status_t = -107;
/// A buffer to write to is too small; the length that is needed was told.
pub const MQTTP2P_E_BUFFER_TOO_SMALL: mqttp2p_status_t = -108;
/// Text is not UTF-8, or holds U+0000.
pub const MQTTP2P_E_TEXT: mqttp2p_status_t = -109;
/// A topic name is empty, too long, or holds a wildcard.
pub const MQTTP2P_E_TOPIC_NAME: mqttp2p_status_t = -110;
/// A topic filter is empty, too long, or has a wildcard out of place.
pub const MQTTP2P_E_TOPIC_FILTER: mqttp2p_status_t = -111;
/// Larger than this client's memory can ever hold, than the service takes, or than MQTT allows.
pub const MQTTP2P_E_TOO_LARGE: mqttp2p_status_t = -112;
/// The service does not know retained messages.
pub const MQTTP2P_E_RETAIN: mqttp2p_status_t = -113;
/// One subscription more than the service grants.
pub const MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS: mqttp2p_status_t = -114;
/// There is nothing to acknowledge.
pub const MQTTP2P_E_STALE: mqttp2p_status_t = -115;
/// The client has been used already.
pub const MQTTP2P_E_IN_USE: mqttp2p_status_t = -116;
/// More topic filters than one call takes.
pub const MQTTP2P_E_TOO_MANY_FILTERS: mqttp2p_status_t = -117;
/// There is not one topic filter.
pub const MQTTP2P_E_NO_FILTER: mqttp2p_status_t = -118;
/// A password without a user name.
pub const MQTTP2P_E_PASSWORD_ALONE: mqttp2p_status_t = -119;
/// The bytes are no session, or one that a later version of this library wrote.
pub const MQTTP2P_E_SESSION_FORMAT: mqttp2p_status_t = -120;
/// The session's bytes are damaged or invalid.
pub const MQTTP2P_E_SESSION_DAMAGED: mqttp2p_status_t = -121;
/// A client id breaks a rule of ApsaraMQ.
pub const MQTTP2P_E_CLIENT_ID: mqttp2p_status_t = -122;
/// A parent topic breaks a rule of ApsaraMQ.
pub const MQTTP2P_E_PARENT_TOPIC: mqttp2p_status_t = -123;
/// A client id can't be the target of a P2P message.
pub const MQTTP2P_E_P2P_TARGET: mqttp2p_status_t = -124;
/// A part of the credentials is missing.
pub const MQTTP2P_E_CREDENTIALS_MISSING: mqttp2p_status_t = -125;
/// A part of the credentials holds a character that it can't have.
pub const MQTTP2P_E_CREDENTIALS_CHARACTER: mqttp2p_status_t = -126;
/// A text is no token.
pub const MQTTP2P_E_TOKEN: mqttp2p_status_t = -127;
/// A token was expired when it was obtained.
pub const MQTTP2P_E_TOKEN_EXPIRED: mqttp2p_status_t = -128;
/// A URL can't be read.
pub const MQTTP2P_E_URL: mqttp2p_status_t = -129;
/// TLS was asked for and no library for it was given.
pub const MQTTP2P_E_NO_TLS: mqttp2p_status_t = -130;
/// No client id, and a session that is to be kept.
pub const MQTTP2P_E_NO_CLIENT_ID: mqttp2p_status_t = -131;

/// The client's memory is full for now.
pub const MQTTP2P_E_FULL: mqttp2p_status_t = -201;
/// The system has no memory.
pub const MQTTP2P_E_NO_MEMORY: mqttp2p_status_t = -202;
/// The system refused something; errno says what.
pub const MQTTP2P_E_SYSTEM: mqttp2p_status_t = -203;

/// There is no connection, and nothing is queued by configuration.
pub const MQTTP2P_E_OFFLINE: mqttp2p_status_t = -301;
/// A notice of the service is not what is documented.
pub const MQTTP2P_E_NOTICE: mqttp2p_status_t = -401;

/// A panic was caught, in this call or an earlier one: a defect of this library. The object can only be freed.
pub const MQTTP2P_E_PANIC: mqttp2p_status_t = -901;
/// A case that this version of the binding does not know.
pub const MQTTP2P_E_UNKNOWN: mqttp2p_status_t = -902;
/// What a status means and what to do about it, as text that ends with NUL and lives for ever. Never NULL. May be
/// called from any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn mqttp2p_status_str(status: mqttp2p_status_t) -> *const c_char {
    text(status).as_ptr()
}

/// The version of this library, as text that ends with NUL and lives for ever. May be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn mqttp2p_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

fn text(status: mqttp2p_status_t) -> &'static CStr {
    match status {
        MQTTP2P_OK => c"done",
        MQTTP2P_WAIT => c"nothing to do for now",
        MQTTP2P_NONE => c"there is none",
        MQTTP2P_INCOMPLETE => c"more bytes are needed",
        MQTTP2P_TIMED_OUT => c"nothing happened in that time",
        MQTTP2P_WOKEN => c"woken, by another thread or a signal",
        MQTTP2P_E_NULL => c"a pointer is NULL that may not be: give it",
        MQTTP2P_E_MISALIGNED => c"memory is not aligned as it must be: use the union that the header has for it",
        MQTTP2P_E_MEMORY_TOO_SMALL => c"the memory given is too small: see the sizes in the header",
        MQTTP2P_E_INVALID_ARGUMENT => c"a number is out of range: see the constants in the header, and begin structs with their INIT macro",
        MQTTP2P_E_NO_OBJECT => c"there is no such object in that memory: make it first, and do not use it after its end",
        MQTTP2P_E_BUSY => c"the object is in use by another thread or an interrupted call: use it from one at a time",
        MQTTP2P_E_NO_SEED => c"the seed is 0: give a number that differs from device to device and from start to start",
        MQTTP2P_E_BUFFER_TOO_SMALL => c"the buffer is too small: give the length that was told",
        MQTTP2P_E_TEXT => c"text is not UTF-8, or holds U+0000: MQTT has no other text",
        MQTTP2P_E_TOPIC_NAME => c"the topic name is empty, longer than 65,535 bytes, or holds + or #",
        MQTTP2P_E_TOPIC_FILTER => c"the topic filter is empty, longer than 65,535 bytes, or has + or # out of place",
        MQTTP2P_E_TOO_LARGE => c"larger than the client's memory, the service or MQTT allow: send less, or give more memory",
        MQTTP2P_E_RETAIN => c"the service does not support retained messages: publish without retain",
        MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS => c"more subscriptions than the service grants: unsubscribe first, or use wildcards",
        MQTTP2P_E_STALE => c"there is nothing to acknowledge: that was done, or the connection is gone, or manual_ack is off",
        MQTTP2P_E_IN_USE => c"the client has been used already: do this before anything else",
        MQTTP2P_E_TOO_MANY_FILTERS => c"more topic filters than one call takes: split them",
        MQTTP2P_E_NO_FILTER => c"at least one topic filter is needed",
        MQTTP2P_E_PASSWORD_ALONE => c"a password needs a user name",
        MQTTP2P_E_SESSION_FORMAT => c"not a session that this version can read: keep the bytes for the version that wrote them",
        MQTTP2P_E_SESSION_DAMAGED => c"the session's bytes are damaged: restore an older copy, or begin a new session",
        MQTTP2P_E_CLIENT_ID => c"not a client id of ApsaraMQ: GID_<group>@@@<device>, 64 characters of 0-9A-Za-z_-",
        MQTTP2P_E_PARENT_TOPIC => c"not a parent topic of ApsaraMQ: 3 to 64 characters of 0-9A-Za-z_-, one level",
        MQTTP2P_E_P2P_TARGET => c"not a client id that P2P messages reach: 1 to 64 bytes without /, + and #",
        MQTTP2P_E_CREDENTIALS_MISSING => c"a part of the credentials is missing: check that the configuration sets it",
        MQTTP2P_E_CREDENTIALS_CHARACTER => c"a part of the credentials holds |, white space or another character that it can't have: copy it again",
        MQTTP2P_E_TOKEN => c"not a token: give it exactly as the server that issues tokens returned it",
        MQTTP2P_E_TOKEN_EXPIRED => c"the new token has expired by this clock: set the clock right, or have tokens issued that live longer",
        MQTTP2P_E_URL => c"not a URL of a server: mqtt://host:port, mqtts://, ws://host:port/path or wss://",
        MQTTP2P_E_NO_TLS => c"the URL asks for TLS: give the callbacks of a TLS library, such as mqttp2p_openssl.c",
        MQTTP2P_E_NO_CLIENT_ID => c"a session that is to be kept needs a client id: give one, or ask for a clean session",
        MQTTP2P_E_FULL => c"the client's memory is full: go on polling, and try again when an earlier request has ended",
        MQTTP2P_E_NO_MEMORY => c"the system has no memory left",
        MQTTP2P_E_SYSTEM => c"the system refused: see errno",
        MQTTP2P_E_OFFLINE => c"there is no connection, and nothing is queued by configuration: try again after CONNECTED",
        MQTTP2P_E_NOTICE => c"the service's notice about a token is not what it documents",
        MQTTP2P_E_PANIC => c"a defect of this library was caught: free the object, and report what led to it",
        MQTTP2P_E_UNKNOWN => c"an error that this version has no number for",
        _ => c"unknown status",
    }
}

/// The error side of a call: its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) mqttp2p_status_t);

/// What a call came to.
pub(crate) type Outcome = Result<mqttp2p_status_t, Status>;

/// Done.
pub(crate) const DONE: Outcome = Ok(MQTTP2P_OK);

pub(crate) fn outcome(result: Outcome) -> mqttp2p_status_t {
    match result {
        Ok(status) | Err(Status(status)) => status,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::Full(_) => MQTTP2P_E_FULL,
            Error::TooLarge { .. } => MQTTP2P_E_TOO_LARGE,
            Error::Offline => MQTTP2P_E_OFFLINE,
            Error::RetainUnsupported => MQTTP2P_E_RETAIN,
            Error::TooManySubscriptions { .. } => MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS,
            Error::Invalid(error) => return error.into(),
            Error::Stale => MQTTP2P_E_STALE,
            Error::InUse => MQTTP2P_E_IN_USE,
            _ => MQTTP2P_E_UNKNOWN,
        })
    }
}

impl From<EncodeError> for Status {
    fn from(error: EncodeError) -> Self {
        Self(match error {
            EncodeError::BufferTooSmall { .. } | EncodeError::PacketTooLarge | EncodeError::FieldTooLong => {
                MQTTP2P_E_TOO_LARGE
            }
            EncodeError::InvalidText => MQTTP2P_E_TEXT,
            EncodeError::PasswordWithoutUserName => MQTTP2P_E_PASSWORD_ALONE,
            EncodeError::EmptyClientId => MQTTP2P_E_NO_CLIENT_ID,
            EncodeError::EmptyList => MQTTP2P_E_NO_FILTER,
            _ => MQTTP2P_E_UNKNOWN,
        })
    }
}

impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        Self(match error {
            SessionError::BufferTooSmall { .. } => MQTTP2P_E_BUFFER_TOO_SMALL,
            SessionError::UnknownFormat => MQTTP2P_E_SESSION_FORMAT,
            SessionError::Damaged | SessionError::Invalid => MQTTP2P_E_SESSION_DAMAGED,
            SessionError::NotTaken(error) => return error.into(),
            _ => MQTTP2P_E_UNKNOWN,
        })
    }
}

impl From<RestoreError<Status>> for Status {
    fn from(error: RestoreError<Status>) -> Self {
        match error {
            RestoreError::Store(status) => status,
            RestoreError::Invalid(_) => Self(MQTTP2P_E_SESSION_DAMAGED),
            RestoreError::NotTaken(error) => error.into(),
            _ => Self(MQTTP2P_E_UNKNOWN),
        }
    }
}

/// Topic names and topic filters break the same rules under different numbers.
pub(crate) fn topic_status(error: TopicError, otherwise: mqttp2p_status_t) -> Status {
    match error {
        TopicError::InvalidText => Status(MQTTP2P_E_TEXT),
        _ => Status(otherwise),
    }
}
