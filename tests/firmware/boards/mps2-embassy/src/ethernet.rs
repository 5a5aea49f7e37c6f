//! The board's Ethernet controller as Embassy's network wants it, woken by its interrupt.

use core::cell::RefCell;
use core::task::{Context, Waker};

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use firmware_mps2::{Frame, INTERRUPT, Lan9118, MAX_FRAME, MTU, disarm};

/// Who waits for a frame.
static WAITING: Mutex<RefCell<Option<Waker>>> = Mutex::new(RefCell::new(None));

pub(crate) struct Ethernet {
    controller: Lan9118,
    address: [u8; 6],
}

/// The controller's interrupt by its number; the board has no crate that names it.
#[derive(Clone, Copy)]
struct Interrupt;

// SAFETY: there is one interrupt of this number, and its handler is below.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        INTERRUPT.into()
    }
}

impl Ethernet {
    pub(crate) fn start(address: [u8; 6]) -> Option<Self> {
        let controller = Lan9118::start(address)?;
        // SAFETY: the handler is in place, and nothing relies on this interrupt being masked.
        unsafe { NVIC::unmask(Interrupt) };
        Some(Self { controller, address })
    }
}

#[cortex_m_rt::exception]
unsafe fn DefaultHandler(interrupt: i16) {
    if interrupt == i16::from(INTERRUPT) {
        // Or it would come again at once.
        disarm();
        critical_section::with(|section| {
            if let Some(waker) = WAITING.borrow_ref_mut(section).take() {
                waker.wake();
            }
        });
    }
}

impl Driver for Ethernet {
    type RxToken<'a> = Received;
    type TxToken<'a> = Transmit<'a>;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received, Transmit<'_>)> {
        if !self.controller.has_frame() {
            critical_section::with(|section| {
                *WAITING.borrow_ref_mut(section) = Some(context.waker().clone());
            });
            self.controller.arm();
            // One may have come in between, with the interrupt still off.
            if !self.controller.has_frame() {
                return None;
            }
        }
        let frame = self.controller.receive()?;
        Some((Received(frame), Transmit(&mut self.controller)))
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Transmit<'_>> {
        if self.controller.can_transmit() {
            return Some(Transmit(&mut self.controller));
        }
        context.waker().wake_by_ref();
        None
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = MTU;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }
}

pub(crate) struct Received(Frame);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, read: F) -> R {
        read(self.0.bytes())
    }
}

pub(crate) struct Transmit<'a>(&'a mut Lan9118);

impl TxToken for Transmit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = [0; MAX_FRAME];
        let frame = &mut frame[..len];
        let result = write(frame);
        self.0.transmit(frame);
        result
    }
}
