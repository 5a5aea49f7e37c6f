//! SUBSCRIBE (§3.8), which requests subscriptions, and the lists of topic filters that it shares with UNSUBSCRIBE.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::topic::TopicFilter;
use crate::types::{PacketId, Protocol, QoS};
use crate::write::{Writer, packet_size};

/// A SUBSCRIBE packet (§3.8): the subscriptions that a client requests.
///
/// ```
/// use mqtt_p2p_packet::{Filters, PacketId, QoS, Subscribe, SubscribeFilter, TopicFilter};
///
/// let filters = [SubscribeFilter::new(TopicFilter::new("site/+/state")?, QoS::AtLeastOnce)];
/// let subscribe = Subscribe::new(PacketId::MIN, Filters::new(&filters));
/// let mut buffer = [0; 32];
/// assert_eq!(subscribe.encode(&mut buffer)?, 19);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Subscribe<'a> {
    /// The packet identifier, which the SUBACK repeats.
    pub packet_id: PacketId,
    /// The requested subscriptions, at least one ([MQTT-3.8.3-3]).
    pub filters: Filters<'a, SubscribeFilter<'a>>,
}

/// A requested subscription: a topic filter and the maximum QoS.
///
/// ```
/// use mqtt_p2p_packet::{QoS, SubscribeFilter, TopicFilter};
///
/// const ALL: SubscribeFilter<'_> = SubscribeFilter::new(TopicFilter::ALL, QoS::AtLeastOnce);
/// assert_eq!(ALL.filter.as_str(), "#");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct SubscribeFilter<'a> {
    /// The topic filter.
    pub filter: TopicFilter<'a>,
    /// The maximum QoS with which the server may send messages.
    pub qos: QoS,
}

/// The list of topic filters in a SUBSCRIBE or UNSUBSCRIBE.
///
/// The list is either a slice of the caller's or the encoded entries of a packet, which are checked when the packet is
/// decoded. Two lists are equal if their entries are, whichever form they have.
///
/// ```
/// use mqtt_p2p_packet::{Filters, TopicFilter};
///
/// let entries = [TopicFilter::new("a/+")?, TopicFilter::new("b")?];
/// let encoded = Filters::<TopicFilter<'_>>::from_encoded(b"\x00\x03a/+\x00\x01b")?;
/// assert_eq!(encoded, Filters::new(&entries));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Filters<'a, T>(Source<'a, T>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Slice(&'a [T]),
    Encoded(Reader<'a>),
}

/// An entry of a SUBSCRIBE ([`SubscribeFilter`]) or of an UNSUBSCRIBE ([`TopicFilter`]).
pub(crate) trait Entry<'a>: Copy {
    /// Decodes and checks the next entry.
    fn decode_from(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    /// Decodes the next entry, which has been checked before.
    fn decode_checked(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    /// Returns the length of the encoded entry, in bytes.
    fn encoded_len(&self) -> usize;
    /// Encodes the entry.
    fn write(&self, writer: &mut Writer<'_>);
}

impl<'a> SubscribeFilter<'a> {
    /// Creates a request to subscribe to `filter` with at most `qos`.
    #[inline]
    pub const fn new(filter: TopicFilter<'a>, qos: QoS) -> Self {
        Self { filter, qos }
    }
}

impl<'a> Entry<'a> for SubscribeFilter<'a> {
    fn decode_from(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let filter = TopicFilter::decode(reader.binary()?)?;
        let qos = QoS::from_bits(reader.u8()?).ok_or(DecodeError::InvalidQoS)?;
        Ok(Self { filter, qos })
    }

    fn decode_checked(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let filter = TopicFilter::checked(reader.binary()?);
        let qos = QoS::from_bits(reader.u8()?).ok_or(DecodeError::InvalidQoS)?;
        Ok(Self { filter, qos })
    }

    fn encoded_len(&self) -> usize {
        self.filter.as_bytes().len().wrapping_add(3)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(self.filter.as_bytes());
        writer.u8(self.qos as u8);
    }
}

impl<'a> Entry<'a> for TopicFilter<'a> {
    fn decode_from(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        TopicFilter::decode(reader.binary()?)
    }

    fn decode_checked(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(TopicFilter::checked(reader.binary()?))
    }

    fn encoded_len(&self) -> usize {
        self.as_bytes().len().wrapping_add(2)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.field(self.as_bytes());
    }
}

#[expect(private_bounds, reason = "there are no other entries")]
impl<'a, T: Entry<'a>> Filters<'a, T> {
    /// Creates a list from the caller's entries.
    pub const fn new(entries: &'a [T]) -> Self {
        Self(Source::Slice(entries))
    }

    /// Decodes the entries of a packet, which follow its packet identifier.
    ///
    /// # Errors
    /// Returns an error if there is no entry, or one is truncated or malformed.
    pub fn from_encoded(entries: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode(Reader(entries))
    }

    /// Creates a list from encoded entries that this crate has encoded or decoded before, without checking them again.
    ///
    /// From any other bytes, the list may yield invalid or truncated topic filters, and end early.
    pub const fn from_checked(entries: &'a [u8]) -> Self {
        Self(Source::Encoded(Reader(entries)))
    }

    /// Checks all entries up to the end of the packet.
    pub(crate) fn decode(body: Reader<'a>) -> Result<Self, DecodeError> {
        let mut rest = body;
        if rest.0.is_empty() {
            return Err(DecodeError::EmptyList);
        }
        while !rest.0.is_empty() {
            T::decode_from(&mut rest)?;
        }
        Ok(Self(Source::Encoded(body)))
    }

    /// Returns an iterator over the entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (mut listed, mut encoded) = match self.0 {
            Source::Slice(entries) => (entries.iter(), None),
            Source::Encoded(body) => ([].iter(), Some(body)),
        };
        core::iter::from_fn(move || match &mut encoded {
            None => listed.next().copied(),
            Some(body) => T::decode_checked(body).ok(),
        })
    }

    /// Returns the remaining length: the packet identifier and all entries.
    pub(crate) fn remaining_length(&self) -> Result<usize, EncodeError> {
        let mut size: usize = 2;
        match self.0 {
            Source::Encoded(body) => size = size.saturating_add(body.0.len()),
            Source::Slice(entries) => {
                for entry in entries {
                    size = size.checked_add(entry.encoded_len()).ok_or(EncodeError::PacketTooLarge)?;
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
        let (mut writer, size) = Writer::start(buffer, first, self.remaining_length()?, id)?;
        match self.0 {
            Source::Encoded(body) => writer.raw(body.0),
            Source::Slice(entries) => entries.iter().for_each(|entry| entry.write(&mut writer)),
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
    /// Creates a SUBSCRIBE with these topic filters.
    #[inline]
    pub const fn new(packet_id: PacketId, filters: Filters<'a, SubscribeFilter<'a>>) -> Self {
        Self { packet_id, filters }
    }

    /// Decodes a SUBSCRIBE from a frame of this type.
    ///
    /// # Errors
    /// Returns an error if the flags are wrong, the packet identifier is 0, or a topic filter or its QoS is missing or invalid
    /// ([MQTT-3.8.3-3], [MQTT-3.8.3-4]).
    pub fn decode(frame: &Frame<'a>, protocol: Protocol) -> Result<Self, DecodeError> {
        frame.check_flags(protocol == Protocol::V31)?;
        let mut body = Reader(frame.body);
        Ok(Self { packet_id: body.packet_id()?, filters: Filters::decode(body)? })
    }

    /// Returns the exact length of the encoded packet, in bytes.
    ///
    /// # Errors
    /// Returns [`EncodeError::EmptyList`] or [`EncodeError::PacketTooLarge`].
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.filters.remaining_length()?)
    }

    /// Encodes the packet to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    /// Returns the errors of [`encoded_len`](Self::encoded_len), and [`EncodeError::BufferTooSmall`].
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        self.filters.encode(PacketType::Subscribe, self.packet_id, buffer)
    }
}
