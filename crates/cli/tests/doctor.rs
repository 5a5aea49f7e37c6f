//! `mqtt-p2p doctor`: six faults, or none, and a diagnosis of its own for each.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use common::{Run, SECRET, bare, logged_in, run, server, tcp, ws};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

fn doctor(url: &str, args: &[&str]) -> Run {
    let mut command = logged_in(url, "GID_demo@@@patient", &["doctor"]);
    command.args(args);
    run(&mut command)
}

impl Run {
    /// Ticked these steps, failed at the next, and said so.
    #[track_caller]
    fn diagnoses(self, ticked: &[&str], failed: &str, texts: &[&str]) -> Self {
        let marked = |mark: &str| -> Vec<_> {
            let marked = self.stdout.lines().filter_map(|line| line.trim_start().strip_prefix(mark));
            marked.map(|line| line.split("  ").next().unwrap_or_default().trim().to_owned()).collect()
        };
        assert_eq!(marked("✓ "), ticked, "{self:#?}");
        assert_eq!(marked("✗ "), [failed], "{self:#?}");
        self.explains(&["help: "]).explains(texts)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_server_has_every_step_ticked() {
    let server = server().await;
    let well = doctor(&ws(&server), &[]).expect(0);
    assert_eq!(well.stderr, "");
    assert_eq!(well.stdout.matches('✓').count(), 5, "{well:#?}");
    assert!(well.stdout.ends_with("All is well.\n"), "{well:#?}");
    assert!(!well.stdout.contains('✗'), "{well:#?}");
}

#[test]
fn a_name_that_does_not_exist_is_found_at_the_name() {
    doctor("mqtt://no-such-host.invalid", &[]).expect(10).diagnoses(
        &[],
        "name resolution",
        &["host name was not found", "name server"],
    );
}

#[test]
fn a_closed_port_is_found_at_tcp() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    doctor(&format!("mqtt://{free}"), &[]).expect(11).diagnoses(
        &["name resolution"],
        "TCP connection",
        &["refused", "check the port"],
    );
}

#[test]
fn a_silent_port_is_found_at_connect() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", silent.local_addr().unwrap());
    doctor(&url, &["--timeout", "0.5"]).expect(15).diagnoses(
        &["name resolution", "TCP connection"],
        "log-in",
        &["in time", "stays silent"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_found_at_tls_and_its_file_mends_it() {
    let server = server().await;
    let (url, authority) = behind_tls(server.tcp_addr()).await;
    doctor(&url, &[]).expect(13).diagnoses(
        &["name resolution", "TCP connection"],
        "TLS handshake",
        &["unknown authority", "--cafile"],
    );
    let path = authority.to_string_lossy();
    let mended = doctor(&url, &["--cafile", &path]).expect(0);
    assert!(mended.stdout.contains("TLSv1_3"), "{mended:#?}");
    let insecure = doctor(&url, &["--insecure"]).expect(0);
    assert!(insecure.stderr.contains("CERTIFICATES ARE NOT CHECKED"), "{insecure:#?}");
    std::fs::remove_file(&authority).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_found_at_the_log_in_and_not_shown() {
    let server = server().await;
    let mut command = logged_in(&tcp(&server), "GID_demo@@@patient", &["doctor"]);
    let refused = run(command.env("MQTT_P2P_SECRET_KEY", "wr0ng-s3cr3t")).expect(4);
    let refused =
        refused.diagnoses(&["name resolution", "TCP connection"], "log-in", &["return code 4", "secret"]);
    assert!(!refused.stdout.contains("wr0ng") && !refused.stderr.contains("wr0ng"), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_steps_and_the_error() {
    let server = server().await;
    let well = doctor(&ws(&server), &["--json"]).expect(0);
    let steps: Vec<Value> = well.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["name", "tcp", "websocket", "connect", "round_trip"]);
    assert!(steps.iter().all(|step| step["ok"] == true && step["millis"].is_f64()), "{well:#?}");

    let failed = doctor("mqtt://no-such-host.invalid", &["--json"]).expect(10);
    let step: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!((&step["step"], &step["ok"]), (&"name".into(), &false.into()), "{failed:#?}");
    let error: Value = serde_json::from_str(&failed.stderr).unwrap();
    assert_eq!(error["type"], "error");
    assert_eq!((&error["kind"], &error["exit_code"]), (&"name".into(), &10.into()), "{failed:#?}");
    assert_eq!(error["help"], step["help"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_wait_for_the_patient_stay_where_they_are() {
    let server = server().await;
    let mut sending = logged_in(
        &tcp(&server),
        "GID_demo@@@alice",
        &["send", "--parent", "demo", "--to", "GID_demo@@@patient", "x"],
    );
    run(&mut sending).expect(0);
    doctor(&tcp(&server), &[]).expect(0);
    assert_eq!(server.offline_messages("GID_demo@@@patient"), 1);
}

#[test]
fn an_address_with_a_password_in_it_is_refused_without_showing_it() {
    for args in [
        &["doctor", "mqtt://me:planted@localhost"][..],
        &["doctor", "--proxy", "ftp://me:planted@gateway", "mqtt://localhost"],
        &["publish", "--url", "mqtt://me:planted@localhost", "-t", "x", "-n"],
    ] {
        let refused = run(bare(args).env("MQTT_P2P_SECRET_KEY", SECRET)).expect(2).explains(&["help: "]);
        assert!(!refused.stderr.contains("planted"), "{refused:#?}");
    }
}

#[test]
fn faults_of_proxy_websocket_and_a_server_that_dies_after_the_log_in_have_their_own_codes() {
    let answers = |bytes: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(bytes);
                held.push(stream);
            }
        });
        address
    };
    let refuses = answers(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    doctor("mqtt://localhost:1", &["--proxy", &format!("http://{refuses}")]).expect(12).diagnoses(
        &["name resolution", "TCP connection"],
        "proxy",
        &["proxy"],
    );
    doctor(&format!("ws://{refuses}"), &[]).expect(14).diagnoses(
        &["name resolution", "TCP connection"],
        "WebSocket upgrade",
        &["403", "path"],
    );
    let accepts = answers(&[0x20, 2, 0, 0]);
    doctor(&format!("mqtt://{accepts}"), &["--timeout", "0.5"]).expect(16).diagnoses(
        &["name resolution", "TCP connection", "log-in"],
        "round trip",
        &["ping in time"],
    );
}

/// A way to a server through TLS, and the file of the authority behind it.
async fn behind_tls(server: std::net::SocketAddr) -> (String, PathBuf) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Who does not trust the certificate leaves here.
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut server = tokio::net::TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let path = std::env::temp_dir().join(format!("mqtt-p2p-authority-{}.pem", std::process::id()));
    std::fs::write(&path, pem).unwrap();
    (format!("mqtts://{address}"), path)
}
