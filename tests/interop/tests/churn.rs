//! Several clients send to one another over links on which everything goes wrong, between the tokio client and
//! mosquitto. Nothing is lost, QoS 2 comes exactly once, each QoS stays in order.
//!
//! `CHURN_SECONDS` says for how long, `CHURN_SEED` with which faults (`tests/soak churn`).

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use mqtt_p2p_interop::{FaultProxy, Faults, Mosquitto, Settings, number, options, within};
use mqtt_p2p_packet::PacketType;
use mqtt_p2p_tokio::{Client, Delivery, Direction, Endpoint, Messages, Options, QoS};
use tokio::sync::watch;

/// The last of them by WebSocket.
const CLIENTS: usize = 4;
/// The topics below a client's own, with their qualities of service.
const LEVELS: [(&str, QoS); 2] = [("1", QoS::AtLeastOnce), ("2", QoS::ExactlyOnce)];
/// Publications of one client that wait for their end.
const WINDOW: usize = 64;
/// How far a sender is ahead of its receiver at most, so that memory stays bounded, and mosquitto need not queue.
const AHEAD: u64 = 100;
/// More than are under way then, with those that have arrived and not ended.
const IN_FLIGHT: u16 = 2_000;
/// More packets than a client exchanges from the first sight of a message to its last.
const TRACED: usize = 100_000;

/// A client that keeps its session, and soon notices that nobody answers.
fn client_options(endpoint: Endpoint, client_id: &str) -> Options {
    let options = options(endpoint, client_id);
    let config =
        options.config.with_keep_alive_secs(1).with_ping_timeout_ms(500).with_connect_timeout_ms(1_500);
    options.config(config)
}

/// Waits without a bound while there are faults, and then not for ever.
async fn once_calm<F: Future>(what: &str, mut calm: watch::Receiver<bool>, future: F) -> F::Output {
    let never = async {
        let _ = calm.wait_for(|calm| *calm).await;
        tokio::time::sleep(Duration::from_secs(120)).await;
    };
    tokio::select! {
        output = future => output,
        () = never => panic!("{what}: not within two minutes without faults"),
    }
}

/// How many messages of each level arrived for the first time, and how many again.
#[derive(Default)]
struct Arrived {
    first: [AtomicU64; LEVELS.len()],
    again: [AtomicU64; LEVELS.len()],
}

impl Arrived {
    fn least(&self) -> u64 {
        self.first.iter().map(|level| level.load(Ordering::Relaxed)).min().unwrap_or_default()
    }

    /// Waits until so many of each level have arrived.
    async fn all(&self, sent: u64) {
        while self.least() < sent {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Publishes ever new numbers to a client until it is calm; says how many of each level, once all are through.
async fn send(client: Client, to: usize, arrived: Arc<Arrived>, calm: watch::Receiver<bool>) -> u64 {
    let mut pending = VecDeque::<Delivery>::new();
    let mut sent = 0;
    while !*calm.borrow() {
        if arrived.least() + AHEAD < sent {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        for (level, qos) in LEVELS {
            let topic = format!("churn/{to}/{level}");
            let publish = client.publish(&topic, sent.to_string(), qos);
            pending.push_back(once_calm("room", calm.clone(), publish).await.expect("room"));
        }
        sent += 1;
        while pending.len() > WINDOW
            && let Some(delivery) = pending.pop_front()
        {
            once_calm("an acknowledgement", calm.clone(), delivery).await.expect("through");
        }
    }
    for delivery in pending {
        once_calm("an acknowledgement", calm.clone(), delivery).await.expect("through");
    }
    sent
}

/// What a client gets.
struct Receiver {
    own: usize,
    client: Client,
    arrived: Arc<Arrived>,
    /// The last message that mosquitto published again, and that has been accounted for.
    excused: SystemTime,
}

impl Receiver {
    /// Takes what comes, and checks that nothing is missing before it, or comes again at QoS 2.
    async fn run(mut self, mut messages: Messages) {
        while let Some(message) = messages.recv().await {
            let level = usize::from(message.topic().ends_with("/2"));
            let due = self.arrived.first[level].load(Ordering::Relaxed);
            let number = number(&message) as u64;
            if number == due {
                self.arrived.first[level].store(due + 1, Ordering::Relaxed);
                continue;
            }
            let who = format!("client {}, {}", self.own, message.topic());
            assert!(number < due, "{who}: {number} came where {due} was due");
            assert!(level == 0 || self.excuses(), "{who}: {number} came twice at QoS 2");
            self.arrived.again[level].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether mosquitto broke its word: 2.0.11 forgets that it has released a message (PUBREL) if the connection breaks
    /// while it releases it once more, and then publishes it again. The client has let go of the identifier by then, as
    /// the standard says (§4.3.3), and must take the message for a new one. Each such lapse excuses one duplicate.
    fn excuses(&mut self) -> bool {
        let mut released = BTreeSet::new();
        for entry in self.client.trace_log() {
            let Some(id) = entry.packet_id.filter(|_| entry.direction == Direction::Received) else {
                continue;
            };
            match entry.packet_type {
                PacketType::PubRel => {
                    released.insert(id);
                }
                PacketType::Publish if entry.qos == Some(QoS::ExactlyOnce) => {
                    let lapse = released.remove(&id) && entry.dup;
                    if lapse && entry.at > self.excused {
                        self.excused = entry.at;
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_no_qos_2_doubled_while_everything_goes_wrong_on_the_way() {
    let told = |name| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seconds = told("CHURN_SECONDS").unwrap_or(15);
    let seed = told("CHURN_SEED").unwrap_or_else(|| RandomState::new().hash_one("churn"));
    println!("CHURN_SEED={seed}");

    let broker =
        Mosquitto::with(Settings { quiet: true, in_flight: Some(IN_FLIGHT), ..Settings::default() }).await;
    let (now_calm, calm) = watch::channel(false);
    let (mut proxies, mut clients, mut receivers) = (Vec::new(), Vec::new(), Vec::new());
    let arrived: Vec<_> = (0..CLIENTS).map(|_| Arc::<Arrived>::default()).collect();
    for (own, arrived) in arrived.iter().enumerate() {
        let server = if own == CLIENTS - 1 { broker.ws() } else { broker.tcp() };
        let proxy = FaultProxy::to(&server, seed.wrapping_add(own as u64)).await;
        let (client, messages) =
            Client::start(client_options(proxy.endpoint(&server), &format!("churn{own}")));
        client.start_trace(TRACED);
        let filter = format!("churn/{own}/+");
        within("SUBACK", client.subscribe(&filter, QoS::ExactlyOnce)).await.expect("a subscription");
        let receiver = Receiver {
            own,
            client: client.clone(),
            arrived: Arc::clone(arrived),
            excused: SystemTime::UNIX_EPOCH,
        };
        receivers.push(tokio::spawn(receiver.run(messages)));
        proxies.push(proxy);
        clients.push(client);
    }
    let senders: Vec<_> = clients
        .iter()
        .zip((1..CLIENTS).chain([0]))
        .map(|(client, to)| tokio::spawn(send(client.clone(), to, Arc::clone(&arrived[to]), calm.clone())))
        .collect();

    tokio::time::sleep(Duration::from_secs(seconds)).await;
    proxies.iter().for_each(FaultProxy::calm);
    now_calm.send_replace(true);

    let mut messages = 0;
    for (sender, to) in senders.into_iter().zip((1..CLIENTS).chain([0])) {
        let sent = sender.await.expect("all is through");
        once_calm("the messages", calm.clone(), arrived[to].all(sent)).await;
        messages += sent * LEVELS.len() as u64;
    }
    let [mut connections, mut resends, mut duplicates] = [0; 3];
    for client in clients {
        let stats = client.stats();
        connections += stats.connections;
        resends += stats.resends;
        duplicates += stats.duplicates;
        within("the end of a client", client.close()).await;
    }
    for receiver in receivers {
        within("the end of a stream", receiver).await.expect("each message in its place");
    }
    let again = [0, 1]
        .map(|level| arrived.iter().map(|arrived| arrived.again[level].load(Ordering::Relaxed)).sum::<u64>());
    let faults = proxies.iter().map(FaultProxy::faults).fold(Faults::default(), std::ops::Add::add);
    println!(
        "{messages} messages in {seconds} s, half of them QoS 2, over {connections} connections, {} cuts; {resends} sent again, \
         {duplicates} duplicates of QoS 2 kept back; lost 0, doubled {} of QoS 1, 0 of QoS 2 (and {} by mosquitto's fault)",
        faults.cuts(),
        again[0],
        again[1],
    );
    let each: Vec<_> = faults.by_name().map(|(name, times)| format!("{name} {times}")).collect();
    println!("{}", each.join(", "));
    assert!(messages > 0 && connections > CLIENTS as u64 && faults.cuts() > 0, "no fault made a difference");
}
