//! A clock of milliseconds on the board's dual timer (CMSDK, ARM DDI 0479). It loses nothing when interrupts are late, as a
//! count of SysTick's does in an emulator that has to wait for its turn.

use core::ptr::{read_volatile, write_volatile};

use crate::HERTZ;

/// The first timer of the two (AN385, memory map).
const BASE: usize = 0x4000_2000;

/// Registers by their offset.
#[derive(Clone, Copy)]
enum Register {
    Load = 0x00,
    Value = 0x04,
    Control = 0x08,
}

const PRESCALE: u64 = 256;

/// Starts the clock.
pub fn start() {
    const ENABLE: u32 = 1 << 7;
    const PRESCALE_256: u32 = 2 << 2;
    const WIDTH_32: u32 = 1 << 1;
    write(Register::Load, u32::MAX);
    write(Register::Control, ENABLE | PRESCALE_256 | WIDTH_32);
}

/// Milliseconds since the start. They last for twelve hours.
pub fn millis() -> u64 {
    // It counts down.
    let ticks = u32::MAX - read(Register::Value);
    u64::from(ticks) * PRESCALE / u64::from(HERTZ / 1_000)
}

fn read(register: Register) -> u32 {
    // SAFETY: this is a register of the board's, 32 bits wide; to read it has no effect.
    unsafe { read_volatile((BASE + register as usize) as *const u32) }
}

fn write(register: Register, value: u32) {
    // SAFETY: as above; the timer has no say in what memory is used for.
    unsafe { write_volatile((BASE + register as usize) as *mut u32, value) }
}
