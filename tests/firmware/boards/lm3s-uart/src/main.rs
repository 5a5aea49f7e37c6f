//! Firmware with a serial line for its network: QEMU's lm3s6965evb, the blocking driver.
#![no_std]
#![no_main]

mod uart;

use cortex_m_rt::entry;
use firmware_support::serial::Serial;
use firmware_support::{Arguments, blocking, systick};
use mqtt_p2p_embedded::Port;

use uart::{Board, Uart};

#[entry]
fn main() -> ! {
    // The board resets to 12 MHz.
    systick::start(12_000_000);
    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@lm3s-uart");
    blocking::run(&settings, Board, Port::new(Serial(Uart::start()), Board), 0x5eed)
}
