//! A made-up microcontroller: a transport, a clock, two buttons and a consumer. Two kinds of it have the same functions:
//! one whose registers the compiler can't see through, which is only linked and weighed, and, with the feature `run`, one
//! whose other end is a script, which QEMU runs to measure the stack.
#![no_std]

#[cfg(all(target_os = "none", not(feature = "compiler-memory")))]
mod memory;
#[cfg(not(feature = "run"))]
mod registers;
#[cfg(feature = "run")]
mod script;
#[cfg(feature = "async")]
mod socket;
#[cfg(feature = "run")]
mod stack;
mod statics;

use core::panic::PanicInfo;

#[cfg(not(feature = "run"))]
pub use registers::{button, clock, close, consume, is_open, open, receive, sleep, transmit};
#[cfg(feature = "run")]
pub use script::{button, clock, close, consume, is_open, open, receive, sleep, transmit};
#[cfg(feature = "async")]
pub use socket::{Socket, block_on, once, pause};
pub use statics::Place;

/// All is made: from here on the stack is measured.
#[inline(always)]
pub fn begin() {
    #[cfg(feature = "run")]
    stack::begin();
}

/// What the application is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// Nothing.
    None,
    /// Ask for messages.
    Subscribe,
    /// Send one.
    Publish,
}

/// What every client says of itself: the same for all, so that none has less to keep.
pub mod facts {
    /// Who it is.
    pub const CLIENT_ID: &str = "GID_devices@@@000001";
    /// The log-in.
    pub const USER_NAME: &str = "user";
    /// The log-in.
    pub const PASSWORD: &[u8] = b"password";
    /// What it subscribes to.
    pub const COMMANDS: &str = "site/GID_devices@@@000001/#";
    /// Where it publishes to.
    pub const NEIGHBOUR: &str = "site/p2p/GID_devices@@@000002";
    /// In seconds.
    pub const KEEP_ALIVE: u16 = 60;
    /// The length of each buffer for packets: one that comes, those that go.
    pub const BUFFER: usize = 512;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    #[cfg(feature = "run")]
    stack::end("panic");
    #[cfg(not(feature = "run"))]
    loop {}
}
