//! The board's first serial line, a PL011 (ARM DDI 0183), and its clock.

use core::ptr::{read_volatile, write_volatile};

use cortex_m::peripheral::NVIC;
use firmware_support::serial::Registers;
use firmware_support::systick;
use mqtt_p2p_embedded::blocking::Idle;
use mqtt_p2p_embedded::{Clock, Instant};

/// Where it is, and the number of its interrupt (LM3S6965 data sheet).
const BASE: usize = 0x4000_c000;
const INTERRUPT: u16 = 5;

/// Registers by their offset.
#[derive(Clone, Copy)]
enum Register {
    Data = 0x00,
    Flag = 0x18,
    LineControl = 0x2c,
    Control = 0x30,
    InterruptMask = 0x38,
}

const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
/// Bytes have come, or one has waited for a while.
const RX_INTERRUPTS: u32 = 1 << 4 | 1 << 6;

/// The serial line. There is one.
#[derive(Debug)]
pub(crate) struct Uart(());

impl Uart {
    pub(crate) fn start() -> Self {
        const EIGHT_BITS_WITH_FIFO: u32 = 0x70;
        const ENABLE_RX_TX: u32 = 0x301;
        write(Register::LineControl, EIGHT_BITS_WITH_FIFO);
        write(Register::Control, ENABLE_RX_TX);
        // SAFETY: the handler is in place, and nothing relies on this interrupt being masked.
        unsafe { NVIC::unmask(Interrupt) };
        Self(())
    }
}

/// The serial line's interrupt by its number.
#[derive(Clone, Copy)]
struct Interrupt;

// SAFETY: there is one interrupt of this number, and its handler is below.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        INTERRUPT
    }
}

#[cortex_m_rt::exception]
unsafe fn DefaultHandler(_: i16) {
    // It was there to end the sleep. Or it would come again at once.
    write(Register::InterruptMask, 0);
}

fn has_byte() -> bool {
    read(Register::Flag) & RX_EMPTY == 0
}

impl Registers for Uart {
    fn has_byte(&self) -> bool {
        has_byte()
    }

    fn has_room(&self) -> bool {
        read(Register::Flag) & TX_FULL == 0
    }

    fn take(&mut self) -> u8 {
        read(Register::Data) as u8
    }

    fn put(&mut self, byte: u8) {
        write(Register::Data, byte.into());
    }
}

/// The board's clock, and its sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Board;

impl Clock for Board {
    fn now(&self) -> Instant {
        Instant::from_millis(systick::millis())
    }
}

impl Idle for Board {
    fn idle(&self) {
        write(Register::InterruptMask, RX_INTERRUPTS);
        // Until a byte comes, or the next millisecond. Interrupts are off from looking to sleeping, so that none is missed;
        // one that is pending ends the sleep all the same.
        cortex_m::interrupt::free(|_| {
            if !has_byte() {
                cortex_m::asm::wfi();
            }
        });
    }
}

fn read(register: Register) -> u32 {
    // SAFETY: this is a register of the board's, 32 bits wide; to read it has effects on the serial line only.
    unsafe { read_volatile((BASE + register as usize) as *const u32) }
}

fn write(register: Register, value: u32) {
    // SAFETY: as above.
    unsafe { write_volatile((BASE + register as usize) as *mut u32, value) }
}
