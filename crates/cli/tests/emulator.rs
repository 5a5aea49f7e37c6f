//! `mqtt-p2p emulator`: what it prints can be used as it is.
#![cfg(unix)]

mod common;

use common::{Running, bare, run};

#[test]
fn the_emulator_says_what_it_is_and_its_commands_work_as_printed() {
    let mut emulator = Running::start(&mut bare(&["emulator", "--tcp-port", "0", "--ws-port", "0"]));
    emulator.stdout.until("development stand-in");
    let mut environment = Vec::new();
    for name in ["MQTT_P2P_URL", "MQTT_P2P_ACCESS_KEY", "MQTT_P2P_SECRET_KEY"] {
        let line = emulator.stdout.until(name);
        let exports = line.trim().strip_prefix("export ").unwrap().to_owned();
        environment.extend(exports.split(' ').map(|export| {
            let (name, value) = export.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        }));
    }
    let line = emulator.stdout.until("mqtt-p2p send");
    let args: Vec<_> = line.split_whitespace().skip(1).collect();
    run(bare(&args).envs(environment)).expect(0);
    emulator.stderr.until("GID_demo@@@a left");
    emulator.interrupt();
    emulator.finish().expect(0);
}

#[test]
fn a_secret_of_the_users_own_is_not_shown() {
    let mut emulator = Running::start(
        bare(&["emulator", "--tcp-port", "0", "--ws-port", "0"]).env("MQTT_P2P_SECRET_KEY", "my-own"),
    );
    emulator.stdout.until("Ctrl-C");
    emulator.interrupt();
    let ended = emulator.finish().expect(0);
    assert!(!ended.stdout.contains("my-own"), "{ended:#?}");
}

#[test]
fn json_says_where_it_listens_and_who_comes() {
    let mut emulator =
        Running::start(&mut bare(&["emulator", "--tcp-port", "0", "--ws-port", "0", "--json"]));
    let greeting: serde_json::Value = serde_json::from_str(&emulator.stdout.until("tcp")).unwrap();
    let field = |name: &str| greeting[name].as_str().unwrap().to_owned();
    run(bare(&["send", "--url", &field("tcp"), "--topic", "demo", "x", "-i", "GID_demo@@@a"])
        .env("MQTT_P2P_INSTANCE", field("instance"))
        .env("MQTT_P2P_ACCESS_KEY", field("access_key"))
        .env("MQTT_P2P_SECRET_KEY", field("secret_key")))
    .expect(0);
    let note: serde_json::Value = serde_json::from_str(&emulator.stderr.until("logged in")).unwrap();
    assert_eq!(note["type"], "note");
    emulator.interrupt();
    emulator.finish().expect(0);
}
