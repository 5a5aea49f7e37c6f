//! What the client asks of its caller, and what it reports.

use core::fmt;

use mqtt_p2p_packet::{AckedQoS, PacketId, QoS, ReasonCode, ReturnCodes, TopicName};

use crate::disconnect::DisconnectReason;
use crate::session::journal::Change;
use crate::ticket::Ticket;
use crate::time::Instant;

/// The next thing to do, from [`Client::poll`](crate::Client::poll). `'a` is the client's memory, `'b` the caller's
/// receive buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a caller must carry out every action")]
#[must_use = "the order of actions is the protocol"]
pub enum Action<'a, 'b> {
    /// Dial: resolve the name again, refresh the token, and answer with
    /// [`transport_opened`](crate::Client::transport_opened) or
    /// [`transport_closed`](crate::Client::transport_closed).
    #[non_exhaustive]
    OpenTransport {
        /// Counts the attempts since the last stable connection, from 1.
        attempt: u32,
    },
    /// Write some of this, and tell how much with [`transmitted`](crate::Client::transmitted). Whole packets, one
    /// behind the other, but for the first, whose beginning may have gone out before.
    Transmit(&'a [u8]),
    /// Keep this change of the session, with [`Config::keep_session`](crate::Config::keep_session): in an order
    /// that survives a crash, and before any later [`Transmit`](Self::Transmit) is carried out. The change that an
    /// event implies may come right after it: whoever must not see what a crash can take back, such as the caller of a
    /// subscription, is told after the next [`Wait`](Self::Wait).
    Store(Change<'a>),
    /// Close the transport, or give up dialling. Nothing more is to be said of that transport.
    CloseTransport,
    /// Something happened.
    Event(Event<'b>),
    /// Nothing to do until there is input, or until this moment.
    Wait(Option<Instant>),
}

/// Without the bytes to transmit: those of CONNECT have the password.
impl fmt::Debug for Action<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenTransport { attempt } => {
                f.debug_struct("OpenTransport").field("attempt", attempt).finish()
            }
            Self::Transmit(bytes) => write!(f, "Transmit({} bytes)", bytes.len()),
            Self::Store(change) => f.debug_tuple("Store").field(change).finish(),
            Self::CloseTransport => f.write_str("CloseTransport"),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Wait(until) => f.debug_tuple("Wait").field(until).finish(),
        }
    }
}

/// What happened.
///
/// Every [`Action::OpenTransport`] is followed by exactly one [`Event::Refused`] or [`Event::Disconnected`], with or
/// without an [`Event::Connected`] before it. Every ticket ends in exactly one of `Published`, `Rejected`,
/// `Subscribed`, `Unsubscribed` and `Dropped`. The exception is QoS 0 without
/// [`Config::tell_qos_0`](crate::Config::tell_qos_0): such a ticket ends silently instead of in `Published`.
///
/// Later versions may add events, and fields to those events that are marked as non-exhaustive: match their fields with
/// `..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'b> {
    /// The server accepted the log-in.
    #[non_exhaustive]
    Connected {
        /// Whether it continues a session.
        session_present: bool,
    },
    /// The server refused the log-in; this ends the attempt.
    #[non_exhaustive]
    Refused {
        /// Its reason.
        reason: ReasonCode,
        /// When the next attempt follows; `None`: not before [`connect`](crate::Client::connect), because the same
        /// log-in would be refused again.
        retry_at: Option<Instant>,
    },
    /// The connection ended, or did not come about; this ends the attempt.
    #[non_exhaustive]
    Disconnected {
        /// Why, as far as the evidence goes.
        reason: DisconnectReason,
        /// When the next attempt follows; `None`: not before [`connect`](crate::Client::connect) or
        /// [`resume`](crate::Client::resume).
        retry_at: Option<Instant>,
    },
    /// A message came.
    Message(Message<'b>),
    /// A message begins whose packet is longer than
    /// [`Config::max_whole_message`](crate::Config::max_whole_message) and was not there as a whole. Its parts follow.
    MessageBegin {
        /// The message, its payload empty as yet.
        message: Message<'b>,
        /// How many bytes the parts have in all.
        payload_len: u32,
    },
    /// The next bytes of its payload.
    MessagePart(&'b [u8]),
    /// It has come entirely, and is acknowledged as any other. A message that the end of the connection cuts off has
    /// no `MessageEnd`; with QoS 1 and 2 the server sends it again from its beginning.
    MessageEnd {
        /// As in its `MessageBegin`.
        ack: Option<AckToken>,
    },
    /// A publication is through: handed to the transport (QoS 0) or acknowledged (QoS 1 and 2).
    #[non_exhaustive]
    Published {
        /// Which.
        ticket: Ticket,
    },
    /// The server refused a publication. Only MQTT 5 servers can: MQTT 3.1.1 has no such answer, so a connection with
    /// MQTT 3.1.1 never reports this event.
    #[non_exhaustive]
    Rejected {
        /// The request.
        ticket: Ticket,
        /// The server's reason.
        reason: ReasonCode,
    },
    /// The publication of [`publish_alone`](crate::Client::publish_alone) is acknowledged; the others go on.
    PublishedAlone,
    /// A SUBSCRIBE was answered.
    #[non_exhaustive]
    Subscribed {
        /// Which.
        ticket: Ticket,
        /// An answer for each topic filter, in their order.
        return_codes: ReturnCodes<'b>,
    },
    /// An UNSUBSCRIBE was answered.
    #[non_exhaustive]
    Unsubscribed {
        /// Which.
        ticket: Ticket,
    },
    /// A request was given up.
    #[non_exhaustive]
    Dropped {
        /// The request.
        ticket: Ticket,
        /// Why it was given up.
        reason: DropReason,
    },
    /// Subscriptions were asked for again after a reconnect, and answered.
    #[non_exhaustive]
    Resubscribed {
        /// Where in [`subscriptions`](crate::Client::subscriptions) the answers begin.
        first: usize,
        /// An answer for each of them.
        return_codes: ReturnCodes<'b>,
    },
}

/// Why a request was given up, in [`Event::Dropped`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DropReason {
    /// The caller gave the request up, for example by [`abandon`](crate::Client::abandon).
    Cancelled,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the request was given up by the caller",
        })
    }
}

/// A message from the server. It lies in the caller's receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Message<'b> {
    /// Where it was published to. ApsaraMQ may deliver a P2P message under any topic.
    pub topic: TopicName<'b>,
    /// Any bytes.
    pub payload: &'b [u8],
    /// The QoS at which it was delivered.
    pub qos: QoS,
    /// The server had kept it for new subscribers.
    pub retain: bool,
    /// The server believes to have sent it before. It says nothing about whether it *arrived* before: QoS 1 may
    /// repeat a message without it, and a message seen for the first time may have it.
    pub dup: bool,
    /// The token that [`acknowledge`](crate::Client::acknowledge) takes; `None` for QoS 0.
    pub ack: Option<AckToken>,
}

impl<'b> Message<'b> {
    /// Creates a message with QoS 0, neither retained nor repeated, for the tests of code that receives messages. Other
    /// fields can be set afterwards.
    pub const fn new(topic: TopicName<'b>, payload: &'b [u8]) -> Self {
        Self { topic, payload, qos: QoS::AtMostOnce, retain: false, dup: false, ack: None }
    }
}

/// Identifies a received message until it is acknowledged. [`Client::acknowledge`](crate::Client::acknowledge) takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AckToken {
    pub(crate) id: PacketId,
    pub(crate) qos: AckedQoS,
    pub(crate) connection: u32,
}

impl AckToken {
    /// All of it in one number, as other languages keep it; never 0.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        (self.connection as u64) << 32 | (self.qos as u64) << 16 | self.id.get() as u64
    }

    /// The reverse of [`Self::to_bits`]; `None` for a number that no token has.
    #[inline]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        let qos = match (bits as u32) >> 16 {
            1 => AckedQoS::AtLeastOnce,
            2 => AckedQoS::ExactlyOnce,
            _ => return None,
        };
        match PacketId::new(bits as u16) {
            Some(id) => Some(Self { id, qos, connection: (bits >> 32) as u32 }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_after_a_trip_through_a_number_that_is_never_0() {
        for (qos, id, connection) in [
            (AckedQoS::AtLeastOnce, 1, 0),
            (AckedQoS::ExactlyOnce, 0xffff, u32::MAX),
            (AckedQoS::ExactlyOnce, 0x1234, 7),
        ] {
            let token = AckToken { id: PacketId::new(id).unwrap(), qos, connection };
            assert_ne!(token.to_bits(), 0);
            assert_eq!(AckToken::from_bits(token.to_bits()), Some(token));
        }
    }

    #[test]
    fn a_number_without_identifier_or_quality_of_service_is_no_token() {
        for bits in [0, 0x1_0000, 0x0_0001, 0x3_0001, 0x0101_0001, u64::MAX] {
            assert_eq!(AckToken::from_bits(bits), None, "{bits:#x}");
        }
    }
}
