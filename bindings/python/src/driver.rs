//! The state machine with what its driver keeps: polled until it waits, what it tells put down in order.

use std::borrow::Cow;

use crate::config::Login;
use crate::events::{
    CloseTransport, Connected, Disconnected, Dropped, OpenTransport, Published, Refused, Rejected,
    Subscribed, SubscriptionLost, Unsubscribed,
};
use crate::message::Parcel;
use crate::reasons;
use crate::tickets::Tickets;
use crate::tokens::{self, Tokens};
use crate::told::Told;
use crate::websocket::Wrapped;
use mqtt_p2p_aliyun::{Cause, Diagnosis, TokenNotice};
use mqtt_p2p_core::{
    Action, Client, Event, Growing, Instant, ReasonCode, Ticket, TransportError, packet_len,
};

/// So many bytes of answers may wait for `data_to_send` before no more is read.
const WRITE_AHEAD: usize = 64 * 1024;

/// Everything behind the lock.
pub(crate) struct Driver {
    pub(crate) client: Client<Growing>,
    pub(crate) login: Login,
    pub(crate) tokens: Option<Tokens>,
    diagnosis: Option<Diagnosis>,
    /// The caller's intent.
    wanted: bool,
    websocket: Option<Wrapped>,
    /// The beginning of a packet, or what had to wait for room.
    received: Vec<u8>,
    /// What goes out next.
    outgoing: Vec<u8>,
    /// DISCONNECT is the last that goes out.
    good_bye: bool,
    /// The state machine has something to send.
    output: bool,
    /// A dial that waits for tokens.
    opening: Option<u32>,
    /// The transport ended, which the state machine hears once it has taken all that came.
    ended: Option<Ended>,
    /// The transport's end in the words of whoever saw it.
    detail: Option<String>,
    /// What was told while nobody could be told.
    pending: Vec<Told<'static>>,
    /// The requests whose end somebody wants to know.
    awaited: Tickets,
    /// Those that the server has still to answer, for the diagnosis.
    unanswered: Tickets,
    now: Instant,
    /// Until when the state machine has nothing to do by itself.
    wake_at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Ended {
    why: TransportError,
    /// The transport itself is still open.
    to_close: bool,
}

impl Driver {
    pub(crate) fn new(
        client: Client<Growing>,
        login: Login,
        tokens: Option<Tokens>,
        diagnosis: Option<Diagnosis>,
    ) -> Self {
        Self {
            client,
            login,
            tokens,
            diagnosis,
            wanted: false,
            websocket: None,
            received: Vec::new(),
            outgoing: Vec::new(),
            good_bye: false,
            output: false,
            opening: None,
            ended: None,
            detail: None,
            pending: Vec::new(),
            awaited: Tickets::default(),
            unanswered: Tickets::default(),
            now: Instant::from_millis(0),
            wake_at: None,
        }
    }

    /// The time as Python tells it, in seconds.
    pub(crate) fn at(&mut self, now: f64) -> Instant {
        self.now = self.now.max(Instant::from_millis((now * 1000.0) as u64));
        self.now
    }

    // ---- what the caller asks for ----

    pub(crate) fn connect(&mut self) {
        self.wanted = true;
        if let Some(tokens) = &mut self.tokens {
            tokens.start_over();
        }
        self.client.connect(self.now);
        self.wake_at = Some(self.now);
    }

    pub(crate) fn disconnect(&mut self) {
        self.wanted = false;
        self.client.disconnect(self.now);
        self.output = true;
        self.wake_at = Some(self.now);
    }

    /// A request was accepted.
    #[inline]
    pub(crate) fn accepted(&mut self, ticket: Ticket, awaited: bool, acknowledged: bool) -> u32 {
        let bits = ticket.to_bits();
        if acknowledged && self.diagnosis.is_some() {
            self.unanswered.insert(bits);
        }
        if awaited {
            self.awaited.insert(bits);
        }
        self.output = true;
        bits
    }

    /// What the service may dislike was used. The time is that of the last call that told one.
    #[inline]
    pub(crate) fn used(&mut self, topic: &str, payload_len: usize) {
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.used(topic, payload_len, self.now);
        }
    }

    // ---- the transport ----

    pub(crate) fn transport_opened(&mut self, websocket: Option<(Wrapped, Vec<u8>)>) {
        self.forget_transport();
        match websocket {
            None => self.log_in(),
            Some((wrapped, request)) => {
                self.outgoing = request;
                self.websocket = Some(wrapped);
            }
        }
        self.output = true;
    }

    fn log_in(&mut self) {
        let ready = self.tokens.as_mut().is_none_or(|tokens| tokens.log_in(&mut self.login));
        if ready {
            self.client.transport_opened(self.now, &self.login.borrow());
            self.output = true;
        } else {
            self.end(TransportError::NoLogIn, true, "a token expired while the connection was opened".into());
        }
    }

    pub(crate) fn transport_closed(&mut self, why: TransportError, detail: String) {
        self.end(why, false, detail);
    }

    fn end(&mut self, why: TransportError, to_close: bool, detail: String) {
        match &mut self.ended {
            // What was known first is why.
            Some(ended) => ended.to_close &= to_close,
            None => {
                self.ended = Some(Ended { why, to_close });
                self.detail = Some(detail).filter(|detail| !detail.is_empty());
            }
        }
    }

    fn forget_transport(&mut self) {
        self.opening = None;
        self.ended = None;
        self.websocket = None;
        self.good_bye = false;
        self.received.clear();
        self.outgoing.clear();
    }

    /// What may go out before the transport is closed.
    fn last_words(&mut self) -> CloseTransport {
        if !self.good_bye {
            self.outgoing.clear();
        }
        if let Some(websocket) = &mut self.websocket {
            websocket.close();
            let packets = std::mem::take(&mut self.outgoing);
            websocket.wrap(&packets, &mut self.outgoing);
        }
        CloseTransport { last_words: std::mem::take(&mut self.outgoing) }
    }

    // ---- what comes in ----

    /// Joins what came with what was left. It is empty while no packet is whole.
    pub(crate) fn join<'b>(&mut self, data: Cow<'b, [u8]>) -> Cow<'b, [u8]> {
        let data = if self.websocket.is_some() { self.unwrapped(data.into_owned()).into() } else { data };
        if self.received.is_empty() {
            return data;
        }
        self.received.extend_from_slice(&data);
        if self.has_whole_packet() { std::mem::take(&mut self.received).into() } else { Cow::Borrowed(&[]) }
    }

    fn has_whole_packet(&self) -> bool {
        !self.received.is_empty() && is_whole(&self.received)
    }

    fn unwrapped(&mut self, mut data: Vec<u8>) -> Vec<u8> {
        let Some(websocket) = &mut self.websocket else {
            return data;
        };
        let result = websocket.unwrap(&mut data);
        let ended = websocket.ended();
        match result {
            Ok(true) => self.log_in(),
            Ok(false) => {}
            Err((why, detail)) => self.end(why, true, detail),
        }
        if let Some((why, detail)) = ended {
            self.end(why, true, detail);
        }
        data
    }

    /// Polls until there is nothing to do, or no room for what is to be sent. What is left of `received` stays.
    pub(crate) fn drain<'b>(&mut self, mut received: &'b [u8], told: &mut Vec<Told<'b>>) {
        told.extend(std::mem::take(&mut self.pending));
        self.poll_all(&mut received, told, 0);
        if !received.is_empty() {
            self.received.extend_from_slice(received);
        }
    }

    // ---- what goes out ----

    /// The next bytes for the transport, about `max` at most. What it tells, the next `drain` gives.
    pub(crate) fn data_to_send(&mut self, max: usize) -> Vec<u8> {
        let mut told = Vec::new();
        self.poll_all(&mut &[][..], &mut told, max);
        self.pending.append(&mut told);
        let Some(websocket) = &mut self.websocket else {
            return std::mem::take(&mut self.outgoing);
        };
        if websocket.is_opening() {
            // The request.
            return std::mem::take(&mut self.outgoing);
        }
        let mut frames = Vec::new();
        websocket.wrap(&self.outgoing, &mut frames);
        self.outgoing.clear();
        frames
    }

    /// Whether `data_to_send` is likely to have something.
    pub(crate) fn has_output(&self) -> bool {
        self.output || !self.outgoing.is_empty() || self.websocket.as_ref().is_some_and(Wrapped::is_pending)
    }

    /// Whether `drain` has something to tell already.
    pub(crate) fn has_events(&self) -> bool {
        let has_room = self.outgoing.len() < WRITE_AHEAD;
        !self.pending.is_empty() || self.ended.is_some() || (has_room && self.has_whole_packet())
    }

    /// Whether what came can't be read before more has been sent.
    pub(crate) fn is_blocked(&self) -> bool {
        self.has_whole_packet()
    }

    /// Seconds until `drain` has to be called again.
    pub(crate) fn next_timeout(&mut self) -> Option<f64> {
        if self.has_events() {
            return Some(0.0);
        }
        let at = self.wake_at.map(|at| at.millis_since(self.now) as f64 / 1000.0);
        let watched = self.client.is_connected() || self.opening.is_some();
        let tokens = self.tokens.as_mut().filter(|_| watched).and_then(Tokens::due_in);
        match (at, tokens) {
            (Some(at), Some(tokens)) => Some(at.min(tokens)),
            (at, tokens) => at.or(tokens),
        }
    }

    // ---- polling ----

    fn poll_all<'b>(&mut self, rest: &mut &'b [u8], told: &mut Vec<Told<'b>>, room: usize) {
        self.poll(rest, told, room);
        while self.tokens.is_some() && self.see_to_tokens(told) {
            self.poll(rest, told, room);
        }
    }

    /// Takes so many bytes of output; with 0, only what stands in the way of reading.
    fn poll<'b>(&mut self, rest: &mut &'b [u8], told: &mut Vec<Told<'b>>, room: usize) {
        self.output = false;
        loop {
            match self.client.poll(self.now, rest) {
                Action::Event(Event::Message(message)) => match notice(&message) {
                    None => told.push(Told::Message(Parcel::new(&message))),
                    Some(notice) => {
                        if let Some(tokens) = &mut self.tokens {
                            tokens.notice(&notice);
                        }
                        told.extend(tokens::told(&notice));
                        // Nobody else gets it, so nobody else acknowledges it.
                        if let Some(token) = message.ack {
                            let _ = self.client.acknowledge(token);
                        }
                    }
                },
                Action::Transmit(bytes) => {
                    let blocks_reading = is_whole(rest);
                    let room = if blocks_reading { room.max(WRITE_AHEAD) } else { room };
                    let len = bytes.len().min(room.saturating_sub(self.outgoing.len()));
                    if self.ended.is_some() {
                        if !blocks_reading {
                            self.report_end(told);
                            continue;
                        }
                        // Nobody gets it any more, and there is more to read.
                        let len = bytes.len();
                        self.client.transmitted(len);
                    } else if len > 0 {
                        self.outgoing.extend_from_slice(&bytes[..len]);
                        self.client.transmitted(len);
                        self.good_bye = self.client.has_left();
                    } else {
                        self.output = true;
                        self.wake_at = self.client.due_at();
                        return;
                    }
                }
                Action::OpenTransport { attempt, .. } => {
                    self.forget_transport();
                    self.detail = None;
                    if self.tokens.is_some() {
                        self.opening = Some(attempt);
                    } else {
                        told.push(OpenTransport { attempt }.into());
                    }
                }
                Action::CloseTransport => {
                    let last_words = self.last_words();
                    told.push(last_words.into());
                    self.forget_transport();
                }
                Action::Event(event) => self.note(&event, told),
                Action::Store(_) => {}
                Action::Wait(until) => {
                    self.wake_at = until;
                    if self.ended.is_none() {
                        return;
                    }
                    self.report_end(told);
                }
            }
        }
    }

    /// An acknowledgement waits, perhaps.
    pub(crate) const fn output_due(&mut self) {
        self.output = true;
    }

    fn report_end(&mut self, told: &mut Vec<Told<'_>>) {
        let Some(ended) = self.ended.take() else {
            return;
        };
        if ended.to_close {
            let last_words = self.last_words();
            told.push(last_words.into());
        }
        self.forget_transport();
        self.client.transport_closed(self.now, ended.why);
    }

    fn note(&mut self, event: &Event<'_>, told: &mut Vec<Told<'_>>) {
        let now = self.now;
        let wait = |at: Option<Instant>| at.map(|at| at.millis_since(now) as f64 / 1000.0);
        match *event {
            Event::Published { ticket, .. } => {
                self.answered(ticket);
                if self.is_awaited(ticket) {
                    told.push(Published { ticket: ticket.to_bits() }.into());
                }
            }
            Event::Subscribed { ticket, return_codes, .. } => {
                self.answered(ticket);
                if self.is_awaited(ticket) {
                    let granted = return_codes.iter().map(|code| code as u32).collect();
                    told.push(Subscribed { ticket: ticket.to_bits(), granted }.into());
                }
            }
            Event::Unsubscribed { ticket, .. } => {
                self.answered(ticket);
                if self.is_awaited(ticket) {
                    told.push(Unsubscribed { ticket: ticket.to_bits() }.into());
                }
            }
            Event::Rejected { ticket, reason, .. } => {
                self.answered(ticket);
                if self.is_awaited(ticket) {
                    let (code, reason) = (reason as u32, reason.to_string());
                    told.push(Rejected { ticket: ticket.to_bits(), code, reason }.into());
                }
            }
            Event::Dropped { ticket, reason, .. } => {
                self.unanswered.remove(&ticket.to_bits());
                if self.is_awaited(ticket) {
                    told.push(Dropped { ticket: ticket.to_bits(), reason: reason.to_string() }.into());
                }
            }
            Event::Resubscribed { first, return_codes, .. } => {
                let asked = self.client.subscriptions().skip(first).zip(return_codes.iter());
                told.extend(
                    asked
                        .filter(|(_, answer)| answer.is_error())
                        .map(|(entry, _)| SubscriptionLost { filter: entry.filter.to_string() }.into()),
                );
            }
            Event::PublishedAlone => {
                let renewed = self.tokens.as_mut().and_then(Tokens::uploaded);
                told.extend(renewed.map(Into::into));
            }
            Event::Connected { session_present, .. } => {
                if let Some(diagnosis) = &mut self.diagnosis {
                    diagnosis.connected(now);
                }
                if let Some(tokens) = &mut self.tokens {
                    tokens.connected();
                }
                let again = self.client.stats().connections > 1;
                told.push(Connected { session_present, again }.into());
            }
            Event::Refused { reason, retry_at, .. } => {
                let goes_on = self.wanted && self.is_worth_another_log_in(reason);
                if goes_on {
                    self.client.connect(now);
                }
                told.push(
                    Refused {
                        code: reason.connack_code().unwrap_or_default().into(),
                        reason: reason.to_string(),
                        advice: reasons::refusal_advice(reason).into(),
                        retry_in: if goes_on { Some(0.0) } else { wait(retry_at) },
                    }
                    .into(),
                );
            }
            Event::Disconnected { reason, retry_at, .. } => {
                if let Some(tokens) = &mut self.tokens {
                    tokens.lost();
                }
                let detail = self.detail.take();
                let likely_cause = self.diagnosis.as_mut().map(|diagnosis| diagnosis.explain(&reason, now));
                let likely_cause = likely_cause.filter(|cause| !matches!(cause, Cause::None));
                told.push(
                    Disconnected {
                        kind: reasons::word(&reason).into(),
                        reason: reason.to_string(),
                        detail,
                        advice: likely_cause.as_ref().map_or(reason.advice(), Cause::advice).into(),
                        likely_cause: likely_cause.map(|cause| cause.to_string()),
                        retry_in: wait(retry_at),
                    }
                    .into(),
                );
            }
            _ => {}
        }
    }

    #[inline]
    fn is_awaited(&mut self, ticket: Ticket) -> bool {
        !self.awaited.is_empty() && self.awaited.remove(&ticket.to_bits())
    }

    /// The service has answered, which says something of what it was asked if nothing is left unanswered.
    #[inline]
    fn answered(&mut self, ticket: Ticket) {
        if let Some(diagnosis) = &mut self.diagnosis
            && self.unanswered.remove(&ticket.to_bits())
            && self.unanswered.is_empty()
        {
            diagnosis.answered();
        }
    }

    /// Once, with new tokens.
    fn is_worth_another_log_in(&mut self, reason: ReasonCode) -> bool {
        let Some(tokens) = &mut self.tokens else {
            return false;
        };
        if matches!(reason, ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized) {
            tokens.refused()
        } else {
            tokens.lost();
            false
        }
    }

    /// Asks for tokens, dials once they are there, uploads new ones. Whether the state machine has to be asked again.
    fn see_to_tokens(&mut self, told: &mut Vec<Told<'_>>) -> bool {
        let Some(tokens) = &mut self.tokens else {
            return false;
        };
        if tokens.has_given_up() && self.wanted {
            self.wanted = false;
            self.client.disconnect(self.now);
            return true;
        }
        if self.client.is_connected() || self.opening.is_some() {
            told.extend(tokens.ask().map(Into::into));
        }
        if let Some(attempt) = self.opening {
            if tokens.may_log_in() {
                self.opening = None;
                told.push(OpenTransport { attempt }.into());
            } else if !tokens.is_asking() {
                self.opening = None;
                self.client.transport_closed(self.now, TransportError::NoLogIn);
                return true;
            }
        }
        if tokens.upload(&mut self.client) {
            self.output = true;
        }
        false
    }

    /// Puts back what could not be told.
    pub(crate) fn put_back(&mut self, told: impl Iterator<Item = Told<'static>>) {
        self.pending.splice(..0, told);
    }
}

/// Whether a whole packet, or what is none, is at the front.
fn is_whole(bytes: &[u8]) -> bool {
    !bytes.is_empty() && packet_len(bytes).is_some_and(|len| len <= bytes.len())
}

/// What the service says of a token.
fn notice(message: &mqtt_p2p_core::Message<'_>) -> Option<TokenNotice> {
    // All but very few messages end here.
    if !message.topic.as_bytes().starts_with(b"$SYS/token") {
        return None;
    }
    TokenNotice::parse(message.topic.as_str(), message.payload)?.ok()
}
