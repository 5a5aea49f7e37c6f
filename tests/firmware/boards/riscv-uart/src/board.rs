//! What the firmware needs of QEMU's `virt` board: its serial line, a 16550, its clock, and a sleep that both end.

use core::ptr::{read_volatile, write_volatile};

use firmware_support::serial::Registers;
use mqtt_p2p_embedded::blocking::Idle;
use mqtt_p2p_embedded::{Clock, Instant};

/// The serial line, and the number of its interrupt (QEMU, hw/riscv/virt.c, as the addresses below).
const UART: usize = 0x1000_0000;
const UART_INTERRUPT: usize = 10;

/// The clock counts ten million in a second; an interrupt is pending while it is at or past the comparison.
const CLOCK_LOW: usize = 0x0200_bff8;
const CLOCK_HIGH: usize = 0x0200_bffc;
const COMPARE_LOW: usize = 0x0200_4000;
const COMPARE_HIGH: usize = 0x0200_4004;
const TICKS_PER_MILLI: u64 = 10_000;

/// The interrupt controller: a priority for each interrupt, and those that the first core sees.
const PRIORITIES: usize = 0x0c00_0000;
const ENABLED: usize = 0x0c00_2000;

/// Registers of a 16550 by their offset.
#[derive(Clone, Copy)]
enum Register {
    Data = 0,
    InterruptEnable = 1,
    FifoControl = 2,
    LineControl = 3,
    LineStatus = 5,
}

const RX_READY: u8 = 1 << 0;
const TX_EMPTY: u8 = 1 << 5;

/// The serial line. There is one.
#[derive(Debug)]
pub(crate) struct Uart(());

impl Uart {
    pub(crate) fn start() -> Self {
        const EIGHT_BITS: u8 = 3;
        // An interrupt when 14 bytes have come, or some have waited for a while.
        const FIFO: u8 = 0b11 << 6 | 1;
        const RX_INTERRUPT: u8 = 1;
        write(Register::LineControl, EIGHT_BITS);
        write(Register::FifoControl, FIFO);
        write(Register::InterruptEnable, RX_INTERRUPT);
        write_word(PRIORITIES + 4 * UART_INTERRUPT, 1);
        write_word(ENABLED, 1 << UART_INTERRUPT);
        // SAFETY: interrupts stay disabled as a whole. Those that are enabled one by one end a sleep, and nobody handles
        // them.
        unsafe {
            riscv::register::mie::set_mext();
            riscv::register::mie::set_mtimer();
        }
        Self(())
    }
}

impl Registers for Uart {
    fn has_byte(&self) -> bool {
        read(Register::LineStatus) & RX_READY != 0
    }

    fn has_room(&self) -> bool {
        read(Register::LineStatus) & TX_EMPTY != 0
    }

    fn take(&mut self) -> u8 {
        read(Register::Data)
    }

    fn put(&mut self, byte: u8) {
        write(Register::Data, byte);
    }
}

/// The board's clock, and its sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Board;

fn ticks() -> u64 {
    loop {
        let high = read_word(CLOCK_HIGH);
        let low = read_word(CLOCK_LOW);
        // Unless the lower half went round in between.
        if read_word(CLOCK_HIGH) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

impl Clock for Board {
    fn now(&self) -> Instant {
        Instant::from_millis(ticks() / TICKS_PER_MILLI)
    }
}

impl Idle for Board {
    fn idle(&self) {
        let wake = ticks() + TICKS_PER_MILLI;
        write_word(COMPARE_HIGH, u32::MAX);
        write_word(COMPARE_LOW, wake as u32);
        write_word(COMPARE_HIGH, (wake >> 32) as u32);
        // Until a byte comes, or for a millisecond. What is pending already is no sleep.
        riscv::asm::wfi();
    }
}

fn read(register: Register) -> u8 {
    // SAFETY: this is a register of the board's, 8 bits wide; to read it has effects on the serial line only.
    unsafe { read_volatile((UART + register as usize) as *const u8) }
}

fn write(register: Register, value: u8) {
    // SAFETY: as above.
    unsafe { write_volatile((UART + register as usize) as *mut u8, value) }
}

fn read_word(address: usize) -> u32 {
    // SAFETY: the constants above are registers of the board's, 32 bits wide.
    unsafe { read_volatile(address as *const u32) }
}

fn write_word(address: usize, value: u32) {
    // SAFETY: as above; none of them has a say in what memory is used for.
    unsafe { write_volatile(address as *mut u32, value) }
}
