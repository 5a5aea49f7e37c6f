//! Every transport to mosquitto, and every fault of its certificate.

use mqtt_p2p_interop::{
    Authority, Fault, Mosquitto, Settings, connect, next, nothing_more, number, options, within,
};
use mqtt_p2p_tokio::{
    Client, ConnectError, DisconnectReason, Endpoint, Options, QoS, Step, Tls, TransportError, probe,
};

const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

async fn secure(fault: Fault) -> Mosquitto {
    Mosquitto::with(Settings { secure: Some(fault), ..Settings::default() }).await
}

/// The same trust, with a certificate that this authority issues to a client.
fn showing(tls: Tls, authority: &Authority) -> Tls {
    let (certificate, key) = authority.issue(Fault::None);
    tls.client_certificate_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
}

/// Each transport with its name.
fn transports(broker: &Mosquitto) -> Vec<(&'static str, Options)> {
    let secure = broker.secure();
    let mutual = showing(secure.trusted(), &secure.authority);
    vec![
        ("tcp", options(broker.tcp(), "tcp")),
        ("tls", options(secure.tls(), "tls").tls(secure.trusted())),
        ("mutual", options(secure.mutual(), "mutual").tls(mutual)),
        ("ws", options(broker.ws(), "ws")),
        ("wss", options(secure.wss(), "wss").tls(secure.trusted())),
        ("unix", options(broker.unix(), "unix")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_messages_of_each_qos_go_there_and_back_over_every_transport() {
    const EACH: usize = 100;
    let broker = secure(Fault::None).await;
    for (name, options) in transports(&broker) {
        let (client, mut messages) = connect(options).await;
        client.subscribe("n", QoS::ExactlyOnce).await.unwrap();
        for qos in LEVELS {
            let mut last = None;
            for i in 0..EACH {
                last = Some(within("room", client.publish("n", i.to_string(), qos)).await.unwrap());
            }
            within("the last acknowledgement", last.unwrap()).await.unwrap();
            for i in 0..EACH {
                let message = next(&mut messages).await;
                assert_eq!((number(&message), message.qos()), (i, qos), "{name}");
            }
        }
        assert!(nothing_more(&mut messages).await, "{name}");
        within("close", client.close()).await;
        println!("{name}: {} sent, {} received", 3 * EACH, 3 * EACH);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_megabyte_passes_over_tls_and_the_unix_socket() {
    let broker = secure(Fault::None).await;
    let payload: Vec<u8> = (0..1 << 20).map(|i: usize| (i % 251) as u8).collect();
    for (name, options) in transports(&broker) {
        // Mosquitto writes slowly to WebSockets: see the sizes in messages.rs.
        if name == "ws" || name == "wss" {
            continue;
        }
        let (client, mut messages) = connect(options).await;
        client.subscribe("large", QoS::ExactlyOnce).await.unwrap();
        for qos in LEVELS {
            let delivery = within("room", client.publish("large", &payload, qos)).await.unwrap();
            within("an acknowledgement", delivery).await.unwrap();
            assert!(next(&mut messages).await.payload() == payload, "{name}");
        }
    }
}

/// Why the transport to a broker did not come about.
async fn failure(options: Options) -> TransportError {
    let error = within("the attempt", Client::connect(options)).await.expect_err("a failure");
    println!("{error}; {}", error.advice());
    match error {
        ConnectError::Failed { reason: DisconnectReason::Transport(why), .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_and_one_for_another_name_are_refused_as_such() {
    for (fault, expected) in
        [(Fault::Expired, TransportError::CertificateExpired), (Fault::OtherName, TransportError::WrongName)]
    {
        let broker = secure(fault).await;
        let trusted = broker.secure().trusted();
        for endpoint in [broker.secure().tls(), broker.secure().wss()] {
            assert_eq!(failure(options(endpoint, "1").tls(trusted.clone())).await, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_refused_as_such() {
    let broker = secure(Fault::None).await;
    for endpoint in [broker.secure().tls(), broker.secure().wss()] {
        for tls in [Tls::new(), Tls::new().ca_pem(Authority::new("other").pem().as_bytes()).unwrap()] {
            assert_eq!(
                failure(options(endpoint.clone(), "1").tls(tls)).await,
                TransportError::UnknownAuthority
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_foreign_client_certificate_is_named_as_the_reason() {
    let broker = secure(Fault::None).await;
    let secure = broker.secure();
    let foreign = showing(secure.trusted(), &Authority::new("other"));
    for tls in [secure.trusted(), foreign] {
        let why = failure(options(secure.mutual(), "1").tls(tls)).await;
        assert_eq!(why, TransportError::ClientCertificate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_a_plain_port_is_recognised() {
    let broker = secure(Fault::None).await;
    for endpoint in
        [Endpoint::tls("127.0.0.1", broker.tcp().port()), Endpoint::wss("127.0.0.1", broker.ws().port())]
    {
        assert_eq!(failure(options(endpoint, "1")).await, TransportError::NotTls);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_mqtt_on_a_port_of_tls_ends_with_advice_to_use_tls() {
    let broker = secure(Fault::None).await;
    let plain = Endpoint::tcp("127.0.0.1", broker.secure().tls().port());
    let attempt = Client::connect(options(plain, "1"));
    let error = within("the attempt", attempt).await.expect_err("a failure");
    assert!(error.advice().contains("mqtts://"), "{error}; {}", error.advice());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_passes_every_step_of_every_transport() {
    let broker = secure(Fault::None).await;
    for (name, options) in transports(&broker) {
        let mut steps = Vec::new();
        let probing = probe(options, |report| {
            println!("{name}: {} {:?} {:?}", report.step, report.took, report.outcome);
            steps.push(report.step);
        });
        within("the probe", probing).await.unwrap();
        let expected: &[Step] = match name {
            "tcp" => &[Step::Name, Step::Tcp],
            "tls" | "mutual" => &[Step::Name, Step::Tcp, Step::Tls],
            "ws" => &[Step::Name, Step::Tcp, Step::WebSocket],
            "wss" => &[Step::Name, Step::Tcp, Step::Tls, Step::WebSocket],
            _ => &[Step::UnixSocket],
        };
        assert_eq!(steps, [expected, &[Step::Connect, Step::RoundTrip]].concat());
    }
}
