//! Messages from `send` to `listen`.

mod common;

use std::time::Duration;

use common::{Running, listen, logged_in, run, run_with_stdin, send, server, tcp, ws};
use mqtt_p2p_emulator::{CloseReason, Event, Server};

/// Starts listening, and waits until it does.
fn listening(url: &str, args: &[&str]) -> Running {
    let mut running = Running::start(&mut listen(url, args));
    running.stderr.until("logged in");
    running
}

/// How bob's connections ended so far.
fn ends_of_bob(server: &Server) -> Vec<CloseReason> {
    server
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Closed { client_id: Some(client_id), reason, .. } if &*client_id == "GID_demo@@@bob" => {
                Some(reason)
            }
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p2p_messages_arrive_at_every_qos_over_websocket_and_tcp_and_count_ends_the_listening() {
    let server = server().await;
    let listening = listening(&tcp(&server), &["--json", "--count", "3"]);
    for (qos, shown) in [
        ("0", "sent, without acknowledgement: 5 bytes to demo/p2p/GID_demo@@@bob, QoS 0"),
        ("1", "sent, acknowledged by the server after "),
        ("2", "sent, acknowledged by the server after "),
    ] {
        let sent = run(&mut send(&ws(&server), &["--qos", qos, "hello"])).expect(0);
        assert!(sent.stdout.starts_with(shown), "{sent:#?}");
    }
    let received = listening.finish().expect(0);
    let lines: Vec<_> = received.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{received:#?}");
    for (qos, line) in lines.iter().enumerate() {
        let (time, rest) = line.strip_prefix("{\"time\":\"").unwrap().split_at(24);
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        assert_eq!(
            rest,
            format!(
                "\",\"topic\":\"demo/p2p/GID_demo@@@bob\",\"qos\":{qos},\"retain\":false,\"dup\":false,\
                 \"parent\":\"demo\",\"target\":\"GID_demo@@@bob\",\"payload\":\"hello\"}}"
            )
        );
    }
    assert_eq!(ends_of_bob(&server), [CloseReason::Disconnected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_from_argument_stdin_or_file_and_is_shown_in_hex_if_it_is_no_text() {
    let server = server().await;
    let url = tcp(&server);
    let listening = listening(&url, &["--count", "4"]);
    let path = std::env::temp_dir().join(format!("mqtt-p2p-payload-{}", std::process::id()));
    std::fs::write(&path, [0xff, 0x00, 0x1b]).unwrap();
    run(&mut send(&url, &["温度 21 °C"])).expect(0);
    run_with_stdin(&mut send(&url, &["-"]), b"from stdin").expect(0);
    run(send(&url, &["--file"]).arg(&path)).expect(0);
    run(&mut send(&url, &[""])).expect(0);
    std::fs::remove_file(&path).unwrap();
    let received = listening.finish().expect(0);
    let shown: Vec<_> = received.stdout.lines().map(|line| line.split_once("Z  ").unwrap().1).collect();
    assert_eq!(
        shown,
        ["温度 21 °C", "from stdin", "hex ff001b", ""]
            .map(|payload| format!("demo/p2p/GID_demo@@@bob  QoS 1  {payload}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn escape_sequences_in_topic_and_payload_are_neutralised() {
    let server = server().await;
    let url = tcp(&server);
    const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[2J\r\nb\u{9b}31m\u{202e}c";
    for json in [false, true] {
        let mut args = vec!["--subscribe", "demo/#", "--count", "1"];
        args.extend(json.then_some("--json"));
        let mut listening = listening(&url, &args);
        listening.stderr.until("subscribed to demo/#");
        let mut hostile = logged_in(&url, "GID_demo@@@mallory", &["send", "--topic"]);
        let sent = run(hostile.args(["demo/\u{1b}[31mx", HOSTILE])).expect(0);
        assert!(sent.stderr.contains("warning: "), "{sent:#?}");
        let received = listening.finish().expect(0);
        for output in [&sent.stdout, &sent.stderr, &received.stdout, &received.stderr] {
            let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
            assert!(output.chars().all(harmless), "{output:?}");
        }
        assert_eq!(received.stdout.lines().count(), 1);
        let expected = if json {
            r#""topic":"demo/\u001b[31mx","qos":1,"retain":false,"dup":false,"payload":"a\u001b]0;title\u0007\u001b[2J\r\nb\u009b31m\u202ec"}"#
        } else {
            r"demo/\u{1b}[31mx  QoS 1  a\u{1b}]0;title\u{7}\u{1b}[2J\r\nb\u{9b}31m\u{202e}c"
        };
        assert!(received.stdout.contains(expected), "{received:#?}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_listening_with_a_good_bye_and_exit_code_0() {
    let server = server().await;
    let listening = listening(&ws(&server), &[]);
    listening.interrupt();
    let ended = listening.finish().expect(0);
    assert!(ended.took < Duration::from_secs(5), "{ended:#?}");
    assert_eq!(ends_of_bob(&server), [CloseReason::Disconnected]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_listening_while_the_server_is_away() {
    let server = server().await;
    let mut listening = listening(&tcp(&server), &[]);
    server.set_refusing(true);
    server.drop_all();
    listening.stderr.until("next attempt");
    listening.interrupt();
    listening.finish().expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn listening_goes_on_when_the_link_breaks_and_what_was_sent_meanwhile_arrives() {
    let server = server().await;
    let url = tcp(&server);
    let mut listening = listening(&url, &["--count", "2"]);
    run(&mut send(&url, &["before"])).expect(0);
    listening.stdout.until("before");
    server.set_refusing(true);
    assert!(server.drop_connection("GID_demo@@@bob"));
    listening.stderr.until("next attempt");
    server.set_refusing(false);
    run(&mut send(&url, &["after"])).expect(0);
    let received = listening.finish().expect(0);
    assert!(received.stdout.contains("  after\n"), "{received:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_who_is_away_waits_and_sending_takes_no_messages_of_the_sender() {
    let server = server().await;
    let url = tcp(&server);
    for text in ["one", "two"] {
        run(&mut send(&url, &[text])).expect(0);
    }
    // Bob sends while messages wait for him.
    let mut from_bob =
        logged_in(&url, "GID_demo@@@bob", &["send", "--parent", "demo", "--to", "GID_demo@@@alice", "x"]);
    run(&mut from_bob).expect(0);
    let received = run(&mut listen(&url, &["--count", "2"])).expect(0);
    assert!(received.stdout.contains("  one\n") && received.stdout.contains("  two\n"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn listening_ends_when_nobody_reads_its_output_any_more() {
    let server = server().await;
    let url = tcp(&server);
    let mut command = listen(&url, &[]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    run(&mut send(&url, &["hello"])).expect(0);
    let ended = tokio::time::timeout(common::LIMIT, tokio::task::spawn_blocking(move || child.wait()));
    assert_eq!(ended.await.unwrap().unwrap().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_messages_beyond_the_count_none_is_lost_silently() {
    let server = server().await;
    let url = tcp(&server);
    for number in 0..10 {
        run(&mut send(&url, &[&format!("no. {number}")])).expect(0);
    }
    let counted = run(&mut listen(&url, &["--count", "4"])).expect(0);
    assert_eq!(counted.stdout.lines().count(), 4, "{counted:#?}");
    let noted = counted.stderr.matches("one more had come").count();
    assert_eq!(server.offline_messages("GID_demo@@@bob"), 6 - noted, "{counted:#?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_has_come_is_printed_even_if_ctrl_c_comes_before() {
    let server = server().await;
    let url = tcp(&server);
    const MESSAGES: usize = 25;
    let mut waiting = Vec::new();
    for number in 0..MESSAGES {
        waiting.push(Running::start(&mut logged_in(
            &url,
            &format!("GID_demo@@@{number}"),
            &["send", "--parent", "demo", "--to", "GID_demo@@@bob", "x"],
        )));
    }
    for sender in waiting {
        sender.finish().expect(0);
    }
    let mut listening = listening(&url, &[]);
    listening.stdout.until("QoS 1");
    listening.interrupt();
    let stopped = listening.finish().expect(0);
    let left = server.offline_messages("GID_demo@@@bob");
    assert_eq!(stopped.stdout.lines().count() + left, MESSAGES, "{stopped:#?}");
}
