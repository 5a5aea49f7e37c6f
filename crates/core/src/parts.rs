//! Messages that are longer than the caller's receive buffer: told as a beginning, parts of the payload, and an end.

use mqtt_p2p_packet::{AckedQoS, Publish};

use crate::action::{AckToken, Action, Event};
use crate::disconnect::DisconnectReason;
use crate::inbound::InboundId;
use crate::machine::Machine;
use crate::receive::{Outcome, tell};
use crate::settings::Settings;
use crate::storage::Memory;

/// A message under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// Bytes of the payload that have not come.
    missing: u32,
    ack: Option<AckToken>,
    /// It came before: read, but not told.
    repeated: bool,
}

impl<C: Settings> Machine<C> {
    /// A packet that is not whole: the beginning of a long message, perhaps.
    pub(crate) fn begin<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> Outcome {
        let Some(head) = Publish::decode_head(received, self.config().max_whole_message)
            .map_err(|error| self.malformed(error))?
        else {
            return Ok(false);
        };
        *received = head.rest;
        self.keep_alive.received(self.now());
        let message = self.told(&head.publish);
        let repeated = match message.ack {
            Some(AckToken { qos: AckedQoS::ExactlyOnce, id, .. }) => self.inbound.find(memory, id).is_some(),
            _ => false,
        };
        self.look();
        self.parts = Some(Parts { missing: head.payload_len, ack: message.ack, repeated });
        if repeated {
            return Ok(false);
        }
        Ok(tell(action, Event::MessageBegin { message, payload_len: head.payload_len }))
    }

    /// Whether there is something to read, or a message to end.
    #[inline]
    pub(crate) fn has_input(&self, received: &[u8]) -> bool {
        !received.is_empty() || self.has_end_of_parts()
    }

    /// Whether a message in parts is to be ended, which takes no bytes.
    #[inline]
    pub(crate) fn has_end_of_parts(&self) -> bool {
        self.optional().go_on.is_some() && self.parts.is_some_and(|parts| parts.missing == 0)
    }

    /// The next part of a message, or its end.
    pub(crate) fn go_on<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        parts: Parts,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> Outcome {
        if parts.missing == 0 {
            return self.end_parts(memory, parts, action);
        }
        let len = received.len().min(parts.missing as usize);
        let Some((part, rest)) = received.split_at_checked(len) else {
            return Ok(false);
        };
        *received = rest;
        self.keep_alive.received(self.now());
        let missing = parts.missing.wrapping_sub(len as u32);
        self.parts = Some(Parts { missing, ..parts });
        Ok(!parts.repeated && tell(action, Event::MessagePart(part)))
    }

    fn end_parts(&mut self, memory: &mut Memory<'_>, parts: Parts, action: &mut Action<'_, '_>) -> Outcome {
        self.parts = None;
        if let Some(AckToken { qos: AckedQoS::ExactlyOnce, id, .. }) = parts.ack {
            if parts.repeated {
                self.first_seen(memory, id)?;
                return Ok(false);
            }
            // Only now: a message that breaks off has to come again.
            if !self.inbound.insert(memory, InboundId::new(id)) {
                return Err(self.failed(DisconnectReason::InboundFull));
            }
        }
        if let Some(AckToken { id, qos, .. }) = parts.ack {
            self.note_given(memory.control, qos, id);
        }
        Ok(tell(action, Event::MessageEnd { ack: parts.ack }))
    }
}
