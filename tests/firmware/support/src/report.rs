//! How a firmware ends: with a line that tells the result, and an exit status of QEMU's.

use core::fmt;
use core::panic::PanicInfo;

use semihosting::process;

use crate::say;

/// How it went. Each has an exit status of its own.
#[derive(Clone, Copy)]
pub enum Outcome<'a> {
    /// All has come back as it should. Status 0.
    Passed,
    /// Something came that is wrong. Status 10.
    Wrong(&'a dyn fmt::Debug),
    /// The server refused the log-in. Status 11.
    Refused(&'a dyn fmt::Display),
    /// No connection came about. Status 12.
    NoConnection(&'a dyn fmt::Display),
    /// The firmware can't work with what it was told, or with its board. Status 13.
    Unusable(&'a dyn fmt::Display),
}

/// Tells the result and ends the program.
pub fn finish(outcome: Outcome<'_>) -> ! {
    let status = match outcome {
        Outcome::Passed => {
            say!("result: passed");
            0
        }
        Outcome::Wrong(what) => {
            say!("result: wrong: {what:?}");
            10
        }
        Outcome::Refused(why) => {
            say!("result: refused: {why}");
            11
        }
        Outcome::NoConnection(why) => {
            say!("result: no connection: {why}");
            12
        }
        Outcome::Unusable(why) => {
            say!("result: unusable: {why}");
            13
        }
    };
    process::exit(status)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say!("result: {info}");
    process::exit(101)
}
