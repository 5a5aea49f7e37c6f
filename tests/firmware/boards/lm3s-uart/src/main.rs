//! x
#![no_std]
#![no_main]
use firmware_support::{Arguments, Outcome, finish, memory, say, systick};
#[cortex_m_rt::entry]
fn main() -> ! {
    memory::paint_stack();
    systick::start(25_000_000);
    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@smoltcp");
    say!("{settings:?} {} {} {}", systick::millis(), memory::statics(), memory::deepest_stack());
    finish(Outcome::Passed)
}
