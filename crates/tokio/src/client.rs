//! The handle that programs hold.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use mqtt_p2p_aliyun::P2pTopic;
use mqtt_p2p_core::{
    DisconnectReason, Error, Publication, QoS, ReasonCode, Stats, SubscribeFilter, TopicFilter, TopicName,
};
use tokio::sync::oneshot;

use crate::attempts::First;
use crate::driver;
use crate::error::{ConnectError, PublishError, SubscribeError};
use crate::event::Events;
use crate::message::Messages;
use crate::options::Options;
use crate::shared::Shared;
use crate::tickets::{Delivery, Outcome, Pending};

/// A client. Clones share one connection; when the last one is dropped, the client says good-bye to the server and
/// ends.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
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
        let (first, connected) = oneshot::channel();
        let (client, messages) = Self::prepare(options, Some(first));
        let closed = ConnectError::Failed { reason: DisconnectReason::Requested, detail: None };
        match connected.await.unwrap_or(Err(closed)) {
            Ok(()) => Ok((client, messages)),
            Err(error) => {
                client.close().await;
                Err(error)
            }
        }
    }

    /// Starts to connect in the background, and goes on until it succeeds or the log-in is refused.
    ///
    /// Must be called on a tokio runtime with IO and time.
    pub fn start(options: Options) -> (Self, Messages) {
        Self::prepare(options, None)
    }

    fn prepare(options: Options, first: Option<First>) -> (Self, Messages) {
        // The standard library seeds its hash maps with what the operating system gives.
        let seed = RandomState::new().hash_one(&options.login.client_id);
        let shared = Arc::new(Shared::new(&options, seed));
        let messages = shared.add_stream(None);
        shared.lock().core.connect(shared.now());
        tokio::spawn(driver::run(Arc::clone(&shared), options, first));
        (Self { shared }, messages)
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Accepts a message, as soon as there is room for it. What comes back can be awaited for the message's delivery.
    ///
    /// Cancel safe: if the future is dropped before it is ready, nothing was accepted.
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

    /// Accepts a message now or not at all.
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
        self.accept_publication(&Publication { topic, payload: payload.as_ref(), qos, retain: false })
    }

    async fn publish_message(
        &self,
        topic: &str,
        payload: &[u8],
        qos: QoS,
        retain: bool,
    ) -> Result<Delivery, PublishError> {
        let topic = TopicName::new(topic).map_err(PublishError::Topic)?;
        let publication = Publication { topic, payload, qos, retain };
        self.when_there_is_room(|| self.accept_publication(&publication), PublishError::is_full).await
    }

    fn accept_publication(&self, publication: &Publication<'_>) -> Result<Delivery, PublishError> {
        let pending = self
            .accept(|core| core.publish(publication))
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
        let entries = [SubscribeFilter { filter, qos }];
        match self.request(|core| core.subscribe(&entries)).await?.await {
            Outcome::Answered(answers) => match answers.first() {
                Some(ReasonCode::GrantedQoS2) => Ok(QoS::ExactlyOnce),
                Some(ReasonCode::GrantedQoS1) => Ok(QoS::AtLeastOnce),
                Some(reason) if reason.is_error() => Err(SubscribeError::Refused(*reason)),
                _ => Ok(QoS::AtMostOnce),
            },
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
        match self.request(|core| core.unsubscribe(&filters)).await?.await {
            Outcome::Dropped => Err(SubscribeError::Closed),
            Outcome::Done | Outcome::Answered(_) => Ok(()),
        }
    }

    async fn request(
        &self,
        accept: impl Fn(
            &mut mqtt_p2p_core::Client<mqtt_p2p_core::Growing>,
        ) -> Result<mqtt_p2p_core::Ticket, Error>,
    ) -> Result<Pending, SubscribeError> {
        let accept =
            || self.accept(&accept).ok_or(SubscribeError::Closed)?.map_err(SubscribeError::NotAccepted);
        self.when_there_is_room(accept, SubscribeError::is_full).await
    }

    /// Hands a request to the core, and wakes the driver. `None`: the client was closed.
    fn accept(
        &self,
        accept: impl FnOnce(
            &mut mqtt_p2p_core::Client<mqtt_p2p_core::Growing>,
        ) -> Result<mqtt_p2p_core::Ticket, Error>,
    ) -> Option<Result<Pending, Error>> {
        let mut state = self.shared.lock();
        if state.closing || state.closed {
            return None;
        }
        let result = accept(&mut state.core).map(|ticket| {
            state.tickets.open(ticket);
            self.shared.work.notify_one();
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

    /// Another stream of all messages from now on, also of those that no subscription asked for, as P2P messages.
    pub fn messages(&self) -> Messages {
        self.shared.add_stream(None)
    }

    /// A stream of the messages whose topic a filter matches. It subscribes to nothing.
    ///
    /// # Errors
    /// Not a topic filter.
    pub fn messages_matching(&self, filter: &str) -> Result<Messages, SubscribeError> {
        TopicFilter::new(filter).map_err(SubscribeError::Filter)?;
        Ok(self.shared.add_stream(Some(filter.into())))
    }

    /// What happens to the connection from now on.
    pub fn events(&self) -> Events {
        Events(self.shared.add_watcher())
    }

    /// Whether the server has accepted the log-in and the connection has not ended.
    pub fn is_connected(&self) -> bool {
        self.shared.lock().core.is_connected()
    }

    /// The core's counters.
    pub fn stats(&self) -> Stats {
        self.shared.lock().core.stats()
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
        loop {
            let closed = self.shared.room.notified();
            let mut closed = std::pin::pin!(closed);
            closed.as_mut().enable();
            if self.shared.lock().closed {
                return;
            }
            closed.await;
        }
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
