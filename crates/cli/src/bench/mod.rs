//! `mqtt-p2p bench`: how many messages a second, and how long each takes.

mod payload;
mod progress;
mod report;
mod tally;

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use mqtt_p2p_aliyun::{limits::MAX_PAYLOAD, topic_warning};
use mqtt_p2p_tokio::{Client, Delivery, Messages, QoS, TopicName};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use crate::args::Bench;
use crate::failure::Failure;
use crate::output;
use crate::profile::Profile;
use crate::receive::GOOD_BYE;
use crate::stop;
use crate::target::Target;
use payload::Stamp;
use progress::Progress;
use report::Report;
use tally::Tally;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How many messages a subscriber's queue holds before the reading from the socket stops.
const QUEUE: usize = 65_536;

/// What all tasks of a run share.
struct Run {
    /// Where messages go.
    topic: String,
    /// Times are measured from here.
    start: Instant,
    /// Messages that clients have accepted.
    published: AtomicU64,
    /// Messages that have come to subscribers, without repetitions.
    received: AtomicU64,
    /// Whether the publishers are to end.
    enough: watch::Receiver<bool>,
    /// Whether the subscribers are to end.
    over: watch::Receiver<bool>,
}

pub(crate) async fn run(args: &Bench, profile: &Profile) -> Result<(), Failure> {
    let target = Target::any(&args.connection, args.server.as_deref(), profile)?;
    let topic = topic(args, &target)?;
    let mut stopped = stop::watch()?;
    let (publishers, subscribers) = tokio::select! {
        clients = connect(args, &target, &topic) => clients?,
        _ = &mut stopped => return Ok(()),
    };
    let (stop_publishing, enough) = watch::channel(false);
    let (stop_receiving, over) = watch::channel(false);
    let (published, received) = (AtomicU64::new(0), AtomicU64::new(0));
    let run = Arc::new(Run { topic, start: Instant::now(), published, received, enough, over });
    let mut receivers = JoinSet::new();
    let mut clients = Vec::new();
    for (client, messages) in subscribers {
        receivers.spawn(receive(Arc::clone(&run), messages, args.publishers));
        clients.push(client);
    }
    let mut senders = JoinSet::new();
    for (publisher, client) in (0..).zip(publishers) {
        senders.spawn(publish(Arc::clone(&run), client.clone(), Load::new(args, publisher)));
        clients.push(client);
    }

    let progress = Progress::new(args);
    let mut look = interval(LOOK);
    let mut watchdog = Watchdog { patience: args.timeout, seen: 0, since: Instant::now() };
    let mut sending = None;
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped, if !stopping => {
                stopping = true;
                stop_publishing.send_replace(true);
            }
            Some(ended) = senders.join_next() => ended.map_err(|_| Failure::ClientEnded)??,
            _ = look.tick() => {
                let (published, received) = (run.published.load(Relaxed), run.received.load(Relaxed));
                progress.show(published, received, run.start.elapsed());
                if args.duration.is_some_and(|duration| run.start.elapsed() >= duration) {
                    stop_publishing.send_replace(true);
                }
                let all_are_there = received >= published * u64::from(args.subscribers);
                if (sending.is_some() && all_are_there) || watchdog.barks(published + received) {
                    break;
                }
            }
        }
        if senders.is_empty() && sending.is_none() {
            sending = Some(run.start.elapsed());
            // All may be there already.
            look.reset_immediately();
        }
    }
    progress.end();
    stop_receiving.send_replace(true);
    let mut tallies = Vec::new();
    while let Some(tally) = receivers.join_next().await {
        tallies.push(tally.map_err(|_| Failure::ClientEnded)?);
    }
    // Who waits for an acknowledgement that does not come, waits no longer.
    senders.shutdown().await;
    let sending = sending.unwrap_or_else(|| run.start.elapsed());
    let good_byes: JoinSet<_> = clients.into_iter().map(Client::close).collect();
    let _ = timeout(GOOD_BYE, good_byes.join_all()).await;
    let report = Report::new(args, &target, run.published.load(Relaxed), sending, &tallies);
    report.print().map_err(Failure::Output)?;
    report.verdict()
}

/// A topic that no other run has.
fn topic(args: &Bench, target: &Target) -> Result<String, Failure> {
    let topic = format!("{}/{:016x}", args.topic, RandomState::new().hash_one(&target.client_id));
    TopicName::new(&topic).map_err(Failure::Topic)?;
    if target.log_in.is_service() {
        if args.size as usize > MAX_PAYLOAD {
            return Err(Failure::PayloadTooLarge { max: MAX_PAYLOAD });
        }
        if let Some(warning) = topic_warning(&topic) {
            output::warning(&warning);
        }
    }
    Ok(topic)
}

type Clients = (Vec<Client>, Vec<(Client, Messages)>);

/// Connects all clients; the subscribers have subscribed.
async fn connect(args: &Bench, target: &Target, topic: &str) -> Result<Clients, Failure> {
    let connect = async |role: char, number: u16| {
        let mut options =
            target.options_as(&format!("{}-{role}{number}", target.client_id))?.clean_session(true);
        options.config.max_in_flight = args.in_flight;
        options.stream_capacity = QUEUE;
        Client::connect(options).await.map_err(Failure::Connect)
    };
    let mut subscribers = Vec::new();
    for number in 1..=args.subscribers {
        let (client, messages) = connect('s', number).await?;
        let granted = client.subscribe(topic, args.qos).await;
        let granted = granted.map_err(|error| Failure::Subscribe { filter: topic.into(), error })?;
        if granted != args.qos {
            output::warning(&format_args!("the server granted QoS {granted}, not {}", args.qos));
        }
        subscribers.push((client, messages));
    }
    let mut publishers = Vec::new();
    for number in 1..=args.publishers {
        publishers.push(connect('p', number).await?.0);
    }
    Ok((publishers, subscribers))
}

/// What one publisher is to do.
struct Load {
    publisher: u16,
    messages: u64,
    size: usize,
    qos: QoS,
    in_flight: usize,
    pause: Option<Duration>,
}

impl Load {
    fn new(args: &Bench, publisher: u16) -> Self {
        Self {
            publisher,
            messages: if args.duration.is_some() { u64::MAX } else { args.messages },
            size: args.size as usize,
            qos: args.qos,
            in_flight: args.in_flight.into(),
            pause: args.rate.map(|rate| Duration::from_secs(1) / rate),
        }
    }
}

async fn publish(run: Arc<Run>, client: Client, load: Load) -> Result<(), Failure> {
    let mut payload = vec![0; load.size];
    let mut under_way = VecDeque::with_capacity(load.in_flight);
    let mut pace = load.pause.map(interval);
    for number in 0..load.messages {
        if *run.enough.borrow() {
            break;
        }
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        if under_way.len() == load.in_flight
            && let Some(first) = under_way.pop_front()
        {
            delivered(first).await?;
        }
        Stamp { time: run.start.elapsed(), publisher: load.publisher, number }.write(&mut payload);
        under_way.push_back(client.publish(&run.topic, &payload, load.qos).await.map_err(Failure::Publish)?);
        run.published.fetch_add(1, Relaxed);
    }
    for delivery in under_way {
        delivered(delivery).await?;
    }
    Ok(())
}

async fn delivered(delivery: Delivery) -> Result<(), Failure> {
    delivery.await.map_err(Failure::Publish)
}

async fn receive(run: Arc<Run>, mut messages: Messages, publishers: u16) -> Tally {
    let mut tally = Tally::new(publishers);
    let mut over = run.over.clone();
    loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => message,
            _ = over.wait_for(|over| *over) => None,
        };
        let Some(message) = message else { return tally };
        let now = run.start.elapsed();
        if Stamp::read(message.payload()).is_some_and(|stamp| tally.add(stamp, now)) {
            run.received.fetch_add(1, Relaxed);
        }
    }
}

/// Notices when nothing happens any more.
struct Watchdog {
    patience: Duration,
    seen: u64,
    since: Instant,
}

impl Watchdog {
    fn barks(&mut self, seen: u64) -> bool {
        if seen != self.seen {
            self.seen = seen;
            self.since = Instant::now();
        }
        self.since.elapsed() >= self.patience
    }
}
