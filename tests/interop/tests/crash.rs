//! A program that publishes from a session on disk is killed a hundred times, and nothing of what it was told to be
//! accepted is lost. What the program itself has to do for that is said in `src/bin/numbered_publisher.rs`.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mqtt_p2p_interop::{Ledger, Mosquitto, connect, number, options, within};
use mqtt_p2p_packet::{Framed, PacketType, frame};
use mqtt_p2p_tokio::{Messages, QoS};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

/// Half of them with QoS 1, half with QoS 2.
const NUMBERS: usize = 20_000;
const KILLS: usize = 100;
/// The number of the message behind all others.
const END: usize = 0;
const SIGKILL: i32 = 9;

/// When a life ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// So long after the start.
    After(Duration),
    /// At a packet that goes by, which the other side gets or not.
    At { packet: PacketType, nth: u64, passed_on: bool },
    /// By itself.
    Natural,
}

/// All alike: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    fn end(&mut self) -> End {
        let passed_on = self.below(2) == 0;
        let (packet, nth) = match self.below(16) {
            // While it starts: the file is opened, checked, repaired.
            0 | 1 => return End::After(Duration::from_micros(self.below(30_000))),
            2..=6 => return End::After(Duration::from_micros(self.below(500_000))),
            7 => (PacketType::Connect, 0),
            8 => (PacketType::ConnAck, 0),
            9 | 10 => (PacketType::PubRec, self.below(150)),
            11 | 12 => (PacketType::PubRel, self.below(150)),
            13 => (PacketType::PubComp, self.below(150)),
            14 => (PacketType::PubAck, self.below(150)),
            _ => (PacketType::Publish, self.below(300)),
        };
        End::At { packet, nth, passed_on }
    }
}

/// One life of the program, before the broker. It is killed when dropped.
struct Life {
    child: Mutex<Child>,
    /// What is left to go by before it is killed.
    end: Mutex<End>,
}

impl Life {
    /// Counts a packet; says whether the other side gets it, and kills.
    fn passes(&self, packet: PacketType) -> bool {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *end {
            End::At { packet: last, nth, passed_on } if *last == packet => match nth.checked_sub(1) {
                Some(left) => {
                    *nth = left;
                    true
                }
                None => {
                    let passed_on = *passed_on;
                    self.kill();
                    passed_on
                }
            },
            _ => true,
        }
    }

    /// With SIGKILL.
    fn kill(&self) {
        // It may have ended.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).start_kill();
    }

    /// Passes whole packets on.
    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = Vec::new();
        let mut passes = true;
        while passes && from.read_buf(&mut bytes).await.is_ok_and(|len| len > 0) {
            let mut through = 0;
            while passes && let Ok(Framed::Complete(next, rest)) = frame(&bytes[through..], u32::MAX) {
                passes = self.passes(next.packet_type);
                if passes {
                    through = bytes.len() - rest.len();
                }
            }
            if to.write_all(&bytes[..through]).await.is_err() {
                return;
            }
            bytes.drain(..through);
        }
    }
}

/// Lives until it is killed or, if so wanted, ends; says for how long.
async fn live(program: &mut Command, listener: &TcpListener, broker: u16, end: End) -> Duration {
    let start = Instant::now();
    let child = program.spawn().expect("the program starts");
    let life = Arc::new(Life { child: Mutex::new(child), end: Mutex::new(end) });
    let mut links = JoinSet::new();
    let serve = async {
        loop {
            let (client, _) = listener.accept().await.expect("a connection");
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, broker)).await.expect("the broker");
            client.set_nodelay(true).expect("TCP");
            server.set_nodelay(true).expect("TCP");
            let ((from, to), (other_from, other_to)) = (client.into_split(), server.into_split());
            let (there, back) = (Arc::clone(&life), Arc::clone(&life));
            links.spawn(async move { there.pass(from, other_to).await });
            links.spawn(async move { back.pass(other_from, to).await });
        }
    };
    let ended = async {
        loop {
            let status = life.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
            if let Some(status) = status.expect("a child") {
                return status;
            }
            let latest = match end {
                End::After(time) => time,
                // The packet may never come.
                End::At { .. } => Duration::from_secs(1),
                End::Natural => Duration::MAX,
            };
            if start.elapsed() >= latest {
                life.kill();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let status = tokio::select! {
        () = serve => unreachable!("it serves for ever"),
        status = within("the end of a life", ended) => status,
    };
    links.shutdown().await;
    match end {
        End::Natural => assert!(status.success(), "{status}"),
        _ => assert_eq!(status.signal(), Some(SIGKILL), "{end:?}: {status}"),
    }
    start.elapsed()
}

/// How often each number came, and the numbers as they first came.
#[derive(Debug, Default)]
struct Arrivals {
    times: BTreeMap<usize, u32>,
    order: Vec<usize>,
}

impl Arrivals {
    fn note(&mut self, number: usize) {
        let times = self.times.entry(number).or_default();
        *times += 1;
        if *times == 1 {
            self.order.push(number);
        }
    }

    fn repeated(&self, qos: usize) -> u32 {
        self.times.iter().filter(|(number, _)| *number % 2 == qos % 2).map(|(_, times)| times - 1).sum()
    }

    /// Every accepted number came, those of QoS 2 once, those in doubt of QoS 2 at most once; first arrivals in order.
    fn check(&self, who: &str, ledger: &Ledger) {
        for number in &ledger.accepted {
            let times = self.times.get(&(*number as usize)).copied().unwrap_or_default();
            assert!(times >= 1, "{who}: number {number} was accepted and did not come");
        }
        for (number, times) in self.times.iter().filter(|(number, _)| *number % 2 == 0) {
            assert_eq!(*times, 1, "{who}: number {number}, of QoS 2");
        }
        for qos in [1, 2] {
            let order: Vec<_> = self.order.iter().filter(|number| *number % 2 == qos % 2).collect();
            assert!(order.is_sorted(), "{who}: QoS {qos} is out of order");
        }
        let intended = |number: &&usize| ledger.intended.binary_search(&(**number as u32)).is_ok();
        assert_eq!(self.times.keys().find(|number| !intended(number)), None, "{who}: it was never published");
    }
}

/// What our client gets, until the end.
async fn record(messages: &mut Messages) -> Arrivals {
    let mut arrivals = Arrivals::default();
    while let Some(message) = messages.recv().await
        && number(&message) != END
    {
        arrivals.note(number(&message));
    }
    arrivals
}

/// What mosquitto's own client gets: it tells who made a duplicate.
async fn record_lines(output: ChildStdout) -> Arrivals {
    let mut lines = BufReader::new(output).lines();
    let mut arrivals = Arrivals::default();
    while let Some(line) = lines.next_line().await.expect("its output")
        && line != END.to_string()
    {
        arrivals.note(line.parse().expect("a number"));
    }
    arrivals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_killed_a_hundred_times_loses_nothing_that_was_accepted() {
    let broker = Mosquitto::start().await;
    let (subscriber, mut messages) = connect(options(broker.tcp(), "subscriber")).await;
    within("SUBACK", subscriber.subscribe("numbered/#", QoS::ExactlyOnce)).await.expect("a subscription");
    let recorded = tokio::spawn(async move { record(&mut messages).await });
    let other = |more: &[&str]| {
        let mut command = broker.client("mosquitto_sub");
        command.args(["-i", "other", "-c", "-q", "2", "-t", "numbered/#"]).args(more).stdout(Stdio::piped());
        command.spawn().expect("mosquitto_sub")
    };
    // Leaves once it has subscribed; its session stays.
    within("its subscription", other(&["-E"]).wait()).await.expect("its end");
    let mut other = other(&[]);
    let also_recorded = tokio::spawn(record_lines(other.stdout.take().expect("its output")));

    let seed = RandomState::new().hash_one("crash") | 1;
    println!("seed {seed}");
    let mut random = Random(seed);
    let directory = tempfile::tempdir().expect("a directory");
    let ledger = directory.path().join("ledger");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (start, mut alive) = (Instant::now(), Duration::ZERO);
    for life in 1..=KILLS + 1 {
        let end = if life <= KILLS { random.end() } else { End::Natural };
        // A share for each life, so that it is killed at work.
        let this_life = (NUMBERS * life / KILLS + 500).min(NUMBERS);
        let mut program = Command::new(env!("CARGO_BIN_EXE_numbered_publisher"));
        program.arg(port.to_string()).arg("numbered").arg(directory.path()).arg(&ledger);
        // One more than it may have: so it never ends by itself before it is to.
        let wanted = NUMBERS + usize::from(life <= KILLS);
        program.args([wanted, this_life].map(|number| number.to_string())).kill_on_drop(true);
        alive += live(&mut program, &listener, broker.tcp().port(), end).await;
    }
    let time = start.elapsed();

    // All that was published is with the broker, so that this comes behind it.
    let end = within("room", subscriber.publish("numbered/end", END.to_string(), QoS::ExactlyOnce)).await;
    within("the end's delivery", end.expect("room")).await.expect("it is through");
    let arrivals = within("all messages", recorded).await.expect("they are recorded");
    let also = within("all messages by mosquitto_sub", also_recorded).await.expect("they are recorded");
    let ledger = Ledger::read(&ledger).expect("the ledger");
    let doubtful = ledger.in_doubt();
    let came = doubtful.iter().filter(|number| arrivals.times.contains_key(&(**number as usize))).count();
    println!(
        "{} accepted, {} in doubt, of which {came} came; of QoS 1, {} came again ({} by mosquitto_sub), of QoS 2, {} ({}); \
         {KILLS} kills, {} lives of {:.0} ms on average, {:.1} s",
        ledger.accepted.len(),
        doubtful.len(),
        arrivals.repeated(1),
        also.repeated(1),
        arrivals.repeated(2),
        also.repeated(2),
        KILLS + 1,
        alive.as_secs_f64() * 1000.0 / (KILLS + 1) as f64,
        time.as_secs_f64(),
    );
    assert_eq!(ledger.accepted.len(), NUMBERS);
    also.check("mosquitto_sub", &ledger);
    arrivals.check("our client", &ledger);
    assert_eq!(subscriber.stats().reconnects, 0);
}
