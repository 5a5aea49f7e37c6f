//! PUBLISH (§3.3), which carries a message in either direction.

use crate::error::{DecodeError, EncodeError};
use crate::frame::{FixedHeader, Frame, fixed_header};
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::topic::TopicName;
use crate::types::{PacketId, QoS};
use crate::write::{Writer, packet_size};

const RETAIN: u8 = 0b0001;
const QOS_SHIFT: u8 = 1;
const DUP: u8 = 0b1000;

/// A PUBLISH packet (§3.3): an application message.
///
/// QoS and packet identifier are one value, because QoS 1 and 2 require an identifier ([MQTT-2.3.1-1]) and QoS 0 forbids
/// it ([MQTT-2.3.1-5]).
///
/// ```
/// use mqtt_p2p_packet::{AckedQoS, PacketId, Publish, QoS, TopicName};
///
/// let publish = Publish::new(TopicName::new("site/pump")?, b"on")
///     .with_delivery(Some((AckedQoS::AtLeastOnce, PacketId::MIN)))
///     .with_retain(true);
/// assert_eq!(publish.qos(), QoS::AtLeastOnce);
/// # Ok::<(), mqtt_p2p_packet::TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Publish<'a> {
    /// Whether the sender has sent the packet before; never set with QoS 0 ([MQTT-3.3.1-2]). It does not say whether the
    /// packet *arrived* before.
    pub dup: bool,
    /// To the server: whether to retain the message for later subscribers. From the server: whether the message was
    /// retained before the subscription (§3.3.1.3).
    pub retain: bool,
    /// The topic name.
    pub topic: TopicName<'a>,
    /// The QoS and packet identifier; `None` for QoS 0.
    pub delivery: Option<(AckedQoS, PacketId)>,
    /// The payload: any bytes, possibly none.
    pub payload: &'a [u8],
}

/// The fields of a PUBLISH whose payload has not fully arrived, returned by [`Publish::decode_head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PublishHead<'a> {
    /// The packet, with an empty payload.
    pub publish: Publish<'a>,
    /// The length of the whole payload, in bytes.
    pub payload_len: u32,
    /// The input after the head: the first bytes of the payload.
    pub rest: &'a [u8],
}

/// The QoS levels with acknowledgements: 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[allow(clippy::exhaustive_enums, reason = "every MQTT version has these two")]
pub enum AckedQoS {
    /// QoS 1.
    AtLeastOnce = 1,
    /// QoS 2.
    ExactlyOnce = 2,
}

impl<'a> Publish<'a> {
    /// Creates a message with QoS 0 that is not retained.
    #[inline]
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self { dup: false, retain: false, topic, delivery: None, payload }
    }

    // The builder methods return a new value instead of changing `mut self`: with that, rustc 1.95 at opt-level 1 may change
    // the caller's copy as well.

    /// Sets the QoS and packet identifier; `None` is QoS 0.
    #[inline]
    #[must_use]
    pub const fn with_delivery(self, delivery: Option<(AckedQoS, PacketId)>) -> Self {
        Self { delivery, ..self }
    }

    /// Sets whether the message is retained.
    #[inline]
    #[must_use]
    pub const fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }

    /// Sets whether the packet is a repetition. Encoding ignores it for QoS 0.
    #[inline]
    #[must_use]
    pub const fn with_dup(self, dup: bool) -> Self {
        Self { dup, ..self }
    }

    /// Returns the QoS.
    #[inline]
    pub const fn qos(&self) -> QoS {
        match self.delivery {
            None => QoS::AtMostOnce,
            Some((AckedQoS::AtLeastOnce, _)) => QoS::AtLeastOnce,
            Some((AckedQoS::ExactlyOnce, _)) => QoS::ExactlyOnce,
        }
    }

    /// Returns the packet identifier, or `None` for QoS 0.
    #[inline]
    pub const fn packet_id(&self) -> Option<PacketId> {
        match self.delivery {
            Some((_, id)) => Some(id),
            None => None,
        }
    }

    /// Decodes a PUBLISH from a frame of this type.
    ///
    /// # Errors
    /// Returns an error for QoS 3 ([MQTT-3.3.1-4]), DUP with QoS 0 ([MQTT-3.3.1-2]), an invalid topic name, packet
    /// identifier 0, or a packet that ends within a field.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn decode(frame: &Frame<'a>) -> Result<Self, DecodeError> {
        let flags = frame.flags;
        let mut body = Reader(frame.body);
        if flags >> QOS_SHIFT & 0b11 == 3 {
            return Err(DecodeError::InvalidQoS);
        }
        let topic = TopicName::decode(body.binary()?)?;
        let delivery = match flags >> QOS_SHIFT & 0b11 {
            0 if flags & DUP != 0 => return Err(DecodeError::DupWithQoS0),
            0 => None,
            1 => Some((AckedQoS::AtLeastOnce, body.packet_id()?)),
            _ => Some((AckedQoS::ExactlyOnce, body.packet_id()?)),
        };
        Ok(Self { dup: flags & DUP != 0, retain: flags & RETAIN != 0, topic, delivery, payload: body.0 })
    }

    /// Decodes everything but the payload from the start of a PUBLISH that is longer than `max` bytes.
    ///
    /// Returns `None` for any other packet, and until the input has the whole head: fixed header, topic name and packet
    /// identifier. The caller can then process the payload in chunks as it arrives.
    ///
    /// ```
    /// use mqtt_p2p_packet::Publish;
    ///
    /// // The fixed header announces 103 bytes: the topic "t" and 100 bytes of payload, of which two have arrived.
    /// let head = Publish::decode_head(b"\x30\x67\x00\x01tab", 16)?.ok_or("incomplete head")?;
    /// assert_eq!((head.publish.topic.as_str(), head.payload_len, head.rest), ("t", 100, &b"ab"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`decode`](Self::decode) and of the fixed header, and [`DecodeError::TooLarge`] if the head
    /// alone is longer than `max`, so a buffer of `max` bytes suffices for any head.
    pub fn decode_head(input: &'a [u8], max: u32) -> Result<Option<PublishHead<'a>>, DecodeError> {
        let Some(FixedHeader { packet_type: PacketType::Publish, flags, remaining_length, size, rest: body }) =
            fixed_header(input)?
        else {
            return Ok(None);
        };
        let [high, low, ..] = body else { return Ok(None) };
        if size <= max {
            return Ok(None);
        }
        let id_len = if flags >> QOS_SHIFT & 0b11 == 0 { 2_u32 } else { 4 };
        let len = u32::from(u16::from_be_bytes([*high, *low])).wrapping_add(id_len);
        let Some(payload_len) = remaining_length.checked_sub(len) else {
            return Err(DecodeError::Truncated);
        };
        let head_size = size.wrapping_sub(payload_len);
        if head_size > max {
            return Err(DecodeError::TooLarge { size: head_size, max });
        }
        let Some((head, rest)) = body.split_at_checked(len as usize) else {
            return Ok(None);
        };
        let publish = Self::decode(&Frame { packet_type: PacketType::Publish, flags, body: head })?;
        Ok(Some(PublishHead { publish, payload_len, rest }))
    }

    #[inline]
    fn remaining_length(&self) -> Result<usize, EncodeError> {
        let header = self.topic.as_bytes().len().wrapping_add(if self.delivery.is_some() { 4 } else { 2 });
        header.checked_add(self.payload.len()).ok_or(EncodeError::PacketTooLarge)
    }

    /// Returns the exact length of the encoded packet, in bytes.
    ///
    /// # Errors
    /// Returns [`EncodeError::PacketTooLarge`] if the remaining length exceeds 268,435,455 bytes.
    #[inline]
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining_length()?)
    }

    /// Encodes the packet to the start of `buffer` and returns its length in bytes. `dup` is ignored for QoS 0
    /// ([MQTT-3.3.1-2]).
    ///
    /// # Errors
    /// Returns [`EncodeError::PacketTooLarge`] or [`EncodeError::BufferTooSmall`].
    #[inline(always)]
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let mut first = PacketType::Publish.first_byte() | if self.retain { RETAIN } else { 0 };
        if let Some((qos, _)) = self.delivery {
            first |= (qos as u8) << QOS_SHIFT | if self.dup { DUP } else { 0 };
        }
        let topic = self.topic.as_bytes();
        let (mut writer, size) = Writer::start(buffer, first, self.remaining_length()?, topic.len() as u16)?;
        writer.raw(topic);
        if let Some((_, id)) = self.delivery {
            writer.packet_id(id);
        }
        writer.raw(self.payload);
        Ok(size)
    }

    /// Returns whether an encoded packet is a PUBLISH with DUP set.
    pub fn is_dup(packet: &[u8]) -> bool {
        packet.first().is_some_and(|first| *first >> 4 == PacketType::Publish as u8 && *first & DUP != 0)
    }

    /// Sets or clears DUP in an encoded PUBLISH of QoS 1 or 2 ([MQTT-3.3.1-1]). Any other packet is left unchanged.
    pub fn set_dup(packet: &mut [u8], dup: bool) {
        if let [first, ..] = packet
            && *first >> 4 == PacketType::Publish as u8
            && *first >> QOS_SHIFT & 0b11 != 0
        {
            *first = if dup { *first | DUP } else { *first & !DUP };
        }
    }
}
