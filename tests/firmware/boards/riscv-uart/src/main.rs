//! x
#![no_std]
#![no_main]
use firmware_support::{Arguments, Outcome, finish, memory, say};
#[riscv_rt::entry]
fn main() -> ! {
    memory::paint_stack();
    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@riscv");
    say!("{settings:?} {} {}", memory::statics(), memory::deepest_stack());
    finish(Outcome::Passed)
}
