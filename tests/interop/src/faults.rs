//! A link to a server on which everything goes wrong that can go wrong on the way, by a seed.

use std::net::Ipv4Addr;
use std::ops::{Add, ControlFlow};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mqtt_p2p_tokio::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::proxy::endpoint_through;

/// What happened to the links, each so often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults([u64; Fault::ALL.len()]);

impl Faults {
    /// How often each fault came.
    pub fn by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Fault::ALL.into_iter().map(Fault::name).zip(self.0)
    }

    /// Faults that end a link.
    pub fn cuts(&self) -> u64 {
        Fault::ALL.into_iter().zip(self.0).filter(|(fault, _)| fault.ends()).map(|(_, times)| times).sum()
    }
}

impl Add for Faults {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|fault| self.0[fault] + other.0[fault]))
    }
}

/// What goes wrong after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Every byte goes alone for a while.
    OneByteSegments,
    /// Everything is late for a while.
    Latency,
    /// Nothing passes for a while, and nothing is lost.
    Stall,
    /// Both sides are reset.
    Reset,
    /// Both sides are closed.
    Close,
    /// The server's side is reset; to the client the link seems to stand.
    HalfOpenToClient,
    /// The client's side is reset; to the server the link seems to stand.
    HalfOpenToServer,
    /// The client is told that nothing more comes, while what it sends still passes.
    HalfClose,
    /// The link stands, and what is sent is lost without a word.
    BlackHole,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::OneByteSegments,
        Self::Latency,
        Self::Stall,
        Self::Reset,
        Self::Close,
        Self::HalfOpenToClient,
        Self::HalfOpenToServer,
        Self::HalfClose,
        Self::BlackHole,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::OneByteSegments => "one-byte segments",
            Self::Latency => "latency",
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::HalfOpenToClient => "half open to the client",
            Self::HalfOpenToServer => "half open to the server",
            Self::HalfClose => "half close",
            Self::BlackHole => "black hole",
        }
    }

    const fn ends(self) -> bool {
        !matches!(self, Self::OneByteSegments | Self::Latency | Self::Stall)
    }
}

/// Numbers that a seed repeats: xorshift64*.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn new(seed: u64, link: u64) -> Self {
        // Neighbours must not be alike, and 0 stays 0 for ever.
        let mut chance = Self((seed ^ link.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        for _ in 0..8 {
            chance.below(1);
        }
        chance
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    /// Few bytes as often as many: a cut in the handshake, or in the middle of thousands of messages.
    fn bytes(&mut self) -> u64 {
        let bound = 16 << self.below(12);
        self.below(bound)
    }

    fn fault(&mut self) -> Fault {
        Fault::ALL[self.below(Fault::ALL.len() as u64) as usize]
    }
}

/// How bytes pass.
#[derive(Clone, Copy, Debug)]
enum Pace {
    Whole,
    OneByteSegments,
    Late(Duration),
}

/// Stands before a server. Until [`calm`](Self::calm), every link goes from fault to fault.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    calm: watch::Sender<bool>,
    seen: Arc<Mutex<Faults>>,
    listening: JoinHandle<()>,
}

impl FaultProxy {
    /// Listens on a free port of the loopback address.
    ///
    /// # Panics
    /// There is none.
    pub async fn to(server: &Endpoint, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (calm, is_calm) = watch::channel(false);
        let seen = Arc::<Mutex<Faults>>::default();
        let tally = Arc::clone(&seen);
        let server_port = server.port();
        let listening = tokio::spawn(async move {
            let mut links = JoinSet::new();
            for number in 1.. {
                let Ok((client, _)) = listener.accept().await else {
                    return;
                };
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await else {
                    continue;
                };
                let link = Link {
                    chance: Chance::new(seed, number),
                    calm: is_calm.clone(),
                    seen: Arc::clone(&tally),
                };
                links.spawn(link.run(client, server));
                while links.try_join_next().is_some() {}
            }
        });
        Self { port, calm, seen, listening }
    }

    /// Where a client finds the server through this.
    pub fn endpoint(&self, server: &Endpoint) -> Endpoint {
        endpoint_through(server, self.port)
    }

    /// No fault begins any more. A link that is half open or a black hole stays so until an end gives it up.
    pub fn calm(&self) {
        self.calm.send_replace(true);
    }

    /// What has happened.
    pub fn faults(&self) -> Faults {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

struct Link {
    chance: Chance,
    calm: watch::Receiver<bool>,
    seen: Arc<Mutex<Faults>>,
}

impl Link {
    async fn run(mut self, client: TcpStream, server: TcpStream) {
        for socket in [&client, &server] {
            // A peer that has gone already is none of this.
            let _ = socket.set_nodelay(true);
        }
        let mut ends = Ends::new(client, server);
        let mut pace = Pace::Whole;
        while !*self.calm.borrow() {
            let budget = AtomicU64::new(self.chance.bytes());
            // A link on which little happens gets its share.
            let time = Duration::from_millis(self.chance.below(1_500));
            let mut calm = self.calm.clone();
            let ended = tokio::select! {
                ended = ends.pass(pace, &budget) => ended,
                () = tokio::time::sleep(time) => ControlFlow::Continue(()),
                _ = calm.wait_for(|calm| *calm) => break,
            };
            if ended.is_break() {
                return;
            }
            let fault = self.chance.fault();
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).0[fault as usize] += 1;
            pace = match fault {
                Fault::OneByteSegments => Pace::OneByteSegments,
                Fault::Latency => Pace::Late(Duration::from_millis(self.chance.below(40))),
                Fault::Stall => {
                    tokio::time::sleep(Duration::from_millis(self.chance.below(1_200))).await;
                    Pace::Whole
                }
                _ => return ends.end(fault).await,
            };
        }
        let _ = ends.pass(Pace::Whole, &AtomicU64::new(u64::MAX)).await;
    }
}

/// One direction: where bytes come from and go to, and those that were read and have not passed. They are kept here, so
/// that whoever stops passing bytes on loses none.
struct Way {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    held: Vec<u8>,
}

impl Way {
    /// Passes bytes on until both directions together have used up the budget, or an end closes.
    async fn pass(&mut self, pace: Pace, budget: &AtomicU64) -> ControlFlow<()> {
        loop {
            if self.held.is_empty() && !matches!(self.from.read_buf(&mut self.held).await, Ok(1..)) {
                return ControlFlow::Break(());
            }
            if let Pace::Late(latency) = pace {
                tokio::time::sleep(latency).await;
            }
            while !self.held.is_empty() {
                let left = budget.load(Ordering::Relaxed);
                if left == 0 {
                    return ControlFlow::Continue(());
                }
                let most = if matches!(pace, Pace::OneByteSegments) { 1 } else { self.held.len() };
                let most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
                let Ok(passed @ 1..) = self.to.write(&self.held[..most]).await else {
                    return ControlFlow::Break(());
                };
                self.held.drain(..passed);
                budget.fetch_sub((passed as u64).min(left), Ordering::Relaxed);
            }
        }
    }

    /// Reads and forgets, until the end closes.
    async fn swallow(from: &mut OwnedReadHalf) {
        let mut lost = [0; 4096];
        while matches!(from.read(&mut lost).await, Ok(1..)) {}
    }
}

/// Both directions of a link.
struct Ends {
    up: Way,
    down: Way,
}

impl Ends {
    fn new(client: TcpStream, server: TcpStream) -> Self {
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        Self {
            up: Way { from: from_client, to: to_server, held: Vec::new() },
            down: Way { from: from_server, to: to_client, held: Vec::new() },
        }
    }

    async fn pass(&mut self, pace: Pace, budget: &AtomicU64) -> ControlFlow<()> {
        tokio::select! {
            ended = self.up.pass(pace, budget) => ended,
            ended = self.down.pass(pace, budget) => ended,
        }
    }

    async fn end(self, fault: Fault) {
        let Self { mut up, mut down } = self;
        match fault {
            Fault::Reset => {
                reset(&up.from);
                reset(&down.from);
            }
            Fault::HalfOpenToClient => {
                reset(&down.from);
                drop((down.from, up.to));
                Way::swallow(&mut up.from).await;
            }
            Fault::HalfOpenToServer => {
                reset(&up.from);
                drop((up.from, down.to));
                Way::swallow(&mut down.from).await;
            }
            Fault::HalfClose => {
                let _ = down.to.shutdown().await;
                let _ = up.pass(Pace::Whole, &AtomicU64::new(u64::MAX)).await;
            }
            Fault::BlackHole => {
                tokio::select! {
                    () = Way::swallow(&mut up.from) => {}
                    () = Way::swallow(&mut down.from) => {}
                }
            }
            _ => {}
        }
    }
}

/// The socket ends with a reset when both its halves are dropped.
fn reset(half: &OwnedReadHalf) {
    // It may have ended.
    let _ = half.as_ref().set_zero_linger();
}
