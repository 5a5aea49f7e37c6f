//! What a contender is to do, and the watch that it is timed with.

use std::fs;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use nix::sys::resource::{UsageWho, getrusage};

pub(crate) use crate::instructions::row::{PAYLOAD, TOPIC};

/// How many messages of QoS 1 may be under way.
pub(crate) const WINDOW: u16 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Publishes at QoS 0; the end is the answer to one more of QoS 1.
    #[value(name = "publish-0")]
    Publish0,
    /// Publishes at QoS 1, with 100 under way.
    #[value(name = "publish-1")]
    Publish1,
    /// Receives at QoS 0.
    Receive,
    /// Publishes at QoS 1, each when the one before is acknowledged.
    RoundTrip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Carrier {
    Tcp,
    Tls,
    Ws,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [Self::Publish0, Self::Publish1, Self::Receive, Self::RoundTrip];

    /// As the command line has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Publish0 => "publish-0",
            Self::Publish1 => "publish-1",
            Self::Receive => "receive",
            Self::RoundTrip => "round-trip",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Publish0 => "publish QoS 0",
            Self::Publish1 => "publish QoS 1, 100 under way",
            Self::Receive => "receive QoS 0",
            Self::RoundTrip => "round trip of QoS 1",
        }
    }
}

impl Carrier {
    /// As the command line has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// On 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) messages: u32,
    #[arg(long, default_value = "tcp")]
    pub(crate) carrier: Carrier,
    /// The server's authority, a PEM file.
    #[arg(long)]
    pub(crate) authority: Option<String>,
    /// Publishes so many, and then lets the client send them.
    #[arg(long)]
    pub(crate) at_once: Option<u32>,
    /// With `--at-once`: waits for the end of each publication.
    #[arg(long)]
    pub(crate) awaited: bool,
}

impl Job {
    /// How many messages go before those that count.
    pub(crate) const fn warm_up(&self) -> u32 {
        self.messages / 10
    }
}

/// Measures what one contender does from its making on.
#[derive(Debug)]
pub(crate) struct Watch {
    began: Instant,
    cpu: (Duration, Duration),
    round_trips: Vec<Duration>,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu_time(), round_trips: Vec::new() }
    }

    pub(crate) fn round_trip(&mut self, took: Duration) {
        self.round_trips.push(took);
    }

    /// Says what was measured, on the one line that [`Measured::read`] understands.
    pub(crate) fn stop(mut self) {
        let wall = self.began.elapsed();
        let (user, system) = cpu_time();
        self.round_trips.sort_unstable();
        let quantile = |of: f64| {
            let last = self.round_trips.len().saturating_sub(1);
            self.round_trips.get((last as f64 * of) as usize).map_or(0, Duration::as_nanos)
        };
        println!(
            "measured {} {} {} {} {} {} {}",
            wall.as_nanos(),
            (user - self.cpu.0).as_nanos(),
            (system - self.cpu.1).as_nanos(),
            peak_memory(),
            quantile(0.5),
            quantile(0.99),
            quantile(0.999),
        );
    }
}

/// What one process measured of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) messages: f64,
    wall: f64,
    cpu: f64,
    /// In bytes.
    pub(crate) peak_memory: f64,
    /// Nanoseconds at the 50th, 99th and 99.9th percentile.
    pub(crate) round_trip: [f64; 3],
}

impl Measured {
    /// Reads the line that [`Watch::stop`] writes.
    pub(crate) fn read(line: &str, messages: u32) -> Option<Self> {
        let numbers = line
            .strip_prefix("measured ")?
            .split(' ')
            .map(str::parse)
            .collect::<Result<Vec<f64>, _>>()
            .ok()?;
        let [wall, user, system, peak_memory, p50, p99, p999] = numbers.try_into().ok()?;
        let (messages, cpu) = (messages.into(), user + system);
        Some(Self { messages, wall, cpu, peak_memory, round_trip: [p50, p99, p999] })
    }

    pub(crate) const fn seconds_per_message(&self) -> f64 {
        self.wall / self.messages / 1e9
    }

    pub(crate) const fn messages_per_second(&self) -> f64 {
        self.messages / self.wall * 1e9
    }

    /// Nanoseconds of this process's CPU time.
    pub(crate) const fn cpu_per_message(&self) -> f64 {
        self.cpu / self.messages
    }

    /// The median of each number for itself.
    pub(crate) fn median(of: &[Self]) -> Self {
        let median = |number: fn(&Self) -> f64| {
            let mut numbers: Vec<f64> = of.iter().map(number).collect();
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.get(numbers.len() / 2).copied().unwrap_or_default()
        };
        Self {
            messages: median(|one| one.messages),
            wall: median(|one| one.wall),
            cpu: median(|one| one.cpu),
            peak_memory: median(|one| one.peak_memory),
            round_trip: [
                median(|one| one.round_trip[0]),
                median(|one| one.round_trip[1]),
                median(|one| one.round_trip[2]),
            ],
        }
    }
}

/// User's and system's part of what this process has used.
pub(crate) fn cpu_time() -> (Duration, Duration) {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage has no way to fail");
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), u32::try_from(time.tv_usec()).unwrap_or(0) * 1000)
    };
    (duration(usage.user_time()), duration(usage.system_time()))
}

/// The most that this process ever had resident, in bytes. `ru_maxrss` would begin with what the parent had.
fn peak_memory() -> u64 {
    status("VmHWM:")
}

/// What this process has resident, in bytes.
pub(crate) fn memory() -> u64 {
    status("VmRSS:")
}

fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}
