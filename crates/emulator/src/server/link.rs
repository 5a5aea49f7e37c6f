//! One client's connection, over whatever transport.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::outbox::{End, Outbox};
use super::shared::Shared;
use crate::heart::ConnectionId;

/// How long a client may take for what is still to be written when its connection ends.
const FLUSH: Duration = Duration::from_secs(2);
/// How long a client may take to close its side. To close a socket in which bytes are unread resets it, and the client
/// might lose what was sent last, such as CONNACK.
const LINGER: Duration = Duration::from_secs(1);

/// A connection as the transports see it. When it is dropped, the heart learns that the connection is gone.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    id: ConnectionId,
    outbox: Arc<Outbox>,
}

impl Link {
    pub(super) fn open(shared: &Arc<Shared>) -> Self {
        let (id, outbox) = shared.open();
        Self { shared: Arc::clone(shared), id, outbox }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(super) fn received(&self, bytes: &[u8]) {
        self.shared.input(|heart, now| heart.bytes_received(now, self.id, bytes));
    }

    /// Runs both directions until one of them ends or the heart ends the connection. `receive` ends with the
    /// client's side, `send` after it wrote the last packet and closed this side.
    pub(super) async fn run(&self, receive: impl Future<Output = ()>, send: impl Future<Output = ()>) {
        let mut receive = pin!(receive);
        let both = async {
            tokio::select! {
                () = &mut receive => {}
                () = send => {
                    let _ = tokio::time::timeout(LINGER, receive).await;
                }
            }
        };
        let too_slow = async {
            self.outbox.ended(End::Finish).await;
            tokio::time::sleep(FLUSH + LINGER).await;
        };
        tokio::select! {
            // A cut goes first: nothing is sent after it, not even a goodbye of the transport's.
            biased;
            () = self.outbox.ended(End::Cut) => {}
            () = both => {}
            () = too_slow => {}
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.closed(self.id);
    }
}
