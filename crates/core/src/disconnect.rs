//! Why a connection ended, or did not come about.

use core::fmt;

use mqtt_p2p_packet::{DecodeError, EncodeError, PacketType};

/// How an attempt to connect ended, as far as the evidence goes. [`DisconnectReason::advice`] says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The caller asked for it.
    Requested,
    /// The caller paused the client while it was connecting.
    Paused,
    /// The transport could not be opened, or broke; as the caller reported it.
    Transport(TransportError),
    /// No CONNACK within [`Config::connect_timeout_ms`](crate::Config::connect_timeout_ms).
    ConnectTimeout,
    /// No answer to a ping within [`Config::ping_timeout_ms`](crate::Config::ping_timeout_ms).
    KeepAliveTimeout,
    /// The peer closed several connections in a row shortly after it had accepted them.
    TakeoverSuspected,
    /// The peer sent what is no MQTT.
    Malformed(DecodeError),
    /// The peer sent a packet that a server may not send then.
    Unexpected(PacketType),
    /// The peer sent a SUBACK that does not fit its SUBSCRIBE, or claims a session that the client did not want.
    Contradiction,
    /// The peer has more messages of QoS 2 under way than this client can note.
    InboundFull,
    /// The log-in can't be sent: a text or its length is invalid.
    InvalidLogin(EncodeError),
    /// The log-in has a will, which the service does not know.
    WillUnsupported,
}

/// What the caller saw of the transport: the argument of
/// [`transport_closed`](crate::Client::transport_closed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TransportError {
    /// The name could not be resolved.
    NameNotFound,
    /// Nobody listens there.
    ConnectionRefused,
    /// There is no way to the host, or no answer from it.
    Unreachable,
    /// There was no log-in to be had.
    NoLogIn,
    /// The TLS handshake failed for another reason than those below.
    Tls,
    /// What answers the TLS handshake speaks no TLS, or ends the connection.
    NotTls,
    /// No trusted authority stands behind the server's certificate.
    UnknownAuthority,
    /// The server's certificate is that of an authority, which is no server's.
    AuthorityAsServer,
    /// The server's certificate has expired, by the clock of this machine.
    CertificateExpired,
    /// The server's certificate is not valid yet, by the clock of this machine.
    CertificateNotYetValid,
    /// The server's certificate is for other names.
    WrongName,
    /// The server wants a client certificate, or another one.
    ClientCertificate,
    /// The proxy can't be reached, or does not let the connection through.
    Proxy,
    /// What answers CONNECT speaks another protocol than MQTT.
    NotMqtt,
    /// The WebSocket upgrade was refused.
    Upgrade,
    /// The peer closed the connection.
    ClosedByPeer,
    /// The connection broke.
    Broken,
}

impl DisconnectReason {
    /// What to do about it, in one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Requested => "nothing: it was asked for",
            Self::Paused => "resume the client when the program is in the foreground again",
            Self::Transport(error) => error.advice(),
            Self::ConnectTimeout => {
                "check host, port and transport: a port that expects TLS or WebSocket stays silent to plain MQTT"
            }
            Self::KeepAliveTimeout => "the link is dead or too slow; a shorter keep alive finds out earlier",
            Self::TakeoverSuspected => {
                "make sure that no other client uses this client id; the server may also close after a topic that \
                 this client is not authorised for, or a message that is too large"
            }
            Self::Malformed(_) | Self::Unexpected(_) | Self::Contradiction => {
                "check that the port speaks MQTT of this version; if it does, the server is at fault"
            }
            Self::InboundFull => "give the client room for more incoming messages of QoS 2",
            Self::InvalidLogin(_) => "correct client id, user name and password",
            Self::WillUnsupported => {
                "log in without a will; the service can report who goes offline by other means"
            }
        }
    }
}

impl TransportError {
    /// What to do about it, in one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NameNotFound => "check the host name and the name server",
            Self::ConnectionRefused => "check the port, and that the server runs",
            Self::NoLogIn => "see that credentials can be had: nothing was sent to the server",
            Self::Unreachable => "check the network and the firewall",
            Self::Tls => "check the server's certificate and the TLS versions that it speaks",
            Self::NotTls => "check the port, which is usually 8883 or 443; or connect without TLS",
            Self::UnknownAuthority => {
                "trust the authority that signed the server's certificate, if you know it; otherwise somebody may be \
                 in between"
            }
            Self::AuthorityAsServer => {
                "give the server a certificate that is no authority's: signed by an authority of yours, or self-signed \
                 with CA:FALSE (openssl req -x509 -addext basicConstraints=critical,CA:FALSE), and trust that"
            }
            Self::CertificateExpired => {
                "have the server's certificate renewed; if it is current, check the clock of this machine"
            }
            Self::CertificateNotYetValid => "check the clock of this machine",
            Self::WrongName => {
                "connect to a name that the certificate is for, or set the server name that it should have"
            }
            Self::ClientCertificate => "give a client certificate that the server trusts, with its key",
            Self::NotMqtt => {
                "check the port, and whether it expects TLS (mqtts://) or WebSocket (ws://, wss://)"
            }
            Self::Proxy => {
                "check the proxy's address, user and password, and that it lets connections to this server through"
            }
            Self::Upgrade => "check the WebSocket path, which is usually /mqtt, and the port",
            Self::ClosedByPeer => {
                "the server gave no reason; a client id in use elsewhere, a topic without permission and a message \
                 that is too large are the usual ones"
            }
            Self::Broken => "nothing: networks break; the client tries again",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("disconnected on request"),
            Self::Paused => f.write_str("paused while connecting"),
            Self::Transport(error) => fmt::Display::fmt(error, f),
            Self::ConnectTimeout => f.write_str("the server did not accept the connection in time"),
            Self::KeepAliveTimeout => f.write_str("the server did not answer a ping in time"),
            Self::TakeoverSuspected => {
                f.write_str("the server keeps closing the connection shortly after accepting it")
            }
            Self::Malformed(error) => write!(f, "the server sent {error}"),
            Self::Unexpected(packet) => write!(f, "the server sent {packet} out of place"),
            Self::Contradiction => f.write_str("the server contradicted what it was asked"),
            Self::InboundFull => f.write_str("the server has too many messages of QoS 2 under way"),
            Self::InvalidLogin(error) => write!(f, "the log-in can't be sent: {error}"),
            Self::WillUnsupported => f.write_str("the service does not support wills"),
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotFound => "the host name was not found",
            Self::ConnectionRefused => "the connection was refused",
            Self::NoLogIn => "there is no log-in",
            Self::Unreachable => "the host can't be reached",
            Self::Tls => "the TLS handshake failed",
            Self::NotTls => "the server does not speak TLS on this port",
            Self::UnknownAuthority => "the server's certificate comes from an unknown authority",
            Self::AuthorityAsServer => {
                "the server's certificate is that of an authority, as a self-signed one often is"
            }
            Self::CertificateExpired => "the server's certificate has expired",
            Self::CertificateNotYetValid => "the server's certificate is not valid yet",
            Self::WrongName => "the server's certificate is for another name",
            Self::ClientCertificate => {
                "the server did not accept the client's certificate, or the lack of one"
            }
            Self::NotMqtt => "the server does not speak MQTT on this port",
            Self::Proxy => "the proxy did not let the connection through",
            Self::Upgrade => "the WebSocket upgrade was refused",
            Self::ClosedByPeer => "the server closed the connection",
            Self::Broken => "the connection broke",
        })
    }
}

impl core::error::Error for DisconnectReason {}
impl core::error::Error for TransportError {}

impl From<DecodeError> for DisconnectReason {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}
