//! Log-ins by token, from the first to the last: asked for when needed, kept, renewed, replaced, given up.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use common::{connect, event, quick, until, within};
use mqtt_p2p_emulator::{Account, Quirks, Server, TokenInvalidNotice};
use mqtt_p2p_tokio::{
    Cause, Client, ClientId, ConnectError, ConnectionEvent, Connector, DisconnectReason, InvalidReason,
    Login, Margins, Messages, Options, QoS, ReasonCode, Token, TokenKind, TokenRequest, TokenSource,
    TransportError,
};

const RW: TokenKind = TokenKind::RW;

/// Tokens may be short-lived here, so that a test sees them end.
async fn emulator(change: impl FnOnce(&mut Quirks)) -> Arc<Server> {
    let mut quirks = Quirks::service().without_delays();
    change(&mut quirks);
    let mut config = mqtt_p2p_emulator::Config::new("post-cn-demo")
        .account(Account::access_key("AK", common::SECRET))
        .quirks(quirks);
    config.min_token_lifetime = Duration::ZERO;
    Arc::new(Server::start(config).await.unwrap())
}

/// The program's own server, which counts how often it is asked.
#[derive(Clone)]
struct Issuer {
    server: Arc<Server>,
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<String>>,
    /// It does not say when its tokens end.
    silent: Arc<AtomicBool>,
}

impl Issuer {
    fn new(server: &Arc<Server>) -> Self {
        Self {
            server: Arc::clone(server),
            asked: Arc::default(),
            last: Arc::default(),
            silent: Arc::default(),
        }
    }

    fn issue(&self, lifetime: Duration) -> Token {
        self.asked.fetch_add(1, SeqCst);
        let issued = self.server.issue_token(["demo/#"], RW, lifetime).unwrap();
        self.last.lock().unwrap().clone_from(&issued.text);
        if self.silent.load(SeqCst) {
            return Token::without_expiry(RW, issued.text);
        }
        let expires_at = SystemTime::UNIX_EPOCH + Duration::from_millis(issued.expire_time);
        Token::new(RW, issued.text, expires_at)
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn revoke(&self) {
        self.server.revoke_token(&self.last.lock().unwrap()).unwrap();
    }

    /// A source of tokens that live so long.
    fn source(&self, lifetime: Duration) -> TokenSource {
        let issuer = self.clone();
        TokenSource::new(RW, move |_: TokenRequest| {
            let token = issuer.issue(lifetime);
            async move { Ok::<_, std::io::Error>(vec![token]) }
        })
        .margins(narrow())
    }
}

/// As careful as short lives allow.
fn narrow() -> Margins {
    Margins::new()
        .with_clock_skew(Duration::from_millis(200))
        .with_initial_backoff(Duration::from_millis(50))
        .with_grace_period(Duration::from_millis(100))
}

fn options(server: &Server, source: TokenSource) -> Options {
    let me = ClientId::new("GID_test", "a").unwrap();
    let options = Options::aliyun_tokens(server.url().parse().unwrap(), &me, "AK", "post-cn-demo", source);
    let config = quick(options.config);
    options.config(config)
}

/// Publishes numbers to itself without a break; each must come back.
struct Stream {
    client: Client,
    messages: Messages,
    next: usize,
    missing: BTreeSet<String>,
}

impl Stream {
    async fn run(&mut self, millis: u64) {
        let end = tokio::time::Instant::now() + Duration::from_millis(millis);
        while tokio::time::Instant::now() < end {
            let number = self.next.to_string();
            self.next += 1;
            let sent = self.client.send_p2p("demo", "GID_test@@@a", &number, QoS::AtLeastOnce);
            drop(within("room", sent).await.unwrap());
            self.missing.insert(number);
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.take();
        }
    }

    fn take(&mut self) {
        while let Some(message) = self.messages.try_recv() {
            self.missing.remove(std::str::from_utf8(message.payload()).unwrap());
        }
    }

    async fn nothing_is_missing(&mut self) {
        for _ in 0..1_000 {
            self.take();
            if self.missing.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {} are missing", self.missing.len(), self.next);
    }
}

async fn stream(options: Options) -> Stream {
    let (client, messages) = connect(options).await;
    Stream { client, messages, next: 0, missing: BTreeSet::new() }
}

/// What the service would have had to complain about.
fn assert_clean(server: &Server) {
    let counters = server.counters();
    assert_eq!(counters.log_ins_with_expired_token, 0);
    assert_eq!(counters.before_upload_ack, 0, "something overtook the upload of a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_client_runs_through_renewals_revocation_and_expiry_without_losing_a_message() {
    let server = emulator(|quirks| {
        quirks.token_expire_notice = Some(Duration::from_millis(500));
        quirks.upload_ack_delay = Duration::from_millis(100);
    })
    .await;
    let issuer = Issuer::new(&server);
    let mut stream = stream(options(&server, issuer.source(Duration::from_secs(4)))).await;
    // Each token lives for four seconds. By the clock it is replaced after three, before there is a notice.
    stream.run(7_000).await;
    stream.nothing_is_missing().await;
    let by_the_clock = server.counters().uploads;
    assert!(by_the_clock >= 2 && server.counters().token_notices == 0, "{:?}", server.counters());
    // By notice, where nobody says when it ends.
    issuer.silent.store(true, SeqCst);
    stream.run(6_500).await;
    issuer.silent.store(false, SeqCst);
    stream.run(4_000).await;
    stream.nothing_is_missing().await;
    let notices = server.counters().token_notices;
    let uploads = server.counters().uploads;
    assert!(notices >= 1 && uploads > by_the_clock + 1, "{:?}", server.counters());
    assert_eq!(server.client_counters("GID_test@@@a").log_ins, 1, "no reconnect was needed");
    // Revoked.
    issuer.revoke();
    stream.run(1_000).await;
    stream.nothing_is_missing().await;
    assert_eq!(server.client_counters("GID_test@@@a").log_ins, 2);
    // Offline for longer than the token lives.
    let asked = issuer.asked();
    server.set_refusing(true);
    server.drop_all();
    stream.run(5_000).await;
    server.set_refusing(false);
    stream.nothing_is_missing().await;
    assert_clean(&server);
    assert_eq!(server.counters().log_ins_with_revoked_token, 0);
    println!(
        "{} messages, {} tokens, {uploads} uploads, {notices} notices, {} tokens for the way back",
        stream.next,
        issuer.asked(),
        issuer.asked() - asked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_renews_a_token_whose_end_the_client_does_not_know() {
    let notice = |quirks: &mut Quirks| quirks.token_expire_notice = Some(Duration::from_millis(1_000));
    let server = emulator(notice).await;
    let issuer = Issuer::new(&server);
    let source = {
        let issuer = issuer.clone();
        TokenSource::new(RW, move |_| {
            let token = Token::without_expiry(RW, issuer.issue(Duration::from_secs(2)).text());
            async move { Ok::<_, std::io::Error>(vec![token]) }
        })
    };
    let (client, _) = connect(options(&server, source.margins(narrow()))).await;
    let mut events = client.events();
    let notice = event(&mut events).await;
    assert!(matches!(notice, ConnectionEvent::TokenExpires { kind: RW, .. }), "{notice:?}");
    assert_eq!(event(&mut events).await, ConnectionEvent::TokenRenewed { kind: RW });
    assert_clean(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnects_use_the_same_token() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let (client, _) = connect(options(&server, issuer.source(Duration::from_secs(3_600)))).await;
    for connections in 2..=6 {
        server.drop_all();
        until("a reconnect", || client.stats().connections == connections && client.is_connected()).await;
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_left_asks_for_no_token() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let (client, _) = connect(options(&server, issuer.source(Duration::from_secs(1)))).await;
    client.disconnect().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(issuer.asked(), 1);
    client.reconnect();
    until("a connection", || client.is_connected()).await;
    assert_eq!(issuer.asked(), 2);
    assert_clean(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_at_hand_is_not_asked_for() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let kept = issuer.issue(Duration::from_secs(3_600));
    let _ = connect(options(&server, issuer.source(Duration::from_secs(3_600)).with(kept))).await;
    assert_eq!(issuer.asked(), 1, "when it was issued, and not again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expired_while_the_program_was_away_is_not_sent() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let kept = issuer.issue(Duration::from_millis(100));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let _ = connect(options(&server, issuer.source(Duration::from_secs(3_600)).with(kept))).await;
    assert_eq!(issuer.asked(), 2);
    assert_clean(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_while_the_connection_is_opened_is_not_sent() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let kept = issuer.issue(Duration::from_millis(500));
    let (dials, addr) = (Arc::new(AtomicUsize::new(0)), server.tcp_addr());
    let count = Arc::clone(&dials);
    let slow = Connector::new(move |_| {
        let first = count.fetch_add(1, SeqCst) == 0;
        async move {
            tokio::time::sleep(Duration::from_millis(if first { 600 } else { 0 })).await;
            tokio::net::TcpStream::connect(addr).await
        }
    });
    let source = TokenSource::new(RW, move |_| {
        let token = issuer.issue(Duration::from_secs(3_600));
        async move {
            // Not before the connection is open.
            tokio::time::sleep(Duration::from_millis(800)).await;
            Ok::<_, std::io::Error>(vec![token])
        }
    });
    let source = source.margins(narrow()).with(kept);
    let (client, _) = Client::start(options(&server, source).connector(slow));
    until("a connection", || client.is_connected()).await;
    assert_eq!(dials.load(SeqCst), 2);
    assert_clean(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_comes_after_the_disconnect_costs_no_further_token() {
    let late = |quirks: &mut Quirks| quirks.token_invalid_notice = TokenInvalidNotice::AfterReconnect;
    let server = emulator(late).await;
    let issuer = Issuer::new(&server);
    let (client, _) = connect(options(&server, issuer.source(Duration::from_secs(3_600)))).await;
    let mut events = client.events();
    issuer.revoke();
    // Nobody said why the connection ended, so the token is tried once more, and refused.
    loop {
        match event(&mut events).await {
            ConnectionEvent::TokenInvalid { .. } => break,
            other => println!("{other}"),
        }
    }
    within("an echo", client.send_p2p("demo", "GID_test@@@a", "x", QoS::AtLeastOnce))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(issuer.asked(), 2, "one for the log-in, one for the revoked");
    assert!(client.is_connected());
}

#[tokio::test(flavor = "multi_thread")]
async fn new_tokens_that_are_refused_as_well_are_not_asked_for_without_end() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let source = {
        let issuer = issuer.clone();
        TokenSource::new(RW, move |_| {
            let token = issuer.issue(Duration::from_secs(3_600));
            issuer.revoke();
            async move { Ok::<_, std::io::Error>(vec![token]) }
        })
    };
    let (client, _) = Client::start(options(&server, source));
    let refused = within("the first round", client.first_round()).await;
    assert!(matches!(refused, Err(ConnectError::Refused(_))), "{refused:?}");
    assert_eq!(issuer.asked(), 2);
    // A person has seen to it.
    client.reconnect();
    until("another try", || issuer.asked() > 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_the_wrong_topics_are_reported_and_given_up() {
    let server = emulator(|_| ()).await;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let source = {
        let (server, requests) = (Arc::clone(&server), Arc::clone(&requests));
        TokenSource::new(RW, move |request: TokenRequest| {
            requests.lock().unwrap().push(request.invalid);
            let issued = server.issue_token(["other/#"], RW, Duration::from_secs(3_600)).unwrap();
            async move { Ok::<_, std::io::Error>(vec![Token::without_expiry(RW, issued.text)]) }
        })
    };
    let (client, _) = connect(options(&server, source.margins(narrow()))).await;
    let mut events = client.events();
    let delivery = client.publish("demo/x", "x", QoS::AtLeastOnce).await.unwrap();
    let mut notices = 0;
    loop {
        match event(&mut events).await {
            ConnectionEvent::TokenInvalid { reason, .. } => {
                assert_eq!(reason, InvalidReason::ResourceMismatch);
                notices += 1;
            }
            ConnectionEvent::Disconnected { retry_in: None, .. } => break,
            other => println!("{other}"),
        }
    }
    let requests = requests.lock().unwrap().clone();
    println!("{notices} notices, {requests:?}");
    assert!(requests.len() <= 3 && requests[1] == Some(InvalidReason::ResourceMismatch), "{requests:?}");
    assert!(!client.is_connected());
    client.close().await;
    assert!(delivery.await.is_err(), "it waited for a log-in that allows it");
}

// On one thread, so that nothing fails before somebody listens.
#[tokio::test]
async fn a_source_that_fails_is_reported_and_asked_again() {
    let server = emulator(|_| ()).await;
    let issuer = Issuer::new(&server);
    let calls = Arc::new(AtomicUsize::new(0));
    let source = {
        let (issuer, calls) = (issuer.clone(), Arc::clone(&calls));
        TokenSource::new(RW, move |_| {
            let call = calls.fetch_add(1, SeqCst);
            let issuer = issuer.clone();
            async move {
                match call {
                    0 => Err(std::io::Error::other("the server of tokens is down")),
                    1 => panic!("a mistake"),
                    2 => Ok(vec![]),
                    3 => Ok(vec![Token::new(RW, "t", SystemTime::UNIX_EPOCH)]),
                    4 => Ok(vec![Token::new(RW, "a|b", SystemTime::now() + Duration::from_secs(60))]),
                    _ => Ok(vec![issuer.issue(Duration::from_secs(60))]),
                }
            }
        })
        .margins(narrow().with_max_backoff(Duration::from_millis(100)))
    };
    let (client, _) = Client::start(options(&server, source));
    let mut events = client.events();
    let mut failures = Vec::new();
    loop {
        match event(&mut events).await {
            ConnectionEvent::TokenFailed { detail } => failures.push(detail),
            ConnectionEvent::Connected { .. } => break,
            ConnectionEvent::Disconnected { reason, .. } => {
                assert_eq!(reason, DisconnectReason::Transport(TransportError::NoLogIn));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(failures.len(), 5, "{failures:?}");
    assert!(failures[0].contains("down") && failures[1].contains("panicked"), "{failures:?}");
    assert_eq!(server.client_counters("GID_test@@@a").refused, 0, "nothing was sent in between");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_appear_in_no_text() {
    let server = emulator(|_| ()).await;
    let token = Token::new(RW, common::SECRET, SystemTime::now() + Duration::from_secs(60));
    let source = TokenSource::new(RW, |_| async { Ok::<_, std::io::Error>(vec![]) }).with(token.clone());
    let options = options(&server, source.clone());
    for text in [format!("{token:?}"), format!("{source:?}"), format!("{options:?}")] {
        assert!(!text.contains(common::SECRET), "{text}");
    }
}

// ---- log-ins that are asked for ----

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_asked_for_before_every_attempt() {
    let server = common::emulator(Quirks::service()).await;
    let fixed = common::options(common::tcp(&server), "a");
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = {
        let (asked, login) = (Arc::clone(&asked), fixed.login.clone());
        fixed.clone().login_with(move || {
            let (call, login) = (asked.fetch_add(1, SeqCst), login.clone());
            async move {
                match call {
                    0 => Err("no credentials yet"),
                    _ => Ok::<Login, _>(login),
                }
            }
        })
    };
    let error = common::failure(asking.clone()).await;
    assert!(error.to_string().contains("no credentials yet"), "{error}");
    let (client, _) = connect(asking).await;
    server.drop_all();
    until("a reconnect", || client.stats().connections == 2 && client.is_connected()).await;
    assert_eq!(asked.load(SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_longer_than_an_attempt_serves_the_next() {
    let server = common::emulator(Quirks::service()).await;
    let mut slow = common::options(common::tcp(&server), "a");
    slow.config.connect_timeout_ms = 100;
    let (asked, login) = (Arc::new(AtomicUsize::new(0)), slow.login.clone());
    let counter = Arc::clone(&asked);
    let slow = slow.login_with(move || {
        counter.fetch_add(1, SeqCst);
        let login = login.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok::<_, std::io::Error>(login)
        }
    });
    let (client, _) = Client::start(slow);
    until("a connection", || client.is_connected()).await;
    assert_eq!(asked.load(SeqCst), 1);
}

// ---- the service's rules ----

#[tokio::test(flavor = "multi_thread")]
async fn ordered_uplink_is_asked_for_after_every_connect_before_anything_else() {
    let server = common::emulator(Quirks::service()).await;
    let ordered = common::options(common::tcp(&server), "a").uplink_order();
    let (client, _) = Client::start(ordered);
    for connections in 1..=3 {
        let delivery = client.publish("demo/x", "x", QoS::AtLeastOnce).await.unwrap();
        within("an answer", delivery).await.unwrap();
        assert!(server.is_ordered("GID_test@@@a"), "connection {connections}");
        server.drop_all();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_after_the_first_use_of_a_parent_topic_is_suspected_to_be_about_it() {
    let config = mqtt_p2p_emulator::Config::new("post-cn-demo")
        .account(Account::access_key("AK", common::SECRET))
        .parents(["demo"])
        .quirks(Quirks::service().without_delays());
    let server = Server::start(config).await.unwrap();
    let (client, _) = connect(common::options(common::tcp(&server), "a")).await;
    within("an answer", client.publish("demo/x", "x", QoS::AtLeastOnce).await.unwrap()).await.unwrap();
    let mut events = client.events();
    drop(client.publish("dmeo/x", "x", QoS::AtLeastOnce).await.unwrap());
    let ConnectionEvent::Disconnected { likely_cause, .. } = event(&mut events).await else {
        panic!("another event");
    };
    assert_eq!(likely_cause, Some(Cause::TopicNotAuthorised { parent: "dmeo".into() }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_log_in_that_no_token_is_part_of_is_not_repeated() {
    let server = common::emulator(Quirks::service()).await;
    let wrong = common::options(common::tcp(&server), "a").password("Signature|AK|post-cn-demo", "wrong");
    let (client, _) = Client::start(wrong);
    let refused = within("the first round", client.first_round()).await;
    assert_eq!(refused, Err(ConnectError::Refused(ReasonCode::BadUserNameOrPassword)));
    assert_eq!(server.client_counters("GID_test@@@a").refused, 1);
}
