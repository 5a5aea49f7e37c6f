//! The traps that the peers fell into, as far as they touch this crate. Each test has the name of its trap.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::{Raw, closes, connect, emulator, event, next, number, options, packet, tcp, until, within, ws};
use mqtt_p2p_emulator::{CloseReason, Quirks};
use mqtt_p2p_tokio::{Client, ConnectionEvent, DisconnectReason, QoS};

#[tokio::test]
async fn trap_publishing_from_the_receiving_task_deadlocks() {
    const COUNT: usize = 2_000;
    let server = emulator(Quirks::standard()).await;
    let mut small = options(tcp(&server), "echo");
    small.stream_capacity = 1;
    let (echo, mut to_echo) = connect(small).await;
    echo.subscribe("ask", QoS::ExactlyOnce).await.unwrap();
    let echoing = tokio::spawn(async move {
        for _ in 0..COUNT {
            let message = next(&mut to_echo).await;
            let qos = message.qos();
            // Its acknowledgement lies behind messages that only this task can take.
            let delivery = within("room", echo.publish("answer", message.into_payload(), qos)).await.unwrap();
            within("the delivery", delivery).await.unwrap();
        }
        echo
    });
    let (client, mut messages) = connect(options(ws(&server), "client")).await;
    client.subscribe("answer", QoS::ExactlyOnce).await.unwrap();
    for i in 0..COUNT {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][i % 3];
        drop(client.publish("ask", i.to_string(), qos).await.unwrap());
    }
    let mut answers = Vec::new();
    for _ in 0..COUNT {
        answers.push(number(&next(&mut messages).await));
    }
    answers.sort_unstable();
    assert!(answers.into_iter().eq(0..COUNT));
    drop(within("the echo", echoing).await.unwrap());
}

#[tokio::test]
async fn trap_bursts_of_qos_0_lost() {
    const COUNT: usize = 20_000;
    let server = emulator(Quirks::standard()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, mut messages) = connect(options(endpoint, "1")).await;
        client.subscribe("n", QoS::AtMostOnce).await.unwrap();
        for i in 0..COUNT {
            drop(client.try_publish("n", i.to_string(), QoS::AtMostOnce).unwrap());
        }
        for i in 0..COUNT {
            assert_eq!(number(&next(&mut messages).await), i);
        }
        println!("sent {COUNT}, received {COUNT}, lost 0");
        within("close", client.close()).await;
    }
}

/// A waker that uses the client, as an executor that runs a task at once would.
struct Caller {
    client: Client,
    calls: AtomicUsize,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        let _ = self.client.is_connected();
        let _ = self.client.stats();
        drop(self.client.events());
        drop(self.client.messages());
        drop(self.client.try_publish("other", "", QoS::AtMostOnce));
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls with that waker until it is ready; `false` if it is never woken.
fn ends<F: Future>(future: F, caller: &Arc<Caller>) -> bool {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::clone(caller));
    for _ in 0..1_000 {
        let calls = caller.calls.load(Ordering::SeqCst);
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
        for _ in 0..5_000 {
            if caller.calls.load(Ordering::SeqCst) > calls {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    false
}

#[test]
fn trap_user_code_under_a_lock() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (server, client, mut messages) = runtime.block_on(async {
        let server = emulator(Quirks::standard()).await;
        let (client, messages) = connect(options(tcp(&server), "1")).await;
        client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
        (server, client, messages)
    });
    let caller = Arc::new(Caller { client: client.clone(), calls: AtomicUsize::new(0) });
    let checked = std::thread::spawn(move || {
        let mut events = client.events();
        let delivery = runtime.block_on(client.publish("n", "1", QoS::AtLeastOnce)).unwrap();
        let mut steps = vec![("Delivery", ends(delivery, &caller))];
        steps.push(("recv", ends(messages.recv(), &caller)));
        let closing = client.clone();
        let later = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            server.drop_all();
            server
        };
        let server = runtime.spawn(later);
        steps.push(("an event", ends(events.recv(), &caller)));
        let server = runtime.block_on(server).unwrap();
        // While one message is held, the client can be used.
        let delivery = runtime.block_on(client.publish("n", "2", QoS::AtLeastOnce)).unwrap();
        drop(runtime.block_on(messages.recv()));
        steps.push(("Delivery after a cut", ends(delivery, &caller)));
        runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            closing.close().await;
        });
        steps.push(("the end of a stream", ends(messages.recv(), &caller)));
        let calls = caller.calls.load(Ordering::SeqCst);
        drop(server);
        runtime.shutdown_background();
        (steps, calls)
    });
    // A deadlock must not hang the test with it.
    for _ in 0..3_000 {
        if checked.is_finished() {
            let (steps, calls) = checked.join().unwrap();
            assert!(steps.iter().all(|(_, ended)| *ended), "{steps:?}");
            println!("the wakers called the client {calls} times");
            assert!(calls > 0);
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("a call from a waker never came back");
}

/// A waker that holds the last handle of a client.
struct LastHandle(#[allow(dead_code, reason = "held to be dropped")] Client);

impl Wake for LastHandle {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test]
async fn trap_user_code_under_a_lock_when_a_waker_is_dropped() {
    let raw = Raw::start().await;
    let (client, _) = Client::start(raw.options());
    let mut delivery = Box::pin(client.publish("n", "", QoS::AtLeastOnce).await.unwrap());
    let checked = std::thread::spawn(move || {
        let waker = Waker::from(Arc::new(LastHandle(client)));
        assert!(delivery.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        // Another waker takes its place; the client goes with the old one.
        let ready = delivery.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(ready, Poll::Pending | Poll::Ready(Err(_))));
    });
    until("the poll comes back", || checked.is_finished()).await;
    checked.join().unwrap();
}

#[tokio::test]
async fn trap_an_exception_in_a_handler_kills_the_connection() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut handled) = connect(options(tcp(&server), "1")).await;
    let mut messages = client.messages();
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    let handler = tokio::spawn(async move {
        let message = next(&mut handled).await;
        assert_ne!(message.payload(), b"0", "on purpose");
    });
    for i in 0..2_000 {
        drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    assert!(within("the handler", handler).await.unwrap_err().is_panic());
    for i in 0..2_000 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    assert!(client.is_connected());
    assert_eq!(client.stats().connections, 1);
}

#[tokio::test]
async fn trap_one_close_reported_twice_so_a_deliberate_disconnect_reconnects() {
    let server = emulator(Quirks::service()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, _messages) = connect(options(endpoint, "1")).await;
        let mut events = client.events();
        // Both sides end it at once.
        let leaving = client.disconnect();
        let cut = async { server.drop_all() };
        within("disconnect", async { tokio::join!(leaving, cut) }).await;
        assert!(matches!(event(&mut events).await, ConnectionEvent::Disconnected { retry_in: None, .. }));
        let more = tokio::time::timeout(Duration::from_millis(150), events.recv()).await;
        assert!(more.is_err(), "{more:?}");
        assert!(server.connected_clients().is_empty());
    }
}

#[tokio::test]
async fn trap_the_ghost_connection_disconnect_before_connack_does_nothing() {
    let raw = Raw::start().await;
    for endpoint in [raw.tcp(), raw.ws()] {
        let mut options = raw.options();
        options.endpoint = endpoint.clone();
        let (client, _messages) = Client::start(options);
        let mut events = client.events();
        let mut stream = raw.accept().await;
        if endpoint == raw.tcp() {
            assert_eq!(packet(&mut stream).await[0], 0x10);
        }
        within("disconnect", client.disconnect()).await;
        common::ended(&mut stream).await;
        let end = event(&mut events).await;
        assert!(
            matches!(
                end,
                ConnectionEvent::Disconnected { reason: DisconnectReason::Requested, retry_in: None, .. }
            ),
            "{end:?}"
        );
        let more = tokio::time::timeout(Duration::from_millis(100), events.recv()).await;
        assert!(more.is_err(), "{more:?}");
        assert!(!client.is_connected());
    }
}

#[tokio::test]
async fn trap_the_ghost_connection_is_not_left_at_a_real_server() {
    let server = emulator(Quirks::service()).await;
    for times in 0..30 {
        let endpoint = if times % 2 == 0 { tcp(&server) } else { ws(&server) };
        let (client, _messages) = Client::start(options(endpoint, "1"));
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
        within("disconnect", client.disconnect()).await;
        until("nobody is left", || server.connected_clients().is_empty()).await;
    }
    let left: Vec<_> = closes(&server);
    assert!(!left.contains(&CloseReason::TakenOver), "{left:?}");
}
