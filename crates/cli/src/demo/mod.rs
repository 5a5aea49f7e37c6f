//! `mqtt-p2p demo`: a tour that needs nothing but this program, and counts every message.

mod ledger;
mod party;
mod tour;

use std::time::Duration;
use std::{fmt, io};

use mqtt_p2p_emulator::{Account, BANNER, Config, Quirks, Server, SessionPresent};
use mqtt_p2p_tokio::{
    Backoff, ClientId, ConnectError, ConnectionEvent, Credentials, Endpoint, Options, PublishError, QoS, Tls,
};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::json;
use crate::output::{self, BAD, COLUMNS, GOOD, wrap};
use ledger::Sum;
use party::{Books, Link, Party, Who};
use tour::Tour;

const PARENT: &str = "demo";
const INSTANCE: &str = "post-cn-demo";
const ACCESS_KEY: &str = "AK";
const SECRET: &str = "SK";

const ALL_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
const BOTH: [Who; 2] = [Who::Alice, Who::Bob];

/// Messages of each kind while all is well.
const CALM: usize = 10;
/// Rounds of messages around the cut, and the time between two.
const ROUNDS: usize = 60;
const PACE: Duration = Duration::from_millis(50);
/// The round in the middle of which alice's link is cut, and the one before which it may come back.
const CUT: usize = 20;
const BACK: usize = 40;
/// How long alice waits between two attempts. She makes at least one in vain.
const RETRY: Duration = Duration::from_millis(300);

/// All has to be over by then; it takes a few seconds. Leaving comes on top of it.
const TIME_LIMIT: Duration = Duration::from_secs(16);
const LEAVING: Duration = Duration::from_secs(2);
/// How long duplicates that should not come may take to come.
const ECHO: Duration = Duration::from_millis(200);

/// What the demo ended with instead of a good result.
#[derive(Debug)]
pub(crate) enum DemoError {
    /// The emulator did not start.
    Start(io::Error),
    /// The program's own options are wrong.
    Options(String),
    Connect(&'static str, ConnectError),
    Publish(PublishError),
    /// Something did not happen in time.
    Late(&'static str),
    /// The link was to be cut and was not there.
    NoLink,
    /// The books show faults.
    Faulty,
    Output(io::Error),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "the emulator did not start: {error}"),
            Self::Options(error) => f.write_str(error),
            Self::Connect(who, error) => write!(f, "{who} did not get in: {error}"),
            Self::Publish(error) => write!(f, "a message was not accepted: {error}"),
            Self::Late(what) => write!(
                f,
                "after {} s, {what} had not come; on a machine this busy, try again later",
                TIME_LIMIT.as_secs()
            ),
            Self::NoLink => f.write_str("alice had no link that could be cut"),
            Self::Faulty => f.write_str("messages were lost, or came too often, altered or out of order"),
            Self::Output(error) => write!(f, "the output can't be written: {error}"),
        }
    }
}

impl From<io::Error> for DemoError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

pub(crate) async fn run() -> Result<(), Failure> {
    let start = Instant::now();
    let books = Books::default();
    let outcome = perform(Tour::new(start), start + TIME_LIMIT, &books).await;
    let counted = conclude(&books, outcome.is_ok());
    outcome.and(counted).map_err(Failure::Demo)
}

/// The stage, the play, and the end.
async fn perform(tour: Tour, deadline: Instant, books: &Books) -> Result<(), DemoError> {
    if !output::is_json() {
        say(&wrap(BANNER, COLUMNS).join("\n"))?;
    }
    tour.chapter("Logging in")?;
    let mut quirks = Quirks::service();
    // QoS 2 is to hold across the cut, and what waited is to come at once and not in batches 5 s apart.
    quirks.session_present = SessionPresent::Standard;
    quirks.offline_batch = None;
    let config = Config::new(INSTANCE)
        .account(Account::access_key(ACCESS_KEY, SECRET))
        .parents([PARENT])
        .quirks(quirks);
    let server = Server::start(config).await.map_err(DemoError::Start)?;
    tour.step(&format!("the emulator is up, at {}", server.wss_url()))?;
    tour.step(&format!("and at {}", server.url()))?;

    let (wss, tcp) = (server.wss_addr(), server.tcp_addr());
    let wss = Endpoint::wss(wss.ip().to_string(), wss.port());
    let tcp = Endpoint::tcp(tcp.ip().to_string(), tcp.port());
    let ca = server.ca_pem();
    let mut alice = log_in(tour, Who::Alice, wss, ca, "WebSocket with TLS", books, deadline).await?;
    let mut bob = log_in(tour, Who::Bob, tcp, ca, "TCP", books, deadline).await?;
    let played = play(tour, deadline, books, &server, &mut alice, &mut bob).await;
    let until = Instant::now() + LEAVING;
    alice.leave(until).await;
    bob.leave(until).await;
    if played.is_ok() {
        tour.step("alice and bob say good-bye")?;
    }
    server.shutdown().await;
    played
}

async fn log_in(
    tour: Tour,
    who: Who,
    endpoint: Endpoint,
    ca: &str,
    transport: &str,
    books: &Books,
    deadline: Instant,
) -> Result<Party, DemoError> {
    let client_id =
        ClientId::parse(who.client_id()).map_err(|error| DemoError::Options(error.to_string()))?;
    let credentials = Credentials::Signature {
        access_key_id: ACCESS_KEY,
        access_key_secret: SECRET,
        instance_id: INSTANCE,
    };
    let mut options = Options::aliyun(endpoint, &client_id, &credentials)
        .map_err(|error| DemoError::Options(error.to_string()))?;
    options.tls = Tls::new().ca_pem(ca.as_bytes()).map_err(|error| DemoError::Options(error.to_string()))?;
    options.config.backoff = Backoff::Fixed { delay_ms: RETRY.as_millis().try_into().unwrap_or(u32::MAX) };
    tour.step(&format!("{who} logs in over {transport} as {client_id}, password signed"))?;
    let party = Party::join(who, options, books, deadline).await?;
    tour.step(&format!("{who} is in"))?;
    Ok(party)
}

async fn play(
    tour: Tour,
    deadline: Instant,
    books: &Books,
    server: &Server,
    alice: &mut Party,
    bob: &mut Party,
) -> Result<(), DemoError> {
    tour.chapter("P2P messages: to one client, which subscribed to nothing")?;
    tour.step(&format!("each sends the other, and itself, {CALM} messages at QoS 0, 1 and 2"))?;
    send_all(alice, bob, &ALL_QOS, deadline).await?;
    all_arrived(tour, deadline, books, alice, bob).await?;

    tour.chapter("A link that breaks, while both go on sending at QoS 1 and 2")?;
    tour.step("alice sends to bob and to herself, bob to alice, without a pause")?;
    for round in 0..ROUNDS {
        if round == BACK {
            server.set_refusing(false);
            let (queued, kept) = (alice.under_way(), server.offline_messages(Who::Alice.client_id()));
            tour.step(&format!("the way is open again; in alice's client wait {queued} messages"))?;
            tour.step(&format!("and at the emulator {kept} for her"))?;
        }
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            alice.send(Who::Bob, qos, deadline).await?;
            bob.send(Who::Alice, qos, deadline).await?;
            alice.send(Who::Alice, qos, deadline).await?;
        }
        if round == CUT {
            cut(tour, server).await?;
        }
        show_for(tour, alice, PACE).await?;
    }
    while alice.link != Link::Up {
        let event = timeout_at(deadline, alice.events.recv()).await;
        let event = event.map_err(|_| DemoError::Late("alice's return"))?;
        show(tour, alice, &event.ok_or(DemoError::Late("alice's return"))?)?;
    }
    all_arrived(tour, deadline, books, alice, bob).await?;
    tour.step(
        "(sessions as MQTT describes them made QoS 2 hold across the cut; ApsaraMQ itself keeps no state of QoS 2 \
         from one connection to the next)",
    )?;

    tour.chapter("And once more at QoS 0")?;
    tour.step("QoS 0 is for a link that is up: it would not have outlived the cut")?;
    send_all(alice, bob, &[QoS::AtMostOnce], deadline).await?;
    all_arrived(tour, deadline, books, alice, bob).await?;
    tokio::time::sleep(ECHO).await;
    Ok(())
}

/// Each to the other and to itself.
async fn send_all(
    alice: &mut Party,
    bob: &mut Party,
    every: &[QoS],
    deadline: Instant,
) -> Result<(), DemoError> {
    for _ in 0..CALM {
        for &qos in every {
            for to in BOTH {
                alice.send(to, qos, deadline).await?;
                bob.send(to, qos, deadline).await?;
            }
        }
    }
    Ok(())
}

async fn all_arrived(
    tour: Tour,
    deadline: Instant,
    books: &Books,
    alice: &mut Party,
    bob: &mut Party,
) -> Result<(), DemoError> {
    alice.acknowledged(deadline).await?;
    bob.acknowledged(deadline).await?;
    books.complete(deadline, "the last messages").await?;
    let Sum { received, .. } = books.open().sum();
    Ok(tour.step(&format!("all are there: {received} messages so far"))?)
}

/// Cuts alice's link while messages are on it, and keeps it cut.
async fn cut(tour: Tour, server: &Server) -> Result<(), DemoError> {
    // Lets clients and emulator do part of their work, so that the cut finds messages half way.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    server.set_refusing(true);
    if !server.drop_connection(Who::Alice.client_id()) {
        return Err(DemoError::NoLink);
    }
    Ok(tour.step("snip: alice's link is cut, with messages on it in both directions")?)
}

/// Tells what happens to a client's connection, for a while.
async fn show_for(tour: Tour, party: &mut Party, time: Duration) -> Result<(), DemoError> {
    let until = Instant::now() + time;
    while let Ok(Some(event)) = timeout_at(until, party.events.recv()).await {
        show(tour, party, &event)?;
    }
    Ok(())
}

/// Tells what happened to a client's connection, in plain words where it is what the play asks for.
fn show(tour: Tour, party: &mut Party, event: &ConnectionEvent) -> io::Result<()> {
    let who = party.who;
    let retry = RETRY.as_secs_f64();
    let text = match (event, party.link) {
        (ConnectionEvent::Connected { session_present: true, .. }, _) => {
            party.link = Link::Up;
            format!("{who} is back, and her session goes on where it was")
        }
        (ConnectionEvent::Connected { session_present: false, .. }, _) => {
            party.link = Link::Up;
            format!("{who} is back, but her session is gone")
        }
        (ConnectionEvent::Disconnected { .. }, Link::Up) => {
            party.link = Link::Down;
            format!("{who}'s client notices, and will try again every {retry} s")
        }
        (ConnectionEvent::Disconnected { .. }, Link::Down) => {
            format!("{who}'s client tries to come back, and is not let in yet")
        }
        (event, _) => format!("{who}: {event}"),
    };
    tour.step(&text)
}

/// The bottom line for `--json`. The field names are stable.
#[derive(Serialize)]
struct Bottom<'a> {
    #[serde(flatten)]
    sum: &'a Sum,
    complaints: &'a [String],
}

/// The bottom line, if there is anything to count.
fn conclude(books: &Books, to_the_end: bool) -> Result<(), DemoError> {
    let ledger = books.open();
    let sum = ledger.sum();
    if sum.sent == 0 {
        return Ok(());
    }
    let complaints = ledger.complaints();
    if output::is_json() {
        json::print(&Bottom { sum: &sum, complaints: &complaints })?;
        return if complaints.is_empty() { Ok(()) } else { Err(DemoError::Faulty) };
    }
    say("")?;
    for complaint in &complaints {
        say(complaint)?;
    }
    if sum.repeated > 0 {
        say(&format!("repeated {}, allowed by QoS 1", sum.repeated))?;
    }
    let style = if to_the_end && complaints.is_empty() { GOOD } else { BAD };
    say(&format!("{style}{sum}{style:#}"))?;
    if complaints.is_empty() { Ok(()) } else { Err(DemoError::Faulty) }
}

fn say(text: &str) -> io::Result<()> {
    use std::io::Write as _;
    writeln!(anstream::stdout().lock(), "{text}")
}
