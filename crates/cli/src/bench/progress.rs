//! A bar on the terminal while messages are under way.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Bench;
use crate::output;

/// Steps of the bar while the time is what counts.
const STEPS: u64 = 1000;

pub(super) struct Progress {
    bar: ProgressBar,
    duration: Option<Duration>,
    subscribers: u64,
}

impl Progress {
    /// A bar on stderr; none if that is no terminal, or if the output is for a program.
    pub(super) fn new(args: &Bench) -> Self {
        let subscribers = u64::from(args.subscribers);
        let length = match args.duration {
            Some(_) => STEPS,
            None => args.messages * u64::from(args.publishers) * subscribers.max(1),
        };
        let target = match output::is_json() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        if let Ok(style) = ProgressStyle::with_template("{elapsed:>4} [{bar:30.cyan}] {percent:>3} %  {msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, duration: args.duration, subscribers }
    }

    pub(super) fn show(&self, published: u64, received: u64, elapsed: Duration) {
        self.bar.set_message(format!("published {published}, received {received}"));
        self.bar.set_position(match self.duration {
            Some(duration) => (elapsed.as_secs_f64() / duration.as_secs_f64() * STEPS as f64) as u64,
            None if self.subscribers == 0 => published,
            None => received,
        });
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
