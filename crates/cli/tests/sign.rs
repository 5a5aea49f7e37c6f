//! `mqtt-p2p sign`, and the ways of a secret.

mod common;

use common::{bare, run};

const IDENTITY: [&str; 6] =
    ["--access-key", "AK", "--instance", "post-cn-demo", "--client-id", "GID_XXXX@@@00001"];
const TWO_LINES: &str = "user name: Signature|AK|post-cn-demo\npassword: wgBKFWmzyGosuT7IH6WkYVe/cZI=\n";

fn sign() -> std::process::Command {
    let mut command = bare(&["sign"]);
    command.args(IDENTITY);
    command
}

#[test]
fn user_name_and_password_are_those_of_the_documentation() {
    let signed = run(sign().env("MQTT_P2P_SECRET_KEY", "XXXXX")).expect(0);
    assert_eq!((signed.stdout.as_str(), signed.stderr.as_str()), (TWO_LINES, ""));
}

#[test]
fn json_has_the_same() {
    let signed = run(sign().arg("--json").env("MQTT_P2P_SECRET_KEY", "XXXXX")).expect(0);
    assert_eq!(
        signed.stdout,
        "{\"user_name\":\"Signature|AK|post-cn-demo\",\"password\":\"wgBKFWmzyGosuT7IH6WkYVe/cZI=\"}\n"
    );
}

#[test]
fn everything_but_the_command_may_come_from_the_environment() {
    let signed = run(bare(&["sign"])
        .env("MQTT_P2P_ACCESS_KEY", "AK")
        .env("MQTT_P2P_INSTANCE", "post-cn-demo")
        .env("MQTT_P2P_CLIENT_ID", "GID_XXXX@@@00001")
        .env("MQTT_P2P_SECRET_KEY", "XXXXX"))
    .expect(0);
    assert_eq!(signed.stdout, TWO_LINES);
}

#[test]
fn a_secret_file_wins_over_the_environment_and_loses_its_line_end() {
    let path = std::env::temp_dir().join(format!("mqtt-p2p-secret-{}", std::process::id()));
    for content in ["XXXXX", "XXXXX\n", "XXXXX\r\n"] {
        std::fs::write(&path, content).unwrap();
        let signed =
            run(sign().arg("--secret-key-file").arg(&path).env("MQTT_P2P_SECRET_KEY", "other")).expect(0);
        assert_eq!(signed.stdout, TWO_LINES);
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_secret_is_not_taken_as_an_argument_and_not_repeated() {
    for args in [&["--secret-key", "XXXXX"][..], &["--secret-key=XXXXX"], &["--secret", "XXXXX"]] {
        let refused = run(sign().args(args)).expect(2).explains(&["--secret"]);
        assert!(!refused.stderr.contains("XXXXX"), "{refused:#?}");
    }
}

#[test]
fn help_shows_no_value_of_the_environment() {
    for command in ["sign", "send", "listen", "emulator"] {
        let help = run(bare(&[command, "--help"])
            .env("MQTT_P2P_SECRET_KEY", "hidden-1")
            .env("MQTT_P2P_ACCESS_KEY", "hidden-2"))
        .expect(0);
        assert!(!help.stdout.contains("hidden"), "{help:#?}");
        assert!(help.stdout.contains("MQTT_P2P_SECRET_KEY"), "{help:#?}");
    }
}

#[test]
fn a_secret_that_is_missing_empty_or_unreadable_is_said_so() {
    run(&mut sign()).expect(2).explains(&["no access key secret", "help: ", "MQTT_P2P_SECRET_KEY"]);
    run(sign().env("MQTT_P2P_SECRET_KEY", "")).expect(2).explains(&["secret is empty"]);
    run(sign().args(["--secret-key-file", "/nowhere/secret"]))
        .expect(2)
        .explains(&["/nowhere/secret", "help: "]);
}

#[cfg(unix)]
#[test]
fn a_secret_file_without_end_is_not_read_to_its_end() {
    run(sign().args(["--secret-key-file", "/dev/zero"])).expect(2);
}

#[test]
fn a_bad_client_id_is_explained() {
    for (client_id, why) in [
        ("bob", "no @@@"),
        ("Test@@@1", "GID_"),
        ("GID_demo@@@", "nothing follows @@@"),
        ("GID_demo@@@a/b", "/"),
    ] {
        run(bare(&["sign", "--access-key", "AK", "--instance", "i", "--client-id", client_id])
            .env("MQTT_P2P_SECRET_KEY", "XXXXX"))
        .expect(2)
        .explains(&[why, "--client-id"]);
    }
}
