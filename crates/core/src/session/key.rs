//! The keys of records.

use mqtt_p2p_packet::PacketId;

use crate::ticket::Ticket;

/// What a record of a session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Key {
    /// A publication of QoS 1 or 2 that was accepted and has not ended. The record is the packet to be sent again after
    /// a restart: PUBLISH or PUBREL. In a store, the record of the last publication that was given up is empty: its
    /// number must not be used again.
    Publication(Ticket),
    /// A message of QoS 2 that the caller has taken and the server has not released. The record is empty.
    Received(PacketId),
    /// The subscriptions that the server granted, as the entries of a SUBSCRIBE packet.
    Subscriptions,
    /// A request that only [`export_session`](crate::Client::export_session) writes, never
    /// [`Action::Store`](crate::Action::Store). The record is the packet: PUBLISH of QoS 0, SUBSCRIBE or UNSUBSCRIBE.
    /// It is empty for a publication of QoS 2 that a server received before it lost the session: nothing is sent, and
    /// its end is still to be reported.
    Request(Ticket),
}

impl Key {
    /// The length of [`Self::to_bytes`].
    pub const LEN: usize = 5;

    /// Converts the key to the bytes under which its record is stored: a tag, and a number as big-endian `u32`.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let (tag, [a, b, c, d]) = match self {
            Self::Publication(ticket) => (1, ticket.to_bits().to_be_bytes()),
            Self::Received(id) => (2, (id.get() as u32).to_be_bytes()),
            Self::Subscriptions => (3, [0; 4]),
            // 4 to 6 are left for MQTT 5.
            Self::Request(ticket) => (7, ticket.to_bits().to_be_bytes()),
        };
        [tag, a, b, c, d]
    }

    /// Converts bytes of [`Self::to_bytes`] back; returns `None` for bytes that are no key of this version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, number) = bytes.split_first()?;
        let number = u32::from_be_bytes(number.try_into().ok()?);
        match (tag, number) {
            (1, bits) => Ticket::from_bits(bits).map(Self::Publication),
            (2, id) => u16::try_from(id).ok().and_then(PacketId::new).map(Self::Received),
            (3, 0) => Some(Self::Subscriptions),
            (7, bits) => Ticket::from_bits(bits).map(Self::Request),
            _ => None,
        }
    }

    /// Whether a key with this tag belongs to a version of this library that this one does not know.
    pub(super) const fn is_unknown_tag(tag: u8) -> bool {
        !matches!(tag, 1..=3 | 7)
    }
}
