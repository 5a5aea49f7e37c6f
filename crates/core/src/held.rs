//! Events without their borrow, for drivers that lend them.

use mqtt_p2p_packet::{QoS, ReturnCodes, TopicName};

use crate::action::{AckToken, Event, Message};
use crate::ticket::Ticket;

/// An event that borrows nothing: it knows where in the receive buffer its bytes are. A driver that reads in a loop, and
/// lends an event out of its own buffer at the end, carries it out of the loop in this form: the compiler does not see
/// that the loop ends with the loan.
///
/// ```
/// use mqtt_p2p_core::Event;
///
/// let buffer = *b"abcdef";
/// let held = Event::MessagePart(&buffer[2..4]).hold(&buffer);
/// assert_eq!(held.event(&buffer), Some(Event::MessagePart(b"cd")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HeldEvent(Held);

#[derive(Clone, Copy, Debug)]
enum Held {
    Free(Event<'static>),
    Message(HeldMessage),
    Begin(HeldMessage, u32),
    Part(Span),
    Subscribed(Ticket, Span),
    Resubscribed(usize, Span),
}

#[derive(Clone, Copy, Debug)]
struct HeldMessage {
    topic: Span,
    payload: Span,
    qos: QoS,
    retain: bool,
    dup: bool,
    ack: Option<AckToken>,
}

/// A part of the buffer.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    len: usize,
}

impl Span {
    fn of(part: &[u8], buffer: &[u8]) -> Self {
        Self { start: part.as_ptr().addr().wrapping_sub(buffer.as_ptr().addr()), len: part.len() }
    }

    fn cut(self, buffer: &[u8]) -> Option<&[u8]> {
        if self.len == 0 {
            return Some(&[]);
        }
        buffer.get(self.start..)?.get(..self.len)
    }
}

impl HeldMessage {
    fn of(message: &Message<'_>, buffer: &[u8]) -> Self {
        let Message { topic, payload, qos, retain, dup, ack } = *message;
        let (topic, payload) = (Span::of(topic.as_bytes(), buffer), Span::of(payload, buffer));
        Self { topic, payload, qos, retain, dup, ack }
    }

    fn message<'c>(&self, buffer: &'c [u8]) -> Option<Message<'c>> {
        let Self { topic, payload, qos, retain, dup, ack } = *self;
        let topic = TopicName::from_bytes(topic.cut(buffer)?).ok()?;
        Some(Message { topic, payload: payload.cut(buffer)?, qos, retain, dup, ack })
    }
}

impl<'b> Event<'b> {
    /// Gives back the borrow. `buffer` is what was polled with, or the larger buffer that it lies in.
    pub fn hold(self, buffer: &'b [u8]) -> HeldEvent {
        HeldEvent(match self {
            Self::Message(message) => Held::Message(HeldMessage::of(&message, buffer)),
            Self::MessageBegin { message, payload_len } => {
                Held::Begin(HeldMessage::of(&message, buffer), payload_len)
            }
            Self::MessagePart(part) => Held::Part(Span::of(part, buffer)),
            Self::Subscribed { ticket, return_codes } => {
                Held::Subscribed(ticket, Span::of(return_codes.as_bytes(), buffer))
            }
            Self::Resubscribed { first, return_codes } => {
                Held::Resubscribed(first, Span::of(return_codes.as_bytes(), buffer))
            }
            Self::Connected { session_present } => Held::Free(Event::Connected { session_present }),
            Self::Refused { reason, retry_at } => Held::Free(Event::Refused { reason, retry_at }),
            Self::Disconnected { reason, retry_at } => Held::Free(Event::Disconnected { reason, retry_at }),
            Self::MessageEnd { ack } => Held::Free(Event::MessageEnd { ack }),
            Self::Rejected { ticket, reason } => Held::Free(Event::Rejected { ticket, reason }),
            Self::Published { ticket } => Held::Free(Event::Published { ticket }),
            Self::PublishedAlone => Held::Free(Event::PublishedAlone),
            Self::Unsubscribed { ticket } => Held::Free(Event::Unsubscribed { ticket }),
            Self::Dropped { ticket, reason } => Held::Free(Event::Dropped { ticket, reason }),
        })
    }
}

impl HeldEvent {
    /// The event again, out of the same bytes. `None` if they are others.
    pub fn event(self, buffer: &[u8]) -> Option<Event<'_>> {
        Some(match self.0 {
            Held::Free(event) => event,
            Held::Message(message) => Event::Message(message.message(buffer)?),
            Held::Begin(message, payload_len) => {
                Event::MessageBegin { message: message.message(buffer)?, payload_len }
            }
            Held::Part(part) => Event::MessagePart(part.cut(buffer)?),
            Held::Subscribed(ticket, codes) => {
                Event::Subscribed { ticket, return_codes: ReturnCodes::new(codes.cut(buffer)?).ok()? }
            }
            Held::Resubscribed(first, codes) => {
                Event::Resubscribed { first, return_codes: ReturnCodes::new(codes.cut(buffer)?).ok()? }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use mqtt_p2p_packet::TopicName;

    use super::*;

    #[test]
    fn a_message_that_was_held_is_the_same_again_and_none_out_of_a_shorter_buffer() {
        let buffer = *b"..topic..payload..";
        let topic = TopicName::from_bytes(&buffer[2..7]).unwrap();
        let payload = &buffer[9..16];
        let message = Message { topic, payload, qos: QoS::AtMostOnce, retain: true, dup: false, ack: None };
        let held = Event::Message(message).hold(&buffer);
        assert_eq!(held.event(&buffer), Some(Event::Message(message)));
        assert_eq!(held.event(&buffer[..12]), None);
    }

    #[test]
    fn an_empty_payload_is_found_wherever_it_is() {
        let buffer = *b"topic";
        let topic = TopicName::from_bytes(&buffer).unwrap();
        let message =
            Message { topic, payload: &[], qos: QoS::AtMostOnce, retain: false, dup: false, ack: None };
        assert_eq!(Event::Message(message).hold(&buffer).event(&buffer), Some(Event::Message(message)));
    }
}
