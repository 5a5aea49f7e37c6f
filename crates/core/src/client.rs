//! The client as its caller sees it: the state machine with its memory.

use mqtt_p2p_packet::{AckedQoS, PacketId, Publish, QoS, SubscribeFilter, TopicFilter, TopicName};

use crate::action::AckToken;
use crate::config::Config;
use crate::constants::SIZE_OPTIMIZED;
use crate::disconnect::TransportError;
use crate::error::{Error, Need};
use crate::login::Login;
use crate::machine::Machine;
use crate::session::SessionError;
use crate::settings::{Chosen, FixedConfig, Settings};
use crate::stats::Stats;
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;
use crate::time::Instant;

/// An MQTT client: see the [crate's page](crate) for how to drive it.
#[derive(Debug)]
pub struct Client<S, C = Chosen> {
    pub(crate) machine: Machine<C>,
    pub(crate) storage: S,
}

/// A message to publish.
///
/// ```
/// use mqtt_p2p_core::{Publication, QoS, TopicName};
///
/// let publication = Publication::new(TopicName::new("site/pump")?, b"on").with_qos(QoS::AtLeastOnce);
/// assert!(!publication.retain);
/// # Ok::<(), mqtt_p2p_core::TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Publication<'a> {
    /// The topic to publish to.
    pub topic: TopicName<'a>,
    /// The payload: any bytes, possibly none.
    pub payload: &'a [u8],
    /// The QoS.
    pub qos: QoS,
    /// Whether the server retains the message for later subscribers. ApsaraMQ does not support this.
    pub retain: bool,
}

impl<'a> Publication<'a> {
    /// Creates a message with QoS 0 that is not retained.
    #[inline]
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self { topic, payload, qos: QoS::AtMostOnce, retain: false }
    }

    // The builder methods return a new value instead of changing `mut self`: with that, rustc 1.95 at opt-level 1 may change
    // the caller's copy as well.

    /// Sets the QoS.
    #[inline]
    #[must_use]
    pub const fn with_qos(self, qos: QoS) -> Self {
        Self { qos, ..self }
    }

    /// Sets whether the server retains the message.
    #[inline]
    #[must_use]
    pub const fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }

    #[inline]
    pub(crate) fn packet(&self, id: PacketId) -> Publish<'a> {
        let delivery = match self.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some((AckedQoS::AtLeastOnce, id)),
            QoS::ExactlyOnce => Some((AckedQoS::ExactlyOnce, id)),
        };
        Publish::new(self.topic, self.payload).with_retain(self.retain).with_delivery(delivery)
    }
}

impl<S: Storage> Client<S> {
    /// A client that does nothing yet. `seed` is any number that differs from device to device and from start to
    /// start; it spreads the attempts to reconnect.
    // Inlined, so that the compiler sees what the configuration does not ask for, and leaves it out.
    #[inline(always)]
    pub const fn new(config: Config, seed: u64, storage: S) -> Self {
        Self { machine: Machine::new(Chosen::new(config), seed), storage }
    }
}

impl<S: Storage, C: FixedConfig> Client<S, C> {
    /// The same with a configuration that is settled when the program is built: the smallest client there is.
    #[inline(always)]
    pub const fn fixed(config: C, seed: u64, storage: S) -> Self {
        Self { machine: Machine::new(config, seed), storage }
    }
}

impl<S: Storage, C: Settings> Client<S, C> {
    // ---- events in ----

    /// Wants a connection from now on: an attempt begins at the next poll, and after every loss another one, until
    /// [`disconnect`](Self::disconnect). While a retry is waited for, it is brought forward.
    pub fn connect(&mut self, now: Instant) {
        self.machine.tick(now);
        self.machine.connect();
    }

    /// Wants no connection any more, at any moment. What may already be sent goes out, then DISCONNECT, then the
    /// transport is closed; an attempt under way is given up. What waits stays for the next
    /// [`connect`](Self::connect), or for [`abandon`](Self::abandon).
    pub fn disconnect(&mut self, now: Instant) {
        self.machine.tick(now);
        self.machine.disconnect(self.storage.memory().requests);
    }

    /// Asks the server at once whether it is there: a PINGREQ, ahead of its time. Without a connection nothing
    /// happens.
    pub fn ping(&mut self) {
        self.machine.ask();
    }

    /// The host goes to the background: no attempt begins and no timer runs, until [`resume`](Self::resume). A
    /// connection stays as long as the host lets it.
    pub fn pause(&mut self, now: Instant) {
        self.machine.tick(now);
        self.machine.pause();
    }

    /// The host is back: reconnects at once, or asks at once whether the connection still lives.
    pub fn resume(&mut self, now: Instant) {
        self.machine.tick(now);
        self.machine.resume();
    }

    /// The transport is open: CONNECT goes out with this log-in. Ignored unless
    /// [`Action::OpenTransport`](crate::Action::OpenTransport) was the last word on the transport. What is wrong with
    /// the log-in is reported as [`DisconnectReason::InvalidLogin`](crate::DisconnectReason::InvalidLogin).
    pub fn transport_opened(&mut self, now: Instant, login: &Login<'_>) {
        self.machine.tick(now);
        // What memory that can't grow has no room for is reported by the machine itself.
        let _ = self.growing(|machine, memory| machine.transport_opened(memory, login), |need| Some(*need));
    }

    /// The transport is gone, or could not be opened. Ignored after
    /// [`Action::CloseTransport`](crate::Action::CloseTransport), so that one end is never counted twice.
    pub fn transport_closed(&mut self, now: Instant, why: TransportError) {
        self.machine.tick(now);
        self.machine.transport_closed(why);
    }

    /// So many bytes of the last [`Action::Transmit`](crate::Action::Transmit) were written.
    #[inline]
    pub fn transmitted(&mut self, bytes: usize) {
        self.machine.transmitted(self.storage.memory().requests, bytes);
    }

    /// Returns whether [`poll`](Self::poll) without input would return [`Action::Wait`](crate::Action::Wait) with the
    /// moment of [`due_at`](Self::due_at), if that has not come yet. A driver that has written all bytes can skip that
    /// poll.
    ///
    /// It is `true` after every `Wait`, until there is something to do. After [`transmitted`](Self::transmitted) it may
    /// be `false` although the next poll will return `Wait`.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.machine.is_waiting()
    }

    /// The caller stops reading from the transport (`true`) or goes on: while it does not read, no answer to a ping
    /// is expected.
    pub fn hold_reading(&mut self, now: Instant, held: bool) {
        self.machine.tick(now);
        self.machine.keep_alive.hold(self.machine.now(), held);
    }

    /// Accepts a message for sending. With a connection it goes out at the next poll; without one it waits.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::TooLarge`], [`Error::Offline`], [`Error::RetainUnsupported`]. Nothing was accepted.
    #[inline]
    pub fn publish(&mut self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        if SIZE_OPTIMIZED {
            return self.publish_with_room(publication);
        }
        match self.publish_into_room(publication) {
            Err(Error::Full(_)) => self.publish_with_room(publication),
            result => result,
        }
    }

    /// [`Error::Full`] if there is no room without moving anything.
    #[inline(never)]
    fn publish_into_room(&mut self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        let memory = self.storage.memory();
        self.machine.publish(memory.tx, memory.requests, publication)
    }

    #[cfg_attr(not(target_os = "none"), inline(never))]
    fn publish_with_room(&mut self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        self.growing(|machine, memory| machine.publish_with_room(memory, publication), Error::need)
    }

    /// Publishes with QoS 1, ahead of all that waits; and until the acknowledgement has come no other PUBLISH, no
    /// SUBSCRIBE and no UNSUBSCRIBE goes out. For what a server has to know first: ApsaraMQ's new token, and its
    /// switch for ordered messages.
    ///
    /// It ends with [`Event::PublishedAlone`](crate::Event::PublishedAlone), or with the connection: it is not sent
    /// again over another.
    ///
    /// # Errors
    /// [`Error::Offline`] without a connection, whatever the configuration; [`Error::Full`] while another one is under
    /// way, or while the memory for control packets has no room for it; [`Error::TooLarge`] if it never has;
    /// [`Error::Invalid`].
    pub fn publish_alone(&mut self, topic: TopicName<'_>, payload: &[u8]) -> Result<(), Error> {
        // Another one that is under way is no lack of memory: more would not help.
        let need = |error: &Error| error.need().filter(|need| *need != Need::Requests);
        self.growing(|machine, memory| machine.publish_alone(memory, topic, payload), need)
    }

    /// Asks for the messages of these topic filters, at least one. Each is asked for again after a reconnect, once
    /// the server has granted it, as [`Config::resubscribe`] says.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::TooLarge`], [`Error::Offline`], [`Error::TooManySubscriptions`],
    /// [`Error::Invalid`] for an empty list. Nothing was accepted.
    pub fn subscribe(&mut self, filters: &[SubscribeFilter<'_>]) -> Result<Ticket, Error> {
        self.request(|machine, memory| machine.subscribe(memory, filters))
    }

    /// Ends the subscriptions to these topic filters, at least one.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::TooLarge`], [`Error::Offline`], [`Error::Invalid`] for an empty list. Nothing was
    /// accepted.
    pub fn unsubscribe(&mut self, filters: &[TopicFilter<'_>]) -> Result<Ticket, Error> {
        self.request(|machine, memory| machine.unsubscribe(memory, filters))
    }

    /// Acknowledges a message, with [`Config::manual_ack`].
    ///
    /// # Errors
    /// [`Error::Stale`]; [`Error::Full`] while earlier acknowledgements wait for the transport.
    pub fn acknowledge(&mut self, token: AckToken) -> Result<(), Error> {
        self.growing(|machine, memory| machine.acknowledge(memory, token), Error::need)
    }

    /// Cancels a request that has not ended: it ends in [`Event::Dropped`](crate::Event::Dropped), and is not sent again
    /// over another connection. Returns whether it was pending.
    ///
    /// The server may still act on a request of which the transport has had some. Its packet identifier, and its place in
    /// the in-flight window, stay in use until the server has answered or the connection ends.
    ///
    /// `false`, and nothing happens, for a ticket whose end has been reported, and for a publication of QoS 0 that is being
    /// written: it ends as usual.
    ///
    /// ```
    /// use mqtt_p2p_core::{Action, Client, Config, Event, Inline, Instant, Publication, QoS, TopicName};
    ///
    /// let mut client = Client::new(Config::new(), 42, Inline::<512>::new());
    /// let topic = TopicName::new("site/state")?;
    /// let ticket =
    ///     client.publish(&Publication::new(topic, b"on").with_qos(QoS::AtLeastOnce))?;
    /// assert!(client.cancel(ticket));
    /// let action = client.poll(Instant::from_millis(0), &mut &[][..]);
    /// assert!(matches!(action, Action::Event(Event::Dropped { ticket: dropped, .. }) if dropped == ticket));
    /// assert!(!client.cancel(ticket));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        self.machine.cancel(self.storage.memory().requests, ticket)
    }

    /// Gives up everything that was accepted and has not ended: each ticket ends in
    /// [`Event::Dropped`](crate::Event::Dropped). Only without a connection; otherwise nothing happens.
    pub fn abandon(&mut self) {
        self.machine.abandon(self.storage.memory().requests);
    }

    // ---- actions out: see also `poll` ----

    /// Returns when [`poll`](Self::poll) must be called even if the transport takes no bytes and brings none. After
    /// [`Action::Wait`](crate::Action::Wait) it is that action's moment.
    pub fn due_at(&self) -> Option<Instant> {
        self.machine.to_instant(self.machine.next_timeout())
    }

    // ---- the session as bytes ----

    /// Writes the session to a buffer and returns its length: requests that were accepted and have not ended, incoming
    /// messages of QoS 2, and subscriptions. Drain [`poll`](Self::poll) first.
    ///
    /// # Errors
    /// [`SessionError::BufferTooSmall`], with the length that is needed.
    pub fn export_session(&mut self, buffer: &mut [u8]) -> Result<usize, SessionError> {
        self.machine.export(&self.storage.memory(), buffer)
    }

    /// Takes over a session that [`export_session`](Self::export_session) of this or an earlier version of the library
    /// wrote. The client must not have been used. The session's tickets stay valid: see [`requests`](Self::requests).
    ///
    /// # Errors
    /// The bytes are damaged, no session, or from a later version; the client is in use; its memory is too small. The
    /// client is as it was.
    pub fn import_session(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.growing(|machine, memory| machine.import(memory, bytes), SessionError::need)
    }

    // ---- what there is to see ----

    /// Whether the server has accepted the log-in and the connection has not ended.
    pub const fn is_connected(&self) -> bool {
        self.machine.is_connected()
    }

    /// Whether a PINGREQ waits for its answer, or is about to go out.
    pub const fn awaits_ping(&self) -> bool {
        self.machine.keep_alive.awaits_answer()
    }

    /// Whether DISCONNECT is the last that goes out, or has gone out already: the transport is to be closed in a way
    /// that lets the server read it.
    pub const fn has_left(&self) -> bool {
        self.machine.has_left()
    }

    /// Whether there is no connection, and none is wanted.
    pub const fn is_idle(&self) -> bool {
        self.machine.is_idle()
    }

    /// What the client was made with.
    pub fn config(&self) -> &Config {
        self.machine.config()
    }

    /// Counters.
    pub const fn stats(&self) -> Stats {
        self.machine.stats
    }

    /// Publications of QoS 1 and 2 that wait for the server.
    pub const fn in_flight(&self) -> u16 {
        self.machine.outbox.in_flight()
    }

    /// The requests that have not ended, oldest first.
    pub fn requests(&mut self) -> impl Iterator<Item = Ticket> {
        let memory = self.storage.memory();
        let requests: &[_] = memory.requests;
        self.machine.outbox.tickets(requests)
    }

    /// Returns how many entries of [`Memory::requests`] are in use.
    ///
    /// After [`Action::Wait`](crate::Action::Wait) it is the number of [`requests`](Self::requests): a request that
    /// has ended holds no memory. Useful for choosing the size of the memory.
    ///
    /// ```
    /// use mqtt_p2p_core::{Client, Config, Inline, Publication, TopicName};
    ///
    /// let mut client = Client::new(Config::new(), 42, Inline::<512, 8>::new());
    /// let topic = TopicName::new("site/state")?;
    /// client.publish(&Publication::new(topic, b"on"))?;
    /// assert_eq!(client.requests_in_use(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn requests_in_use(&mut self) -> usize {
        self.machine.outbox.in_use(self.storage.memory().requests)
    }

    /// The subscriptions that the server granted.
    pub fn subscriptions(&mut self) -> impl Iterator<Item = SubscribeFilter<'_>> {
        let list: &[u8] = self.storage.memory().subscriptions;
        self.machine.subscriptions.iter(list)
    }

    fn request(
        &mut self,
        accept: impl FnMut(&mut Machine<C>, &mut Memory<'_>) -> Result<Ticket, Error>,
    ) -> Result<Ticket, Error> {
        self.growing(accept, Error::need)
    }

    /// Tries again with more memory, as long as it is memory that is short and more is to be had.
    pub(crate) fn growing<T, E>(
        &mut self,
        mut attempt: impl FnMut(&mut Machine<C>, &mut Memory<'_>) -> Result<T, E>,
        need: impl Fn(&E) -> Option<Need>,
    ) -> Result<T, E> {
        let mut growable = true;
        loop {
            let mut memory = self.storage.memory();
            memory.growable &= growable;
            let may_grow = memory.growable;
            match attempt(&mut self.machine, &mut memory) {
                Err(error) if may_grow && need(&error).is_some() => {
                    growable = need(&error).is_some_and(|need| self.storage.grow(need));
                }
                result => return result,
            }
        }
    }
}
