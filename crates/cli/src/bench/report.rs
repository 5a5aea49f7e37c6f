//! What a measurement came to, as a table and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;
use mqtt_p2p_tokio::QoS;
use serde::Serialize;

use super::tally::{Tally, latencies};
use crate::args::Bench;
use crate::failure::Failure;
use crate::json;
use crate::output::{self, BOLD, COLUMNS, DIM, wrap};
use crate::target::Target;

const MEASURED: &str = "publisher, network, broker and subscriber together";

const CAVEAT: &str = "These are the figures of publisher, network, broker and subscriber together: they tell two \
     brokers apart with the same client, or two clients with the same broker.";

/// The longest bar of the histogram.
const BAR: usize = 40;

/// All figures. The field names are stable.
#[derive(Serialize)]
pub(super) struct Report {
    url: String,
    measured: &'static str,
    qos: u8,
    size: u32,
    in_flight: u16,
    publishers: u16,
    subscribers: u16,
    published: u64,
    received: u64,
    lost: u64,
    duplicates: u64,
    publish_seconds: f64,
    publish_rate: f64,
    receive_seconds: f64,
    receive_rate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_us: Option<Latency>,
    /// From shortest to longest.
    histogram: Vec<Bin>,
    #[serde(skip)]
    may_lose: bool,
    #[serde(skip)]
    may_repeat: bool,
}

/// In microseconds.
#[derive(Serialize)]
struct Latency {
    min: f64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// So many messages took at most so long, and longer than the bin before says.
#[derive(Serialize)]
struct Bin {
    up_to_us: f64,
    messages: u64,
}

impl Report {
    pub(super) fn new(
        args: &Bench,
        target: &Target,
        published: u64,
        sending: Duration,
        tallies: &[Tally],
    ) -> Self {
        let mut histogram = latencies();
        for tally in tallies {
            // All have the same bounds.
            let _ = histogram.add(&tally.latencies);
        }
        let received = tallies.iter().map(|tally| tally.received).sum();
        let receiving = tallies.iter().map(|tally| tally.last).max().unwrap_or_default();
        Self {
            url: target.endpoint.to_string(),
            measured: MEASURED,
            qos: args.qos as u8,
            size: args.size,
            in_flight: args.in_flight,
            publishers: args.publishers,
            subscribers: args.subscribers,
            published,
            received,
            lost: (published * u64::from(args.subscribers)).saturating_sub(received),
            duplicates: tallies.iter().map(|tally| tally.duplicates).sum(),
            publish_seconds: sending.as_secs_f64(),
            publish_rate: rate(published, sending),
            receive_seconds: receiving.as_secs_f64(),
            receive_rate: rate(received, receiving),
            latency_us: (!histogram.is_empty()).then(|| Latency::of(&histogram)),
            histogram: bins(&histogram),
            may_lose: args.qos == QoS::AtMostOnce,
            may_repeat: args.qos == QoS::AtLeastOnce,
        }
    }

    /// Whether the messages came as their QoS promises.
    pub(super) const fn verdict(&self) -> Result<(), Failure> {
        let lost = if self.may_lose { 0 } else { self.lost };
        let duplicates = if self.may_repeat { 0 } else { self.duplicates };
        match (lost, duplicates) {
            (0, 0) => Ok(()),
            _ => Err(Failure::BenchFaulty { lost, duplicates }),
        }
    }

    pub(super) fn print(&self) -> io::Result<()> {
        if output::is_json() {
            return json::print(self);
        }
        let mut out = anstream::stdout().lock();
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}  QoS {}, {} bytes, {} to {}, {} in flight\n",
            self.url,
            self.qos,
            self.size,
            count(self.publishers.into(), "publisher"),
            count(self.subscribers.into(), "subscriber"),
            self.in_flight
        )?;
        writeln!(
            out,
            "{DIM}{:12}{:>12}{:>12}{:>14}{:>12}{DIM:#}",
            "", "messages", "seconds", "per second", "MB/s"
        )?;
        for (what, messages, seconds, rate) in [
            ("published", self.published, self.publish_seconds, self.publish_rate),
            ("received", self.received, self.receive_seconds, self.receive_rate),
        ] {
            let megabytes = rate * f64::from(self.size) / 1e6;
            writeln!(out, "{what:12}{messages:>12}{seconds:>12.3}{rate:>14.0}{megabytes:>12.2}")?;
        }
        writeln!(out, "{:12}{:>12}\n{:12}{:>12}", "lost", self.lost, "duplicates", self.duplicates)?;
        if let Some(latency) = &self.latency_us {
            latency.print(&mut out)?;
            self.print_histogram(&mut out)?;
        }
        writeln!(out, "\n{}", wrap(CAVEAT, COLUMNS).join("\n"))?;
        out.flush()
    }

    fn print_histogram(&self, out: &mut impl Write) -> io::Result<()> {
        let most = self.histogram.iter().map(|bin| bin.messages).max().unwrap_or(1).max(1);
        writeln!(out)?;
        for bin in &self.histogram {
            let length = (bin.messages as f64 / most as f64 * BAR as f64).round() as usize;
            let share = bin.messages as f64 / self.received.max(1) as f64 * 100.0;
            let (up_to, bar) = (time(bin.up_to_us), "#".repeat(length));
            writeln!(out, "  up to {up_to:>10}  {bar:BAR$}  {share:>5.1} %")?;
        }
        Ok(())
    }
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| micros(histogram.value_at_quantile(quantile));
        Self {
            min: micros(histogram.min()),
            mean: histogram.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(histogram.max()),
        }
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n{BOLD}latency{BOLD:#}")?;
        for (what, micros) in [
            ("min", self.min),
            ("mean", self.mean),
            ("50 %", self.p50),
            ("90 %", self.p90),
            ("99 %", self.p99),
            ("99.9 %", self.p999),
            ("max", self.max),
        ] {
            writeln!(out, "  {what:10}{:>12}", time(micros))?;
        }
        Ok(())
    }
}

/// Bins of which each reaches twice as far as the one before, without the empty ones at both ends.
fn bins(histogram: &Histogram<u64>) -> Vec<Bin> {
    /// Where the first one ends, in nanoseconds.
    const FIRST: u64 = 1000;
    let bins = histogram.iter_log(FIRST, 2.0).map(|bin| Bin {
        up_to_us: micros(bin.value_iterated_to() + 1),
        messages: bin.count_since_last_iteration(),
    });
    let mut bins: Vec<_> = bins.skip_while(|bin| bin.messages == 0).collect();
    while bins.last().is_some_and(|bin| bin.messages == 0) {
        bins.pop();
    }
    bins
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

fn rate(messages: u64, time: Duration) -> f64 {
    match time.is_zero() {
        true => 0.0,
        false => messages as f64 / time.as_secs_f64(),
    }
}

fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1e3 => format!("{micros:.0} us"),
        micros if micros < 1e6 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{:.2} s", micros / 1e6),
    }
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_every_message_once() {
        let mut histogram = latencies();
        for nanos in [900, 5_000, 5_100, 70_000_000] {
            histogram.record(nanos).unwrap();
        }
        let bins = bins(&histogram);
        assert_eq!(bins.iter().map(|bin| bin.messages).sum::<u64>(), 4);
        assert_eq!(bins.first().map(|bin| (bin.up_to_us, bin.messages)), Some((1.0, 1)));
        assert_eq!(bins.last().map(|bin| bin.messages), Some(1));
    }

    #[test]
    fn times_are_shown_in_their_unit() {
        assert_eq!([12.3, 1_500.0, 2e6].map(time), ["12 us", "1.50 ms", "2.00 s"]);
    }
}
