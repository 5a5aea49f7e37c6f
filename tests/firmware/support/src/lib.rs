//! What every firmware needs of its board and of QEMU, whatever its network and its driver.
#![no_std]

mod arguments;
pub mod memory;
mod report;
#[cfg(all(feature = "systick", target_arch = "arm"))]
pub mod systick;

pub use arguments::Arguments;
pub use report::{Outcome, finish};
#[doc(hidden)]
pub use semihosting;

/// Prints a line on the host.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::semihosting::println!($($text)*) };
}
