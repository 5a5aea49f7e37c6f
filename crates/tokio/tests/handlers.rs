//! Handlers: called in order, and isolated in what they do wrong.

mod common;

use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use common::{Raw, connect, emulator, event, next, number, options, packet, tcp, until, within};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{Client, ConnectionEvent, Events, Message, QoS, SubscribeError, WhenFull};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

/// What a handler failed with, and for which filter.
async fn failure(events: &mut Events) -> (Option<String>, String) {
    match event(events).await {
        ConnectionEvent::HandlerFailed { filter, detail } => (filter, detail.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_handler_is_called_for_each_message_in_order_and_one_at_a_time() {
    let server = emulator(Quirks::standard()).await;
    let (client, _) = connect(options(tcp(&server), "1")).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let busy = Arc::new(AtomicUsize::new(0));
    let (list, at_work) = (Arc::clone(&seen), Arc::clone(&busy));
    let handler = move |message: Message| {
        let (list, at_work) = (Arc::clone(&list), Arc::clone(&at_work));
        async move {
            assert_eq!(at_work.fetch_add(1, SeqCst), 0);
            tokio::task::yield_now().await;
            list.lock().unwrap().push(number(&message));
            at_work.fetch_sub(1, SeqCst);
            Ok::<_, Infallible>(())
        }
    };
    drop(client.on_message("n/+", handler).unwrap());
    client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
    for i in 0..500 {
        let topic = ["n/1", "m/1"][i % 2];
        drop(client.publish(topic, i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    until("all are handled", || seen.lock().unwrap().len() == 250).await;
    assert!(seen.lock().unwrap().iter().copied().eq((0..500).step_by(2)));
    let refused = client.on_message("a#", |_| async { Ok::<_, Infallible>(()) });
    assert!(matches!(refused, Err(SubscribeError::Filter(_))));
}

/// An error whose text can't be made.
struct Worse;

impl fmt::Display for Worse {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

/// Panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("stepped on");
    }
}

/// Fails in every way that there is.
async fn fails(message: Message) -> Result<(), Box<dyn fmt::Display + Send>> {
    match number(&message) {
        0 => panic!("a text"),
        1 => panic!("a number: {}", 7),
        2 => std::panic::panic_any(7),
        3 => Err(Box::new("an error")),
        4 => Err(Box::new(Worse)),
        5 => {
            let _mine = Mine;
            tokio::task::yield_now().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[tokio::test]
async fn trap_an_exception_in_a_callback_kills_the_network_thread() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(tcp(&server), "1")).await;
    let mut events = client.events();
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let handler = client.on_message("n", move |message| {
        // Before there is a future, too.
        assert_ne!(message.payload(), b"6", "on purpose");
        let count = Arc::clone(&count);
        async move {
            fails(message).await?;
            count.fetch_add(1, SeqCst);
            Ok::<_, Box<dyn fmt::Display + Send>>(())
        }
    });
    for i in 0..1_000 {
        drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    for expected in
        ["a text", "a number: 7", "without a text", "an error", "no text", "stepped on", "on purpose"]
    {
        let (filter, detail) = failure(&mut events).await;
        assert_eq!(filter.as_deref(), Some("n"));
        assert!(detail.contains(expected), "{detail}");
    }
    for i in 0..1_000 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    until("all others are handled", || handled.load(SeqCst) == 993).await;
    assert!(client.is_connected());
    assert_eq!(client.stats().connections, 1);
    assert!(!handler.unwrap().is_finished());
}

#[tokio::test]
async fn trap_user_code_under_a_lock_in_a_handler() {
    let server = emulator(Quirks::standard()).await;
    let (client, _) = connect(options(tcp(&server), "1")).await;
    client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
    let inner = client.clone();
    let handler = client
        .on_message("ask", move |message| {
            let client = inner.clone();
            async move {
                let _ = (client.stats(), client.holders(), client.events(), client.trace_log());
                let mut other = client.stream().matching("answer")?.open();
                client.subscribe("more", QoS::AtMostOnce).await?;
                // Its acknowledgement lies behind messages for this very handler.
                client.publish("answer", message.payload(), QoS::AtLeastOnce).await.unwrap().await.unwrap();
                other.recv().await;
                Ok::<_, SubscribeError>(())
            }
        })
        .unwrap();
    let mut answers = client.messages_matching("answer").unwrap();
    for i in 0..50 {
        drop(client.publish("ask", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    for i in 0..50 {
        assert_eq!(number(&next(&mut answers).await), i);
    }
    within("stop", handler.stop()).await;
}

#[tokio::test]
async fn by_hand_only_what_was_handled_well_is_acknowledged() {
    let raw = Raw::start().await;
    let mut options = raw.options();
    options.config.manual_ack = true;
    let (client, _) = Client::start(options);
    let mut events = client.events();
    drop(client.stream().for_each(fails));
    let mut stream = raw.log_in().await;
    assert!(matches!(event(&mut events).await, ConnectionEvent::Connected { .. }));
    // Handled well are only 6 and 9.
    for number in [0, 6, 3, 5, 9] {
        stream.write_all(&[0x32, 6, 0, 1, b't', 0, number + 1, b'0' + number]).await.unwrap();
    }
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 7]);
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 10]);
    for _ in 0..3 {
        let (filter, detail) = failure(&mut events).await;
        assert_eq!(filter, None, "{detail}");
    }
}

#[tokio::test]
async fn a_stopped_handler_finishes_what_it_has_and_takes_no_more() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(tcp(&server), "1")).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handled = Arc::new(AtomicUsize::new(0));
    let inside = (Arc::clone(&begun), Arc::clone(&go_on), Arc::clone(&handled));
    let handler = client.stream().capacity(1).when_full(WhenFull::DropNewest).for_each(move |_| {
        let (begun, go_on, handled) = inside.clone();
        async move {
            begun.notify_one();
            go_on.notified().await;
            handled.fetch_add(1, SeqCst);
            Ok::<_, Infallible>(())
        }
    });
    client.subscribe("n", QoS::AtMostOnce).await.unwrap();
    for i in 0..10 {
        drop(client.publish("n", i.to_string(), QoS::AtMostOnce).await.unwrap());
    }
    within("it works", begun.notified()).await;
    let stopping = tokio::spawn(handler.stop());
    tokio::task::yield_now().await;
    go_on.notify_one();
    within("stop", stopping).await.unwrap();
    assert_eq!(handled.load(SeqCst), 1);
    // A handler that is gone holds up nobody.
    for i in 0..10 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
}

#[tokio::test]
async fn handlers_end_with_the_client() {
    let server = emulator(Quirks::standard()).await;
    let (client, _) = connect(options(tcp(&server), "1")).await;
    let handler = client.on_message("n", |_| async { Ok::<_, Infallible>(()) }).unwrap();
    drop(client);
    until("its end", || handler.is_finished()).await;
}
