//! `publish` and `subscribe` at mosquitto, beside mosquitto's own clients.

mod common;

use common::{Running, bare, run, run_with_stdin};
use mqtt_p2p_interop::Mosquitto;
use mqtt_p2p_interop::Settings;
use serde_json::Value;

/// One of our two commands, with the arguments that lead to this broker.
fn at(broker: &Mosquitto, command: &str, args: &[&str]) -> std::process::Command {
    let mut command = bare(&[command, "-h", "127.0.0.1", "-p"]);
    command.arg(broker.tcp().port().to_string()).args(args);
    command
}

/// Subscribes, and waits until it has.
fn subscribed(broker: &Mosquitto, args: &[&str]) -> Running {
    let mut running = Running::start(at(broker, "subscribe", args).arg("-d"));
    running.stderr.until("subscribed to");
    running
}

async fn mosquitto_pub(broker: &Mosquitto, args: &[&str]) {
    assert!(broker.client("mosquitto_pub").args(args).status().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mosquitto_pub_publishes_is_printed_as_mosquitto_sub_does() {
    let broker = Mosquitto::start().await;
    let mut theirs = broker.client("mosquitto_sub");
    let format = "%t|%p|%x|%X|%l|%q|%r|%%";
    theirs.args(["-t", "a/#", "-q", "2", "-C", "2", "-W", "20", "-F", format, "-d"]);
    let theirs = tokio::spawn(async move { theirs.output().await.unwrap() });
    let ours = subscribed(&broker, &["-t", "a/#", "-q", "2", "-C", "2", "-F", format]);
    // Theirs says nothing that could be waited for while it runs: so publish until it has ended.
    while !theirs.is_finished() {
        mosquitto_pub(&broker, &["-t", "a/b", "-q", "1", "-m", "héllo"]).await;
    }
    let theirs = String::from_utf8(theirs.await.unwrap().stdout).unwrap();
    let printed: Vec<_> = theirs.lines().filter(|line| line.contains('|')).collect();
    let ours = ours.finish().expect(0);
    assert_eq!(ours.stdout.lines().collect::<Vec<_>>(), printed);
    assert_eq!(printed[0], "a/b|héllo|68c3a96c6c6f|68C3A96C6C6F|6|1|0|%");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_publish_publishes_from_any_source_arrives_at_mosquitto_sub() {
    let broker = Mosquitto::start().await;
    let path = std::env::temp_dir().join(format!("mqtt-p2p-publish-{}", std::process::id()));
    std::fs::write(&path, "of a file").unwrap();
    let retained = |topic| ["-r", "-q", "1", "-t", topic];
    for (topic, input) in
        [("s/m", &["-m", "-5"][..]), ("s/f", &["-f", path.to_str().unwrap()]), ("s/n", &["-n"])]
    {
        run(at(&broker, "publish", &retained(topic)).args(input)).expect(0);
    }
    std::fs::remove_file(&path).unwrap();
    run_with_stdin(at(&broker, "publish", &retained("s/s")).arg("-s"), b"two\nlines").expect(0);
    run_with_stdin(at(&broker, "publish", &retained("s/l")).arg("-l"), b"first\n\nlast").expect(0);
    let mut theirs = broker.client("mosquitto_sub");
    let theirs = theirs.args(["-t", "s/#", "-v", "-W", "20", "-C", "4"]).output().await.unwrap();
    let theirs = String::from_utf8(theirs.stdout).unwrap();
    let mut lines: Vec<_> = theirs.lines().collect();
    lines.sort_unstable();
    // An empty retained message is none.
    assert_eq!(lines, ["lines", "s/f of a file", "s/l last", "s/m -5", "s/s two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_arrive_in_their_order_and_json_tells_of_each() {
    let broker = Mosquitto::start().await;
    let subscribing = subscribed(&broker, &["-t", "l", "-C", "300"]);
    let lines: String = (0..300).map(|number| format!("no. {number}\n")).collect();
    let published = run_with_stdin(
        &mut at(&broker, "publish", &["-t", "l", "-l", "-q", "2", "--json"]),
        lines.as_bytes(),
    );
    assert_eq!(subscribing.finish().expect(0).stdout, lines);
    let published = published.expect(0);
    assert_eq!(published.stdout.lines().count(), 300);
    let last: Value = serde_json::from_str(published.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&last["topic"], &last["qos"], &last["acknowledged"]), (&"l".into(), &2.into(), &true.into()));
    assert_eq!(last["bytes"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_messages_can_be_left_out_or_be_all_that_is_wanted() {
    let broker = Mosquitto::start().await;
    run(&mut at(&broker, "publish", &["-t", "r/kept", "-m", "kept", "-r"])).expect(0);
    let only = subscribed(&broker, &["-t", "r/#", "--retained-only"]);
    let without = subscribed(&broker, &["-t", "r/#", "-R", "-C", "1", "-v"]);
    let filtered = subscribed(&broker, &["-t", "r/#", "-T", "r/kept", "-C", "1", "-v", "-N"]);
    run(&mut at(&broker, "publish", &["-t", "r/new", "-m", "new"])).expect(0);
    assert_eq!(only.finish().expect(0).stdout, "kept\n");
    assert_eq!(without.finish().expect(0).stdout, "r/new new\n");
    assert_eq!(filtered.finish().expect(0).stdout, "r/new new");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_time_is_exit_code_7_only_if_messages_are_missing() {
    let broker = Mosquitto::start().await;
    run(&mut at(&broker, "subscribe", &["-t", "x", "-W", "0.2"])).expect(0);
    run(&mut at(&broker, "subscribe", &["-t", "x", "-W", "0.2", "-C", "1"]))
        .expect(7)
        .explains(&["-W", "help: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_will_is_published_when_the_process_is_killed() {
    let broker = Mosquitto::start().await;
    let watching = subscribed(&broker, &["-t", "will/#", "-C", "1", "-F", "%t %p %q"]);
    let mortal = subscribed(
        &broker,
        &["-t", "x", "--will-topic", "will/me", "--will-payload", "gone", "--will-qos", "1", "-V", "mqttv31"],
    );
    drop(mortal);
    assert_eq!(watching.finish().expect(0).stdout, "will/me gone 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_kept_keeps_messages() {
    let broker = Mosquitto::start().await;
    let args = ["-t", "k", "-q", "1", "-c", "-i", "keeper", "-C", "1"];
    let first = subscribed(&broker, &args);
    run(&mut at(&broker, "publish", &["-t", "k", "-q", "1", "-m", "one"])).expect(0);
    assert_eq!(first.finish().expect(0).stdout, "one\n");
    run(&mut at(&broker, "publish", &["-t", "k", "-q", "1", "-m", "two"])).expect(0);
    assert_eq!(run(&mut at(&broker, "subscribe", &args)).expect(0).stdout, "two\n");
    run(&mut at(&broker, "subscribe", &["-t", "k", "-c"])).expect(2).explains(&["--client-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_from_file_environment_url_or_with_a_warning_from_the_command_line() {
    let broker = Mosquitto::with(Settings { users: vec![("me", "p4ssw0rd")], ..Settings::default() }).await;
    let publish = |args: &[&str]| {
        let mut command = at(&broker, "publish", &["-t", "x", "-n"]);
        command.args(args);
        command
    };
    let path = std::env::temp_dir().join(format!("mqtt-p2p-password-{}", std::process::id()));
    std::fs::write(&path, "p4ssw0rd\n").unwrap();
    let of_file = run(publish(&["-u", "me", "--password-file"]).arg(&path)).expect(0);
    std::fs::remove_file(&path).unwrap();
    let of_environment = run(publish(&["-u", "me"]).env("MQTT_P2P_PASSWORD", "p4ssw0rd")).expect(0);
    assert_eq!(of_file.stderr + &of_environment.stderr, "");
    let url = format!("mqtt://me:p4ssw0rd@127.0.0.1:{}/x", broker.tcp().port());
    for mut command in [publish(&["-u", "me", "-P", "p4ssw0rd"]), bare(&["publish", "-n", "-L", &url])] {
        let warned = run(&mut command).expect(0);
        assert!(warned.stderr.starts_with("warning: every user of this machine can see"), "{warned:#?}");
        assert!(!warned.stderr.contains("p4ssw0rd"), "{warned:#?}");
    }
    let refused = run(publish(&["-u", "me"]).env("MQTT_P2P_PASSWORD", "wr0ng")).expect(4);
    refused.explains(&["return code 5", "user name and password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_go_to_a_pipe_byte_for_byte() {
    let broker = Mosquitto::start().await;
    let subscribing = subscribed(&broker, &["-t", "b", "-C", "1", "-F", "%p|%j"]);
    run_with_stdin(&mut at(&broker, "publish", &["-t", "b", "-s"]), "a\u{1b}[2Jé".as_bytes()).expect(0);
    let line = subscribing.finish().expect(0).stdout;
    let (payload, json) = line.split_once('|').unwrap();
    assert_eq!(payload, "a\u{1b}[2Jé");
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!((&json["payload"], &json["payloadlen"]), (&"a\u{1b}[2Jé".into(), &7.into()));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_file_leads_to_a_server() {
    let broker = Mosquitto::start().await;
    let path = std::env::temp_dir().join(format!("mqtt-p2p-socket-{}", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let port = broker.tcp().port();
    let bridge = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    let subscribing = subscribed(&broker, &["-t", "u", "-C", "1"]);
    run(bare(&["publish", "-t", "u", "-m", "through a file", "-q", "1", "--unix"]).arg(&path)).expect(0);
    assert_eq!(subscribing.finish().expect(0).stdout, "through a file\n");
    bridge.await.unwrap();
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn contradictions_and_gaps_are_usage_errors() {
    for args in [
        &["publish", "-t", "x"][..],
        &["publish", "-t", "x", "-m", "a", "-n"],
        &["publish", "-m", "a"],
        &["publish", "-t", "x/#", "-n"],
        &["publish", "-t", "x", "-n", "-V", "5"],
        &["subscribe", "-C", "1"],
        &["subscribe", "-t", "a/#/b"],
        &["subscribe", "-t", "a", "-T", "b#"],
        &["subscribe", "-t", "a", "-F", "%z"],
        &["subscribe", "-L", "http://h/x"],
    ] {
        let refused = run(&mut bare(args)).expect(2);
        assert!(refused.stderr.starts_with("error: "), "{refused:#?}");
    }
}
