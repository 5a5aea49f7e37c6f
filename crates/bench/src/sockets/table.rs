//! The contenders side by side.

use std::error::Error;
use std::path::Path;

use super::job::{Carrier, Measured, Work};
use super::{Against, Batches, OURS, RAW, RUMQTTC, Scene};
use crate::plot;

/// How many times rumqttc's rate is asked for, where nothing but the client can be the bottleneck.
fn budget(scene: &Scene) -> Option<f64> {
    if scene.against != Against::Sink || scene.carrier != Carrier::Tcp || !scene.same_cpu {
        return None;
    }
    match scene.work {
        Work::Publish0 => Some(5.0),
        Work::Publish1 => Some(3.0),
        Work::Receive => Some(1.5),
        Work::RoundTrip => None,
    }
}

impl Scene {
    fn of(&self, name: &str) -> Option<&Measured> {
        self.results.iter().find(|(who, _)| *who == name).map(|(_, measured)| measured)
    }

    fn title(&self) -> String {
        let server = match self.against {
            Against::Sink => "the sink",
            Against::Mosquitto => "mosquitto",
        };
        let cpus = if self.same_cpu { "one CPU" } else { "a CPU each" };
        format!("{}, {} against {server}, {cpus}", self.work.title(), self.carrier.name())
    }
}

/// Ratios to rumqttc and to the raw socket first, then every figure.
pub(crate) fn markdown(scenes: &[Scene], missing: &[String]) -> String {
    let mut text = String::from(
        "\n### Ours against rumqttc\n\nRates and CPU time as multiples; medians of interleaved rounds. The round trip's \
         median is beside that of a raw socket; the budget for it is 1.2×. Against mosquitto, the server is the \
         bottleneck: the CPU time of the client tells there.\n\n\
         | work | rate over rumqttc's | budget | CPU per message, of rumqttc's | p50 over the raw socket's |\n\
         |---|--:|--:|--:|--:|\n",
    );
    for scene in scenes {
        let (Some(ours), Some(peer)) = (scene.of(OURS), scene.of(RUMQTTC)) else { continue };
        let rate = ours.messages_per_second() / peer.messages_per_second();
        let cpu = ours.cpu_per_message() / peer.cpu_per_message();
        let budget = budget(scene).map_or_else(|| "–".into(), |budget| format!("{budget}×"));
        let p50 = match scene.of(RAW) {
            Some(raw) if scene.work == Work::RoundTrip => {
                format!("{:.2}×", ours.round_trip[0] / raw.round_trip[0])
            }
            _ => "–".into(),
        };
        text += &format!("| {} | {rate:.2}× | {budget} | {cpu:.2}× | {p50} |\n", scene.title());
    }
    for line in missing {
        text += &format!("\n{line}.\n");
    }
    text += "\n![Rates over tcp on one CPU](rates.svg)\n\n### Every contender\n";
    for scene in scenes {
        text += &format!(
            "\n{}:\n\n| contender | ours over it | messages/s | CPU ns per message | peak MB |",
            scene.title()
        );
        text += if scene.work == Work::RoundTrip { " p50 µs | p99 µs | p99.9 µs |\n" } else { "\n" };
        text += "|---|--:|--:|--:|--:|";
        text += if scene.work == Work::RoundTrip { "--:|--:|--:|\n" } else { "\n" };
        let ours = scene.of(OURS).copied().unwrap_or_default();
        for (name, measured) in &scene.results {
            text += &format!(
                "| {name} | {:.2}× | {:.0} | {:.0} | {:.1} |",
                ours.messages_per_second() / measured.messages_per_second(),
                measured.messages_per_second(),
                measured.cpu_per_message(),
                measured.peak_memory / 1e6,
            );
            if scene.work == Work::RoundTrip {
                measured.round_trip.iter().for_each(|time| text += &format!(" {:.1} |", time / 1e3));
            }
            text += "\n";
        }
    }
    text
}

/// Our client alone, by how many publications it sends at once.
pub(super) fn at_once(batches: &[Batches]) -> String {
    let mut text = String::from(
        "\n### Ours by publications at once\n\nSo many calls of `publish`, and then the client sends them: because the \
         caller yields, or awaits the end of each. Over tcp against the sink, on one CPU: CPU ns per message, and \
         messages/s.\n\n| work | one by one | 10 at once | 100 at once |\n|---|--:|--:|--:|\n",
    );
    for Batches { work, awaited, results } in batches {
        let qos = if *work == Work::Publish1 { 1 } else { 0 };
        text += &format!("| publish QoS {qos}, {} |", if *awaited { "awaited" } else { "not awaited" });
        for measured in results {
            text += &format!(" {:.0}, {:.0} |", measured.cpu_per_message(), measured.messages_per_second());
        }
        text += "\n";
    }
    text
}

/// Rates over tcp on one CPU, against the sink.
pub(crate) fn draw(scenes: &[Scene], directory: &Path) -> Result<(), Box<dyn Error>> {
    let drawn: Vec<_> = scenes
        .iter()
        .filter(|scene| scene.against == Against::Sink && scene.same_cpu && scene.carrier == Carrier::Tcp)
        .collect();
    let groups: Vec<_> = drawn.iter().map(|scene| scene.work.title()).collect();
    let names = drawn.first().map(|scene| scene.results.iter().map(|(name, _)| *name)).into_iter().flatten();
    let bars: Vec<_> = names
        .map(|name| {
            let rates = drawn.iter().filter_map(|scene| scene.of(name));
            (name, rates.map(Measured::messages_per_second).collect())
        })
        .collect();
    plot::bars(
        &directory.join("rates.svg"),
        "Messages per second on one CPU, against the sink",
        &groups,
        &bars,
    )
}
