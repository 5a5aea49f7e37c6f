//! UNSUBSCRIBE (§3.10), which ends subscriptions.

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::subscribe::Filters;
use crate::topic::TopicFilter;
use crate::types::{PacketId, Protocol};
use crate::write::packet_size;

/// An UNSUBSCRIBE packet (§3.10). The server compares its topic filters with those of the subscriptions character by
/// character ([MQTT-3.10.4-1]).
///
/// ```
/// use mqtt_p2p_packet::{Filters, PacketId, TopicFilter, Unsubscribe};
///
/// let filters = [TopicFilter::new("site/+/state")?];
/// let unsubscribe = Unsubscribe::new(PacketId::MIN, Filters::new(&filters));
/// let mut buffer = [0; 32];
/// assert_eq!(unsubscribe.encode(&mut buffer)?, 18);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Unsubscribe<'a> {
    /// The packet identifier, which the UNSUBACK repeats.
    pub packet_id: PacketId,
    /// The topic filters, at least one ([MQTT-3.10.3-2]).
    pub filters: Filters<'a, TopicFilter<'a>>,
}

impl<'a> Unsubscribe<'a> {
    /// Creates an UNSUBSCRIBE with these topic filters.
    #[inline]
    pub const fn new(packet_id: PacketId, filters: Filters<'a, TopicFilter<'a>>) -> Self {
        Self { packet_id, filters }
    }

    /// Decodes an UNSUBSCRIBE from a frame of this type.
    ///
    /// # Errors
    /// Returns an error if the flags are wrong, the packet identifier is 0, or a topic filter is missing or invalid
    /// ([MQTT-3.10.3-2]).
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
        self.filters.encode(PacketType::Unsubscribe, self.packet_id, buffer)
    }
}
