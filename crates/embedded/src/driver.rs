//! The driver between connections: when to dial, and who logs in.

use core::pin::pin;

use mqtt_p2p_core::{Action, Client, Config, Event, Instant, Login, Storage, TransportError};

use crate::clock::{Timer, wait_for};
use crate::dial::Dial;
use crate::io::{First, in_time};
use crate::link::Link;
use crate::login::LoginSource;
use crate::receive::Receive;

/// A client with its receive buffer and its timer, for one task. It lives over any number of connections; each of them
/// is a [`Link`].
#[derive(Debug)]
pub struct Driver<'b, S, T> {
    pub(crate) client: Client<S>,
    pub(crate) timer: T,
    pub(crate) receive: Receive<'b>,
    pub(crate) transport: Transport,
    /// Happened while nobody was there to be told.
    pub(crate) event: Option<Event<'static>>,
}

/// How far a transport is, as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    None,
    /// The client asked for one, at this attempt.
    Wanted(u32),
    Open,
}

/// What [`Driver::wanted`] waited for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// To dial, at this attempt.
    Transport(u32),
    /// There is something to tell.
    Event,
    /// Nobody wants a connection.
    Nothing,
}

impl<'b, S: Storage, T: Timer> Driver<'b, S, T> {
    /// A driver whose client wants a connection at once.
    ///
    /// `seed` is any number that differs from device to device and from start to start, best from the chip's random number
    /// generator; it spreads the attempts to reconnect. Packets longer than `receive` are refused when their header
    /// is seen: [`Config::max_packet_size`] is lowered to its length, unless [`Config::max_whole_message`] has longer
    /// messages told in parts. [`Config::keep_session`] has no effect.
    pub fn new(config: Config, seed: u64, storage: S, receive: &'b mut [u8], timer: T) -> Self {
        let receive = Receive::new(receive);
        let config = receive.fit(config).with_keep_session(false);
        let mut client = Client::new(config, seed, storage);
        client.connect(timer.now());
        Self { client, timer, receive, transport: Transport::None, event: None }
    }

    /// The client: to publish, to subscribe, to take over a session, to disconnect. What it accepts goes out when
    /// [`open`](Self::open) or [`Link::next`] is called next. Polling it, and telling it of the transport, is the
    /// driver's.
    pub const fn client(&mut self) -> &mut Client<S> {
        &mut self.client
    }

    /// The timer.
    pub const fn timer(&self) -> &T {
        &self.timer
    }

    /// Waits out the back-off, asks for the log-in, dials, and gives the link as soon as there is something to do or to
    /// tell: also that the attempt failed, which is the link's last event. `None` when nobody wants a connection any
    /// more: after [`disconnect`](Client::disconnect), or after a refusal that asking again does not cure.
    ///
    /// To drop the future loses nothing: an attempt that was under way is continued by the next call, under the same
    /// deadline. To drop a link closes its transport.
    pub async fn open<'l, D: Dial, L: LoginSource>(
        &'l mut self,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Option<Link<'l, 'b, S, T, D::Connection<'l>>> {
        match self.wanted().await {
            Wanted::Nothing => None,
            Wanted::Event => Some(Link::new(self, None)),
            Wanted::Transport(attempt) => {
                let connection = self.dial(attempt, dialer, logins).await;
                Some(Link::new(self, connection))
            }
        }
    }

    /// Waits until there is something to do.
    pub(crate) async fn wanted(&mut self) -> Wanted {
        if self.transport == Transport::Open {
            // Its link was dropped.
            self.closed(TransportError::Broken);
        }
        loop {
            if self.event.is_some() {
                return Wanted::Event;
            }
            if let Transport::Wanted(attempt) = self.transport {
                return Wanted::Transport(attempt);
            }
            match self.client.poll(self.timer.now(), &mut &[][..]) {
                Action::OpenTransport { attempt, .. } => self.transport = Transport::Wanted(attempt),
                Action::Event(event) => self.event = Some(event),
                Action::Wait(until) => {
                    if self.client.is_idle() {
                        return Wanted::Nothing;
                    }
                    wait_for(&self.timer, until).await;
                }
                // None of these without a transport.
                Action::CloseTransport | Action::Store(_) | Action::Transmit(_) => {}
            }
        }
    }

    /// Dials until the deadline, and logs in. What came of it the client knows.
    async fn dial<'l, D: Dial, L: LoginSource>(
        &mut self,
        attempt: u32,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Option<D::Connection<'l>> {
        let mut dialling = pin!(async {
            let login = logins.login(attempt).await.ok_or(TransportError::NoLogIn)?;
            Ok((login, dialer.dial().await?))
        });
        loop {
            let until = self.dialling()?;
            match in_time(dialling.as_mut(), &self.timer, until).await {
                First::Left(Ok((login, connection))) => {
                    self.opened(&login);
                    return Some(connection);
                }
                First::Left(Err(error)) => {
                    self.closed(error);
                    return None;
                }
                First::Right(()) => {}
            }
        }
    }

    /// Until when a dial that is under way may last; `None` if it is to be given up.
    pub(crate) fn dialling(&mut self) -> Option<Option<Instant>> {
        loop {
            let now = self.timer.now();
            if self.event.is_some() {
                // It is told first: nothing is polled before.
                let due = self.client.due_at();
                return if due.is_some_and(|due| due <= now) { None } else { Some(due) };
            }
            match self.client.poll(now, &mut &[][..]) {
                Action::CloseTransport => {
                    self.transport = Transport::None;
                    return None;
                }
                Action::Event(event) => self.event = Some(event),
                Action::Wait(until) => return Some(until),
                Action::OpenTransport { .. } | Action::Store(_) | Action::Transmit(_) => {}
            }
        }
    }

    /// The transport is open.
    pub(crate) fn opened(&mut self, login: &Login<'_>) {
        self.receive.clear();
        self.transport = Transport::Open;
        self.client.transport_opened(self.timer.now(), login);
    }

    /// The transport is gone, or did not come about.
    pub(crate) fn closed(&mut self, why: TransportError) {
        self.transport = Transport::None;
        self.client.transport_closed(self.timer.now(), why);
    }
}
