//! Tickets: what names a request until it ends.

use core::fmt;

use mqtt_p2p_packet::PacketId;

/// The last packet identifier that a ticket takes. The two above are kept for what has no ticket.
const LAST_ID: u16 = 65_533;

/// Names a publication, subscription or unsubscription until its one terminal event
/// ([`Event::Published`](crate::Event::Published), `Subscribed`, `Unsubscribed`, `Dropped`).
///
/// It is the packet identifier with a generation that counts how often the identifiers have gone round, so an
/// acknowledgement can't be taken for that of an older request. Every request has one, also a publication of
/// QoS 0, which sends no identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

impl Ticket {
    pub(crate) const FIRST: Self = Self(1);
    /// That of an entry that is not used: zeros take no place in a program's image.
    pub(crate) const NONE: Self = Self(0);
    /// So far behind a ticket comes the next one with its packet identifier.
    pub(crate) const ROUND: u32 = 1 << 16;
    /// The packet identifier of the replay of subscriptions.
    pub(crate) const REPLAY_ID: u16 = 65_535;
    /// The packet identifier of the publication that goes alone.
    pub(crate) const ALONE_ID: u16 = 65_534;

    /// The packet identifier that the request has, or would have.
    #[inline]
    pub const fn packet_id(self) -> u16 {
        self.0 as u16
    }

    /// How often the packet identifiers had gone round before.
    #[inline]
    pub const fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Counts up by one from each request to the next, from 0. For a table of what is under way.
    #[inline]
    pub const fn index(self) -> u32 {
        (self.generation() as u32)
            .wrapping_mul(LAST_ID as u32)
            .wrapping_add(self.packet_id() as u32)
            .wrapping_sub(1)
    }

    /// Generation and packet identifier in one number, as other languages keep it.
    #[inline]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The reverse of [`Self::to_bits`]; `None` for a number that no ticket has.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits as u16 {
            1..=LAST_ID => Some(Self(bits)),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn id(self) -> Option<PacketId> {
        PacketId::new(self.packet_id())
    }

    #[inline]
    pub(crate) const fn next(self) -> Self {
        if self.packet_id() == LAST_ID { self.next_generation() } else { Self(self.0.wrapping_add(1)) }
    }

    /// The ticket before this one, if it is not the first.
    pub(crate) const fn before(self) -> Option<Self> {
        match (self.packet_id(), self.generation()) {
            (1, 0) => None,
            (1, _) => Some(Self(self.0.wrapping_sub(4))),
            _ => Some(Self(self.0.wrapping_sub(1))),
        }
    }

    /// Past the last identifier the next generation begins, with 1: the reserved ones and 0 are left out.
    #[cold]
    const fn next_generation(self) -> Self {
        Self(self.0.wrapping_add(4))
    }

    /// Whether this ticket is later: in the half of all numbers that follows.
    pub(crate) const fn follows(self, earlier: Self) -> bool {
        matches!(self.distance(earlier), 1..=0x7fff_ffff)
    }

    /// How far behind `first` this ticket is.
    #[inline]
    pub(crate) const fn distance(self, first: Self) -> u32 {
        self.0.wrapping_sub(first.0)
    }

    /// The first ticket from this one on that has `id`.
    #[inline]
    pub(crate) const fn next_with_id(self, id: PacketId) -> Self {
        Self(self.0.wrapping_add(id.get().wrapping_sub(self.packet_id()) as u32))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}.{})", self.generation(), self.packet_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_ends_with_identifier_65533_and_the_next_begins_with_1() {
        let last = Ticket(u32::from(LAST_ID));
        assert_eq!((last.next().generation(), last.next().packet_id()), (1, 1));
        assert_eq!(last.next().index(), last.index() + 1);
        assert_eq!(last.next().before(), Some(last));
        assert_eq!(last.before().map(Ticket::next), Some(last));
        assert_eq!(Ticket::FIRST.before(), None);
    }

    #[test]
    fn the_next_ticket_with_an_identifier_may_lie_in_the_next_generation() {
        let ticket = Ticket(60_000);
        assert_eq!(ticket.next_with_id(PacketId::new(60_001).unwrap()), Ticket(60_001));
        assert_eq!(ticket.next_with_id(PacketId::new(7).unwrap()), Ticket(0x1_0007));
    }
}
