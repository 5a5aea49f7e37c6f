//! `defmt::Format` for what hides something in `Debug`: it is shown as that shows it.

use defmt::{Debug2Format, Format, Formatter};

use crate::request::Request;
use crate::websocket::WebSocket;

impl Format for Request<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for WebSocket {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}
