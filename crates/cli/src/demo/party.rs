//! Who takes part in the demo: a client, the reader of its messages, its messages under way.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mqtt_p2p_tokio::{Client, ConnectError, Events, Messages, Options, PublishError, QoS};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use super::ledger::{Flow, Ledger};
use super::{DemoError, PARENT};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Alice,
    Bob,
}

impl Who {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Alice, Self::Bob].into_iter().find(|who| who.name() == name)
    }

    pub(super) const fn client_id(self) -> &'static str {
        match self {
            Self::Alice => "GID_demo@@@alice",
            Self::Bob => "GID_demo@@@bob",
        }
    }

    /// Where messages to this client go.
    pub(super) const fn topic(self) -> &'static str {
        match self {
            Self::Alice => "demo/p2p/GID_demo@@@alice",
            Self::Bob => "demo/p2p/GID_demo@@@bob",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The ledger that all write into.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    ledger: Arc<Mutex<Ledger>>,
    /// Something arrived. One waits.
    arrival: Arc<Notify>,
}

impl Books {
    pub(super) fn open(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all that was sent has arrived.
    pub(super) async fn complete(&self, deadline: Instant, what: &'static str) -> Result<(), DemoError> {
        let complete = async {
            while self.open().sum().lost > 0 {
                self.arrival.notified().await;
            }
        };
        timeout_at(deadline, complete).await.map_err(|_| DemoError::Late(what))
    }
}

/// What the audience has been told of a client's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Up,
    Down,
}

pub(super) struct Party {
    pub(super) who: Who,
    client: Client,
    pub(super) events: Events,
    pub(super) link: Link,
    books: Books,
    /// Messages that the server has not acknowledged.
    under_way: JoinSet<Result<(), PublishError>>,
    reader: JoinHandle<()>,
}

impl Party {
    pub(super) async fn join(
        who: Who,
        options: Options,
        books: &Books,
        deadline: Instant,
    ) -> Result<Self, DemoError> {
        let connecting = timeout_at(deadline, Client::connect(options)).await;
        let (client, messages) = connecting
            .map_err(|_| DemoError::Late("the log-in"))?
            .map_err(|error: ConnectError| DemoError::Connect(who.name(), error))?;
        Ok(Self {
            who,
            events: client.events(),
            client,
            link: Link::Up,
            books: books.clone(),
            under_way: JoinSet::new(),
            reader: tokio::spawn(read(who, messages, books.clone())),
        })
    }

    /// Has the client accept the next message of a flow.
    pub(super) async fn send(&mut self, to: Who, qos: QoS, deadline: Instant) -> Result<(), DemoError> {
        let flow = Flow { from: self.who, to, qos };
        let payload = self.books.open().send(flow);
        let accepting = self.client.send_p2p(PARENT, to.client_id(), payload, qos);
        let delivery = timeout_at(deadline, accepting)
            .await
            .map_err(|_| DemoError::Late("room for a message"))?
            .map_err(DemoError::Publish)?;
        self.under_way.spawn(delivery);
        Ok(())
    }

    /// How many messages the server has not acknowledged.
    pub(super) fn under_way(&mut self) -> usize {
        while self.under_way.try_join_next().is_some() {}
        self.under_way.len()
    }

    /// Waits until the server has acknowledged all messages.
    pub(super) async fn acknowledged(&mut self, deadline: Instant) -> Result<(), DemoError> {
        let all = async { while self.under_way.join_next().await.is_some() {} };
        timeout_at(deadline, all).await.map_err(|_| DemoError::Late("the server's acknowledgements"))
    }

    /// Leaves, and reads what is still in the queue.
    pub(super) async fn leave(self, deadline: Instant) {
        let _ = timeout_at(deadline, async {
            self.client.close().await;
            let _ = self.reader.await;
        })
        .await;
    }
}

async fn read(who: Who, mut messages: Messages, books: Books) {
    while let Some(message) = messages.recv().await {
        books.open().arrived(who, message.topic(), message.qos(), message.payload());
        books.arrival.notify_one();
    }
}
