//! A clock of milliseconds on Cortex-M's SysTick.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;

static MILLIS: AtomicU32 = AtomicU32::new(0);

/// Starts the clock, on a core of so many hertz.
///
/// # Panics
/// It was started before.
pub fn start(hertz: u32) {
    let mut syst = Peripherals::take().expect("started once").SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(hertz / 1_000 - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

/// Milliseconds since the start. They last for 49 days.
pub fn millis() -> u64 {
    MILLIS.load(Ordering::Relaxed).into()
}

#[cortex_m_rt::exception]
fn SysTick() {
    MILLIS.store(MILLIS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}
