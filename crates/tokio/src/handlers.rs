//! Handlers: a task that calls the program for each message, and outlives its failures.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::event::ConnectionEvent;
use crate::journal;
use crate::message::Message;
use crate::streams::{Messages, StreamBuilder};

/// A handler at work, from [`Client::on_message`](crate::Client::on_message) or [`StreamBuilder::for_each`]. Dropping
/// this changes nothing: it works until the client is closed.
#[derive(Debug)]
pub struct Handler {
    task: JoinHandle<()>,
    stopped: Arc<Notify>,
}

impl Handler {
    /// Ends it, once it is done with the message that it has. Messages that wait are not handled; by hand
    /// ([`Config::manual_ack`](crate::Config::manual_ack)) they are not acknowledged either.
    ///
    /// Cancel safe: once polled, the end comes anyway. Not to be awaited by the handler itself.
    pub async fn stop(self) {
        self.stopped.notify_one();
        // It can't panic, and nobody aborts it but the runtime's end.
        let _ = self.task.await;
    }

    /// Whether it has come to its end: the client was closed.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl StreamBuilder {
    /// Calls the handler for each message, one after the other, in a task of its own, until the client is closed or
    /// [`Handler::stop`] is called. While the handler works, messages wait in the stream, with its capacity and
    /// policy.
    ///
    /// A handler that gives an error or panics is reported as [`ConnectionEvent::HandlerFailed`] and to the log; the
    /// connection stays, and the next message is handled. With
    /// [`Config::manual_ack`](crate::Config::manual_ack) a message is acknowledged when its handler has succeeded,
    /// and not if it failed; without it, it was acknowledged before.
    ///
    /// A handler that holds a [`Client`](crate::Client) keeps it alive.
    ///
    /// Must be called on a tokio runtime.
    pub fn for_each<H, F, E>(self, mut handler: H) -> Handler
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        let shared = Arc::clone(self.shared());
        let span = shared.span.clone();
        let mut messages = self.open();
        let stopped = Arc::new(Notify::new());
        let stop = Arc::clone(&stopped);
        let work = async move {
            while let Some(message) = next(&mut messages, &stop).await {
                // Whatever the program does wrong, be it in the text of its error, happens in here.
                let handling = async { handler(message.clone()).await.map_err(|error| error.to_string()) };
                let detail = match AssertUnwindSafe(handling).catch_unwind().await {
                    Ok(Ok(())) => {
                        if let Err(error) = message.acknowledge() {
                            journal::not_acknowledged(&error);
                        }
                        continue;
                    }
                    Ok(Err(text)) => text,
                    Err(panic) => panic_text(&*panic),
                };
                let filter = messages.filter().map(Into::into);
                shared.report(ConnectionEvent::HandlerFailed { filter, detail: detail.into() });
            }
        };
        Handler { task: tokio::spawn(work.instrument(span)), stopped }
    }
}

async fn next(messages: &mut Messages, stop: &Notify) -> Option<Message> {
    tokio::select! {
        biased;
        () = stop.notified() => None,
        message = messages.recv() => message,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
