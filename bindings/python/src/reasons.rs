//! Words for programs, and advice, where the core has an enum.

use mqtt_p2p_core::{DisconnectReason, ReasonCode, TransportError};

use crate::errors;

/// How a connection ended, as a word.
pub(crate) fn word(reason: &DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::Requested => "requested",
        DisconnectReason::Paused => "paused",
        DisconnectReason::Transport(error) => transport_word(*error),
        DisconnectReason::ConnectTimeout => "connect-timeout",
        DisconnectReason::KeepAliveTimeout => "keep-alive-timeout",
        DisconnectReason::TakeoverSuspected => "takeover-suspected",
        DisconnectReason::Malformed(_) => "malformed",
        DisconnectReason::Unexpected(_) => "unexpected",
        DisconnectReason::Contradiction => "contradiction",
        DisconnectReason::InboundFull => "inbound-full",
        DisconnectReason::InvalidLogin(_) => "invalid-log-in",
        DisconnectReason::WillUnsupported => "will-unsupported",
        _ => "other",
    }
}

/// Every word for the end of a transport, in both directions.
const TRANSPORT: [(&str, TransportError); 17] = [
    ("name-not-found", TransportError::NameNotFound),
    ("connection-refused", TransportError::ConnectionRefused),
    ("unreachable", TransportError::Unreachable),
    ("no-log-in", TransportError::NoLogIn),
    ("tls", TransportError::Tls),
    ("not-tls", TransportError::NotTls),
    ("unknown-authority", TransportError::UnknownAuthority),
    ("authority-as-server", TransportError::AuthorityAsServer),
    ("certificate-expired", TransportError::CertificateExpired),
    ("certificate-not-yet-valid", TransportError::CertificateNotYetValid),
    ("wrong-name", TransportError::WrongName),
    ("client-certificate", TransportError::ClientCertificate),
    ("proxy", TransportError::Proxy),
    ("not-mqtt", TransportError::NotMqtt),
    ("upgrade", TransportError::Upgrade),
    ("closed-by-peer", TransportError::ClosedByPeer),
    ("broken", TransportError::Broken),
];

fn transport_word(error: TransportError) -> &'static str {
    TRANSPORT.iter().find(|(_, known)| *known == error).map_or("broken", |(word, _)| word)
}

pub(crate) fn transport(word: &str) -> pyo3::PyResult<TransportError> {
    TRANSPORT
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, error)| *error)
        .ok_or_else(|| errors::unknown("the reason", word, "one of those of Disconnected.kind"))
}

/// What to do about a refused log-in, in one sentence.
pub(crate) fn refusal_advice(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::UnsupportedProtocolVersion => "choose another protocol version",
        ReasonCode::ClientIdentifierNotValid => {
            "check the client id; ApsaraMQ wants <GroupID>@@@<DeviceID>, at most 64 characters, and a group that exists"
        }
        ReasonCode::ServerUnavailable => "try again later",
        _ => {
            "check user name and password; with ApsaraMQ access key, secret and instance id, and that the client id is \
             the one that was signed"
        }
    }
}
