//! SUBSCRIBE (§3.8): the topic filters that a client asks for.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::topic::TopicFilter;
use crate::types::{PacketId, Protocol, QoS};
use crate::write::{Writer, packet_size};

/// A request for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Subscribe<'a> {
    /// What SUBACK will carry.
    pub packet_id: PacketId,
    /// At least one topic filter ([MQTT-3.8.3-3]).
    pub filters: Filters<'a, SubscribeFilter<'a>>,
}

/// A topic filter, and the highest QoS at which the client wants its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubscribeFilter<'a> {
    /// What to receive.
    pub filter: TopicFilter<'a>,
    /// How surely, at most.
    pub qos: QoS,
}

/// A list of entries of SUBSCRIBE or UNSUBSCRIBE: the caller's own, or still encoded as it came in, then checked
/// when it was decoded.
#[derive(Clone, Copy)]
pub struct Filters<'a, T>(Source<'a, T>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Listed(&'a [T]),
    Encoded(Reader<'a>),
}

/// An entry of SUBSCRIBE ([`SubscribeFilter`]) or of UNSUBSCRIBE ([`TopicFilter`]).
pub(crate) trait Entry<'a>: Copy {
    /// Reads and checks one.
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    /// Reads one that was checked before.
    fn read_again(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    fn size(&self) -> usize;
    fn write(&self, writer: &mut Writer<'_>);
}

impl<'a> Entry<'a> for SubscribeFilter<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let filter = TopicFilter::decode(reader.binary()?)?;
        let qos = QoS::from_bits(reader.u8()?).ok_or(DecodeError::InvalidQoS)?;
        Ok(Self { filter, qos })
    }

    fn read_again(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let filter = TopicFilter::checked(reader.binary()?);
        let qos = QoS::from_bits(reader.u8()?).ok_or(DecodeError::InvalidQoS)?;
        Ok(Self { filter, qos })
    }

    fn size(&self) -> usize {
        self.filter.as_bytes().len().wrapping_add(3)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(self.filter.as_bytes());
        writer.u8(self.qos as u8);
    }
}

impl<'a> Entry<'a> for TopicFilter<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        TopicFilter::decode(reader.binary()?)
    }

    fn read_again(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(TopicFilter::checked(reader.binary()?))
    }

    fn size(&self) -> usize {
        self.as_bytes().len().wrapping_add(2)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(self.as_bytes());
    }
}

#[expect(private_bounds, reason = "the two entries are all there are")]
impl<'a, T: Entry<'a>> Filters<'a, T> {
    /// The caller's list.
    pub const fn new(entries: &'a [T]) -> Self {
        Self(Source::Listed(entries))
    }

    /// Entries as they stand in the packet, behind its packet identifier.
    ///
    /// # Errors
    /// No entry, one that is cut off or malformed.
    pub fn from_encoded(entries: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode(Reader(entries))
    }

    /// Entries that this crate has encoded or checked before; they are not looked at again. Of any other bytes come
    /// filters that are none, and whose text is empty or misplaced.
    pub const fn from_checked(entries: &'a [u8]) -> Self {
        Self(Source::Encoded(Reader(entries)))
    }

    /// Checks every entry up to the packet's end.
    pub(crate) fn decode(body: Reader<'a>) -> Result<Self, DecodeError> {
        let mut rest = body;
        if rest.0.is_empty() {
            return Err(DecodeError::EmptyList);
        }
        while !rest.0.is_empty() {
            T::read(&mut rest)?;
        }
        Ok(Self(Source::Encoded(body)))
    }

    /// The entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (mut listed, mut encoded) = match self.0 {
            Source::Listed(entries) => (entries.iter(), None),
            Source::Encoded(body) => ([].iter(), Some(body)),
        };
        core::iter::from_fn(move || match &mut encoded {
            None => listed.next().copied(),
            Some(body) => T::read_again(body).ok(),
        })
    }

    /// What follows the packet identifier: all entries.
    pub(crate) fn remaining(&self) -> Result<usize, EncodeError> {
        let mut size: usize = 2;
        match self.0 {
            Source::Encoded(body) => size = size.saturating_add(body.0.len()),
            Source::Listed(entries) => {
                for entry in entries {
                    size = size.checked_add(entry.size()).ok_or(EncodeError::PacketTooLarge)?;
                }
            }
        }
        if size == 2 { Err(EncodeError::EmptyList) } else { Ok(size) }
    }

    pub(crate) fn encode(
        &self,
        packet_type: PacketType,
        packet_id: PacketId,
        buffer: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let (first, id) = (packet_type.first_byte(), packet_id.get());
        let (mut writer, size) = Writer::start(buffer, first, self.remaining()?, id)?;
        match self.0 {
            Source::Encoded(body) => writer.raw(body.0),
            Source::Listed(entries) => entries.iter().for_each(|entry| entry.write(&mut writer)),
        }
        Ok(size)
    }
}

impl<'a, T: Entry<'a> + PartialEq> PartialEq for Filters<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Entry<'a> + Eq> Eq for Filters<'a, T> {}

impl<'a, T: Entry<'a> + fmt::Debug> fmt::Debug for Filters<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Subscribe<'a> {
    /// Reads it from a frame of this type.
    ///
    /// # Errors
    /// Wrong flags, identifier 0, no filter, a filter or QoS that is none ([MQTT-3.8.3-4]).
    pub fn decode(frame: &Frame<'a>, protocol: Protocol) -> Result<Self, DecodeError> {
        frame.check_flags(protocol == Protocol::V31)?;
        let mut body = Reader(frame.body);
        Ok(Self { packet_id: body.packet_id()?, filters: Filters::decode(body)? })
    }

    /// The packet's exact length in bytes.
    ///
    /// # Errors
    /// No filter; more than a packet can hold.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.filters.remaining()?)
    }

    /// Writes the packet to the start of `buffer`, and gives its length.
    ///
    /// # Errors
    /// As [`Self::encoded_len`]; a buffer too small.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        self.filters.encode(PacketType::Subscribe, self.packet_id, buffer)
    }
}
