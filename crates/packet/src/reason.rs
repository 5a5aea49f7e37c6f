//! Reason codes: one type for what CONNACK and SUBACK answer.

use core::fmt;

/// What the other side answered. The numbers are MQTT 5's; the return codes of 3.1.1 map into them, so a program
/// reads the same reasons whichever edition is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
pub enum ReasonCode {
    /// CONNACK 0, or SUBACK 0: granted with QoS 0.
    Success = 0x00,
    /// SUBACK 1: granted with QoS 1.
    GrantedQoS1 = 0x01,
    /// SUBACK 2: granted with QoS 2.
    GrantedQoS2 = 0x02,
    /// SUBACK 0x80: the subscription was refused.
    UnspecifiedError = 0x80,
    /// CONNACK 1: the server does not speak this edition of the protocol.
    UnsupportedProtocolVersion = 0x84,
    /// CONNACK 2: the client identifier is not allowed.
    ClientIdentifierNotValid = 0x85,
    /// CONNACK 4: user name or password is wrong.
    BadUserNameOrPassword = 0x86,
    /// CONNACK 5: the client may not connect.
    NotAuthorized = 0x87,
    /// CONNACK 3: the server is there but can't serve now.
    ServerUnavailable = 0x88,
}

/// CONNACK's return codes 0 to 5 (table 3.1).
const CONNACK: [ReasonCode; 6] = [
    ReasonCode::Success,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::ServerUnavailable,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
];

impl ReasonCode {
    /// From CONNACK's return code; `None` for a reserved one (§3.2.2.3).
    pub fn from_connack(code: u8) -> Option<Self> {
        CONNACK.get(usize::from(code)).copied()
    }

    /// CONNACK's return code, 0 to 5; `None` where 3.1.1 has none for this reason.
    pub fn connack_code(self) -> Option<u8> {
        (0..).zip(CONNACK).find(|&(_, reason)| reason == self).map(|(code, _)| code)
    }

    /// From SUBACK's return code; `None` for one that is neither 0, 1, 2 nor 0x80 ([MQTT-3.9.3-2]).
    pub const fn from_suback(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::GrantedQoS1),
            2 => Some(Self::GrantedQoS2),
            0x80 => Some(Self::UnspecifiedError),
            _ => None,
        }
    }

    /// Whether this is a failure: 0x80 and above.
    pub const fn is_error(self) -> bool {
        self as u8 >= 0x80
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::GrantedQoS1 => "granted QoS 1",
            Self::GrantedQoS2 => "granted QoS 2",
            Self::UnspecifiedError => "refused",
            Self::UnsupportedProtocolVersion => "unacceptable protocol version",
            Self::ClientIdentifierNotValid => "client identifier rejected",
            Self::BadUserNameOrPassword => "bad user name or password",
            Self::NotAuthorized => "not authorized",
            Self::ServerUnavailable => "server unavailable",
        })
    }
}
