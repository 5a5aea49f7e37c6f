//! `mqtt-p2p emulator`: what it prints can be used as it is, and what it is asked to do wrong it does.
#![cfg(unix)]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use common::{Running, bare, run};

/// The emulator on free ports.
fn emulator(args: &[&str]) -> Command {
    let mut command = bare(&["emulator"]);
    for port in ["--tcp-port", "--ws-port", "--tls-port", "--wss-port"] {
        command.args([port, "0"]);
    }
    command.args(args);
    command
}

/// The greeting of an emulator with `--json`.
fn greeting(emulator: &mut Running) -> serde_json::Value {
    serde_json::from_str(&emulator.stdout.until("tcp")).unwrap()
}

/// `send` to the emulator of this greeting.
fn send(greeting: &serde_json::Value, transport: &str, args: &[&str]) -> Command {
    let field = |name: &str| greeting[name].as_str().unwrap();
    let mut command = bare(&["send", "--url", field(transport), "x"]);
    command
        .env("MQTT_P2P_CLIENT_ID", "GID_demo@@@a")
        .env("MQTT_P2P_INSTANCE", field("instance"))
        .env("MQTT_P2P_ACCESS_KEY", field("access_key"))
        .env("MQTT_P2P_SECRET_KEY", field("secret_key"))
        .args(args);
    command
}

/// Files that the emulator writes, gone with the test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("mqtt-p2p-emulator-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the next lines with these names export.
fn environment(emulator: &mut Running, names: &[&str]) -> Vec<(String, String)> {
    names.iter().flat_map(|name| exports(&emulator.stdout.until(name))).collect()
}

/// What a line exports, as the shell reads it.
fn exports(line: &str) -> Vec<(String, String)> {
    let exports = line.trim().strip_prefix("export ").unwrap().split(' ');
    exports
        .map(|export| {
            let (name, value) = export.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('\'').to_owned())
        })
        .collect()
}

#[test]
fn the_emulator_says_what_it_is_and_its_commands_work_as_printed() {
    let mut emulator = Running::start(&mut emulator(&[]));
    emulator.stdout.until("development stand-in");
    let environment =
        environment(&mut emulator, &["MQTT_P2P_URL", "MQTT_P2P_ACCESS_KEY", "MQTT_P2P_SECRET_KEY"]);
    let line = emulator.stdout.until("mqtt-p2p send");
    let args: Vec<_> = line.split_whitespace().skip(1).collect();
    run(bare(&args).envs(environment)).expect(0);
    emulator.stderr.until("GID_demo@@@a left");
    emulator.interrupt();
    emulator.finish().expect(0);
}

#[test]
fn a_secret_of_the_users_own_is_not_shown() {
    let mut emulator = Running::start(emulator(&[]).env("MQTT_P2P_SECRET_KEY", "my-own"));
    emulator.stdout.until("Ctrl-C");
    emulator.interrupt();
    let ended = emulator.finish().expect(0);
    assert!(!ended.stdout.contains("my-own"), "{ended:#?}");
}

#[test]
fn json_says_where_it_listens_and_who_comes() {
    let mut emulator = Running::start(&mut emulator(&["--json"]));
    let greeting = greeting(&mut emulator);
    run(&mut send(&greeting, "tcp", &["--topic", "demo"])).expect(0);
    let note: serde_json::Value = serde_json::from_str(&emulator.stderr.until("logged in")).unwrap();
    assert_eq!(note["type"], "note");
    emulator.interrupt();
    emulator.finish().expect(0);
}

#[test]
fn over_mutual_tls_the_printed_arguments_let_a_client_in_and_nothing_less_does() {
    let files = Files::new("tls");
    let [ca, cert, key] = ["ca.pem", "me.pem", "me.key"].map(|name| files.path(name));
    let mut running = Running::start(&mut emulator(&[
        "--ca-out",
        &ca,
        "--mutual-tls",
        "--cert-out",
        &cert,
        "--key-out",
        &key,
    ]));
    let environment =
        environment(&mut running, &["MQTT_P2P_URL", "MQTT_P2P_ACCESS_KEY", "MQTT_P2P_SECRET_KEY"]);
    let command = running.stdout.until("mqtt-p2p send");
    let more = running.stdout.until("--cafile");
    let send = |without: &str| {
        let more = more.replace(without, "");
        let args: Vec<_> = command.split_whitespace().skip(1).chain(more.split_whitespace()).collect();
        run(bare(&args).envs(environment.clone()))
    };
    send("nothing").expect(0);
    send(&format!("--cert {cert} --key {key}")).expect(3).explains(&["--cert"]);
    send(&format!("--cafile {ca}")).expect(3).explains(&["--cafile"]);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn its_certificate_can_be_bad_in_two_ways() {
    let files = Files::new("bad");
    for (kind, word) in [("expired", "expired"), ("wrong-name", "another name")] {
        let ca = files.path(kind);
        let mut running = Running::start(&mut emulator(&["--json", "--ca-out", &ca, "--certificate", kind]));
        let greeting = greeting(&mut running);
        for transport in ["tls", "wss"] {
            let refused = run(&mut send(&greeting, transport, &["--topic", "demo", "--cafile", &ca]));
            refused.expect(3).explains(&[word]);
        }
        assert_eq!(greeting["ca_pem"].as_str(), std::fs::read_to_string(&ca).ok().as_deref());
    }
}

#[test]
fn tokens_are_issued_at_the_start_in_the_form_that_clients_take() {
    let mut running = Running::start(&mut emulator(&[
        "--issue-token",
        "other,demo/#:W:60",
        "--min-token-lifetime",
        "1",
        "--issue-token",
        "demo/#:R:2",
    ]));
    let mut environment = environment(&mut running, &["MQTT_P2P_URL", "MQTT_P2P_ACCESS_KEY"]);
    running.stdout.until("W for other, demo/#");
    environment.extend(exports(&running.stdout.until("MQTT_P2P_TOKEN")));
    running.stdout.until("R for demo/#");
    running.stdout.until("MQTT_P2P_TOKEN");
    let send = |topic| {
        let args = ["send", "-i", "GID_demo@@@a", "--topic", topic, "--timeout", "5", "x"];
        run(bare(&args).envs(environment.clone()))
    };
    send("demo/1").expect(0);
    assert_ne!(send("elsewhere").code, Some(0));
    running.stderr.until("no token covers the topic");
}

#[test]
fn a_token_that_the_service_would_not_issue_is_refused_with_advice() {
    let refused = run(&mut emulator(&["--issue-token", "demo/#:RW:59"]));
    refused.expect(2).explains(&["at least 60 s", "--min-token-lifetime"]);
    run(&mut emulator(&["--issue-token", "demo/#:X:60"])).expect(2).explains(&["RW"]);
}

#[test]
fn faults_happen_to_whom_they_are_for() {
    let mut running = Running::start(&mut emulator(&[
        "--json",
        "--fault",
        "refuse-log-ins=5",
        "--fault",
        "delay=0.01",
        "--fault-client",
        "GID_demo@@@a",
    ]));
    let greeting = greeting(&mut running);
    for transport in ["tcp", "ws"] {
        run(&mut send(&greeting, transport, &["--topic", "demo"])).expect(4).explains(&["return code 5"]);
        let other = ["--topic", "demo", "--client-id", "GID_demo@@@b"];
        run(&mut send(&greeting, transport, &other)).expect(0);
    }
    run(&mut emulator(&["--fault", "half-closed"])).expect(2).explains(&["--help"]);
}

#[test]
fn the_service_closes_on_a_long_topic_and_the_standard_takes_it() {
    let topic = format!("demo/{}", "x".repeat(64));
    for (args, code) in [(&["--json"][..], 5), (&["--json", "--standard"], 0)] {
        let mut running = Running::start(&mut emulator(args));
        let greeting = greeting(&mut running);
        run(&mut send(&greeting, "tcp", &["--topic", &topic, "--timeout", "1"])).expect(code);
    }
}

#[test]
fn a_file_that_can_not_be_written_is_named() {
    let refused = run(&mut emulator(&["--ca-out", "/no/such/directory/ca.pem"]));
    refused.expect(1).explains(&["/no/such/directory/ca.pem", "directory"]);
}
