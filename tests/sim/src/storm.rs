//! A reconnect storm: every client loses the server at once, and comes back when its back-off lets it.

use mqtt_p2p_core::{Action, Backoff, Client, Config, Event, Inline, Instant, Login, TransportError};

/// How clients wait between two attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The core's default: full jitter under a bound that doubles from 1 s to 60 s. Real clients.
    FullJitter,
    /// 2 s always, as in the article. Real clients.
    Fixed,
    /// 1, 2, 4 … 60 s, without jitter. The core does not offer it, so here it is computed.
    NoJitter,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FullJitter, Self::Fixed, Self::NoJitter];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullJitter => "exponential with full jitter (ours)",
            Self::Fixed => "fixed 2 s",
            Self::NoJitter => "exponential without jitter",
        }
    }
}

/// The scene of a storm.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// How many clients there are.
    pub clients: u32,
    /// How long the server is away, in seconds.
    pub outage: u32,
    /// How many clients it can take back in a second.
    pub accepts: u32,
    /// So many refusals cost it as much as one acceptance; 0 if they are free.
    pub refusals: u32,
    /// When to stop looking, in seconds.
    pub horizon: u32,
    /// The source of chance.
    pub seed: u64,
}

/// How a storm went.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Attempts to connect in each second.
    pub attempts: Vec<u32>,
    /// Clients that are connected at the end of each second.
    pub connected: Vec<u32>,
}

impl Course {
    /// The most attempts in one second.
    pub fn peak(&self) -> u32 {
        self.attempts.iter().copied().max().unwrap_or_default()
    }

    /// The same from this second on.
    pub fn peak_from(&self, second: u32) -> u32 {
        self.attempts.iter().skip(second as usize).copied().max().unwrap_or_default()
    }

    /// All attempts.
    pub fn total(&self) -> u64 {
        self.attempts.iter().map(|attempts| u64::from(*attempts)).sum()
    }

    /// In which second so many clients were connected again.
    pub fn reached(&self, clients: u32) -> Option<usize> {
        self.connected.iter().position(|connected| *connected >= clients)
    }
}

/// No room for anything but the log-in: one publication would take more.
type Tiny = Client<Inline<0, 0, 40, 0, 0>>;

/// One who waits.
#[expect(clippy::large_enum_variant, reason = "all of a storm's are of the same kind")]
enum Waiter {
    Real(Tiny),
    Computed { failures: u32 },
}

/// What happens to a client.
#[derive(Clone, Copy)]
enum Then {
    /// Its wait is over.
    Dial(u32),
    /// It learns that there is no connection.
    Refused(u32),
}

/// Longer than any wait, in milliseconds: the calendar goes round after it.
const ROUND: usize = 1 << 17;

/// A server's work, in microseconds.
struct Server {
    storm: Storm,
    /// What it has time for; less than nothing if it is behind.
    budget: i64,
}

impl Server {
    const SECOND: i64 = 1_000_000;

    fn pass_a_milli(&mut self) {
        // It saves up no more than 10 ms.
        self.budget = (self.budget + Self::SECOND / 1_000).min(Self::SECOND / 100);
    }

    fn accepts(&mut self) -> bool {
        let cost = Self::SECOND / i64::from(self.storm.accepts);
        if self.budget >= cost {
            self.budget -= cost;
            return true;
        }
        if self.storm.refusals > 0 {
            // What it can't even refuse in time is lost in its queue: it is never more than a second behind.
            self.budget = (self.budget - cost / i64::from(self.storm.refusals)).max(-Self::SECOND);
        }
        false
    }
}

/// Runs a storm.
pub fn run_storm(storm: &Storm, strategy: Strategy) -> Course {
    let mut chance = fastrand::Rng::with_seed(storm.seed);
    let mut calendar: Vec<Vec<Then>> = (0..ROUND).map(|_| Vec::new()).collect();
    // All were connected for long. Within a second they learn that the server is gone.
    let mut waiters: Vec<Waiter> = (0..storm.clients).map(|_| waiter(strategy, chance.u64(..))).collect();
    for index in 0..storm.clients {
        calendar[chance.usize(..1_000)].push(Then::Refused(index));
    }
    let mut server = Server { storm: *storm, budget: 0 };
    let mut course = Course::default();
    let (mut attempts, mut connected) = (0, 0);
    for now in 0..u64::from(storm.horizon) * 1_000 {
        server.pass_a_milli();
        let up = now >= u64::from(storm.outage) * 1_000;
        let mut today = std::mem::take(&mut calendar[now as usize % ROUND]);
        // Who comes in the same millisecond, comes in any order.
        chance.shuffle(&mut today);
        for then in &today {
            match *then {
                Then::Dial(index) => {
                    attempts += 1;
                    let waiter = &mut waiters[index as usize];
                    dial(waiter, now);
                    if up && server.accepts() {
                        log_in(waiter, now);
                        connected += 1;
                    } else {
                        let round_trip = chance.usize(20..200);
                        calendar[(now as usize + round_trip) % ROUND].push(Then::Refused(index));
                    }
                }
                Then::Refused(index) => {
                    let delay = refused(&mut waiters[index as usize], now);
                    calendar[(now + delay.max(1)) as usize % ROUND].push(Then::Dial(index));
                }
            }
        }
        today.clear();
        calendar[now as usize % ROUND] = today;
        if now % 1_000 == 999 {
            course.attempts.push(std::mem::take(&mut attempts));
            course.connected.push(connected);
            if connected == storm.clients {
                break;
            }
        }
    }
    course
}

/// The client's clock when the storm begins: it has been connected for an hour.
const BEFORE: u64 = 3_600_000;

fn waiter(strategy: Strategy, seed: u64) -> Waiter {
    let backoff = match strategy {
        Strategy::NoJitter => return Waiter::Computed { failures: 0 },
        Strategy::Fixed => Backoff::Fixed { delay_ms: 2_000 },
        Strategy::FullJitter => Config::new().backoff,
    };
    // Without keep alive, so that an hour passes without a ping.
    let config = Config::new().with_backoff(backoff).with_keep_alive_secs(0);
    let mut client = Tiny::new(config, seed, Inline::new());
    client.connect(Instant::from_millis(0));
    let dialled = matches!(client.poll(Instant::from_millis(0), &mut &[][..]), Action::OpenTransport { .. });
    assert!(dialled, "a client that is to connect dials");
    let mut waiter = Waiter::Real(client);
    log_in_at(&mut waiter, Instant::from_millis(0));
    waiter
}

fn dial(waiter: &mut Waiter, now: u64) {
    if let Waiter::Real(client) = waiter {
        let action = client.poll(Instant::from_millis(BEFORE + now), &mut &[][..]);
        assert!(matches!(action, Action::OpenTransport { .. }), "its wait is over: {action:?}");
    }
}

fn log_in(waiter: &mut Waiter, now: u64) {
    log_in_at(waiter, Instant::from_millis(BEFORE + now));
}

fn log_in_at(waiter: &mut Waiter, now: Instant) {
    let Waiter::Real(client) = waiter else { return };
    client.transport_opened(now, &Login::new("storm"));
    let sent = match client.poll(now, &mut &[][..]) {
        Action::Transmit(bytes) => bytes.len(),
        other => panic!("CONNECT is due: {other:?}"),
    };
    client.transmitted(sent);
    let action = client.poll(now, &mut &[0x20, 2, 0, 0][..]);
    assert!(matches!(action, Action::Event(Event::Connected { .. })), "CONNACK came: {action:?}");
}

/// How long the client waits now.
fn refused(waiter: &mut Waiter, now: u64) -> u64 {
    match waiter {
        Waiter::Computed { failures } => {
            let delay = (1_000_u64 << (*failures).min(16)).min(60_000);
            *failures += 1;
            delay
        }
        Waiter::Real(client) => {
            let now = Instant::from_millis(BEFORE + now);
            client.transport_closed(now, TransportError::ConnectionRefused);
            match client.poll(now, &mut &[][..]) {
                Action::Event(Event::Disconnected { retry_at: Some(at), .. }) => at.millis_since(now),
                other => panic!("an attempt has ended: {other:?}"),
            }
        }
    }
}
