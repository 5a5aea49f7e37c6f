//! UNSUBSCRIBE (§3.10): the topic filters that a client no longer wants.

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::subscribe::Filters;
use crate::topic::TopicFilter;
use crate::types::{PacketId, Protocol};
use crate::write::packet_size;

/// A request to end subscriptions, compared with them character by character ([MQTT-3.10.4-1]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unsubscribe<'a> {
    /// What UNSUBACK will carry.
    pub packet_id: PacketId,
    /// At least one topic filter ([MQTT-3.10.3-2]).
    pub filters: Filters<'a, TopicFilter<'a>>,
}

impl<'a> Unsubscribe<'a> {
    /// Reads it from a frame of this type.
    ///
    /// # Errors
    /// Wrong flags, identifier 0, no filter, a filter that is none.
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
        self.filters.encode(PacketType::Unsubscribe, self.packet_id, buffer)
    }
}
