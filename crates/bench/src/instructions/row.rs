//! One line of the table.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// 32 bytes.
pub(crate) const TOPIC: &str = "site-01/p2p/GID_devices@@@000042";
/// 64 bytes.
pub(crate) const PAYLOAD: [u8; 64] = [b'x'; 64];
/// Whose rows have budgets and a gate.
pub(crate) const OURS: &str = "mqtt-p2p";

/// What one contender does.
pub(crate) struct Row {
    pub(crate) who: &'static str,
    /// The same words for the same bytes, whoever handles them.
    pub(crate) operation: String,
    /// What one operation holds.
    pub(crate) what: &'static str,
    /// Instructions, of the design's table.
    pub(crate) budget: Option<u32>,
    /// How many messages one operation handles.
    pub(crate) messages: u32,
    /// How often to repeat it; the second run does it twice as often.
    pub(crate) times: u32,
    /// Does the operation so many times; says how long that took.
    pub(crate) run: Box<dyn Fn(u32) -> Duration + Send + Sync>,
}

impl Row {
    pub(crate) fn new(
        who: &'static str,
        operation: impl Into<String>,
        what: &'static str,
        run: impl Fn(u32) -> Duration + Send + Sync + 'static,
    ) -> Self {
        let (operation, run) = (operation.into(), Box::new(run));
        Self { who, operation, what, budget: None, messages: 1, times: 1000, run }
    }

    pub(crate) fn budget(self, budget: u32) -> Self {
        Self { budget: Some(budget), ..self }
    }

    pub(crate) fn many(self, messages: u32, times: u32) -> Self {
        Self { messages, times, ..self }
    }
}

/// Does something so many times; says how long that took.
#[inline]
pub(crate) fn repeat(times: u32, mut operation: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        operation();
        black_box(());
    }
    start.elapsed()
}

/// What every row's loop costs besides its operation.
pub(crate) fn empty() -> Row {
    Row::new("", "", "", |times| repeat(times, || ()))
}
