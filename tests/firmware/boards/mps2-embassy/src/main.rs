//! x
#![no_std]
#![no_main]
use firmware_lan9118 as _;
use firmware_support as _;
#[cortex_m_rt::entry]
fn main() -> ! {
    loop {}
}
