//! Streams of messages: bounded queues, each with a policy of its own for when it is full.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mqtt_p2p_core::{TopicFilter, TopicName};
use tokio::sync::Notify;

use crate::error::SubscribeError;
use crate::message::Message;
use crate::shared::Shared;

/// How many bytes a queue may hold while an answer of the server is awaited.
const OVERFLOW: usize = 64 * 1024 * 1024;

/// What happens to a message for which a stream has no room.
///
/// Unless messages are acknowledged by hand ([`Config::manual_ack`](crate::Config::manual_ack)), the client
/// acknowledges what it has read from the socket: a message that a stream dropped is lost to its reader, though the
/// server believes it delivered. By hand, a dropped message is simply not acknowledged, unless another stream's
/// reader does so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// Nothing is dropped: the client stops reading from the socket until there is room, and so the server waits,
    /// and with it the other streams.
    #[default]
    Wait,
    /// The message that has just come is dropped.
    DropNewest,
    /// The message that has waited longest is dropped.
    DropOldest,
}

/// A stream to be, from [`Client::stream`](crate::Client::stream): of all messages, with room for
/// [`Options::stream_capacity`](crate::Options::stream_capacity) of them, waiting when it is full.
///
/// ```no_run
/// # async fn example(client: mqtt_p2p_tokio::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use mqtt_p2p_tokio::WhenFull;
///
/// let mut positions = client.stream().matching("position/+")?.capacity(16).when_full(WhenFull::DropOldest).open();
/// while let Some(position) = positions.recv().await {
///     println!("{} ({} were too old)", position.topic(), positions.dropped());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is received before `open` or `for_each`"]
pub struct StreamBuilder {
    shared: Arc<Shared>,
    filter: Option<String>,
    capacity: usize,
    when_full: WhenFull,
}

impl StreamBuilder {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let capacity = shared.stream_capacity;
        Self { shared, filter: None, capacity, when_full: WhenFull::Wait }
    }

    /// Only messages whose topic this filter matches. It subscribes to nothing.
    ///
    /// # Errors
    /// Not a topic filter.
    pub fn matching(mut self, filter: &str) -> Result<Self, SubscribeError> {
        TopicFilter::new(filter).map_err(SubscribeError::Filter)?;
        self.filter = Some(filter.into());
        Ok(self)
    }

    /// How many messages it holds, at least 1.
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages.max(1);
        self
    }

    /// What happens when it is full.
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// The stream of what comes from now on.
    pub fn open(self) -> Messages {
        let ignore_slash = self.shared.ignore_trailing_slash;
        let queue = Arc::new(Queue::new(self.filter, ignore_slash, self.capacity, self.when_full));
        self.shared.add_stream(Arc::clone(&queue));
        Messages { queue, shared: self.shared }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// A stream of messages with a bounded queue of its own.
///
/// When the queue is full, its [`WhenFull`] says what happens. With [`WhenFull::Wait`], as all have that are not
/// made by [`Client::stream`](crate::Client::stream), the client stops reading from the socket until there is room,
/// and so the server waits: read it, or drop it. While somebody awaits an answer of the server
/// ([`Delivery`](crate::Delivery), [`subscribe`](crate::Client::subscribe)), which can lie behind any number of
/// messages, such a queue takes more, up to 64 MiB: so the task that reads messages may await deliveries too.
pub struct Messages {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
}

impl Messages {
    /// The next message; `None` when the client has been closed and the queue is empty.
    ///
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<Message> {
        loop {
            // Who reads without ever having to wait must let the other tasks run, too.
            tokio::task::coop::consume_budget().await;
            match self.queue.take() {
                Taken::Message(message) => return Some(self.taken(message)),
                Taken::Ended => return None,
                Taken::Nothing => self.queue.filled.notified().await,
            }
        }
    }

    /// The next message, if one is there.
    pub fn try_recv(&mut self) -> Option<Message> {
        match self.queue.take() {
            Taken::Message(message) => Some(self.taken(message)),
            Taken::Ended | Taken::Nothing => None,
        }
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.queue.messages.load(Relaxed)
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of topics and payloads wait.
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes.load(Relaxed)
    }

    /// How many messages were dropped because the queue was full; never any with [`WhenFull::Wait`].
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Relaxed)
    }

    pub(crate) fn filter(&self) -> Option<&str> {
        self.queue.filter()
    }

    fn taken(&self, message: Message) -> Message {
        self.queue.remove(&message);
        self.shared.room_in_a_stream();
        message
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.queue.abandon();
        self.shared.room_in_a_stream();
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("len", &self.len()).field("dropped", &self.dropped()).finish()
    }
}

/// What waits for one reader. The driver fills it, the reader empties it.
pub(crate) struct Queue {
    filter: Option<String>,
    /// A `/` at the end of a topic makes no difference.
    ignore_slash: bool,
    inner: Mutex<Inner>,
    /// There is a message, or no more will come.
    filled: Notify,
    /// How much waits here, or is on its way here.
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// The reader is gone.
    abandoned: AtomicBool,
    dropped: AtomicU64,
    capacity: usize,
    when_full: WhenFull,
}

#[derive(Default)]
struct Inner {
    messages: VecDeque<Message>,
    ended: bool,
}

enum Taken {
    Message(Message),
    Nothing,
    Ended,
}

impl Queue {
    fn new(filter: Option<String>, ignore_slash: bool, capacity: usize, when_full: WhenFull) -> Self {
        // In the topics it is left out too.
        let filter = filter.map(|text| match text.strip_suffix('/') {
            Some(shorter) if ignore_slash && !shorter.is_empty() => shorter.into(),
            _ => text,
        });
        Self {
            filter,
            ignore_slash,
            inner: Mutex::default(),
            filled: Notify::new(),
            messages: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            capacity,
            when_full,
        }
    }

    pub(crate) fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    pub(crate) fn wants(&self, topic: TopicName<'_>) -> bool {
        let Some(Ok(filter)) = self.filter().map(TopicFilter::new) else {
            return self.filter().is_none();
        };
        if filter.matches(topic) {
            return true;
        }
        let shorter = topic.as_str().strip_suffix('/').filter(|_| self.ignore_slash);
        shorter.is_some_and(|topic| TopicName::new(topic).is_ok_and(|topic| filter.matches(topic)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message is on its way here.
    pub(crate) fn expect(&self, message: &Message) {
        self.messages.fetch_add(1, SeqCst);
        self.bytes.fetch_add(message.size(), SeqCst);
    }

    fn remove(&self, message: &Message) {
        self.messages.fetch_sub(1, SeqCst);
        self.bytes.fetch_sub(message.size(), SeqCst);
    }

    /// Whether the reading from the socket must wait for its reader.
    pub(crate) fn is_full(&self, answer_awaited: bool) -> bool {
        self.when_full == WhenFull::Wait
            && self.messages.load(SeqCst) >= self.capacity
            && !(answer_awaited && self.bytes.load(SeqCst) < OVERFLOW)
            && !self.is_abandoned()
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(SeqCst)
    }

    /// Puts in messages that were [expected](Self::expect), as far as the policy allows. Says whether these are the
    /// first that it dropped, and how many it dropped.
    pub(crate) fn fill(&self, batch: &mut Vec<Message>) -> (bool, u64) {
        let mut lost = 0;
        let mut inner = self.lock();
        for message in batch.drain(..) {
            if self.is_abandoned() {
                self.remove(&message);
                continue;
            }
            if self.when_full != WhenFull::Wait && inner.messages.len() >= self.capacity {
                lost += 1;
                if self.when_full == WhenFull::DropNewest {
                    self.remove(&message);
                    continue;
                }
                if let Some(oldest) = inner.messages.pop_front() {
                    self.remove(&oldest);
                }
            }
            inner.messages.push_back(message);
        }
        drop(inner);
        self.filled.notify_one();
        (lost > 0 && self.dropped.fetch_add(lost, Relaxed) == 0, lost)
    }

    fn take(&self) -> Taken {
        let mut inner = self.lock();
        match inner.messages.pop_front() {
            Some(message) => Taken::Message(message),
            None if inner.ended => Taken::Ended,
            None => {
                // What a burst beyond the capacity took is given back.
                let usual = self.capacity.max(1024);
                if inner.messages.capacity() > 2 * usual {
                    inner.messages.shrink_to(usual);
                }
                Taken::Nothing
            }
        }
    }

    /// No more will come. Not to be called under a lock: it wakes the reader.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.filled.notify_one();
    }

    /// The reader is gone.
    fn abandon(&self) {
        self.abandoned.store(true, SeqCst);
        let messages = std::mem::take(&mut self.lock().messages);
        messages.iter().for_each(|message| self.remove(message));
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("messages", &self.messages).finish_non_exhaustive()
    }
}
