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
    /// The link is cut when it has sent so many; ascending.
    cuts: VecDeque<u64>,
    cuts_made: usize,
    /// Whether what the firmware sends is kept back, for good.
    keeps_back: bool,
    kept: u64,
}

impl Proxy {
    /// Listens on a free port, and cuts the link in the middle of whatever the firmware sends when it has sent so many
    /// bytes.
    pub(crate) async fn to(server: u16, cuts: impl Into<VecDeque<u64>>) -> io::Result<Self> {
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
                    let (from_firmware, to_firmware) = firmware.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::select! {
                        _ = up(from_firmware, to_server, &shared) => {}
                        _ = down(from_server, to_firmware) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
            Some(_) = links.join_next() => {}
        }
    }
}

/// Carries bytes from the firmware to the server until the link ends or is to be cut.
async fn up(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        let (len, cut) = {
            let mut state = shared.state();
            if state.keeps_back {
                state.kept += len as u64;
                shared.kept.notify_waiters();
                continue;
            }
            let until_cut = state.cuts.front().map(|cut| cut.saturating_sub(state.uplink) as usize);
            let (len, cut) = match until_cut {
                Some(until_cut) if until_cut <= len => (until_cut, true),
                _ => (len, false),
            };
            state.uplink += len as u64;
            if cut {
                state.cuts.pop_front();
                state.cuts_made += 1;
            }
            (len, cut)
        };
        to.write_all(&buffer[..len]).await?;
        if cut {
            return Ok(());
        }
    }
}

async fn down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<u64> {
    tokio::io::copy(&mut from, &mut to).await
}
