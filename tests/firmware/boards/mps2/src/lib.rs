//! What two firmwares share that run on the board mps2-an385: its clock and its Ethernet controller.
#![no_std]

pub mod clock;
mod lan9118;

pub use lan9118::{Frame, INTERRUPT, Lan9118, MAX_FRAME, MTU, disarm};

/// What the processor and its timers count with, in hertz (ARM application note AN385).
pub const HERTZ: u32 = 25_000_000;
