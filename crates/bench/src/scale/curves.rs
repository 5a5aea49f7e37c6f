//! What a message costs the core as the load grows, by the clock, with storage that grows.

use std::collections::VecDeque;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use mqtt_p2p_core::{Client, Config, Growing, QoS, SubscribeFilter, TopicFilter};

use crate::instructions::client::{connect, drain, publication, publish};
use crate::instructions::codec;
use crate::instructions::machine::{PUBACK, ack};
use crate::instructions::row::PAYLOAD;
use crate::plot::{self, Line};
use crate::progress::Progress;

/// A million messages' bytes.
const ROOM: usize = 512 * 1024 * 1024;
/// How many messages are timed together, and how often; the least counts.
const BATCH: usize = 500;
const ROUNDS: usize = 20;

/// The table as Markdown; the curves go into plots.
pub(crate) fn report(quick: bool, directory: &Path, progress: &Progress) -> Result<String, Box<dyn Error>> {
    let up_to = |most: usize| {
        let most = if quick { most.min(1_000) } else { most };
        std::iter::successors(Some(1), |n| Some(n * 10)).take_while(move |n| *n < most).chain([most])
    };
    let mut text = String::from(
        "\n### The core's cost per message as the load grows\n\nNanoseconds, the least of several batches.\n\n\
         | load | of it | cost | ns |\n|---|--:|---|--:|\n",
    );
    // Every packet identifier at once.
    let in_order = curve("in flight", up_to(65_535), progress, |n| in_flight(n, false));
    let at_random = curve("in flight", up_to(65_535), progress, |n| in_flight(n, true));
    let subscribed = curve("subscriptions", up_to(10_000), progress, |n| subscriptions(n).0);
    let received = curve("subscriptions", up_to(10_000), progress, |n| subscriptions(n).1);
    let accepted = curve("offline queue", up_to(1_000_000), progress, |n| offline(n).0);
    let emptied = curve("offline queue", up_to(1_000_000), progress, |n| offline(n).1);
    for (file, load, lines) in [
        (
            "in-flight.svg",
            "in flight",
            vec![("publish and PUBACK, in order", in_order), ("publish and PUBACK, at random", at_random)],
        ),
        (
            "subscriptions.svg",
            "subscriptions",
            vec![("subscribe again, and SUBACK", subscribed), ("receive at QoS 0", received)],
        ),
        (
            "offline-queue.svg",
            "queued offline",
            vec![("publish one more", accepted), ("once connected: send, and PUBACK", emptied)],
        ),
    ] {
        for (name, points) in &lines {
            for (load_of, nanoseconds) in points {
                text += &format!("| {load} | {load_of} | {name} | {nanoseconds:.0} |\n");
            }
        }
        let lines: Vec<_> =
            lines.into_iter().map(|(name, points)| Line { name: name.into(), points }).collect();
        plot::lines(&directory.join(file), "Cost in the core", load, "nanoseconds", &lines)?;
    }
    text += "\n![In flight](in-flight.svg)\n![Subscriptions](subscriptions.svg)\n![Offline queue](offline-queue.svg)\n";
    Ok(text)
}

fn curve(
    what: &str,
    of: impl Iterator<Item = usize>,
    progress: &Progress,
    cost: impl Fn(usize) -> f64,
) -> Vec<(f64, f64)> {
    let sizes: Vec<_> = of.collect();
    let each = |(done, size): (usize, &usize)| {
        progress.at(what, done, sizes.len());
        (*size as f64, cost(*size))
    };
    sizes.iter().enumerate().map(each).collect()
}

/// The least time that one of these operations took on average in a batch.
fn least(rounds: usize, mut operation: impl FnMut()) -> f64 {
    let batch = |operation: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..BATCH).for_each(|_| operation());
        start.elapsed().as_nanos() as f64 / BATCH as f64
    };
    (0..rounds).map(|_| batch(&mut operation)).fold(f64::INFINITY, f64::min)
}

fn client(max_in_flight: usize) -> Client<Growing> {
    let max_in_flight = max_in_flight.try_into().unwrap_or(u16::MAX);
    Client::new(Config::new().with_max_in_flight(max_in_flight), 42, Growing::new(ROOM))
}

/// With so many under way, one is acknowledged and another published.
fn in_flight(window: usize, at_random: bool) -> f64 {
    let (mut client, publication) = (client(window), publication(QoS::AtLeastOnce));
    connect(&mut client);
    let mut under_way: VecDeque<u16> = (0..window).map(|_| publish(&mut client, &publication)).collect();
    drain(&mut client, &[]);
    let mut random = fastrand::Rng::with_seed(42);
    least(ROUNDS, || {
        let which = if at_random { random.usize(..under_way.len()) } else { 0 };
        under_way.swap(0, which);
        let id = under_way.pop_front().expect("some are under way");
        drain(&mut client, black_box(&ack(PUBACK, id)));
        under_way.push_back(publish(&mut client, &publication));
        drain(&mut client, &[]);
    })
}

/// With so many subscriptions, one is asked for again, and a message received.
fn subscriptions(count: usize) -> (f64, f64) {
    let mut client = client(100);
    connect(&mut client);
    let filters: Vec<String> = (0..count).map(|index| format!("site-{index:05}/+/state")).collect();
    let subscribe = |client: &mut Client<Growing>, index: usize| {
        let filter = TopicFilter::new(&filters[index]).expect("a filter");
        let ticket = client.subscribe(&[SubscribeFilter::new(filter, QoS::AtMostOnce)]).expect("room");
        let [high, low] = ticket.packet_id().to_be_bytes();
        drain(client, &[]);
        drain(client, &[0x90, 3, high, low, 0]);
    };
    (0..count).for_each(|index| subscribe(&mut client, index));
    let mut index = 0;
    let subscribed = least(2, || {
        index = (index + 7919) % count;
        subscribe(&mut client, index);
    });
    assert_eq!(client.subscriptions().count(), count);
    let packet = codec::publish(PAYLOAD.len(), None);
    (subscribed, least(ROUNDS, || drain(&mut client, black_box(&packet))))
}

/// With so many published and no connection, one more is; and then they go out, 100 at a time.
fn offline(count: usize) -> (f64, f64) {
    let (mut client, publication) = (client(100), publication(QoS::AtLeastOnce));
    let mut queued: VecDeque<u16> = (0..count).map(|_| publish(&mut client, &publication)).collect();
    // A few batches more, which change little; in between memory doubles, which the least leaves out.
    let accepted = least(4, || queued.push_back(publish(&mut client, &publication)));
    connect(&mut client);
    let emptied = least((queued.len() / BATCH).min(ROUNDS), || {
        let id = queued.pop_front().expect("it is queued");
        drain(&mut client, black_box(&ack(PUBACK, id)));
    });
    (accepted, emptied)
}
