//! Counters, and their form for Prometheus.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// What a client did since it was made, and how it stands, from [`Client::stats`](crate::Client::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Whether the server has accepted the log-in and the connection has not ended.
    pub connected: bool,
    /// Connections that the server accepted.
    pub connections: u64,
    /// Those of them that followed another one.
    pub reconnects: u64,
    /// Bytes written to the socket: MQTT's, without what WebSocket and TLS add.
    pub bytes_sent: u64,
    /// Bytes read from the socket: MQTT's, without what WebSocket and TLS add.
    pub bytes_received: u64,
    /// Control packets handed to the socket.
    pub packets_sent: u64,
    /// Control packets taken from what the socket brought.
    pub packets_received: u64,
    /// PUBLISH packets handed to the socket, by QoS; what was sent again counts again.
    pub messages_sent: [u64; 3],
    /// PUBLISH packets from the server, by QoS; what came again counts again.
    pub messages_received: [u64; 3],
    /// Publications of QoS 1 and 2 that went out again over a later connection.
    pub resends: u64,
    /// Messages of QoS 2 that came again and were not delivered again.
    pub duplicates: u64,
    /// Acknowledgements that answered nothing under way.
    pub unexpected_acks: u64,
    /// Messages that came while no stream wanted them.
    pub unclaimed: u64,
    /// Messages that streams dropped because they were full, each counted for each such stream.
    pub dropped: u64,
    /// Publications of QoS 1 and 2 that went out and wait for the server.
    pub in_flight: u64,
    /// Publications, subscriptions and unsubscriptions that were accepted and have not ended, in flight or waiting.
    pub queued: u64,
    /// The bytes of their topics and payloads.
    pub queued_bytes: u64,
    /// The client does not read from the socket, because a stream is full.
    pub held: bool,
    /// How long the last measured answer of the server took. Measured is one request at a time: from handing a
    /// PUBLISH of QoS 1, a SUBSCRIBE or a PINGREQ to the socket until PUBACK, SUBACK or PINGRESP is read; not while a
    /// full stream stops the reading.
    pub round_trip: Option<Duration>,
    /// The same, smoothed: an eighth of each new one, as TCP does (RFC 6298).
    pub round_trip_smoothed: Option<Duration>,
}

const SENT: [(&str, &str); 1] = [("direction", "sent")];
const RECEIVED: [(&str, &str); 1] = [("direction", "received")];

impl Stats {
    /// The metrics in Prometheus' text format, version 0.0.4, each with these labels: what `GET /metrics` is to
    /// answer as `text/plain; version=0.0.4`. In a label's name, what Prometheus does not allow becomes `_`.
    ///
    /// ```
    /// # let stats = mqtt_p2p_tokio::Stats::default();
    /// let text = stats.to_prometheus(&[("client", "GID_demo@@@alice")]);
    /// assert!(text.contains("mqtt_p2p_connections_total{client=\"GID_demo@@@alice\"} 0\n"));
    /// ```
    pub fn to_prometheus(&self, labels: &[(&str, &str)]) -> String {
        let mut text = Text { text: String::new(), labels };
        let gauge = |value: bool| f64::from(u8::from(value));
        text.family("connected", "gauge", "Whether the connection stands.", &[(&[], gauge(self.connected))]);
        text.counter("connections", "Connections that the server accepted.", self.connections);
        text.counter("reconnects", "Connections that followed another one.", self.reconnects);
        text.both("bytes", "Bytes over the socket.", self.bytes_sent, self.bytes_received);
        text.both("packets", "Control packets over the socket.", self.packets_sent, self.packets_received);
        let qos = |direction: [(&'static str, &'static str); 1], messages: [u64; 3]| {
            let [direction] = direction;
            let label = |qos| [direction, ("qos", qos)];
            ["0", "1", "2"].map(label).into_iter().zip(messages)
        };
        let messages: Vec<_> =
            qos(SENT, self.messages_sent).chain(qos(RECEIVED, self.messages_received)).collect();
        let messages: Vec<Sample<'_>> =
            messages.iter().map(|(labels, value)| (&labels[..], *value as f64)).collect();
        text.family("messages_total", "counter", "PUBLISH packets over the socket.", &messages);
        text.counter("resends", "Publications that were sent again.", self.resends);
        text.counter("duplicates", "Messages of QoS 2 that came again.", self.duplicates);
        text.counter("unexpected_acks", "Acknowledgements that answered nothing.", self.unexpected_acks);
        text.counter("unclaimed_messages", "Messages that no stream wanted.", self.unclaimed);
        text.counter("dropped_messages", "Messages that full streams dropped.", self.dropped);
        for (name, help, value) in [
            ("in_flight", "Publications that wait for the server.", self.in_flight as f64),
            ("queued_requests", "Accepted requests that have not ended.", self.queued as f64),
            ("queued_bytes", "Bytes of accepted requests that have not ended.", self.queued_bytes as f64),
            ("held", "Whether a full stream stops the reading.", gauge(self.held)),
        ] {
            text.family(name, "gauge", help, &[(&[], value)]);
        }
        for (name, help, value) in [
            ("round_trip_seconds", "The last answer's time.", self.round_trip),
            ("round_trip_smoothed_seconds", "The answers' time, smoothed.", self.round_trip_smoothed),
        ] {
            if let Some(value) = value {
                text.family(name, "gauge", help, &[(&[], value.as_secs_f64())]);
            }
        }
        text.text
    }
}

/// [`Stats::to_prometheus`] without labels.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_prometheus(&[]))
    }
}

/// Labels of its own, and a value.
type Sample<'a> = (&'a [(&'a str, &'a str)], f64);

/// The text that is being written.
struct Text<'a> {
    text: String,
    labels: &'a [(&'a str, &'a str)],
}

impl Text<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(&format!("{name}_total"), "counter", help, &[(&[], value as f64)]);
    }

    fn both(&mut self, name: &str, help: &str, sent: u64, received: u64) {
        let samples: [Sample<'_>; 2] = [(&SENT, sent as f64), (&RECEIVED, received as f64)];
        self.family(&format!("{name}_total"), "counter", help, &samples);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, samples: &[Sample<'_>]) {
        // Writing to a String never fails.
        let _ = write!(self.text, "# HELP mqtt_p2p_{name} {help}\n# TYPE mqtt_p2p_{name} {kind}\n");
        for (own, value) in samples {
            let _ = write!(self.text, "mqtt_p2p_{name}");
            let labels = self.labels.iter().chain(own.iter());
            for (index, (label, text)) in labels.enumerate() {
                self.text.push(if index == 0 { '{' } else { ',' });
                push_label_name(&mut self.text, label);
                self.text.push_str("=\"");
                push_escaped(&mut self.text, text);
                self.text.push('"');
            }
            if !self.labels.is_empty() || !own.is_empty() {
                self.text.push('}');
            }
            let _ = writeln!(self.text, " {value}");
        }
    }
}

fn push_label_name(text: &mut String, name: &str) {
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        text.push('_');
    }
    text.extend(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
}

fn push_escaped(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}
