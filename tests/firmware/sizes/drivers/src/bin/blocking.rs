//! The firmware with the blocking driver.
#![no_std]
#![no_main]

use core::task::Poll;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
use mqtt_p2p_embedded::blocking::{Dial, Driver, Idle};
use mqtt_p2p_embedded::{Instant, TransportError};
use mqtt_p2p_sizes::{begin, button, clock, facts, in_static, is_open, open, receive, transmit};
use mqtt_p2p_sizes_drivers::{CONFIG, Memory, Time, act, heed, login};

/// The machine's transport, whose reads and writes give what there is.
struct Line;

impl Dial for Line {
    type Connection<'c> = Self;

    fn dial(&mut self, _deadline: Instant) -> Result<Self, TransportError> {
        if open() { Ok(Self) } else { Err(TransportError::Unreachable) }
    }
}

impl ErrorType for Line {
    type Error = embedded_io::ErrorKind;
}

impl ReadReady for Line {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl WriteReady for Line {
    fn write_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl Read for Line {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Self::Error> {
        match receive(room) {
            0 if is_open() => Err(embedded_io::ErrorKind::TimedOut),
            len => Ok(len),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        match transmit(bytes) {
            0 if is_open() => Err(embedded_io::ErrorKind::TimedOut),
            len => Ok(len),
        }
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    let driver = in_static!(
        Driver<'static, Memory, Time>,
        Driver::new(CONFIG, u64::from(clock()), Memory::new(), buffer, Time)
    );
    begin();
    let (mut line, mut logins) = (Line, login());
    loop {
        while let Some(mut link) = driver.open(&mut line, &mut logins) {
            loop {
                act(link.client(), button());
                match link.poll() {
                    Poll::Ready(Some(event)) => heed(&event),
                    Poll::Ready(None) => break,
                    Poll::Pending => Time.idle(),
                }
            }
        }
    }
}
