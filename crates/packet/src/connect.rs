//! CONNECT (§3.1), the first packet of every connection.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
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

/// A CONNECT packet (§3.1): the client identifier, the credentials and the session's settings.
///
/// `Debug` shows neither the user name nor the password.
///
/// ```
/// use mqtt_p2p_packet::{Connect, TopicName, Will};
///
/// let will = Will::new(TopicName::new("site/pump/state")?, b"gone").with_retain(true);
/// let connect = Connect::new("pump").with_user_name("site").with_password(b"secret").with_will(will);
/// let mut buffer = [0; 128];
/// let len = connect.encode(&mut buffer)?;
/// assert_eq!(len, connect.encoded_len()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connect<'a> {
    /// The protocol version, which the packet names by protocol name and level.
    pub protocol: Protocol,
    /// Whether client and server discard any stored session and keep none afterwards ([MQTT-3.1.2-6]).
    pub clean_session: bool,
    /// The longest time between two packets from the client, in seconds; 0 turns keep alive off (§3.1.2.10).
    pub keep_alive: u16,
    /// The client identifier. It may be empty only if `clean_session` is set ([MQTT-3.1.3-7]).
    pub client_id: &'a str,
    /// The message that the server publishes if the connection ends without DISCONNECT.
    pub will: Option<Will<'a>>,
    /// The user name.
    pub user_name: Option<&'a str>,
    /// The password, any bytes. It requires a user name ([MQTT-3.1.2-22]).
    pub password: Option<&'a [u8]>,
}

/// A will message, which the server publishes if the connection ends without DISCONNECT (§3.1.2.5).
///
/// ```
/// use mqtt_p2p_packet::{QoS, TopicName, Will};
///
/// let will = Will::new(TopicName::new("site/pump/state")?, b"gone").with_qos(QoS::AtLeastOnce).with_retain(true);
/// assert_eq!((will.qos, will.retain), (QoS::AtLeastOnce, true));
/// # Ok::<(), mqtt_p2p_packet::TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Will<'a> {
    /// The topic name.
    pub topic: TopicName<'a>,
    /// The payload, at most 65,535 bytes.
    pub payload: &'a [u8],
    /// The QoS with which the server publishes the message.
    pub qos: QoS,
    /// Whether the server retains the message for later subscribers.
    pub retain: bool,
}

impl<'a> Will<'a> {
    /// Creates a will message with QoS 0 that is not retained.
    #[inline]
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self { topic, payload, qos: QoS::AtMostOnce, retain: false }
    }

    /// Sets the QoS.
    #[inline]
    #[must_use]
    pub const fn with_qos(self, qos: QoS) -> Self {
        Self { qos, ..self }
    }

    /// Sets whether the server retains the message.
    #[inline]
    #[must_use]
    pub const fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REDACTED: &str = "<hidden>";
        f.debug_struct("Connect")
            .field("protocol", &self.protocol)
            .field("clean_session", &self.clean_session)
            .field("keep_alive", &self.keep_alive)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("user_name", &self.user_name.map(|_| REDACTED))
            .field("password", &self.password.map(|_| REDACTED))
            .finish()
    }
}

impl<'a> Connect<'a> {
    /// Creates a CONNECT of MQTT 3.1.1 with a clean session, a keep alive of 60 s, and neither will nor credentials.
    #[inline]
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

    /// Sets the protocol version.
    #[inline]
    #[must_use]
    pub const fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// Sets whether to start and end without a stored session.
    #[inline]
    #[must_use]
    pub const fn with_clean_session(self, clean_session: bool) -> Self {
        Self { clean_session, ..self }
    }

    /// Sets the keep alive, in seconds; 0 turns it off.
    #[inline]
    #[must_use]
    pub const fn with_keep_alive(self, seconds: u16) -> Self {
        Self { keep_alive: seconds, ..self }
    }

    /// Sets the will message.
    #[inline]
    #[must_use]
    pub const fn with_will(self, will: Will<'a>) -> Self {
        Self { will: Some(will), ..self }
    }

    /// Sets the user name.
    #[inline]
    #[must_use]
    pub const fn with_user_name(self, user_name: &'a str) -> Self {
        Self { user_name: Some(user_name), ..self }
    }

    /// Sets the password, which requires a user name ([MQTT-3.1.2-22]).
    #[inline]
    #[must_use]
    pub const fn with_password(self, password: &'a [u8]) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Decodes a CONNECT from a frame of this type. The protocol version comes from the packet itself.
    ///
    /// # Errors
    /// Returns an error for a packet that §3.1 does not allow. A server answers
    /// [`DecodeError::UnsupportedProtocolLevel`] with CONNACK return code 1 ([MQTT-3.1.2-2]).
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

    /// Returns the exact length of the encoded packet, in bytes.
    ///
    /// # Errors
    /// Returns an error if a field is longer than 65,535 bytes, the client identifier or user name contains U+0000, there
    /// is a password without a user name, or the client identifier is empty without `clean_session`.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining_length()?)
    }

    fn remaining_length(&self) -> Result<usize, EncodeError> {
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
        // Protocol level (1), connect flags (1) and keep alive (2).
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

    /// Encodes the packet to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    /// Returns the errors of [`encoded_len`](Self::encoded_len), and [`EncodeError::BufferTooSmall`].
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let (first, name) = (PacketType::Connect.first_byte(), self.protocol_name());
        let (mut writer, size) = Writer::start(buffer, first, self.remaining_length()?, name.len() as u16)?;
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
