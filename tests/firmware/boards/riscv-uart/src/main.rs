//! Firmware on RISC-V, with a serial line for its network: QEMU's `virt`, the blocking driver.
#![no_std]
#![no_main]

mod board;

use firmware_support::serial::Serial;
use firmware_support::{Arguments, blocking};
use mqtt_p2p_embedded::Port;
use riscv_rt::entry;

use board::{Board, Uart};

#[entry]
fn main() -> ! {
    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@riscv-uart");
    blocking::run(&settings, Board, Port::new(Serial(Uart::start()), Board), 0x5eed)
}
