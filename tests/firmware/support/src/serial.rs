//! A serial line as a transport that comes and goes.

use embedded_io::{Read, ReadReady, Write, WriteReady};
use mqtt_p2p_embedded::blocking::{Dial, Idle};
use mqtt_p2p_embedded::{Instant, TransportError};

/// So long nothing comes before a line counts as silent, in milliseconds.
const SILENCE: u32 = 20;

/// A line that is always there. It does not tell when the link behind it breaks, and what was under way then may still
/// come: before a new connection begins, it is read away.
#[derive(Debug)]
pub struct Serial<P, C> {
    pub port: P,
    pub clock: C,
}

impl<P: Read + Write + ReadReady + WriteReady, C: Idle> Dial for Serial<P, C> {
    type Connection<'c>
        = &'c mut P
    where
        Self: 'c;

    fn dial(&mut self, deadline: Instant) -> Result<&mut P, TransportError> {
        let mut silent_at = self.clock.now().after_millis(SILENCE);
        while self.clock.now() < silent_at {
            if self.clock.now() >= deadline {
                return Err(TransportError::Broken);
            }
            match self.port.read_ready() {
                Ok(true) => {
                    self.port.read(&mut [0; 16]).map_err(|_| TransportError::Broken)?;
                    silent_at = self.clock.now().after_millis(SILENCE);
                }
                Ok(false) => self.clock.idle(),
                Err(_) => return Err(TransportError::Broken),
            }
        }
        Ok(&mut self.port)
    }
}
