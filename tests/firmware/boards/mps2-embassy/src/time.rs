//! Embassy's clock: milliseconds on SysTick.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;

use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;
use critical_section::Mutex;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;

struct Ticks {
    /// Enough for 49 days.
    millis: AtomicU32,
    queue: Mutex<RefCell<Queue>>,
}

time_driver_impl!(static TICKS: Ticks = Ticks {
    millis: AtomicU32::new(0),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Driver for Ticks {
    fn now(&self) -> u64 {
        self.millis.load(Ordering::Relaxed).into()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next tick looks at the queue anyway.
        critical_section::with(|section| self.queue.borrow_ref_mut(section).schedule_wake(at, waker));
    }
}

/// Starts the clock, on a core of so many hertz.
pub(crate) fn start(hertz: u32) {
    let mut syst = Peripherals::take().expect("started once").SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(hertz / 1_000 - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

#[cortex_m_rt::exception]
fn SysTick() {
    let now = TICKS.millis.load(Ordering::Relaxed).wrapping_add(1);
    TICKS.millis.store(now, Ordering::Relaxed);
    critical_section::with(|section| TICKS.queue.borrow_ref_mut(section).next_expiration(now.into()));
}
