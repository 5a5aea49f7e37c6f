//! `defmt::Format` for what is not shown field by field. What hides something in `Debug` is shown as that shows it.

use core::fmt;

use defmt::{Debug2Format, Format, Formatter, write};

use crate::action::Action;
use crate::client::Client;
#[cfg(feature = "alloc")]
use crate::growing::Growing;
use crate::held::HeldEvent;
use crate::inbound::InboundId;
use crate::login::Login;
use crate::outbox::Request;
use crate::settings::Chosen;
use crate::storage::{Inline, Memory};
use crate::ticket::Ticket;

/// Without the bytes to transmit: those of CONNECT have the password.
impl Format for Action<'_, '_> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::OpenTransport { attempt } => write!(f, "OpenTransport(attempt {=u32})", attempt),
            Self::Transmit(bytes) => write!(f, "Transmit({=usize} bytes)", bytes.len()),
            Self::Store(change) => write!(f, "Store({})", change),
            Self::CloseTransport => write!(f, "CloseTransport"),
            Self::Event(event) => write!(f, "Event({})", event),
            Self::Wait(until) => write!(f, "Wait({})", until),
        }
    }
}

impl Format for Login<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl<S: fmt::Debug, C: fmt::Debug> Format for Client<S, C> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for HeldEvent {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for Request {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for InboundId {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for Memory<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl<const T: usize, const R: usize, const C: usize, const S: usize, const I: usize> Format
    for Inline<T, R, C, S, I>
{
    fn format(&self, f: Formatter<'_>) {
        write!(f, "Inline<{}, {}, {}, {}, {}>", T, R, C, S, I);
    }
}

#[cfg(feature = "alloc")]
impl Format for Growing {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for Ticket {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "Ticket({=u16}.{=u16})", self.generation(), self.packet_id());
    }
}

/// A client's configuration: nothing of it is secret.
impl Format for Chosen {
    fn format(&self, f: Formatter<'_>) {
        self.config.format(f);
    }
}
