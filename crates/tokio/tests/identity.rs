//! One connection per identity in a process.

mod common;

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use common::{Raw, credentials, emulator, next, options, packet, quick, tcp, until, within};
use mqtt_p2p_emulator::{CloseReason, Event, Quirks, Server};
use mqtt_p2p_tokio::{Client, ClientId, ConnectError, DisconnectReason, Options, QoS, ReasonCode};
use tokio::io::AsyncWriteExt;

async fn shared(options: Options) -> Client {
    let (client, messages) = within("shared", Client::shared(options)).await.unwrap();
    drop(messages);
    client
}

/// How many connections a server accepted, and why they ended, since it was asked last.
fn story(server: &Server) -> (usize, Vec<CloseReason>) {
    let (mut logins, mut ends) = (0, Vec::new());
    for event in server.events() {
        match event {
            Event::Connected { .. } => logins += 1,
            Event::Closed { reason, .. } => ends.push(reason),
            _ => {}
        }
    }
    (logins, ends)
}

#[tokio::test]
async fn asking_again_gives_the_same_connection_and_the_last_to_leave_disconnects() {
    let server = emulator(Quirks::service()).await;
    let first = shared(options(tcp(&server), "1")).await;
    let (second, mut messages) = Client::shared(options(tcp(&server), "1")).await.unwrap();
    let third = second.clone();
    assert_eq!((first.holders(), third.holders()), (3, 3));
    // What one sends, the others' streams bring.
    first.send_p2p("parent", "GID_test@@@1", "x", QoS::AtLeastOnce).await.unwrap().await.unwrap();
    assert_eq!(next(&mut messages).await.payload(), b"x");
    within("leave", first.leave()).await;
    drop(second);
    assert_eq!(third.holders(), 1);
    assert!(third.is_connected());
    within("leave", third.leave()).await;
    assert!(within("the end", messages.recv()).await.is_none());
    until("the good-bye", || server.connected_clients().is_empty()).await;
    assert_eq!(story(&server), (1, vec![CloseReason::Disconnected]));
}

#[tokio::test]
async fn after_the_last_has_left_asking_again_makes_a_new_connection() {
    let server = emulator(Quirks::service()).await;
    for _ in 0..5 {
        // Dropped, not awaited: who comes next waits for the good-bye, so that nobody is thrown out.
        let client = shared(options(tcp(&server), "1")).await;
        assert_eq!((client.holders(), client.stats().connections), (1, 1));
        drop(client);
    }
    let client = shared(options(tcp(&server), "1")).await;
    assert_eq!(client.stats().connections, 1);
    within("close", client.close()).await;
    let again = shared(options(tcp(&server), "1")).await;
    assert!(again.is_connected());
    assert_eq!(story(&server), (7, vec![CloseReason::Disconnected; 6]));
}

#[tokio::test]
async fn who_asks_while_the_last_is_leaving_waits_for_the_end_of_the_good_bye() {
    let raw = Raw::start().await;
    let first = tokio::spawn(Client::shared(raw.options()));
    let mut stream = raw.log_in().await;
    drop(within("shared", first).await.unwrap().unwrap());
    let again = tokio::spawn(Client::shared(raw.options()));
    assert_eq!(packet(&mut stream).await, [0xe0, 0]);
    // The server has not closed yet, and for a while that is waited for.
    assert!(tokio::time::timeout(Duration::from_millis(100), raw.accept()).await.is_err());
    drop(stream);
    let _stream = raw.log_in().await;
    assert_eq!(within("shared", again).await.unwrap().unwrap().0.holders(), 1);
}

#[tokio::test]
async fn other_client_ids_endpoints_and_unshared_clients_have_connections_of_their_own() {
    let (server, other) = (emulator(Quirks::service()).await, emulator(Quirks::service()).await);
    let first = shared(options(tcp(&server), "1")).await;
    let second = shared(options(tcp(&server), "2")).await;
    let elsewhere = shared(options(tcp(&other), "1")).await;
    let (alone, _) = within("connect", Client::connect(options(tcp(&server), "3"))).await.unwrap();
    assert_eq!([&first, &second, &elsewhere, &alone].map(Client::holders), [1; 4]);
    assert_eq!((story(&server).0, story(&other).0), (3, 1));
}

#[tokio::test]
async fn other_credentials_or_another_configuration_are_refused_and_change_nothing() {
    let server = emulator(Quirks::service()).await;
    let client = shared(options(tcp(&server), "1")).await;
    let mut others = [options(tcp(&server), "1"), options(tcp(&server), "1"), options(tcp(&server), "1")];
    others[0] = others[0].clone().password("someone", "else");
    others[1].config.keep_alive_secs += 1;
    others[2].stream_capacity += 1;
    for other in others {
        let error = within("an answer", Client::shared(other)).await.unwrap_err();
        assert_eq!(error, ConnectError::OtherOptions);
        assert!(!format!("{error} {error:?} {}", error.advice()).contains("else"));
    }
    assert_eq!(client.holders(), 1);
    assert!(client.is_connected());
}

#[tokio::test]
async fn who_asks_at_the_same_time_shares_one_attempt() {
    let raw = Raw::start().await;
    let asking: Vec<_> = (0..20).map(|_| tokio::spawn(Client::shared(raw.options()))).collect();
    let mut stream = raw.accept().await;
    assert_eq!(packet(&mut stream).await[0], 0x10);
    // All of them wait for the same answer.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(asking.iter().all(|asking| !asking.is_finished()));
    stream.write_all(&common::CONNACK).await.unwrap();
    let mut clients = Vec::new();
    for asking in asking {
        clients.push(within("shared", asking).await.unwrap().unwrap().0);
    }
    assert!(clients.iter().all(|client| client.holders() == 20 && client.stats().connections == 1));
    assert!(tokio::time::timeout(Duration::from_millis(50), raw.accept()).await.is_err());
}

#[tokio::test]
async fn a_failed_first_attempt_is_everybodys_and_leaves_nothing_behind() {
    let raw = Raw::start().await;
    let asking: Vec<_> = (0..20).map(|_| tokio::spawn(Client::shared(raw.options()))).collect();
    let mut stream = raw.accept().await;
    assert_eq!(packet(&mut stream).await[0], 0x10);
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(&[0x20, 2, 0, 3]).await.unwrap();
    for asking in asking {
        let error = within("an answer", asking).await.unwrap().unwrap_err();
        assert_eq!(error, ConnectError::Refused(ReasonCode::ServerUnavailable));
    }
    // An unavailable server would be asked again by a client that runs: in 20 ms.
    assert!(tokio::time::timeout(Duration::from_millis(150), raw.accept()).await.is_err());
    let again = tokio::spawn(Client::shared(raw.options()));
    let _stream = raw.log_in().await;
    let (client, _) = within("shared", again).await.unwrap().unwrap();
    assert_eq!(client.holders(), 1);
}

#[tokio::test]
async fn a_failed_first_attempt_is_not_repeated_while_nobody_looks() {
    let raw = Raw::start().await;
    let mut asking = Box::pin(Client::shared(raw.options()));
    let begun = poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending())).await;
    assert!(begun);
    let mut stream = raw.accept().await;
    packet(&mut stream).await;
    stream.write_all(&[0x20, 2, 0, 3]).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(150), raw.accept()).await.is_err());
    let error = within("an answer", asking).await.unwrap_err();
    assert_eq!(error, ConnectError::Refused(ReasonCode::ServerUnavailable));
}

#[tokio::test]
async fn wrong_credentials_of_the_first_do_not_stay_in_the_way_of_right_ones() {
    let server = emulator(Quirks::service()).await;
    let wrong = options(tcp(&server), "1").password("Signature|AK|post-cn-demo", "wrong");
    let error = within("an answer", Client::shared(wrong)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
    assert!(shared(options(tcp(&server), "1")).await.is_connected());
    // Not even a closed port does.
    let nobody = Raw::start().await.tcp();
    let id = ClientId::new("GID_test", "1").unwrap();
    let nobody = Options::aliyun(nobody, &id, &credentials()).unwrap();
    let config = quick(nobody.config);
    let error = within("an answer", Client::shared(nobody.config(config))).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Failed { reason: DisconnectReason::Transport(_), .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn who_gives_up_waiting_takes_nothing_from_the_others() {
    let raw = Raw::start().await;
    let first = tokio::spawn(Client::shared(raw.options()));
    let mut stream = raw.accept().await;
    assert_eq!(packet(&mut stream).await[0], 0x10);
    let second = tokio::spawn(Client::shared(raw.options()));
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    assert!(within("the first", first).await.unwrap_err().is_cancelled());
    stream.write_all(&common::CONNACK).await.unwrap();
    let (client, _) = within("the second", second).await.unwrap().unwrap();
    assert_eq!(client.holders(), 1);
    assert!(client.is_connected());
}

#[tokio::test]
async fn who_gives_up_waiting_alone_ends_the_attempt() {
    let raw = Raw::start().await;
    let only = tokio::spawn(Client::shared(raw.options()));
    let mut stream = raw.accept().await;
    only.abort();
    common::ended(&mut stream).await;
    assert!(tokio::time::timeout(Duration::from_millis(150), raw.accept()).await.is_err());
}

#[test]
fn a_connection_whose_runtime_ended_is_replaced() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let servers = runtime();
    let server = servers.block_on(emulator(Quirks::service()));
    let first = runtime();
    let client = first.block_on(shared(options(tcp(&server), "1")));
    drop(first);
    let again = runtime().block_on(async {
        let again = shared(options(tcp(&server), "1")).await;
        (again.is_connected(), again.holders())
    });
    assert_eq!(again, (true, 1));
    assert!(!client.is_connected());
}
