//! TLS and WSS: whom the client trusts, who it is, and how it says what is wrong.

mod common;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::tls::{Authority, Certificate, TlsFront};
use common::{Raw, connect, emulator, failure, options, quick, talks_to_itself, transport_failure, within};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::rustls::{ClientConfig, RootCertStore};
use mqtt_p2p_tokio::{
    Client, ConnectError, DisconnectReason, Endpoint, Options, Tls, TlsError, TransportError,
};
use rcgen::{BasicConstraints, IsCa};
use tokio::io::AsyncWriteExt;

/// A client that trusts this authority.
fn trusting(authority: &Authority, endpoint: Endpoint) -> Options {
    options(endpoint, "1").tls(authority.trusted())
}

#[tokio::test]
async fn messages_travel_at_every_qos_over_tls_and_over_wss() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let certificate = authority.issue();
    let tls = TlsFront::start(server.tcp_addr(), &certificate).await;
    let wss = TlsFront::start(server.ws_addr(), &certificate).await;
    for endpoint in [tls.tls(), wss.wss()] {
        let (client, mut messages) = connect(trusting(&authority, endpoint)).await;
        talks_to_itself(&client, &mut messages).await;
        within("close", client.close()).await;
    }
}

#[tokio::test]
async fn each_fault_of_a_certificate_is_told_apart_with_advice_of_its_own() {
    let server = emulator(Quirks::service()).await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let names = ["127.0.0.1"];
    let mut advice = Vec::new();
    for (certificate, expected, word) in [
        (theirs.issue_for(&names, 2020, 2200), TransportError::UnknownAuthority, "UnknownIssuer"),
        (ours.issue_for(&names, 2020, 2021), TransportError::CertificateExpired, "expired"),
        (ours.issue_for(&names, 2199, 2200), TransportError::CertificateNotYetValid, "not valid yet"),
        (ours.issue_for(&["other.example"], 2020, 2200), TransportError::WrongName, "other.example"),
    ] {
        for (address, secure) in [
            (server.tcp_addr(), TlsFront::tls as fn(&TlsFront) -> Endpoint),
            (server.ws_addr(), TlsFront::wss),
        ] {
            let front = TlsFront::start(address, &certificate).await;
            let (why, detail) = transport_failure(trusting(&ours, secure(&front))).await;
            assert_eq!(why, expected);
            assert!(detail.contains(word), "{detail}");
        }
        advice.push(expected.advice());
    }
    advice.sort_unstable();
    advice.dedup();
    assert_eq!(advice.len(), 4);
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_trusted() {
    let server = emulator(Quirks::service()).await;
    let front = TlsFront::start(server.tcp_addr(), &Authority::new("ours").issue()).await;
    let (why, _) = transport_failure(options(front.tls(), "1")).await;
    assert_eq!(why, TransportError::UnknownAuthority);
    // Nor does it help to name another one, alone or besides the platform's.
    for tls in
        [Authority::new("other").trusted(), Authority::new("other").trusted().and_platform_authorities()]
    {
        let (why, _) = transport_failure(options(front.tls(), "1").tls(tls)).await;
        assert_eq!(why, TransportError::UnknownAuthority);
    }
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_good_unless_it_is_an_authoritys() {
    let server = emulator(Quirks::service()).await;
    // As plain `openssl req -x509` makes them.
    let certificate = Certificate::self_signed(IsCa::Ca(BasicConstraints::Unconstrained));
    let front = TlsFront::start(server.tcp_addr(), &certificate).await;
    for tls in [certificate.trusted(), Authority::new("other").trusted()] {
        let (why, detail) = transport_failure(options(front.tls(), "1").tls(tls)).await;
        assert_eq!(why, TransportError::AuthorityAsServer, "{detail}");
        assert!(why.advice().contains("CA:FALSE"), "{}", why.advice());
    }
    // As the advice says.
    let certificate = Certificate::self_signed(IsCa::ExplicitNoCa);
    let front = TlsFront::start(server.tcp_addr(), &certificate).await;
    let (client, _) = connect(options(front.tls(), "1").tls(certificate.trusted())).await;
    within("close", client.close()).await;
}

#[tokio::test]
async fn an_authority_is_read_from_a_file_and_trusted_besides_those_of_the_platform() {
    let server = emulator(Quirks::service()).await;
    let authority = Authority::new("ours");
    let front = TlsFront::start(server.tcp_addr(), &authority.issue()).await;
    let file = std::env::temp_dir().join(format!("mqtt-p2p-ca-{}.pem", std::process::id()));
    std::fs::write(&file, authority.pem()).unwrap();
    let tls = Tls::new().ca_file(&file);
    std::fs::remove_file(&file).unwrap();
    for tls in [tls.clone().unwrap(), tls.unwrap().and_platform_authorities()] {
        let (client, _) = connect(options(front.tls(), "1").tls(tls)).await;
        within("close", client.close()).await;
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_the_right_one_or_says_so() {
    let server = emulator(Quirks::standard()).await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for (address, secure) in
        [(server.tcp_addr(), TlsFront::tls as fn(&TlsFront) -> Endpoint), (server.ws_addr(), TlsFront::wss)]
    {
        let front = TlsFront::mutual(address, &ours.issue(), &ours).await;
        let client = ours.issue_for(&["client"], 2020, 2200);
        let right = options(secure(&front), "1").tls(client.shown_with(ours.trusted()));
        let (client, mut messages) = connect(right).await;
        talks_to_itself(&client, &mut messages).await;
        within("close", client.close()).await;

        let foreign = theirs.issue_for(&["client"], 2020, 2200);
        for tls in [ours.trusted(), foreign.shown_with(ours.trusted())] {
            let (why, detail) = transport_failure(options(secure(&front), "1").tls(tls)).await;
            assert_eq!(why, TransportError::ClientCertificate, "{detail}");
        }
    }
}

#[tokio::test]
async fn the_server_name_can_be_another_than_the_hosts() {
    let server = emulator(Quirks::service()).await;
    let authority = Authority::new("ours");
    let certificate = authority.issue_for(&["broker.example"], 2020, 2200);
    let front = TlsFront::start(server.tcp_addr(), &certificate).await;
    let named = authority.trusted().server_name("broker.example").unwrap();
    let (client, _) = connect(options(front.tls(), "1").tls(named)).await;
    within("close", client.close()).await;
    let wrong = authority.trusted().server_name("other.example").unwrap();
    let (why, detail) = transport_failure(options(front.tls(), "1").tls(wrong)).await;
    assert_eq!(why, TransportError::WrongName);
    assert!(detail.contains("other.example") && detail.contains("broker.example"), "{detail}");
}

#[tokio::test]
async fn a_configuration_of_the_callers_decides_alone() {
    let server = emulator(Quirks::service()).await;
    let authority = Authority::new("ours");
    let front = TlsFront::start(server.tcp_addr(), &authority.issue()).await;
    let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let tls = Tls::with_config(Arc::new(config)).ca_pem(authority.pem().as_bytes()).unwrap();
    let (why, _) = transport_failure(options(front.tls(), "1").tls(tls)).await;
    assert_eq!(why, TransportError::UnknownAuthority);
}

/// Counts warnings.
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN && metadata.target().starts_with("mqtt_p2p_tokio")
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(&mut |_: &tracing::field::Field, value: &dyn fmt::Debug| text = format!("{value:?}"));
        self.0.fetch_add(usize::from(text.contains("certificate is not checked")), Ordering::SeqCst);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn any_certificate_is_accepted_only_on_request_and_with_a_warning() {
    let warnings = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::set_global_default(Warnings(Arc::clone(&warnings))).unwrap();
    let server = emulator(Quirks::service()).await;
    let certificate = Authority::new("nobody").issue_for(&["other.example"], 2020, 2021);
    let front = TlsFront::start(server.tcp_addr(), &certificate).await;
    failure(options(front.tls(), "1")).await;
    assert_eq!(warnings.load(Ordering::SeqCst), 0);
    let careless = Tls::new().dangerously_accept_any_certificate();
    assert!(format!("{careless:?}").contains("ANYBODY"));
    let (client, _) = connect(options(front.tls(), "1").tls(careless)).await;
    assert_eq!(warnings.load(Ordering::SeqCst), 1);
    within("close", client.close()).await;
}

#[tokio::test]
async fn tls_to_a_port_without_it_is_recognised() {
    let raw = Raw::start().await;
    let (_, port) =
        raw.tcp().to_string().rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for answer in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"] {
        let endpoint = Endpoint::tls("127.0.0.1", port.parse().unwrap());
        let server = async {
            let mut stream = raw.accept().await;
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            common::ended(&mut stream).await;
        };
        let ((why, detail), ()) = tokio::join!(transport_failure(options(endpoint, "1")), server);
        assert_eq!(why, TransportError::NotTls, "{detail}");
    }
    // A server of MQTT without TLS.
    let server = emulator(Quirks::service()).await;
    let endpoint = Endpoint::tls("127.0.0.1", server.tcp_addr().port());
    assert_eq!(transport_failure(options(endpoint, "1")).await.0, TransportError::NotTls);
}

#[tokio::test]
async fn plain_mqtt_to_a_port_with_tls_is_recognised() {
    let server = emulator(Quirks::service()).await;
    let front = TlsFront::start(server.tcp_addr(), &Authority::new("ours").issue()).await;
    let error = failure(options(front.tcp(), "1")).await;
    assert!(error.to_string().contains("the server answered in TLS"), "{error}");
}

#[tokio::test]
async fn a_handshake_without_an_answer_ends_with_the_connect_deadline() {
    let raw = Raw::start().await;
    let silent = Endpoint::tls("127.0.0.1", raw.tcp().port());
    let mut options = options(silent, "1");
    options.config = quick(options.config).with_connect_timeout_ms(200);
    let (error, _silent) = tokio::join!(failure(options), raw.accept());
    let ConnectError::Failed { reason: DisconnectReason::ConnectTimeout, detail: Some(detail) } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(&*detail, "stuck at: TLS handshake");
}

#[tokio::test]
async fn a_dropped_handshake_leaves_no_connection_behind() {
    let raw = Raw::start().await;
    let silent = Endpoint::tls("127.0.0.1", raw.tcp().port());
    let connecting = tokio::spawn(Client::connect(options(silent, "1")));
    let mut stream = raw.accept().await;
    connecting.abort();
    common::ended(&mut stream).await;
}

#[test]
fn certificates_and_keys_that_can_not_be_used_say_why() {
    let authority = Authority::new("ours");
    let (one, other) = (authority.issue(), authority.issue());
    let show = |certificate: &str, key: &str| {
        Tls::new().client_certificate_pem(certificate.as_bytes(), key.as_bytes()).err()
    };
    assert_eq!(show(&one.certificate, &one.key), None);
    assert_eq!(show("", &one.key), Some(TlsError::Certificate));
    assert_eq!(show(&one.certificate, "planted"), Some(TlsError::Key));
    assert_eq!(show(&one.certificate, &other.key), Some(TlsError::KeyMismatch));
    assert_eq!(Tls::new().ca_pem(b"planted").err(), Some(TlsError::Certificate));
    assert_eq!(Tls::new().server_name("a b").err(), Some(TlsError::ServerName));
    let missing = Tls::new().ca_file("/no/such/file").err();
    assert!(matches!(&missing, Some(TlsError::File { path, .. }) if path == "/no/such/file"), "{missing:?}");
}

#[test]
fn no_text_contains_the_private_key() {
    let certificate = Authority::new("ours").issue();
    let options = options(Endpoint::tls("h", 1), "1").tls(certificate.shown_with(Tls::new()));
    let text = format!("{options:?}");
    for line in certificate.key.lines().filter(|line| !line.starts_with('-')) {
        assert!(!text.contains(line), "{text}");
    }
    assert!(text.contains("client_certificate: true"), "{text}");
}

#[tokio::test]
async fn a_connection_over_tls_comes_back_when_it_is_cut() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let front = TlsFront::start(server.tcp_addr(), &authority.issue()).await;
    let (client, mut messages) = connect(trusting(&authority, front.tls())).await;
    for connections in 1..4 {
        common::until("a connection", || client.is_connected()).await;
        talks_to_itself(&client, &mut messages).await;
        assert_eq!(client.stats().connections, connections);
        server.drop_all();
        common::until("the loss", || !client.is_connected()).await;
    }
}
