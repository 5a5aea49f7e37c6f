//! Serial lines as transports for the blocking driver.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

/// A serial line's registers: a byte at a time each way.
pub trait Registers {
    /// A byte has come.
    fn has_byte(&self) -> bool;
    /// There is room for one to go.
    fn has_room(&self) -> bool;
    /// The byte that has come.
    fn take(&mut self) -> u8;
    /// The byte that is to go.
    fn put(&mut self, byte: u8);
}

/// A serial line. Reads and writes wait for the first byte.
#[derive(Debug)]
pub struct Serial<R>(pub R);

impl<R> ErrorType for Serial<R> {
    type Error = Infallible;
}

impl<R: Registers> ReadReady for Serial<R> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.has_byte())
    }
}

impl<R: Registers> Read for Serial<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        for place in buffer {
            while len == 0 && !self.0.has_byte() {}
            if !self.0.has_byte() {
                break;
            }
            *place = self.0.take();
            len += 1;
        }
        Ok(len)
    }
}

impl<R: Registers> WriteReady for Serial<R> {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.has_room())
    }
}

impl<R: Registers> Write for Serial<R> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        for byte in bytes {
            while len == 0 && !self.0.has_room() {}
            // What comes meanwhile has little room: it is read first.
            if !self.0.has_room() || (len > 0 && self.0.has_byte()) {
                break;
            }
            self.0.put(*byte);
            len += 1;
        }
        Ok(len)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
