//! The state machine's state, and the life of a connection: connect, lose, refuse, leave, pause, come back.

use mqtt_p2p_packet::{
    Ack, AckedQoS, Connect, EncodeError, Filters, PacketId, PacketType, Publish, QoS, ReasonCode, Subscribe,
    SubscribeFilter, TopicFilter, TopicName, Unsubscribe,
};

use crate::action::AckToken;
use crate::backoff::{History, Life};
use crate::client::Publication;
use crate::config::{Config, Offline, Resubscribe};
use crate::constants::{ForSpeed, SIZE_OPTIMIZED};
use crate::control::ControlLane;
use crate::disconnect::{DisconnectReason, TransportError};
use crate::error::{Error, Need};
use crate::inbound::Inbound;
use crate::keep_alive::KeepAlive;
use crate::login::Login;
use crate::optional::{DropNext, Optional, Unsubscribed};
use crate::outbox::{self, Kind, Outbox, Request};
use crate::pace::Pace;
use crate::parts::Parts;
use crate::session::journal::Due;
use crate::settings::Settings;
use crate::stats::{Stats, count};
use crate::storage::Memory;
use crate::subscriptions::Subscriptions;
use crate::ticket::Ticket;
use crate::time::{Instant, Millis, Moment};

/// Where the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// None, and none wanted.
    Idle,
    /// None; the next attempt begins at the deadline.
    Waiting,
    /// The caller dials.
    Opening,
    /// CONNECT is on its way; CONNACK is due by the deadline.
    Handshake,
    /// The server accepted.
    Online,
    /// The caller wants to leave: what may still be sent goes out first, until the deadline.
    Leaving,
    /// DISCONNECT is the last that goes out.
    Left,
}

/// An ended attempt that has to be reported.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Refused(ReasonCode),
    Disconnected(DisconnectReason),
}

/// Whose bytes the last `Transmit` offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    Nothing,
    /// Those of the control lane.
    Control,
    /// Those of the outbox.
    Requests,
    /// Those of a request that goes out ahead of publications that wait for the in-flight window.
    Ahead,
}

/// All that a client knows, but for what lies in its [`Memory`].
#[derive(Debug)]
pub(crate) struct Machine<C> {
    pub(crate) settings: C,
    /// Set by the first UNSUBSCRIBE: a program that sends none has nothing that reads its answer.
    pub(crate) unsubscribed: Option<Unsubscribed<C>>,
    /// The last that was told.
    pub(crate) clock: Instant,
    /// Until then, [`Client::poll`](crate::Client::poll) has nothing to attend to but reports, input and output: a
    /// connection is up, and no timer fires. The start of time while anything else is due.
    pub(crate) attention_at: ForSpeed<Moment>,
    /// The last full poll found nothing to do, and nothing has asked for attention since.
    pub(crate) resting: bool,
    pub(crate) phase: Phase,
    /// What ends the phase, where time does.
    pub(crate) deadline: Moment,
    /// The caller wants a connection: its intent, never guessed from how the last one ended.
    pub(crate) wanted: bool,
    pub(crate) paused: bool,
    /// Requests were given up, and their ends are to be reported, by a function that is linked only if it is needed.
    pub(crate) dropping: Option<DropNext<C>>,
    /// The transport has to be closed before anything else.
    pub(crate) close_due: bool,
    pub(crate) ending: Option<Ending>,
    pub(crate) offered: Offered,
    /// See [`Self::untaken`].
    pub(crate) untaken: Option<PacketId>,
    /// A publication goes alone: others wait for its acknowledgement.
    pub(crate) alone: bool,
    /// A change of the session that is to be kept next.
    pub(crate) due: Option<Due>,
    /// The last publication that was given up, if its number is kept.
    pub(crate) given_up: Ticket,
    /// Counts the connections, to tell their deliveries apart.
    pub(crate) connection: u32,
    /// The first connection of the session that the server continues.
    session_since: u32,
    /// A CONNECT went out, and its CONNACK did not come: whatever it said of the session is unknown.
    pub(crate) unanswered: bool,
    /// Then the connection has proven that all is well.
    stable: Moment,
    /// A message of which the caller has the beginning.
    pub(crate) parts: Option<Parts>,
    pace: Pace,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) history: History,
    pub(crate) outbox: Outbox,
    pub(crate) lane: ControlLane,
    pub(crate) inbound: Inbound,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) stats: Stats,
}

impl<C: Settings> Machine<C> {
    #[inline(always)]
    pub(crate) const fn new(settings: C, seed: u64) -> Self {
        Self {
            settings,
            unsubscribed: None,
            clock: Instant::START,
            attention_at: ForSpeed::new(Moment::START),
            resting: false,
            phase: Phase::Idle,
            deadline: Moment::NEVER,
            wanted: false,
            paused: false,
            dropping: None,
            close_due: false,
            ending: None,
            offered: Offered::Nothing,
            untaken: None,
            alone: false,
            parts: None,
            pace: Pace::new(),
            due: None,
            given_up: Ticket::NONE,
            connection: 0,
            session_since: 0,
            unanswered: false,
            stable: Moment::NEVER,
            keep_alive: KeepAlive::new(),
            history: History::new(seed),
            outbox: Outbox::new(),
            lane: ControlLane::new(),
            inbound: Inbound::new(),
            subscriptions: Subscriptions::new(),
            stats: Stats { unexpected_acks: 0, duplicates: 0, connections: 0, resends: 0 },
        }
    }

    /// What the client was made with.
    #[inline(always)]
    pub(crate) fn config(&self) -> &Config {
        self.settings.config()
    }

    /// What of it is linked.
    #[inline(always)]
    pub(crate) fn optional(&self) -> &Optional<C> {
        self.settings.optional()
    }

    /// Something happens that is not a matter of messages: the next poll has to look at everything.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.see(now);
        self.look();
    }

    /// The clock shows this.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn see(&mut self, now: Instant) {
        if !SIZE_OPTIMIZED {
            self.clock = self.clock.max(now);
            return;
        }
        let millis = u32::try_from(now.millis_since(self.clock)).unwrap_or(u32::MAX);
        if millis > 0 {
            self.clock = now;
            self.deadline.pass(millis);
            self.stable.pass(millis);
            self.keep_alive.pass(millis);
            self.pace.pass(millis);
        }
    }

    /// Asks for a full poll.
    #[inline]
    pub(crate) const fn look(&mut self) {
        self.resting = false;
        self.attention_at = ForSpeed::new(Moment::START);
    }

    /// The present.
    #[inline]
    pub(crate) const fn now(&self) -> Moment {
        Moment::present(self.clock)
    }

    /// On the caller's clock; `None` for never.
    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) const fn to_instant(&self, moment: Moment) -> Option<Instant> {
        moment.to_instant(self.clock)
    }

    // ---- what the caller asks for ----

    pub(crate) fn connect(&mut self) {
        self.wanted = true;
        if matches!(self.phase, Phase::Idle | Phase::Waiting) {
            self.phase = Phase::Waiting;
            self.deadline = self.now();
        }
    }

    pub(crate) fn disconnect(&mut self, requests: &mut [Request]) {
        self.wanted = false;
        match self.phase {
            Phase::Idle | Phase::Leaving | Phase::Left => {}
            Phase::Waiting => self.phase = Phase::Idle,
            // A server that has CONNECT is told by DISCONNECT, once it has answered: or else it would publish the will.
            Phase::Handshake if self.lane.is_empty() => {}
            Phase::Opening | Phase::Handshake => self.lose(DisconnectReason::Requested),
            Phase::Online => {
                self.release(requests);
                self.phase = Phase::Leaving;
                self.deadline = self.now().later(self.config().connect_timeout_ms as Millis);
            }
        }
    }

    pub(crate) fn pause(&mut self) {
        self.paused = true;
        if matches!(self.phase, Phase::Opening | Phase::Handshake) {
            self.lose(DisconnectReason::Paused);
        }
    }

    pub(crate) fn resume(&mut self) {
        self.paused = false;
        match self.phase {
            Phase::Waiting => self.deadline = self.now(),
            // Time has passed unseen: the connection may be gone without a word.
            Phase::Online => self.keep_alive.doubt(),
            _ => {}
        }
    }

    /// Whether the edition may still change: no CONNECT has gone out.
    pub(crate) const fn is_before_connect(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Waiting | Phase::Opening)
    }

    pub(crate) fn ask(&mut self) {
        if self.phase == Phase::Online {
            self.look();
            self.keep_alive.ask();
        }
    }

    /// [`Error::Full`] as long as there is no room without moving anything.
    #[inline(always)]
    pub(crate) fn publish(
        &mut self,
        tx: &mut [u8],
        requests: &mut [Request],
        publication: &Publication<'_>,
    ) -> Result<Ticket, Error> {
        self.may_publish(publication)?;
        self.write(tx, requests, publication)
    }

    /// The same, after making room.
    pub(crate) fn publish_with_room(
        &mut self,
        memory: &mut Memory<'_>,
        publication: &Publication<'_>,
    ) -> Result<Ticket, Error> {
        self.may_publish(publication)?;
        self.outbox.make_room(memory, publication.packet(PacketId::MIN).encoded_len()?)?;
        self.write(memory.tx, memory.requests, publication)
    }

    #[inline]
    fn may_publish(&self, publication: &Publication<'_>) -> Result<(), Error> {
        let limits = &self.config().limits;
        if publication.payload.len() > limits.max_payload as usize {
            return Err(Error::TooLarge {
                size: publication.payload.len(),
                max: limits.max_payload as usize,
            });
        }
        if publication.retain && !limits.retain {
            return Err(Error::RetainUnsupported);
        }
        if publication.qos == QoS::ExactlyOnce && self.optional().exactly_once.is_none() {
            return Err(Error::ExactlyOnceOff);
        }
        self.may_wait(publication.qos != QoS::AtMostOnce)
    }

    #[inline(always)]
    fn write(
        &mut self,
        tx: &mut [u8],
        requests: &mut [Request],
        publication: &Publication<'_>,
    ) -> Result<Ticket, Error> {
        let packet = publication.packet(self.outbox.next_id());
        // It never lies behind the end; asked so that no panic is possible.
        let Some(free) = tx.get_mut(self.outbox.end()..) else {
            return Err(Error::Full(Need::Requests));
        };
        match packet.encode(free) {
            Ok(len) => self.accept(requests, Kind::of(publication.qos), len),
            Err(EncodeError::BufferTooSmall { needed }) => Err(Error::Full(Need::Bytes(needed))),
            Err(error) => Err(Error::Invalid(error)),
        }
    }

    pub(crate) fn subscribe(
        &mut self,
        memory: &mut Memory<'_>,
        filters: &[SubscribeFilter<'_>],
    ) -> Result<Ticket, Error> {
        self.may_wait(true)?;
        let packet = Subscribe::new(self.outbox.next_id(), Filters::new(filters));
        self.outbox.make_room(memory, packet.encoded_len()?)?;
        let len = packet.encode(self.outbox.free(memory.tx))?;
        let entries = outbox::entries(self.outbox.written(memory.tx, len));
        self.subscriptions.check(memory, entries, self.config().limits.max_subscriptions)?;
        self.subscriptions.expect(entries);
        self.accept(memory.requests, Kind::Subscribe, len)
    }

    pub(crate) fn unsubscribe(
        &mut self,
        memory: &mut Memory<'_>,
        filters: &[TopicFilter<'_>],
    ) -> Result<Ticket, Error> {
        self.may_wait(true)?;
        self.unsubscribed = Some(Self::unsubscribed);
        let packet = Unsubscribe::new(self.outbox.next_id(), Filters::new(filters));
        self.outbox.make_room(memory, packet.encoded_len()?)?;
        let len = packet.encode(self.outbox.free(memory.tx))?;
        // From now on nothing may ask for them again; what is asked for already is removed when UNSUBACK comes.
        let entries = outbox::entries(self.outbox.written(memory.tx, len));
        self.subscriptions.remove_all(memory.subscriptions, entries);
        self.accept(memory.requests, Kind::Unsubscribe, len)
    }

    /// Sends a publication of QoS 1 ahead of all others, and holds those back until it is acknowledged.
    pub(crate) fn publish_alone(
        &mut self,
        memory: &mut Memory<'_>,
        topic: TopicName<'_>,
        payload: &[u8],
    ) -> Result<(), Error> {
        if self.phase != Phase::Online {
            return Err(Error::Offline);
        }
        let Some(id) = PacketId::new(Ticket::ALONE_ID).filter(|_| !self.alone) else {
            return Err(Error::Full(Need::Requests));
        };
        let delivery = Some((AckedQoS::AtLeastOnce, id));
        let packet = Publish::new(topic, payload).with_delivery(delivery);
        let len = packet.encoded_len()?;
        if !self.lane.has_room(memory.control, len) {
            return Err(if len <= memory.control.len() || memory.growable {
                Error::Full(Need::Control(len))
            } else {
                Error::TooLarge { size: len, max: memory.control.len() }
            });
        }
        packet.encode(self.lane.free(memory.control))?;
        self.lane.written(len);
        self.look();
        self.outbox.withdraw(memory.requests);
        self.alone = true;
        Ok(())
    }

    /// Whether a request may be accepted for later, if there is no connection.
    #[inline]
    fn may_wait(&self, acknowledged: bool) -> Result<(), Error> {
        match self.config().offline {
            _ if self.phase == Phase::Online => Ok(()),
            Offline::QueueAll => Ok(()),
            Offline::QueueAcknowledged if acknowledged => Ok(()),
            _ => Err(Error::Offline),
        }
    }

    /// Takes in the request whose packet was written.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accept(&mut self, requests: &mut [Request], kind: Kind, len: usize) -> Result<Ticket, Error> {
        // While nothing else needs attention, requests need not wait for the next poll to be released.
        let window = (!SIZE_OPTIMIZED && self.attention_at.get(Moment::START) > Moment::START)
            .then(|| self.config().max_in_flight);
        self.outbox.accept(requests, kind, len, window)
    }

    /// Lets more requests be sent, as far as the in-flight window and the pace reach.
    #[inline]
    pub(crate) fn release(&mut self, requests: &mut [Request]) {
        if self.phase != Phase::Online || self.alone {
            self.outbox.release_due = false;
            return;
        }
        match self.optional().pacing {
            None => {
                let passing = self.optional().passing;
                self.outbox.release(requests, self.config().max_in_flight, usize::MAX, passing);
            }
            Some(pacing) => (pacing.release)(self, requests),
        }
    }

    pub(crate) fn release_paced(&mut self, requests: &mut [Request]) {
        if self.paused {
            self.outbox.release_due = false;
            return;
        }
        let rate = self.config().max_requests_per_sec;
        let credit = self.pace.credit(self.now(), rate);
        let passing = self.optional().passing;
        let released = self.outbox.release(requests, self.config().max_in_flight, credit, passing);
        self.pace.spend(self.now(), released, rate);
    }

    /// When the next turn comes. What the in-flight window holds back waits for an answer, not for the time.
    pub(crate) fn next_turn(&self) -> Moment {
        if self.outbox.has_unreleased() && self.phase == Phase::Online && !self.paused {
            self.pace.next(self.now(), self.config().max_requests_per_sec)
        } else {
            Moment::NEVER
        }
    }

    pub(crate) fn acknowledge(&mut self, memory: &mut Memory<'_>, token: AckToken) -> Result<(), Error> {
        if !self.config().manual_ack {
            return Err(Error::Stale);
        }
        let connected = self.is_connected();
        if connected && !self.lane.has_room(memory.control, Ack::LEN) {
            return Err(Error::Full(Need::Control(Ack::LEN)));
        }
        match token.qos {
            // Over whichever connection of the session: the server may have sent it again over this one, and no answer
            // came, because it was not taken yet.
            AckedQoS::ExactlyOnce if self.optional().exactly_once.is_some() => {
                // Connections are counted modulo 2^32; the later half is older.
                let age = token.connection.wrapping_sub(self.session_since).cast_signed();
                match self.inbound.find(memory, token.id) {
                    Some(entry) if !age.is_negative() && !entry.taken => {}
                    _ => return Err(Error::Stale),
                }
                self.inbound.take(memory, token.id);
            }
            _ if connected && token.connection == self.connection => {}
            _ => return Err(Error::Stale),
        }
        self.resting = false;
        if connected {
            self.push_ack(memory.control, token.qos, token.id);
        }
        Ok(())
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn push_ack(&mut self, control: &mut [u8], qos: AckedQoS, id: PacketId) -> bool {
        let packet_type = match qos {
            AckedQoS::AtLeastOnce => PacketType::PubAck,
            AckedQoS::ExactlyOnce => PacketType::PubRec,
        };
        self.answer(control, packet_type, id)
    }

    /// Puts an acknowledgement into the control lane; `false` if there is no room.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn answer(&mut self, control: &mut [u8], packet_type: PacketType, id: PacketId) -> bool {
        self.lane.push(control, Ack::new(id).to_bytes(packet_type))
    }

    pub(crate) fn cancel(&mut self, requests: &mut [Request], ticket: Ticket) -> bool {
        let is_pending = self.outbox.cancel(requests, ticket);
        if is_pending {
            self.look();
            self.dropping = Some(Self::drop_next);
        }
        is_pending
    }

    pub(crate) fn abandon(&mut self, requests: &mut [Request]) {
        if matches!(self.phase, Phase::Idle | Phase::Waiting | Phase::Opening) {
            self.look();
            self.outbox.cancel_all(requests);
            self.dropping = Some(Self::drop_next);
        }
    }

    /// The next request that was given up.
    fn drop_next(&mut self, memory: &mut Memory<'_>) -> Option<Ticket> {
        let connected = matches!(self.phase, Phase::Online | Phase::Leaving | Phase::Left);
        let request = self.outbox.drop_next(memory.requests, connected)?;
        if connected && self.optional().passing.is_none() {
            // There is nothing that would pass the gap.
            self.outbox.close_gaps(memory);
        }
        if request.kind == Kind::Subscribe {
            self.subscriptions.expect_no_more(outbox::entries(request.packet(memory.tx)));
        }
        let ticket = request.ticket;
        match request.kind {
            // Until PUBREL has arrived, the server takes another message with this number for the same.
            Kind::ExactlyOnce | Kind::Release => self.note_change(Due::GiveUp(ticket)),
            Kind::AtLeastOnce | Kind::Taken => self.note_change(Due::Remove(ticket)),
            _ => {}
        }
        Some(ticket)
    }

    // ---- the life of a connection ----

    pub(crate) const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Online | Phase::Leaving)
    }

    pub(crate) const fn has_left(&self) -> bool {
        matches!(self.phase, Phase::Left)
    }

    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    pub(crate) fn transport_opened(
        &mut self,
        memory: &mut Memory<'_>,
        login: &Login<'_>,
    ) -> Result<(), Need> {
        if self.phase != Phase::Opening {
            return Ok(());
        }
        // Its connection is gone, and with it the need to acknowledge it.
        self.note_taken(memory);
        if login.will.is_some() && !self.config().limits.will {
            self.give_up(DisconnectReason::WillUnsupported);
            return Ok(());
        }
        let mut connect = Connect::new(login.client_id)
            .with_protocol(self.config().protocol)
            .with_clean_session(self.config().clean_session)
            .with_keep_alive(self.config().keep_alive());
        connect.will = login.will;
        connect.user_name = login.user_name;
        connect.password = login.password;
        self.lane.clear();
        match connect.encode(memory.control) {
            Ok(len) => {
                self.lane.written(len);
                self.phase = Phase::Handshake;
            }
            Err(EncodeError::BufferTooSmall { needed }) if memory.growable => {
                return Err(Need::Control(needed.saturating_sub(memory.control.len())));
            }
            Err(error) => self.give_up(DisconnectReason::InvalidLogin(error)),
        }
        Ok(())
    }

    /// CONNACK accepted the log-in.
    pub(crate) fn accepted(&mut self, memory: &mut Memory<'_>, session_present: bool) {
        self.phase = Phase::Online;
        self.connection = self.connection.wrapping_add(1);
        self.stable = self.now().later(self.config().stable_after_ms as Millis);
        // CONNECT has gone out: its password need not stay.
        memory.control.fill(0);
        count(&mut self.stats.connections);
        if !session_present {
            self.inbound.clear(self.is_kept());
            self.session_since = self.connection;
        }
        // A session that is present now may have begun with a CONNECT before, whose answer or replay did not come
        // through.
        let doubtful = core::mem::take(&mut self.unanswered) || self.subscriptions.is_replaying();
        self.subscriptions.start_replay(match self.config().resubscribe {
            Resubscribe::WithoutSession => !session_present || doubtful,
            Resubscribe::Always => true,
            Resubscribe::Never => false,
        });
        self.keep_alive.start(self.now(), self.config().keep_alive(), self.config().ping_timeout_ms);
        let resends = self.outbox.rewind(memory, session_present);
        self.stats.resends = self.stats.resends.saturating_add(resends);
    }

    /// CONNACK refused the log-in. Only an unavailable server is asked again: the same log-in would meet the same
    /// answer.
    pub(crate) fn refused(&mut self, reason: ReasonCode) {
        if reason != ReasonCode::ServerUnavailable {
            self.wanted = false;
        }
        self.end_attempt(Life::Other);
        self.close_due = true;
        self.ending = Some(Ending::Refused(reason));
    }

    pub(crate) fn transport_closed(&mut self, why: TransportError) {
        let reason = match self.phase {
            Phase::Idle | Phase::Waiting => return,
            Phase::Left => DisconnectReason::Requested,
            Phase::Opening | Phase::Handshake | Phase::Online | Phase::Leaving => {
                DisconnectReason::Transport(why)
            }
        };
        self.lose(reason);
        // There is nothing left to close.
        self.close_due = false;
    }

    /// Ends the attempt, for good if trying again can't help.
    pub(crate) fn give_up(&mut self, reason: DisconnectReason) {
        self.wanted = false;
        self.lose(reason);
    }

    /// Ends the attempt.
    pub(crate) fn lose(&mut self, reason: DisconnectReason) {
        self.unanswered |= self.phase == Phase::Handshake;
        let by_peer = matches!(reason, DisconnectReason::Transport(_));
        let life = match self.phase {
            Phase::Online | Phase::Leaving | Phase::Left if self.stable <= self.now() => Life::Stable,
            Phase::Online if by_peer => Life::Short,
            _ => Life::Other,
        };
        let reason = if self.end_attempt(life) { DisconnectReason::TakeoverSuspected } else { reason };
        self.close_due = true;
        self.ending = Some(Ending::Disconnected(reason));
    }

    /// When the next attempt follows, if one does. Asked for when an end is reported: the caller may have changed
    /// its mind since.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        if self.phase == Phase::Waiting && !self.paused { self.to_instant(self.deadline) } else { None }
    }

    /// Says whether it looks like a takeover.
    fn end_attempt(&mut self, life: Life) -> bool {
        let (takeover, delay) = self.history.ended(life, self.settings.config());
        self.lane.clear();
        self.outbox.hold_back();
        self.alone = false;
        self.parts = None;
        self.offered = Offered::Nothing;
        if !self.wanted {
            self.phase = Phase::Idle;
            return takeover;
        }
        // Who asked to leave and then to connect again need not wait.
        let left = matches!(self.phase, Phase::Leaving | Phase::Left);
        self.phase = Phase::Waiting;
        self.deadline = self.now().later(if left { 0 } else { delay as Millis });
        takeover
    }
}
