//! Profiles, the ways to log in at ApsaraMQ, and `--json` for what goes wrong.

mod common;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use common::{SECRET, bare, run, tcp};
use mqtt_p2p_aliyun::TokenKind;
use mqtt_p2p_emulator::{Account, Config, Server, SignMode};
use serde_json::Value;

/// A file that is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mqtt-p2p-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let file = Self(path);
        file.mode("600");
        file
    }

    fn mode(&self, mode: &str) {
        if cfg!(unix) {
            assert!(Command::new("chmod").arg(mode).arg(&self.0).status().unwrap().success());
        }
    }

    fn with(&self, args: &[&str]) -> Command {
        let mut command = bare(args);
        command.env("MQTT_P2P_CONFIG", &self.0);
        command
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An instance that knows every way to log in.
async fn server() -> Server {
    let config = Config::new("post-cn-demo")
        .account(Account::access_key("AK", SECRET))
        .account(Account::device("GID_demo@@@dev", "DC.device", "DC.s3cr3t"))
        .account(Account::custom("signer", "signed-s3cr3t", SignMode::Signed))
        .account(Account::custom("teller", "told-s3cr3t", SignMode::Origin));
    Server::start(config).await.unwrap()
}

const SEND: [&str; 6] = ["send", "--topic", "demo/x", "--timeout", "10", "hello"];

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_log_in_works_from_a_profile() {
    let server = server().await;
    let url = tcp(&server);
    let token = server.issue_token(["demo/#"], TokenKind::RW, Duration::from_secs(3600)).unwrap().text;
    let file = File::new(
        "modes",
        &format!(
            r#"
            [profiles.signature]
            url = "{url}"
            client_id = "GID_demo@@@a"
            access_key = "AK"
            instance = "post-cn-demo"
            secret_key = "{SECRET}"
            [profiles.device]
            url = ["mqtt://127.0.0.1:1", "{url}"]
            client_id = "GID_demo@@@dev"
            access_key = "DC.device"
            instance = "post-cn-demo"
            secret_key_env = "DEVICE_SECRET"
            [profiles.token]
            url = "{url}"
            client_id = "GID_demo@@@t"
            access_key = "AK"
            instance = "post-cn-demo"
            token = "RW|{token}"
            [profiles.signed]
            url = "{url}"
            client_id = "no group"
            auth = "signed"
            user_name = "signer"
            secret_key = "signed-s3cr3t"
            [profiles.origin]
            url = "{url}"
            client_id = "another"
            auth = "origin"
            user_name = "teller"
            secret_key = "told-s3cr3t"
            "#
        ),
    );
    for profile in ["signature", "device", "token", "signed", "origin"] {
        let mut command = file.with(&SEND);
        let sent = run(command.args(["--profile", profile]).env("DEVICE_SECRET", "DC.s3cr3t"));
        assert!(sent.stdout.starts_with("sent, acknowledged"), "{profile}: {sent:#?}");
        sent.expect(0);
    }
    // A token without its type is for everything.
    let mut command = file.with(&SEND);
    run(command.args(["--profile", "token", "--auth", "token"]).env("MQTT_P2P_TOKEN", &token)).expect(0);
    let mut command = file.with(&SEND);
    run(command.args(["--profile", "token"]).env("MQTT_P2P_TOKEN", "R|X|X"))
        .expect(2)
        .explains(&["token", "help: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_override_the_environment_which_overrides_the_profile() {
    let file = File::new(
        "order",
        "[profiles.p]\nclient_id = \"GID_demo@@@profile\"\naccess_key = \"AK\"\ninstance = \"i\"\nsecret_key = \"x\"",
    );
    let sign = |args: &[&str], environment: &[(&str, &str)]| {
        let mut command = file.with(&["sign", "--json", "--profile", "p"]);
        let signed = run(command.args(args).envs(environment.iter().copied())).expect(0);
        serde_json::from_str::<Value>(&signed.stdout).unwrap()["user_name"].as_str().unwrap().to_owned()
    };
    let environment = [("MQTT_P2P_INSTANCE", "e")];
    assert_eq!(sign(&[], &[]), "Signature|AK|i");
    assert_eq!(sign(&[], &environment), "Signature|AK|e");
    assert_eq!(sign(&["--instance", "a"], &environment), "Signature|AK|a");
}

#[test]
fn profiles_are_listed_without_secrets() {
    let file = File::new(
        "list",
        "[profiles.b]\nurl = \"ws://h\"\npassword = \"planted\"\nproxy = \"http://me:planted@g\"\n[profiles.a]\nclient_id = \"c\"",
    );
    let listed = run(&mut file.with(&["profiles"])).expect(0);
    assert_eq!(listed.stdout, "a  no URL  c\nb  ws://h:80/mqtt  no client id\n");
    assert_eq!(listed.stderr, "");
    let json = run(&mut file.with(&["profiles", "--json"])).expect(0);
    assert_eq!(
        json.stdout,
        "{\"name\":\"a\",\"url\":[],\"client_id\":\"c\"}\n{\"name\":\"b\",\"url\":[\"ws://h:80/mqtt\"]}\n"
    );
}

#[cfg(unix)]
#[test]
fn a_file_with_a_secret_that_others_may_read_is_warned_about() {
    let file = File::new("open", "[profiles.p]\nsecret_key = \"x\"\n[profiles.q]\nsecret_key_env = \"X\"");
    file.mode("640");
    let list = run(&mut file.with(&["profiles"])).expect(0);
    assert!(list.stderr.contains("warning: ") && list.stderr.contains("chmod 600"), "{list:#?}");
    let uses =
        |profile| run(file.with(&["sign", "--profile", profile]).env("X", "x")).stderr.contains("chmod 600");
    assert!(uses("p") && !uses("q"));
}

#[test]
fn a_file_or_profile_that_is_wrong_is_explained_without_its_secrets() {
    let sign = |text: &str, profile: &str| {
        let file = File::new("wrong", text);
        let failed = run(&mut file.with(&["sign", "--profile", profile])).expect(2).explains(&["help: "]);
        assert!(!failed.stderr.contains("planted"), "{failed:#?}");
        failed
    };
    sign("[profiles.a]\n[profiles.b]", "c").explains(&["no profile c", "choose one of a, b"]);
    sign("", "c").explains(&["has no profile"]);
    sign("[profiles.a]\n\nsecret_key = \"planted", "a").explains(&["line 3"]);
    sign("[profiles.a]\nsecret = \"planted\"", "a").explains(&["line 2", "secret_key"]);
    sign("[profiles.a]\nurl = \"mqtt://me:planted@h\"", "a").explains(&["line 2", "port is not a number"]);
    sign("[profiles.a]\nauth = \"planned\"", "a").explains(&["line 2", "signature"]);
    run(&mut bare(&["sign", "--profile", "a", "--config", "/nowhere/config"]))
        .expect(2)
        .explains(&["/nowhere/config", "help: "]);
}

#[test]
fn errors_of_every_kind_are_json_on_wish() {
    for (args, kind, code) in [
        (&["send", "--topic", "t", "x"][..], "missing", 2),
        (&["send", "--topic", "t"], "usage", 2),
        (&["nonsense"], "usage", 2),
        (&["publish", "-p", "1", "-h", "127.0.0.1", "-t", "t", "-n"], "no_connection", 3),
        (&["sign", "--auth", "password", "-u", "me", "-i", "x"], "nothing_to_sign", 2),
        (&["bench", "ftp://h"], "url", 2),
    ] {
        let failed = run(bare(args).arg("--json")).expect(code);
        assert_eq!(failed.stdout, "");
        let error: Value = serde_json::from_str(&failed.stderr).unwrap_or_else(|_| panic!("{failed:#?}"));
        assert_eq!((&error["type"], &error["kind"]), (&"error".into(), &kind.into()), "{failed:#?}");
        assert_eq!(error["exit_code"], code);
        assert!(error["message"].is_string() && error["help"].is_string(), "{failed:#?}");
    }
}
