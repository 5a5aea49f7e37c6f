//! PUBLISH (§3.3): a message, either way.

use crate::error::{DecodeError, EncodeError};
use crate::frame::{FixedHeader, Frame, PacketType, fixed_header};
use crate::read::Reader;
use crate::topic::TopicName;
use crate::types::{PacketId, QoS};
use crate::write::{Writer, packet_size};

const RETAIN: u8 = 0b0001;
const QOS_SHIFT: u8 = 1;
const DUP: u8 = 0b1000;

/// A message. QoS and packet identifier are one value, since neither makes sense alone: an identifier goes with
/// QoS 1 and 2, and only with them ([MQTT-2.3.1-1], [MQTT-2.3.1-5]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Publish<'a> {
    /// Sent before; never set with QoS 0 ([MQTT-3.3.1-2]). Says nothing about whether it *arrived* before.
    pub dup: bool,
    /// To the server: keep this for later subscribers. From the server: this was kept (§3.3.1.3).
    pub retain: bool,
    /// Where to.
    pub topic: TopicName<'a>,
    /// `None` is QoS 0.
    pub delivery: Option<(AckedQoS, PacketId)>,
    /// Any bytes, also none.
    pub payload: &'a [u8],
}

/// The beginning of a PUBLISH that is not whole: see [`Publish::decode_head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PublishHead<'a> {
    /// The message, its payload empty.
    pub publish: Publish<'a>,
    /// The length of its payload.
    pub payload_len: u32,
    /// What follows the head: as much of the payload as there is.
    pub rest: &'a [u8],
}

/// The two qualities of service that are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum AckedQoS {
    /// QoS 1.
    AtLeastOnce = 1,
    /// QoS 2.
    ExactlyOnce = 2,
}

impl<'a> Publish<'a> {
    /// A message of QoS 0.
    #[inline]
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self { dup: false, retain: false, topic, delivery: None, payload }
    }

    /// The quality of service.
    #[inline]
    pub const fn qos(&self) -> QoS {
        match self.delivery {
            None => QoS::AtMostOnce,
            Some((AckedQoS::AtLeastOnce, _)) => QoS::AtLeastOnce,
            Some((AckedQoS::ExactlyOnce, _)) => QoS::ExactlyOnce,
        }
    }

    /// The packet identifier; `None` with QoS 0.
    #[inline]
    pub const fn packet_id(&self) -> Option<PacketId> {
        match self.delivery {
            Some((_, id)) => Some(id),
            None => None,
        }
    }

    /// Reads it from a frame of this type.
    ///
    /// # Errors
    /// QoS 3, DUP with QoS 0, a topic that is no topic name, identifier 0, an end in the middle of a field.
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

    /// Reads all but the payload from the beginning of a PUBLISH that is longer than `max` bytes. `None` for other
    /// packets, and while the head is not whole.
    ///
    /// # Errors
    /// As [`Self::decode`], and those of the fixed header; [`DecodeError::TooLarge`] if the head alone is longer than
    /// `max`: so whoever has room for so much can read any head.
    pub fn decode_head(input: &'a [u8], max: u32) -> Result<Option<PublishHead<'a>>, DecodeError> {
        let Some(FixedHeader { packet_type: PacketType::Publish, flags, remaining, size, rest: body }) =
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
        let Some(payload_len) = remaining.checked_sub(len) else {
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
    fn remaining(&self) -> Result<usize, EncodeError> {
        let header = self.topic.as_bytes().len().wrapping_add(if self.delivery.is_some() { 4 } else { 2 });
        header.checked_add(self.payload.len()).ok_or(EncodeError::PacketTooLarge)
    }

    /// The packet's exact length in bytes.
    ///
    /// # Errors
    /// [`EncodeError::PacketTooLarge`].
    #[inline]
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining()?)
    }

    /// Writes the packet to the start of `buffer`, and gives its length. DUP is left out of QoS 0, where it has no
    /// place.
    ///
    /// # Errors
    /// [`EncodeError::PacketTooLarge`]; a buffer too small.
    #[inline(always)]
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let mut first = PacketType::Publish.first_byte() | if self.retain { RETAIN } else { 0 };
        if let Some((qos, _)) = self.delivery {
            first |= (qos as u8) << QOS_SHIFT | if self.dup { DUP } else { 0 };
        }
        let topic = self.topic.as_bytes();
        let (mut writer, size) = Writer::start(buffer, first, self.remaining()?, topic.len() as u16)?;
        writer.raw(topic);
        if let Some((_, id)) = self.delivery {
            writer.packet_id(id);
        }
        writer.raw(self.payload);
        Ok(size)
    }

    /// Whether an encoded packet is a PUBLISH with DUP.
    pub fn is_dup(packet: &[u8]) -> bool {
        packet.first().is_some_and(|first| *first >> 4 == PacketType::Publish as u8 && *first & DUP != 0)
    }

    /// Sets or clears DUP in an encoded PUBLISH of QoS 1 or 2 that is sent again ([MQTT-3.3.1-1]). Any other
    /// packet is left as it is.
    pub fn set_dup(packet: &mut [u8], dup: bool) {
        if let [first, ..] = packet
            && *first >> 4 == PacketType::Publish as u8
            && *first >> QOS_SHIFT & 0b11 != 0
        {
            *first = if dup { *first | DUP } else { *first & !DUP };
        }
    }
}
