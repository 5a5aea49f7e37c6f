//! The books of the demo: what was sent, what arrived, and whether that is right.

use std::collections::BTreeMap;
use std::fmt;

use mqtt_p2p_tokio::QoS;
use serde::Serialize;

use super::party::Who;

/// Messages of one sender to one receiver at one QoS, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) from: Who,
    pub(super) to: Who,
    pub(super) qos: QoS,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    flows: BTreeMap<Flow, Line>,
    faults: Vec<Fault>,
}

#[derive(Debug, Default)]
struct Line {
    /// How often each number arrived; as many as were sent.
    arrivals: Vec<u32>,
    /// The highest number that arrived, for the order.
    highest: usize,
}

/// Something that arrived and should not have arrived so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody sent this.
    Unknown { receiver: Who, topic: String },
    /// It was sent with another content, QoS or topic, or to somebody else.
    Altered { receiver: Who, flow: Flow, number: usize },
    /// A higher number came before.
    Order { flow: Flow, number: usize, after: usize },
}

/// The bottom line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sum {
    pub(super) sent: u32,
    /// Without repeats.
    pub(super) received: u32,
    pub(super) lost: u32,
    /// Arrivals that their QoS forbids.
    pub(super) duplicates: u32,
    /// Repeated arrivals that QoS 1 allows.
    pub(super) repeated: u32,
}

impl Ledger {
    /// Notes a message to be sent, and gives its payload.
    pub(super) fn send(&mut self, flow: Flow) -> String {
        let line = self.flows.entry(flow).or_default();
        line.arrivals.push(0);
        payload(flow, line.arrivals.len())
    }

    /// Notes an arrival.
    pub(super) fn arrived(&mut self, receiver: Who, topic: &str, qos: QoS, bytes: &[u8]) {
        let Some((flow, number)) = std::str::from_utf8(bytes).ok().and_then(parse) else {
            return self.unknown(receiver, topic);
        };
        let Some(line) = self.flows.get_mut(&flow) else {
            return self.unknown(receiver, topic);
        };
        let Some(arrivals) = number.checked_sub(1).and_then(|at| line.arrivals.get_mut(at)) else {
            return self.unknown(receiver, topic);
        };
        let intact = receiver == flow.to
            && qos == flow.qos
            && topic == flow.to.topic()
            && bytes == payload(flow, number).as_bytes();
        if !intact {
            return self.faults.push(Fault::Altered { receiver, flow, number });
        }
        *arrivals += 1;
        if *arrivals > 1 {
            return;
        }
        if number < line.highest {
            self.faults.push(Fault::Order { flow, number, after: line.highest });
        }
        line.highest = line.highest.max(number);
    }

    fn unknown(&mut self, receiver: Who, topic: &str) {
        self.faults.push(Fault::Unknown { receiver, topic: topic.into() });
    }

    pub(super) fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for (flow, line) in &self.flows {
            for &arrivals in &line.arrivals {
                sum.sent += 1;
                sum.received += u32::from(arrivals > 0);
                sum.lost += u32::from(arrivals == 0);
                let repeats = arrivals.saturating_sub(1);
                match flow.qos {
                    QoS::AtLeastOnce => sum.repeated += repeats,
                    QoS::AtMostOnce | QoS::ExactlyOnce => sum.duplicates += repeats,
                }
            }
        }
        sum
    }

    #[cfg(test)]
    fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What is lost or came too often, by flow, in words.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (flow, line) in &self.flows {
            let numbers = |wrong: &dyn Fn(u32) -> bool| -> Vec<String> {
                (1..)
                    .zip(&line.arrivals)
                    .filter(|&(_, &arrivals)| wrong(arrivals))
                    .map(|(number, _): (usize, _)| number.to_string())
                    .collect()
            };
            let lost = numbers(&|arrivals| arrivals == 0);
            if !lost.is_empty() {
                complaints.push(format!("lost, {flow}: number {}", lost.join(", ")));
            }
            let doubled = numbers(&|arrivals| arrivals > 1 && flow.qos != QoS::AtLeastOnce);
            if !doubled.is_empty() {
                complaints.push(format!("more than once, {flow}: number {}", doubled.join(", ")));
            }
        }
        complaints.extend(self.faults.iter().map(ToString::to_string));
        complaints
    }
}

/// The payload that a number has, of varying length, so that a mix-up shows.
fn payload(flow: Flow, number: usize) -> String {
    let filling = "The quick brown fox jumps over the lazy dog. ".repeat(1 + number % 5);
    format!("{} {} {} {number} {filling}", flow.from, flow.to, flow.qos)
}

fn parse(payload: &str) -> Option<(Flow, usize)> {
    let mut words = payload.split(' ');
    let from = Who::named(words.next()?)?;
    let to = Who::named(words.next()?)?;
    let qos = QoS::from_bits(words.next()?.parse().ok()?)?;
    let number = words.next()?.parse().ok()?;
    Some((Flow { from, to, qos }, number))
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} at QoS {}", self.from, self.to, self.qos)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { receiver, topic } => {
                write!(f, "{receiver} got a message on {topic:?} that nobody sent")
            }
            Self::Altered { receiver, flow, number } => {
                write!(f, "altered at {receiver}, {flow}: number {number}")
            }
            Self::Order { flow, number, after } => {
                write!(f, "out of order, {flow}: number {number} behind {after}")
            }
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {}, received {}, lost {}, duplicates {}",
            self.sent, self.received, self.lost, self.duplicates
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q0: Flow = flow(QoS::AtMostOnce);
    const Q1: Flow = flow(QoS::AtLeastOnce);
    const Q2: Flow = flow(QoS::ExactlyOnce);

    const fn flow(qos: QoS) -> Flow {
        Flow { from: Who::Alice, to: Who::Bob, qos }
    }

    fn arrive(ledger: &mut Ledger, flow: Flow, payload: &str) {
        ledger.arrived(flow.to, flow.to.topic(), flow.qos, payload.as_bytes());
    }

    #[test]
    fn what_does_not_arrive_is_lost() {
        let mut ledger = Ledger::default();
        let (_, second) = (ledger.send(Q1), ledger.send(Q1));
        arrive(&mut ledger, Q1, &second);
        assert_eq!(ledger.sum().to_string(), "sent 2, received 1, lost 1, duplicates 0");
        assert_eq!(ledger.complaints(), ["lost, alice to bob at QoS 1: number 1"]);
    }

    #[test]
    fn repeats_are_duplicates_at_qos_0_and_2_and_allowed_at_qos_1() {
        let mut ledger = Ledger::default();
        for flow in [Q0, Q1, Q2] {
            let payload = ledger.send(flow);
            arrive(&mut ledger, flow, &payload);
            arrive(&mut ledger, flow, &payload);
        }
        let sum = ledger.sum();
        assert_eq!((sum.received, sum.duplicates, sum.repeated), (3, 2, 1));
        assert_eq!(ledger.complaints().len(), 2);
    }

    #[test]
    fn order_counts_at_first_arrival_only() {
        let mut ledger = Ledger::default();
        let sent: Vec<_> = (0..3).map(|_| ledger.send(Q1)).collect();
        for at in [0, 1, 0, 1, 2] {
            arrive(&mut ledger, Q1, &sent[at]);
        }
        assert_eq!(ledger.faults(), []);
        let mut ledger = Ledger::default();
        let sent: Vec<_> = (0..2).map(|_| ledger.send(Q2)).collect();
        arrive(&mut ledger, Q2, &sent[1]);
        arrive(&mut ledger, Q2, &sent[0]);
        let order = Fault::Order { flow: Q2, number: 1, after: 2 };
        assert_eq!(ledger.faults(), [order]);
    }

    #[test]
    fn altered_misled_and_unknown_messages_are_faults_and_not_received() {
        let mut ledger = Ledger::default();
        let payload = ledger.send(Q1);
        arrive(&mut ledger, Q1, &payload[..payload.len() - 1]);
        ledger.arrived(Who::Alice, Who::Bob.topic(), Q1.qos, payload.as_bytes());
        ledger.arrived(Who::Bob, Who::Bob.topic(), Q2.qos, payload.as_bytes());
        ledger.arrived(Who::Bob, Who::Bob.topic(), Q1.qos, b"alice bob 1 2 x");
        ledger.arrived(Who::Bob, "other", Q1.qos, &[0xff]);
        assert_eq!((ledger.sum().received, ledger.faults().len()), (0, 5));
    }
}
