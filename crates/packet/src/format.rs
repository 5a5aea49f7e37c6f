//! Hand-written `defmt::Format` implementations, which redact what `Debug` redacts.

use defmt::{Debug2Format, Format, Formatter, write};

use crate::connect::Connect;
use crate::frame::{Frame, Framed};
use crate::suback::ReturnCodes;
use crate::subscribe::{Entry, Filters};
use crate::topic::{TopicFilter, TopicName};

impl Format for Connect<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

/// Omits the body, because that of a CONNECT contains the password.
impl Format for Frame<'_> {
    fn format(&self, f: Formatter<'_>) {
        let Self { packet_type, flags, body } = self;
        write!(f, "Frame({}, flags {=u8:#x}, {=usize} bytes)", packet_type, flags, body.len());
    }
}

impl Format for Framed<'_> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Complete(frame, rest) => write!(f, "Complete({}, {=usize} bytes)", frame, rest.len()),
            Self::Incomplete { needed } => write!(f, "Incomplete({=usize} bytes needed)", needed),
        }
    }
}

impl Format for ReturnCodes<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=[u8]:#x}", self.as_bytes());
    }
}

impl<'a, T: Entry<'a> + Format> Format for Filters<'a, T> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "[");
        for (index, entry) in self.iter().enumerate() {
            if index > 0 {
                write!(f, ", ");
            }
            write!(f, "{}", entry);
        }
        write!(f, "]");
    }
}

impl Format for TopicName<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=str}", self.as_str());
    }
}

impl Format for TopicFilter<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=str}", self.as_str());
    }
}
