//! What every firmware needs of its board and of QEMU, whatever its network and its driver.
#![no_std]

mod arguments;
pub mod blocking;
mod firmware;
mod log_in;
pub mod memory;
mod report;
mod room;
pub mod serial;
#[cfg(all(feature = "systick", target_arch = "arm"))]
pub mod systick;

pub use arguments::Arguments;
pub use firmware::Firmware;
pub use log_in::LogIns;
pub use report::{Outcome, finish};
pub use room::Room;
#[doc(hidden)]
pub use semihosting;

/// Prints a line on the host.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::semihosting::println!($($text)*) };
}
