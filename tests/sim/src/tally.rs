//! How much a run, or many, did.

use std::fmt;
use std::ops::AddAssign;

/// Counters of what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs, each of its own seed.
    pub worlds: u64,
    /// Publications that clients accepted.
    pub publications: u64,
    /// Messages that servers had for clients.
    pub deliveries: u64,
    /// Of all publications, how many were of QoS 2.
    pub exactly_once: u64,
    /// Publications that went out again after a reconnect.
    pub resends: u64,
    /// Connections that servers accepted.
    pub connections: u64,
    /// Things that went wrong on purpose.
    pub faults: u64,
    /// Crashes of clients among them.
    pub crashes: u64,
    /// Simulated time.
    pub millis: u64,
    /// Events of the simulation.
    pub steps: u64,
}

impl Tally {
    /// Publications and deliveries: each with promises of its own.
    pub const fn messages(&self) -> u64 {
        self.publications + self.deliveries
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.publications += other.publications;
        self.deliveries += other.deliveries;
        self.exactly_once += other.exactly_once;
        self.resends += other.resends;
        self.connections += other.connections;
        self.faults += other.faults;
        self.crashes += other.crashes;
        self.millis += other.millis;
        self.steps += other.steps;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} worlds, {:.1} simulated hours, {} messages ({} publications, {} of them QoS 2; {} deliveries), \
             {} faults ({} crashes of clients), {} connections, {} publications sent again",
            self.worlds,
            self.millis as f64 / 3.6e6,
            self.messages(),
            self.publications,
            self.exactly_once,
            self.deliveries,
            self.faults,
            self.crashes,
            self.connections,
            self.resends
        )
    }
}
