//! A program that calls every public function of the protocol crates with values that the compiler knows nothing of. It
//! links only if no panic can be reached: what handles a panic calls a function that does not exist. It never runs.
//!
//! `check` builds it, and sees to it that no public function is forgotten here: it looks for `Type::function`, or
//! `function(`.
#![no_std]
#![no_main]

mod aliyun;
mod client;
#[cfg(feature = "embedded")]
mod embedded;
mod packet;
mod shown;
mod websocket;

use core::hint::black_box;
use core::panic::PanicInfo;

/// A value of which the compiler knows no more than its type.
fn any<T>(value: T) -> T {
    black_box(value)
}

/// Takes what a call gave: it can't be left out.
fn take<T>(value: T) {
    black_box(value);
}

fn bytes() -> &'static [u8] {
    any(&[])
}

fn text() -> &'static str {
    any("")
}

/// A buffer of any length.
macro_rules! buffer {
    () => {
        &mut *crate::any(&mut [0_u8; 8][..])
    };
}
use buffer;

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    packet::all();
    client::all();
    aliyun::all();
    websocket::all();
    shown::all();
    #[cfg(feature = "embedded")]
    embedded::all();
    #[cfg(feature = "planted")]
    take(any(None::<u8>).unwrap());
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(feature = "tell"))]
unsafe extern "C" {
    safe fn a_panic_is_reachable() -> !;
}

#[cfg(feature = "tell")]
fn a_panic_is_reachable() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // Without it, panics with different messages are one to the compiler.
    black_box(info);
    a_panic_is_reachable()
}
