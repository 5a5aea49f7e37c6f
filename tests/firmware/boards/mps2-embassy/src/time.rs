//! Embassy's clock: the board's, which SysTick looks at every millisecond.

use core::cell::RefCell;
use core::task::Waker;

use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;
use critical_section::Mutex;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;
use firmware_mps2::{HERTZ, clock};

struct Ticks {
    queue: Mutex<RefCell<Queue>>,
}

time_driver_impl!(static TICKS: Ticks = Ticks { queue: Mutex::new(RefCell::new(Queue::new())) });

impl Driver for Ticks {
    fn now(&self) -> u64 {
        clock::millis()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next tick looks at the queue anyway.
        critical_section::with(|section| self.queue.borrow_ref_mut(section).schedule_wake(at, waker));
    }
}

/// Starts the clock.
pub(crate) fn start() {
    clock::start();
    let mut syst = Peripherals::take().expect("started once").SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(HERTZ / 1_000 - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

#[cortex_m_rt::exception]
fn SysTick() {
    critical_section::with(|section| TICKS.queue.borrow_ref_mut(section).next_expiration(clock::millis()));
}
