//! CONNECT (§3.1): the client's log-in.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::text::is_text;
use crate::topic::TopicName;
use crate::types::{Protocol, QoS};
use crate::write::{Writer, field_size, packet_size};

const CLEAN_SESSION: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER_NAME: u8 = 0b1000_0000;

/// The log-in. Debug shows neither user name nor password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The edition to speak.
    pub protocol: Protocol,
    /// Whether both sides start from nothing and forget at the end ([MQTT-3.1.2-6]).
    pub clean_session: bool,
    /// The longest silence of the client, in seconds; 0 turns it off (§3.1.2.10).
    pub keep_alive: u16,
    /// Who this is; may be empty with `clean_session` only ([MQTT-3.1.3-7]).
    pub client_id: &'a str,
    /// What the server publishes if this client vanishes.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user_name: Option<&'a str>,
    /// Password: any bytes, with a user name only ([MQTT-3.1.2-22]).
    pub password: Option<&'a [u8]>,
}

/// The message that the server publishes when the client goes without DISCONNECT (§3.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Will<'a> {
    /// Where to.
    pub topic: TopicName<'a>,
    /// What; at most 65,535 bytes.
    pub payload: &'a [u8],
    /// How surely.
    pub qos: QoS,
    /// Whether the server keeps it for later subscribers.
    pub retain: bool,
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN: &str = "<hidden>";
        f.debug_struct("Connect")
            .field("protocol", &self.protocol)
            .field("clean_session", &self.clean_session)
            .field("keep_alive", &self.keep_alive)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("user_name", &self.user_name.map(|_| HIDDEN))
            .field("password", &self.password.map(|_| HIDDEN))
            .finish()
    }
}

impl<'a> Connect<'a> {
    /// A CONNECT of MQTT 3.1.1 with a clean session, a keep alive of 60 s and nothing optional.
    pub const fn new(client_id: &'a str) -> Self {
        Self {
            protocol: Protocol::V311,
            clean_session: true,
            keep_alive: 60,
            client_id,
            will: None,
            user_name: None,
            password: None,
        }
    }

    /// Reads it from a frame of this type. Its protocol level decides the edition, whatever was set before.
    ///
    /// # Errors
    /// All that §3.1 calls wrong. [`DecodeError::UnsupportedProtocolLevel`] wants the answer CONNACK 1.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, DecodeError> {
        frame.check_flags(false)?;
        let mut body = Reader(frame.body);
        let name = body.binary()?;
        let level = body.u8()?;
        let protocol = match (name, level) {
            (b"MQTT", 4) => Protocol::V311,
            (b"MQIsdp", 3) => Protocol::V31,
            (b"MQTT" | b"MQIsdp", level) => return Err(DecodeError::UnsupportedProtocolLevel(level)),
            _ => return Err(DecodeError::InvalidProtocolName),
        };
        let flags = body.u8()?;
        let has = |flag| flags & flag != 0;
        let will_qos = flags >> WILL_QOS_SHIFT & 0b11;
        if flags & 1 != 0
            || (!has(WILL) && (will_qos != 0 || has(WILL_RETAIN)))
            || (has(PASSWORD) && !has(USER_NAME))
        {
            return Err(DecodeError::InvalidConnectFlags(flags));
        }
        let keep_alive = body.u16()?;
        let client_id = body.text()?;
        let will = if has(WILL) {
            Some(Will {
                qos: QoS::from_bits(will_qos).ok_or(DecodeError::InvalidQoS)?,
                topic: TopicName::decode(body.binary()?)?,
                payload: body.binary()?,
                retain: has(WILL_RETAIN),
            })
        } else {
            None
        };
        let user_name = if has(USER_NAME) { Some(body.text()?) } else { None };
        let password = if has(PASSWORD) { Some(body.binary()?) } else { None };
        body.end()?;
        Ok(Self {
            protocol,
            clean_session: has(CLEAN_SESSION),
            keep_alive,
            client_id,
            will,
            user_name,
            password,
        })
    }

    /// The packet's exact length in bytes.
    ///
    /// # Errors
    /// A field over 65,535 bytes, U+0000 in the client identifier or user name, a password without a user name, no client
    /// identifier for a session that is to be kept.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining()?)
    }

    fn remaining(&self) -> Result<usize, EncodeError> {
        for text in [self.client_id, self.user_name.unwrap_or_default()] {
            if !is_text(text.as_bytes()) {
                return Err(EncodeError::InvalidText);
            }
        }
        if self.password.is_some() && self.user_name.is_none() {
            return Err(EncodeError::PasswordWithoutUserName);
        }
        if self.client_id.is_empty() && !self.clean_session {
            return Err(EncodeError::EmptyClientId);
        }
        // Level, flags and keep alive take four bytes.
        let mut size = field_size(self.protocol_name())?.wrapping_add(4);
        let mut add = |field: &[u8]| {
            size = size.wrapping_add(field_size(field)?);
            Ok(())
        };
        add(self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            add(will.topic.as_bytes())?;
            add(will.payload)?;
        }
        if let Some(user_name) = self.user_name {
            add(user_name.as_bytes())?;
        }
        if let Some(password) = self.password {
            add(password)?;
        }
        Ok(size)
    }

    const fn protocol_name(&self) -> &'static [u8] {
        match self.protocol {
            Protocol::V31 => b"MQIsdp",
            Protocol::V311 => b"MQTT",
        }
    }

    const fn protocol_level(&self) -> u8 {
        match self.protocol {
            Protocol::V31 => 3,
            Protocol::V311 => 4,
        }
    }

    fn flags(&self) -> u8 {
        let flag = |set, flag| if set { flag } else { 0 };
        let will = match &self.will {
            Some(will) => WILL | (will.qos as u8) << WILL_QOS_SHIFT | flag(will.retain, WILL_RETAIN),
            None => 0,
        };
        will | flag(self.clean_session, CLEAN_SESSION)
            | flag(self.user_name.is_some(), USER_NAME)
            | flag(self.password.is_some(), PASSWORD)
    }

    /// Writes the packet to the start of `buffer`, and gives its length.
    ///
    /// # Errors
    /// As [`Self::encoded_len`]; a buffer too small.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let (first, name) = (PacketType::Connect.first_byte(), self.protocol_name());
        let (mut writer, size) = Writer::start(buffer, first, self.remaining()?, name.len() as u16)?;
        writer.raw(name);
        writer.u8(self.protocol_level());
        writer.u8(self.flags());
        writer.u16(self.keep_alive);
        writer.field(self.client_id.as_bytes());
        if let Some(will) = &self.will {
            writer.field(will.topic.as_bytes());
            writer.field(will.payload);
        }
        if let Some(user_name) = self.user_name {
            writer.field(user_name.as_bytes());
        }
        if let Some(password) = self.password {
            writer.field(password);
        }
        Ok(size)
    }
}
