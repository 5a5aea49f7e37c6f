//! What goes wrong ends in one clear error with advice, an exit code of its own, and in time.

mod common;

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use common::{SECRET, bare, listen, logged_in, run, run_with_stdin, send, server, tcp, ws};
use mqtt_p2p_emulator::{Account, Config, Server};

/// A deadline of 3 s, and time for the rest.
const IN_TIME: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_once_and_explained_without_the_secret() {
    let server = server().await;
    for (mut command, url) in
        [(send(&tcp(&server), &["hello"]), tcp(&server)), (listen(&ws(&server), &[]), ws(&server))]
    {
        let before = server.counters().refused;
        let refused = run(command.env("MQTT_P2P_SECRET_KEY", "wr0ng-s3cr3t")).expect(4).explains(&[
            "refused the log-in",
            "return code 4",
            "help: ",
            "secret",
            "instance",
        ]);
        assert!(!refused.stderr.contains("wr0ng-s3cr3t"), "{refused:#?}");
        assert!(refused.took < IN_TIME, "{refused:#?}");
        // Nobody came again meanwhile.
        assert_eq!(server.counters().refused - before, 1, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_instance_and_a_wrong_access_key_are_refused() {
    let server = server().await;
    for (variable, value) in [("MQTT_P2P_INSTANCE", "post-cn-other"), ("MQTT_P2P_ACCESS_KEY", "other")] {
        run(send(&tcp(&server), &["hello"]).env(variable, value))
            .expect(4)
            .explains(&["return code 4", "help: "]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_is_refused_when_the_link_comes_back_ends_listening() {
    let first = server().await;
    let config = Config::new("post-cn-demo").account(Account::access_key("AK", "another"));
    let second = Server::start(config).await.unwrap();
    let port = Arc::new(AtomicU16::new(first.tcp_addr().port()));
    let mut listening = common::Running::start(&mut listen(&way_to(&port), &[]));
    listening.stderr.until("logged in");
    port.store(second.tcp_addr().port(), SeqCst);
    first.shutdown().await;
    listening.finish().expect(4).explains(&["return code 4", "help: "]);
}

#[test]
fn a_port_where_nobody_listens_is_said_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["mqtt", "ws"] {
        let url = format!("{scheme}://{free}");
        for mut command in [send(&url, &["hello"]), listen(&url, &[])] {
            let failed = run(&mut command).expect(3).explains(&["refused", "help: check the port"]);
            assert!(failed.took < IN_TIME, "{failed:#?}");
        }
    }
}

#[test]
fn a_host_that_does_not_exist_is_said_so() {
    let failed = run(&mut send("mqtt://no-such-host.invalid", &["hello"])).expect(3).explains(&["help: "]);
    assert!(failed.took < IN_TIME, "{failed:#?}");
}

/// A way to the server at this port, which may change from connection to connection.
fn way_to(port: &Arc<AtomicU16>) -> String {
    let port = Arc::clone(port);
    peer("mqtt", move |client| {
        let Ok(server) = TcpStream::connect(("127.0.0.1", port.load(SeqCst))) else { return };
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        for (mut from, mut to) in [(client, server), back] {
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    })
}

/// A server that does the same with every connection, on a port of its own.
fn peer(scheme: &str, serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    url
}

#[test]
fn a_server_that_accepts_and_stays_silent_is_given_up_within_the_deadline() {
    for scheme in ["mqtt", "ws"] {
        let held = std::sync::Mutex::new(Vec::new());
        let url = peer(scheme, move |stream| held.lock().unwrap().push(stream));
        let failed = run(&mut send(&url, &["hello"]))
            .expect(3)
            .explains(&["in time", "help: check host, port and transport"]);
        assert!(failed.took < IN_TIME, "{failed:#?}");
    }
}

#[test]
fn a_timeout_shorter_than_the_deadline_is_kept() {
    let held = std::sync::Mutex::new(Vec::new());
    let url = peer("mqtt", move |stream| held.lock().unwrap().push(stream));
    let failed =
        run(&mut send(&url, &["--timeout", "0.5", "hello"])).expect(3).explains(&["0.5 s", "help: "]);
    assert!(failed.took < Duration::from_secs(2), "{failed:#?}");
}

#[test]
fn a_server_that_closes_or_talks_nonsense_at_any_step_of_the_handshake_ends_the_attempt() {
    fn read_some(stream: &mut TcpStream) {
        let _ = stream.read(&mut [0; 4096]);
    }
    fn answer(stream: &mut TcpStream, bytes: &[u8]) {
        read_some(stream);
        let _ = stream.write_all(bytes);
    }
    type Serve = fn(TcpStream);
    let peers: [(&str, Serve); 8] = [
        ("mqtt", |stream| drop(stream)),
        ("mqtt", |mut stream| read_some(&mut stream)),
        ("mqtt", |mut stream| answer(&mut stream, &[0x20])),
        ("mqtt", |mut stream| {
            answer(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }),
        ("ws", |stream| drop(stream)),
        ("ws", |mut stream| read_some(&mut stream)),
        ("ws", |mut stream| {
            answer(&mut stream, b"HTTP/1.1 404 Not Found\r\n\r\n");
        }),
        ("ws", |mut stream| answer(&mut stream, &[0x20, 2, 0, 0])),
    ];
    for (number, (scheme, serve)) in peers.into_iter().enumerate() {
        let url = peer(scheme, serve);
        let failed = run(&mut send(&url, &["hello"])).expect(3).explains(&["help: "]);
        assert!(failed.took < IN_TIME, "{number}: {failed:#?}");
    }
}

#[test]
fn addresses_that_are_none_are_usage_errors() {
    for url in ["127.0.0.1:1883", "http://localhost", "mqtt://", "mqtt://h:0"] {
        run(&mut send(url, &["hello"])).expect(2).explains(&["--url"]);
    }
}

#[test]
fn bad_client_ids_parents_targets_topics_and_filters_end_before_anything_is_connected() {
    const NOWHERE: &str = "mqtt://127.0.0.1:1";
    run(&mut logged_in(NOWHERE, "bob", &["send", "--topic", "t", "x"])).expect(2).explains(&["no @@@"]);
    for (parent, to, why) in [
        ("ab", "GID_demo@@@bob", "fewer than 3"),
        ("a/b", "GID_demo@@@bob", "parent topic contains"),
        ("demo", "GID_demo@@@b+b", "receiver's client id contains"),
        ("demo", "", "receiver's client id is empty"),
    ] {
        let args = ["send", "--parent", parent, "--to", to, "x"];
        run(&mut logged_in(NOWHERE, "GID_demo@@@alice", &args)).expect(2).explains(&[why]);
    }
    for topic in ["", "a/#", "a/+/b"] {
        let args = ["send", "--topic", topic, "x"];
        run(&mut logged_in(NOWHERE, "GID_demo@@@alice", &args)).expect(2).explains(&["no topic", "help: "]);
    }
    run(&mut listen(NOWHERE, &["--subscribe", "a/#/b"])).expect(2).explains(&["a/#/b", "help: "]);
}

#[test]
fn a_message_that_is_too_large_is_refused_before_it_is_sent() {
    let url = "mqtt://127.0.0.1:1";
    let refused = run_with_stdin(&mut send(url, &["-"]), &vec![b'x'; 65_537]);
    refused.expect(2).explains(&["65536 bytes", "help: "]);
    // One byte less fails because nobody listens there.
    run_with_stdin(&mut send(url, &["-"]), &vec![b'x'; 65_536]).expect(3);
}

#[cfg(unix)]
#[test]
fn a_message_without_end_is_not_read_to_its_end() {
    run(&mut send("mqtt://127.0.0.1:1", &["--file", "/dev/zero"])).expect(2).explains(&["65536 bytes"]);
}

#[test]
fn a_message_that_cannot_be_read_is_said_so() {
    run(&mut send("mqtt://127.0.0.1:1", &["--file", "/nowhere/message"]))
        .expect(2)
        .explains(&["/nowhere/message"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_topic_that_does_not_exist_ends_in_not_delivered() {
    let config = Config::new("post-cn-demo").account(Account::access_key("AK", SECRET)).parents(["other"]);
    let server = Server::start(config).await.unwrap();
    let failed = run(&mut send(&tcp(&server), &["--timeout", "2", "hello"]));
    assert!(failed.took < IN_TIME, "{failed:#?}");
    failed.expect(5).explains(&["did not acknowledge", "help: ", "topic"]);
}

#[test]
fn what_is_missing_or_contradicts_itself_is_a_usage_error() {
    let url = "mqtt://127.0.0.1:1";
    for args in [
        &["send", "--parent", "demo", "x"][..],
        &["send", "--to", "GID_demo@@@bob", "x"],
        &["send", "x"],
        &["send", "--topic", "t"],
        &["send", "--topic", "t", "--parent", "demo", "--to", "GID_demo@@@bob", "x"],
        &["send", "--topic", "t", "--qos", "3", "x"],
        &["send", "--topic", "t", "--timeout", "0", "x"],
        &["listen", "--count", "0"],
    ] {
        run(&mut logged_in(url, "GID_demo@@@alice", args)).expect(2);
    }
    run(&mut bare(&[])).expect(2);
}

#[test]
fn ports_in_use_are_said_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    run(&mut bare(&[
        "emulator",
        "--tcp-port",
        &port,
        "--ws-port",
        "0",
        "--tls-port",
        "0",
        "--wss-port",
        "0",
    ]))
    .expect(1)
    .explains(&[&port, "help: "]);
}
