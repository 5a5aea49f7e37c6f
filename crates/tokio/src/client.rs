//! The handle that programs hold.

use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use mqtt_p2p_aliyun::P2pTopic;
use mqtt_p2p_core::{Error, Publication, QoS, ReasonCode, SubscribeFilter, TopicFilter, TopicName};
use tracing::Instrument;

use crate::driver;
use crate::error::{ConnectError, PublishError, SubscribeError};
use crate::event::Events;
use crate::handlers::Handler;
use crate::identity;
use crate::message::Message;
use crate::options::Options;
use crate::shared::Shared;
use crate::stats::Stats;
use crate::streams::{Messages, StreamBuilder};
use crate::tickets::{Delivery, Outcome, Pending};
use crate::trace::{Trace, TraceEntry};

/// A client. Clones share one connection; when the last one is dropped, the client says good-bye to the server and
/// ends.
#[derive(Debug)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

impl Client {
    /// Connects, and gives the client with a stream of all its messages, which is there before the first one can
    /// come. Drop the stream if you do not read it.
    ///
    /// Must be called on a tokio runtime with IO and time.
    ///
    /// # Errors
    /// The first attempt failed, at every endpoint. Use [`Client::start`] to go on trying.
    ///
    /// Cancel safe: dropping the future ends the attempt.
    pub async fn connect(options: Options) -> Result<(Self, Messages), ConnectError> {
        let (client, messages) = Self::prepare(options, true);
        client.shared.first_round().await?;
        Ok((client, messages))
    }

    /// One connection for the whole process: who asks for the same endpoint and client id gets the same client, and
    /// each a stream of its own of all messages, from then on. Two connections would throw each other out, since the
    /// server knows one of each client id.
    ///
    /// Who asks while the first attempt is under way shares it, and its failure, which leaves nothing behind. A
    /// connection that stood once is given as it is, even if it is just being made again. It lives until the last of
    /// its [`holders`](Self::holders) drops the client or [leaves](Self::leave); who asks after that waits for the
    /// good-bye and gets a new one. [`close`](Self::close), [`disconnect`](Self::disconnect) and a stream that
    /// [waits](crate::WhenFull::Wait) for its reader concern all holders. Clients from [`connect`](Self::connect) and
    /// [`start`](Self::start) are never shared.
    ///
    /// ```no_run
    /// # async fn example(options: mqtt_p2p_tokio::Options) -> Result<(), Box<dyn std::error::Error>> {
    /// use mqtt_p2p_tokio::Client;
    ///
    /// let (chat, messages) = Client::shared(options.clone()).await?;
    /// let (presence, _) = Client::shared(options).await?;
    /// assert_eq!(presence.holders(), 2);
    /// chat.leave().await;
    /// // The connection is still there, for the other.
    /// presence.leave().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Must be called on a tokio runtime with IO and time. The connection lives on that of whoever asked first.
    ///
    /// # Errors
    /// The first attempt failed; [`ConnectError::OtherOptions`] if there is one, made with other options.
    ///
    /// Cancel safe: dropping the future leaves, or ends the attempt if nobody else waits for it.
    pub async fn shared(options: Options) -> Result<(Self, Messages), ConnectError> {
        identity::connect(options).await
    }

    /// Starts to connect in the background, and goes on until it succeeds or the log-in is refused;
    /// [`first_round`](Self::first_round) tells. A [session store](Options::session_store) that can't be used closes the
    /// client at once.
    ///
    /// Must be called on a tokio runtime with IO and time.
    pub fn start(options: Options) -> (Self, Messages) {
        Self::prepare(options, false)
    }

    /// `one_round`: it ends if the first round of attempts fails.
    pub(crate) fn prepare(options: Options, one_round: bool) -> (Self, Messages) {
        // The standard library seeds its hash maps with what the operating system gives.
        let seed = RandomState::new().hash_one(&options.login.client_id);
        let shared = Arc::new(Shared::new(&options, seed));
        let messages = StreamBuilder::new(Arc::clone(&shared)).open();
        match shared.restore(&options) {
            Ok(keeper) => {
                let mut state = shared.lock();
                state.one_round = one_round;
                state.core.connect(shared.now());
                drop(state);
                tokio::spawn(
                    driver::run(Arc::clone(&shared), options, keeper).instrument(shared.span.clone()),
                );
            }
            Err(error) => {
                shared.lock().first_round = Some(Err(error));
                shared.end();
            }
        }
        (Self { shared }, messages)
    }

    /// Waits for the end of the first round of attempts: one for each endpoint.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// It failed. Whether others follow is for [`events`](Self::events) to tell.
    pub async fn first_round(&self) -> Result<(), ConnectError> {
        self.shared.first_round().await
    }

    /// Accepts a message, as soon as there is room for it. What comes back can be awaited for the message's delivery.
    /// With a [session store](Options::session_store), a message of QoS 1 or 2 is in it when the call returns.
    ///
    /// Cancel safe: if the future is dropped before it is ready, nothing was accepted; with a session store, the message
    /// may be on its way all the same.
    ///
    /// # Errors
    /// Not a topic name; too large; refused for want of a connection, if so configured; the client was closed.
    pub async fn publish(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        qos: QoS,
    ) -> Result<Delivery, PublishError> {
        self.publish_message(topic, payload.as_ref(), qos, false).await
    }

    /// The same for a retained message. ApsaraMQ does not know them.
    ///
    /// # Errors
    /// As [`Self::publish`], and [`Error::RetainUnsupported`].
    pub async fn publish_retained(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        qos: QoS,
    ) -> Result<Delivery, PublishError> {
        self.publish_message(topic, payload.as_ref(), qos, true).await
    }

    /// The same for a P2P message: it goes to one client id, which needs no subscription, under a parent topic that
    /// exists in the service.
    ///
    /// # Errors
    /// As [`Self::publish`], and parent or target against the service's rules.
    pub async fn send_p2p(
        &self,
        parent: &str,
        target: &str,
        payload: impl AsRef<[u8]>,
        qos: QoS,
    ) -> Result<Delivery, PublishError> {
        let topic = P2pTopic::new(parent, target).map_err(PublishError::P2p)?;
        self.publish_message(topic.as_str(), payload.as_ref(), qos, false).await
    }

    /// Accepts a message now or not at all. With a [session store](Options::session_store), it is not in there yet when
    /// the call returns.
    ///
    /// # Errors
    /// As [`Self::publish`], and [`Error::Full`].
    pub fn try_publish(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        qos: QoS,
    ) -> Result<Delivery, PublishError> {
        let topic = TopicName::new(topic).map_err(PublishError::Topic)?;
        self.accept_publication(&Publication::new(topic, payload.as_ref()).with_qos(qos))
    }

    async fn publish_message(
        &self,
        topic: &str,
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<Delivery, PublishError> {
        let topic = TopicName::new(topic).map_err(PublishError::Topic)?;
        let publication = Publication::new(topic, payload).with_qos(qos).with_retain(retain);
        // Who publishes without ever having to wait must let the other tasks run, too: the driver is one of them.
        tokio::task::coop::consume_budget().await;
        let delivery =
            self.when_there_is_room(|| self.accept_publication(&publication), PublishError::is_full).await?;
        if qos != QoS::AtMostOnce && !self.shared.is_kept().await {
            return Err(PublishError::Closed);
        }
        Ok(delivery)
    }

    fn accept_publication(&self, publication: &Publication<'_>) -> Result<Delivery, PublishError> {
        let pending = self
            .accept(publication.topic.as_str(), publication.payload.len(), |core| core.publish(publication))
            .ok_or(PublishError::Closed)?
            .map_err(PublishError::NotAccepted)?;
        Ok(Delivery(pending))
    }

    /// Asks for the messages of a topic filter, and waits for the server's answer: the QoS that it granted.
    ///
    /// The messages come through [`messages`](Self::messages) and the streams whose filter matches. After a
    /// reconnect the client asks for them again.
    ///
    /// # Errors
    /// Not a topic filter; refused by the server or the client's limits; the client was closed.
    ///
    /// Cancel safe: if the future is dropped, the subscription may have been asked for already.
    pub async fn subscribe(&self, filter: &str, qos: QoS) -> Result<QoS, SubscribeError> {
        let filter = TopicFilter::new(filter).map_err(SubscribeError::Filter)?;
        let entries = [SubscribeFilter::new(filter, qos)];
        match self.request(filter.as_str(), |core| core.subscribe(&entries)).await?.await {
            Outcome::Answered(answers) => match answers.first() {
                Some(ReasonCode::GrantedQoS2) => Ok(QoS::ExactlyOnce),
                Some(ReasonCode::GrantedQoS1) => Ok(QoS::AtLeastOnce),
                Some(reason) if reason.is_error() => Err(SubscribeError::Refused(*reason)),
                _ => Ok(QoS::AtMostOnce),
            },
            Outcome::Rejected(reason) => Err(SubscribeError::Refused(reason)),
            Outcome::Done | Outcome::Dropped => Err(SubscribeError::Closed),
        }
    }

    /// Ends a subscription, and waits for the server's answer.
    ///
    /// # Errors
    /// Not a topic filter; refused by the client's limits; the client was closed.
    ///
    /// Cancel safe: if the future is dropped, the end may have been asked for already.
    pub async fn unsubscribe(&self, filter: &str) -> Result<(), SubscribeError> {
        let filters = [TopicFilter::new(filter).map_err(SubscribeError::Filter)?];
        match self.request(filter, |core| core.unsubscribe(&filters)).await?.await {
            Outcome::Dropped => Err(SubscribeError::Closed),
            Outcome::Rejected(reason) => Err(SubscribeError::Refused(reason)),
            Outcome::Done | Outcome::Answered(_) => Ok(()),
        }
    }

    async fn request(
        &self,
        filter: &str,
        accept: impl Fn(
            &mut mqtt_p2p_core::Client<mqtt_p2p_core::Growing>,
        ) -> Result<mqtt_p2p_core::Ticket, Error>,
    ) -> Result<Pending, SubscribeError> {
        let accept = || {
            self.accept(filter, 0, &accept)
                .ok_or(SubscribeError::Closed)?
                .map_err(SubscribeError::NotAccepted)
        };
        self.when_there_is_room(accept, SubscribeError::is_full).await
    }

    /// Hands a request for this topic or filter, with so many bytes of payload, to the core, and wakes the driver.
    /// `None`: the client was closed.
    fn accept(
        &self,
        topic: &str,
        payload: usize,
        accept: impl FnOnce(
            &mut mqtt_p2p_core::Client<mqtt_p2p_core::Growing>,
        ) -> Result<mqtt_p2p_core::Ticket, Error>,
    ) -> Option<Result<Pending, Error>> {
        let mut state = self.shared.lock();
        if state.closing || state.closed {
            return None;
        }
        let result = accept(&mut state.core).map(|ticket| {
            state.tickets.open(ticket, topic.len() + payload);
            // The driver is woken, and the clock read, once for all that it will see together.
            let now = *state.asked_at.get_or_insert_with(|| {
                self.shared.work.notify_one();
                self.shared.now()
            });
            state.diagnosis.used(topic, payload, now);
            Pending::new(Arc::clone(&self.shared), ticket)
        });
        Some(result)
    }

    /// Tries until there is room.
    async fn when_there_is_room<T, E>(
        &self,
        attempt: impl Fn() -> Result<T, E>,
        is_full: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        loop {
            // Listen first, so that room made in between is not missed.
            let room = self.shared.room.notified();
            let mut room = std::pin::pin!(room);
            match attempt() {
                Err(error) if is_full(&error) => {
                    room.as_mut().enable();
                }
                result => return result,
            }
            match attempt() {
                Err(error) if is_full(&error) => room.await,
                result => return result,
            }
        }
    }

    /// A stream of messages from now on, with a capacity and a policy of its own.
    pub fn stream(&self) -> StreamBuilder {
        StreamBuilder::new(Arc::clone(&self.shared))
    }

    /// Another stream of all messages from now on, also of those that no subscription asked for, as P2P messages.
    pub fn messages(&self) -> Messages {
        self.stream().open()
    }

    /// A stream of the messages whose topic a filter matches. It subscribes to nothing.
    ///
    /// # Errors
    /// Not a topic filter.
    pub fn messages_matching(&self, filter: &str) -> Result<Messages, SubscribeError> {
        Ok(self.stream().matching(filter)?.open())
    }

    /// Calls a handler for each message whose topic a filter matches, one after the other, in a task of its own. It
    /// subscribes to nothing. More is said at [`StreamBuilder::for_each`], which is the same for any stream.
    ///
    /// ```no_run
    /// # async fn example(client: mqtt_p2p_tokio::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let handler = client.on_message("order/+", |message| async move {
    ///     let order = std::str::from_utf8(message.payload())?;
    ///     println!("{}: {order}", message.topic());
    ///     Ok::<_, std::str::Utf8Error>(())
    /// })?;
    /// client.subscribe("order/+", mqtt_p2p_tokio::QoS::AtLeastOnce).await?;
    /// # handler.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Not a topic filter.
    pub fn on_message<H, F, E>(&self, filter: &str, handler: H) -> Result<Handler, SubscribeError>
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        Ok(self.stream().matching(filter)?.for_each(handler))
    }

    /// What happens to the connection from now on.
    pub fn events(&self) -> Events {
        Events(self.shared.add_watcher())
    }

    /// The subscriptions that the server granted, with the QoS that was asked for. For ApsaraMQ's limits, which it
    /// enforces without a word, [`SubscriptionCount::of`](crate::SubscriptionCount::of) counts them.
    pub fn subscriptions(&self) -> Vec<(String, QoS)> {
        let mut state = self.shared.lock();
        let listed = state.core.subscriptions();
        listed.map(|entry| (entry.filter.as_str().to_owned(), entry.qos)).collect()
    }

    /// Whether the server has accepted the log-in and the connection has not ended.
    pub fn is_connected(&self) -> bool {
        self.shared.lock().is_connected()
    }

    /// What the client did since it was made, and how it stands.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        let core = state.core.stats();
        let (meter, tickets) = (&state.meter, &state.tickets);
        Stats {
            connected: state.is_connected(),
            connections: core.connections.into(),
            reconnects: core.connections.saturating_sub(1).into(),
            bytes_sent: self.shared.bytes_sent.load(Relaxed),
            bytes_received: self.shared.bytes_received.load(Relaxed),
            packets_sent: meter.sent.packets,
            packets_received: meter.received.packets,
            messages_sent: meter.sent.messages,
            messages_received: meter.received.messages,
            resends: core.resends.into(),
            duplicates: core.duplicates.into(),
            unexpected_acks: core.unexpected_acks.into(),
            unclaimed: state.unclaimed,
            dropped: self.shared.dropped.load(Relaxed),
            in_flight: state.core.in_flight().into(),
            queued: tickets.open,
            queued_bytes: tickets.open_bytes,
            held: self.shared.held.load(Relaxed),
            round_trip: meter.round_trip.last,
            round_trip_smoothed: meter.round_trip.smoothed,
        }
    }

    /// Notes the packets that go by from now on: the last so many of them, at least one. What was noted before is
    /// forgotten. Each costs some 200 bytes and its topic.
    ///
    /// Whoever listens to [`tracing`] events of the target `mqtt_p2p::packets` at TRACE gets them all without this.
    pub fn start_trace(&self, capacity: usize) {
        let before = self.shared.lock().meter.trace.replace(Trace::new(capacity));
        drop(before);
    }

    /// Notes no more packets; what was noted can still be read.
    pub fn stop_trace(&self) {
        if let Some(trace) = &mut self.shared.lock().meter.trace {
            trace.on = false;
        }
    }

    /// The packets that were noted since [`start_trace`](Self::start_trace), the oldest first.
    pub fn trace_log(&self) -> Vec<TraceEntry> {
        self.shared.lock().meter.trace.as_ref().map(Trace::log).unwrap_or_default()
    }

    /// How many messages came while there was no stream for them.
    pub fn unclaimed_messages(&self) -> u64 {
        self.shared.lock().unclaimed
    }

    /// Connects again after [`disconnect`](Self::disconnect) or a refusal; while a retry is waited for, at once.
    /// Nothing happens after [`close`](Self::close).
    pub fn reconnect(&self) {
        let mut state = self.shared.lock();
        if !state.closing {
            state.wanted = true;
            if let Some(tokens) = self.shared.log_ins.tokens() {
                tokens.start_over();
            }
            state.core.connect(self.shared.now());
            self.shared.work.notify_one();
        }
    }

    /// The program goes to the background: no attempt begins, and no timer runs.
    pub fn pause(&self) {
        self.shared.lock().core.pause(self.shared.now());
        self.shared.work.notify_one();
    }

    /// The program is back: reconnects at once, or asks at once whether the connection still lives.
    pub fn resume(&self) {
        self.shared.lock().core.resume(self.shared.now());
        self.shared.work.notify_one();
    }

    /// Leaves: what may already be sent goes out, then DISCONNECT. Messages that wait stay, for
    /// [`reconnect`](Self::reconnect).
    ///
    /// Cancel safe: leaving goes on.
    pub async fn disconnect(&self) {
        let left = self.shared.room.notified();
        let mut left = std::pin::pin!(left);
        let before = {
            let mut state = self.shared.lock();
            state.wanted = false;
            state.core.disconnect(self.shared.now());
            state.ends
        };
        self.shared.work.notify_one();
        loop {
            left.as_mut().enable();
            {
                let state = self.shared.lock();
                // Another handle may already have asked for the next connection.
                if !state.is_attached() || state.ends != before {
                    return;
                }
            }
            left.as_mut().await;
            left.set(self.shared.room.notified());
        }
    }

    /// Leaves for good: as [`disconnect`](Self::disconnect), and what still waits is dropped.
    ///
    /// Cancel safe: closing goes on.
    pub async fn close(self) {
        self.shared.close();
        self.shared.closed().await;
    }

    /// Lets go of the connection. The last to hold it, among the clones of this client and those whom
    /// [`shared`](Self::shared) gave it, leaves as by [`close`](Self::close), and waits for that; to drop the client
    /// does the same without waiting.
    ///
    /// Cancel safe: leaving goes on.
    pub async fn leave(self) {
        let shared = Arc::clone(&self.shared);
        drop(self);
        let last = shared.lock().handles == 0;
        if last {
            shared.closed().await;
        }
    }

    /// How many hold this connection: clones, and those whom [`shared`](Self::shared) gave it.
    pub fn holders(&self) -> usize {
        self.shared.lock().handles
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        self.shared.lock().handles += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let last = {
            let mut state = self.shared.lock();
            state.handles -= 1;
            state.handles == 0
        };
        if last {
            self.shared.close();
        }
    }
}

impl PublishError {
    const fn is_full(&self) -> bool {
        matches!(self, Self::NotAccepted(Error::Full(_)))
    }
}

impl SubscribeError {
    const fn is_full(&self) -> bool {
        matches!(self, Self::NotAccepted(Error::Full(_)))
    }
}
