//! The link between a firmware and its server, which breaks when it is told to.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// When a link is cut, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// When the firmware has sent so many bytes, in the middle of whatever it sends.
    pub(crate) after: u64,
    pub(crate) how: How,
}

/// What the firmware gets to know of a cut. The server's end closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The link closes.
    Closed,
    /// Nothing: it is open, and nothing arrives any more.
    Silent,
}

/// Passes bytes on from a port of its own to the server's.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when bytes are kept back.
    kept: Notify,
    /// Every change cuts all links.
    cut: watch::Sender<u32>,
}

#[derive(Debug, Default)]
struct State {
    /// How many bytes the firmware has sent.
    uplink: u64,
    /// Those to come, in their order.
    cuts: VecDeque<Cut>,
    cuts_made: usize,
    /// Whether what the firmware sends is kept back, for good.
    keeps_back: bool,
    kept: u64,
}

impl Proxy {
    /// Listens on a free port, and cuts the link as often as that.
    pub(crate) async fn to(server: u16, cuts: impl Into<VecDeque<Cut>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let state = Mutex::new(State { cuts: cuts.into(), ..State::default() });
        let shared = Arc::new(Shared { state, kept: Notify::new(), cut: watch::Sender::new(0) });
        let listening = tokio::spawn(listen(listener, server, Arc::clone(&shared)));
        Ok(Self { port, shared, listening })
    }

    /// From now on, what the firmware sends gets lost, until [`restore`](Self::restore).
    pub(crate) fn keep_back(&self) {
        let mut state = self.shared.state();
        state.keeps_back = true;
        state.kept = 0;
    }

    /// Waits until so many bytes got lost.
    pub(crate) async fn kept_back(&self, bytes: u64) {
        loop {
            let told = self.shared.kept.notified();
            if self.shared.state().kept >= bytes {
                return;
            }
            told.await;
        }
    }

    /// Cuts all links.
    pub(crate) fn cut(&self) {
        self.shared.cut.send_modify(|count| *count += 1);
    }

    /// New links pass everything on.
    pub(crate) fn restore(&self) {
        self.cut();
        self.shared.state().keeps_back = false;
    }

    /// How many of the cuts were made.
    pub(crate) fn cuts_made(&self) -> usize {
        self.shared.state().cuts_made
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // With it, the links end.
        self.listening.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(listener: TcpListener, server: u16, shared: Arc<Shared>) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((firmware, _)) = accepted else { return };
                let shared = Arc::clone(&shared);
                links.spawn(async move {
                    let mut cut = shared.cut.subscribe();
                    // Without a server, the link ends at once.
                    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
                    let _ = (firmware.set_nodelay(true), server.set_nodelay(true));
                    let (mut from_firmware, mut to_firmware) = firmware.into_split();
                    let (from_server, to_server) = server.into_split();
                    let how = tokio::select! {
                        how = up(&mut from_firmware, to_server, &shared) => how.unwrap_or(How::Closed),
                        _ = down(from_server, &mut to_firmware) => How::Closed,
                        _ = cut.changed() => How::Closed,
                    };
                    if how == How::Silent {
                        // Until the firmware gives it up.
                        let mut nobody = tokio::io::sink();
                        tokio::select! {
                            _ = tokio::io::copy(&mut from_firmware, &mut nobody) => {}
                            _ = cut.changed() => {}
                        }
                    }
                });
            }
            Some(_) = links.join_next() => {}
        }
    }
}

/// Carries bytes from the firmware to the server until the link ends or is to be cut.
async fn up(from: &mut OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) -> io::Result<How> {
    let mut buffer = [0; 4096];
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return Ok(How::Closed);
        }
        let (len, cut) = {
            let mut state = shared.state();
            if state.keeps_back {
                state.kept += len as u64;
                shared.kept.notify_waiters();
                continue;
            }
            let uplink = state.uplink;
            let until = |cut: &Cut| cut.after.saturating_sub(uplink) as usize;
            let cut = state.cuts.front().copied().filter(|cut| until(cut) <= len);
            let len = cut.as_ref().map_or(len, until);
            state.uplink += len as u64;
            if cut.is_some() {
                state.cuts.pop_front();
                state.cuts_made += 1;
            }
            (len, cut)
        };
        to.write_all(&buffer[..len]).await?;
        if let Some(cut) = cut {
            return Ok(cut.how);
        }
    }
}

async fn down(mut from: OwnedReadHalf, to: &mut OwnedWriteHalf) -> io::Result<u64> {
    tokio::io::copy(&mut from, to).await
}
