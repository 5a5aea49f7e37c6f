//! The probe: which steps it takes, and what it says of each fault.

mod common;

use common::proxy::{Rule, TestProxy};
use common::tls::{Authority, TlsFront};
use common::{Raw, SECRET, emulator, options, quick, tcp, within, ws};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{
    ConnectError, DisconnectReason, Endpoint, Options, Proxy, ReasonCode, Step, StepReport, TransportError,
    probe,
};

/// What a probe reported, and how it ended.
async fn probed(options: Options) -> (Vec<StepReport>, Result<(), ConnectError>) {
    let mut reports = Vec::new();
    let result = within("the probe", probe(options, |report| reports.push(report))).await;
    // Only the last step can fail, and it is the result.
    let (last, before) = reports.split_last().unwrap();
    assert!(before.iter().all(|report| report.outcome.is_ok()), "{reports:?}");
    assert_eq!(last.outcome.clone().map(|_| ()), result);
    for report in &reports {
        match &report.outcome {
            Ok(detail) => println!("ok      {:<22} {:?} {detail}", report.step, report.took),
            Err(error) => println!("failed  {:<22} {error}; {}", report.step, error.advice()),
        }
    }
    (reports, result)
}

fn steps(reports: &[StepReport]) -> Vec<Step> {
    reports.iter().map(|report| report.step).collect()
}

#[tokio::test]
async fn a_good_server_passes_every_step_of_its_transport() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let tls = TlsFront::start(server.tcp_addr(), &authority.issue()).await;
    let wss = TlsFront::start(server.ws_addr(), &authority.issue()).await;
    let proxy = TestProxy::http(server.tcp_addr(), Rule::Everybody).await;
    let proxied = options(tcp(&server), "1").proxy(Proxy::http("127.0.0.1", proxy.port));
    for (options, middle) in [
        (options(tcp(&server), "1"), &[][..]),
        (options(ws(&server), "1"), &[Step::WebSocket]),
        (options(tls.tls(), "1"), &[Step::Tls]),
        (options(wss.wss(), "1"), &[Step::Tls, Step::WebSocket]),
        (proxied, &[Step::Proxy]),
    ] {
        let (reports, result) = probed(options.tls(authority.trusted())).await;
        assert_eq!(result, Ok(()));
        let expected = [&[Step::Name, Step::Tcp], middle, &[Step::Connect, Step::RoundTrip]].concat();
        assert_eq!(steps(&reports), expected);
        if let Some(tls) = reports.iter().find(|report| report.step == Step::Tls) {
            assert!(tls.outcome.as_ref().is_ok_and(|detail| detail.contains("TLSv1_3")), "{tls:?}");
        }
    }
    common::until("nobody is left", || server.connected_clients().is_empty()).await;
}

#[tokio::test]
async fn seven_faults_give_seven_diagnoses() {
    let server = emulator(Quirks::service()).await;
    let front = TlsFront::start(server.tcp_addr(), &Authority::new("ours").issue()).await;
    let raw = Raw::start().await;
    let closed = Raw::start().await.tcp();
    let impatient = |endpoint| {
        let mut options = options(endpoint, "1");
        options.config = quick(options.config).with_connect_timeout_ms(300);
        options
    };
    let port = raw.tcp().port();
    let wrong = options(tcp(&server), "1").password("Signature|AK|post-cn-demo", "wrong");
    let mut seen = Vec::new();
    for (options, step, reason) in [
        (options(Endpoint::tcp("host.invalid", 1883), "1"), Step::Name, Ok(TransportError::NameNotFound)),
        (options(closed, "1"), Step::Tcp, Ok(TransportError::ConnectionRefused)),
        (options(front.tls(), "1"), Step::Tls, Ok(TransportError::UnknownAuthority)),
        (wrong, Step::Connect, Err(Some(ReasonCode::BadUserNameOrPassword))),
        (impatient(raw.tcp()), Step::Connect, Err(None)),
        (impatient(Endpoint::tls("127.0.0.1", port)), Step::Tls, Err(None)),
        (impatient(Endpoint::ws("127.0.0.1", port)), Step::WebSocket, Err(None)),
    ] {
        let (reports, result) = probed(options).await;
        assert_eq!(reports.last().map(|report| report.step), Some(step));
        let error = result.unwrap_err();
        match (&error, reason) {
            (ConnectError::Failed { reason: DisconnectReason::Transport(why), .. }, Ok(expected)) => {
                assert_eq!(*why, expected);
            }
            (
                ConnectError::Failed { reason: DisconnectReason::ConnectTimeout, detail: Some(_) },
                Err(None),
            ) => {}
            (ConnectError::Refused(reason), Err(expected)) => assert_eq!(Some(*reason), expected),
            other => panic!("{other:?}"),
        }
        seen.push(error.to_string());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert!(seen.iter().all(|text| !text.contains(SECRET)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_the_ping_fails_the_round_trip() {
    let raw = Raw::start().await;
    for closes in [false, true] {
        let mut options = raw.options();
        options.config.ping_timeout_ms = 200;
        let server = async {
            let mut stream = raw.log_in().await;
            assert_eq!(common::packet(&mut stream).await, [0xc0, 0]);
            (!closes).then_some(stream)
        };
        let ((reports, result), _silent) = tokio::join!(probed(options), server);
        assert_eq!(steps(&reports).last(), Some(&Step::RoundTrip));
        let Err(ConnectError::Failed { reason, .. }) = result else { panic!("{result:?}") };
        assert_eq!(reason == DisconnectReason::KeepAliveTimeout, !closes, "{reason:?}");
    }
}

#[tokio::test]
async fn a_dropped_probe_leaves_no_connection_behind() {
    let raw = Raw::start().await;
    let probing = tokio::spawn(probe(raw.options(), drop));
    let mut stream = raw.log_in().await;
    assert_eq!(common::packet(&mut stream).await, [0xc0, 0]);
    probing.abort();
    common::ended(&mut stream).await;
}
