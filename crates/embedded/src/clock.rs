//! Time as the board tells it.

use mqtt_p2p_core::Instant;

/// A monotonic clock in milliseconds.
pub trait Clock {
    /// The time since any start. It must not go back; 64 bits of milliseconds do not overflow.
    fn now(&self) -> Instant;
}

/// A clock that one can wait for.
pub trait Timer: Clock {
    /// Waits until the clock shows this moment, or a later one. A moment that is past is no wait.
    async fn wait_until(&self, at: Instant);
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Instant {
        C::now(self)
    }
}

impl<T: Timer + ?Sized> Timer for &T {
    async fn wait_until(&self, at: Instant) {
        T::wait_until(self, at).await;
    }
}

/// Waits for a moment that may never come.
pub(crate) async fn wait_for(timer: &impl Timer, at: Option<Instant>) {
    match at {
        Some(at) => timer.wait_until(at).await,
        None => core::future::pending().await,
    }
}

/// The clock of `embassy-time`.
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyTimer;

#[cfg(feature = "embassy-time")]
impl Clock for EmbassyTimer {
    fn now(&self) -> Instant {
        Instant::from_millis(embassy_time::Instant::now().as_millis())
    }
}

#[cfg(feature = "embassy-time")]
impl Timer for EmbassyTimer {
    async fn wait_until(&self, at: Instant) {
        // A moment too late for Embassy's clock is one that it never shows.
        match embassy_time::Instant::try_from_millis(at.as_millis()) {
            Some(at) => embassy_time::Timer::at(at).await,
            None => core::future::pending().await,
        }
    }
}
