//! Two processes with one client id throw each other out. They notice, and do not fight for ever.

use std::process::Stdio;
use std::time::Duration;

use mqtt_p2p_emulator::{Account, Config, Server};
use mqtt_p2p_interop::Mosquitto;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const TIME: Duration = Duration::from_secs(60);
/// Each process may connect so often in that time.
const CONNECTIONS: usize = 6;

/// What one process says in that time; it is killed then.
async fn watch(arguments: &[String]) -> Vec<String> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_lone_client"));
    process.args(arguments).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = process.spawn().expect("a process");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut seen = Vec::new();
    let read = async {
        while let Some(line) = lines.next_line().await.expect("its output") {
            seen.push(line);
        }
    };
    assert!(tokio::time::timeout(TIME, read).await.is_err(), "it ended: {seen:?}");
    seen
}

/// Runs both; what they say.
async fn fight(name: &str, arguments: &[&str]) {
    let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let both = tokio::join!(watch(&arguments), watch(&arguments));
    let both = [both.0, both.1];
    let count = |seen: &[String], what| seen.iter().filter(|line| *line == what).count();
    for seen in &both {
        let (connected, takeovers) = (count(seen, "connected"), count(seen, "takeover"));
        println!("{name}: connected {connected} times, {takeovers} takeovers suspected: {seen:?}");
    }
    for seen in &both {
        assert!((1..=CONNECTIONS).contains(&count(seen, "connected")), "{seen:?}");
    }
    assert!(both.iter().any(|seen| count(seen, "takeover") > 0), "nobody noticed");
}

#[tokio::test]
async fn two_processes_with_one_client_id_at_mosquitto_notice_and_back_off() {
    let broker = Mosquitto::start().await;
    fight("mosquitto", &[&broker.tcp().to_string(), "one"]).await;
}

#[tokio::test]
async fn two_processes_with_one_client_id_at_apsaramq_notice_and_back_off() {
    let config = Config::new("post-cn-demo").account(Account::access_key("AK", "SK"));
    let server = Server::start(config).await.expect("the emulator");
    let url = format!("mqtt://{}", server.tcp_addr());
    fight("emulator", &[&url, "GID_test@@@one", "AK", "SK", "post-cn-demo"]).await;
}
