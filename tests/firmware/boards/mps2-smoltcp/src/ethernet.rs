//! The board's Ethernet controller as smoltcp wants it.

use firmware_mps2::{Frame, Lan9118, MAX_FRAME, MTU};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

pub(crate) struct Ethernet(pub(crate) Lan9118);

pub(crate) struct Received(Frame);

pub(crate) struct Transmit<'a>(&'a mut Lan9118);

impl Device for Ethernet {
    type RxToken<'a> = Received;
    type TxToken<'a> = Transmit<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Transmit<'_>)> {
        let frame = self.0.receive()?;
        Some((Received(frame), Transmit(&mut self.0)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.0.can_transmit().then_some(Transmit(&mut self.0))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(mut self, read: F) -> R {
        read(self.0.bytes())
    }
}

impl TxToken for Transmit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = [0; MAX_FRAME];
        let frame = &mut frame[..len];
        let result = write(frame);
        self.0.transmit(frame);
        result
    }
}
