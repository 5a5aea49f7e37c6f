//! Many runs, one seed after the other, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::tally::Tally;
use crate::violation::Violation;
use crate::world::run;

/// How long a soak is: until the first of these is reached.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The first seed.
    pub seed: u64,
    /// So many runs.
    pub worlds: u64,
    /// So many messages.
    pub messages: u64,
    /// So much time of ours.
    pub time: Duration,
    /// So many broken promises.
    pub violations: usize,
}

/// What a soak did and found.
#[derive(Debug, Default)]
pub struct Report {
    /// All runs that kept all promises.
    pub tally: Tally,
    /// The plans of the others.
    pub violations: Vec<(Plan, Violation)>,
}

/// Runs the plans of ascending seeds. `progress` is told the tally now and then.
///
/// # Panics
/// If a thread can't be started.
pub fn soak(length: &Length, jobs: usize, progress: impl Fn(&Tally) + Sync) -> Report {
    let start = Instant::now();
    let next = AtomicU64::new(length.seed);
    let over = AtomicBool::new(false);
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - length.seed >= length.worlds {
                        return;
                    }
                    let plan = Plan::of(seed);
                    let result = run(&plan, false);
                    let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    match result {
                        Ok(tally) => report.tally += tally,
                        Err(violation) => report.violations.push((plan, violation)),
                    }
                    if report.tally.messages() >= length.messages
                        || report.violations.len() >= length.violations
                        || start.elapsed() >= length.time
                    {
                        over.store(true, Ordering::Relaxed);
                    }
                    if report.tally.worlds % 1_000 == 0 {
                        progress(&report.tally);
                    }
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
