//! Where the password of a log-in goes, and where it does not stay.

use mqtt_p2p_core::{Action, Client, Config, InboundId, Inline, Instant, Login, Memory, Request, Storage};

const NOW: Instant = Instant::from_millis(0);
const PASSWORD: &[u8] = b"planted-secret";

/// Up to the moment when CONNECT has gone out.
fn connecting<S: Storage>(storage: S) -> Client<S> {
    let mut client = Client::new(Config::new(), 1, storage);
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    client.transport_opened(NOW, &Login::new("id").with_password("user", PASSWORD));
    let Action::Transmit(connect) = client.poll(NOW, &mut &[][..]) else { panic!("CONNECT goes out") };
    assert!(connect.ends_with(PASSWORD));
    let len = connect.len();
    client.transmitted(len);
    client
}

#[test]
fn debug_of_a_client_shows_no_byte_of_the_password() {
    let shown = format!("{:?}", connecting(Inline::<64>::new()));
    let numbers = format!("{PASSWORD:?}");
    assert!(!shown.contains("planted") && !shown.contains(numbers.trim_matches(['[', ']'])), "{shown}");
}

#[test]
fn debug_of_memory_shows_its_sizes() {
    let mut memory = Inline::<64, 2, 128, 16, 3>::new();
    assert_eq!(format!("{memory:?}"), "Inline<64, 2, 128, 16, 3>");
    assert_eq!(
        format!("{:?}", memory.memory()),
        "Memory { tx: 64, requests: 2, control: 128, subscriptions: 16, inbound: 3, growable: false }"
    );
}

#[test]
fn debug_of_a_log_in_shows_whose_it_is_and_no_secret() {
    let login = Login::new("id").with_password("user", PASSWORD);
    assert_eq!(format!("{login:?}"), "Login { client_id: \"id\", will: None, .. }");
}

#[test]
fn debug_of_an_action_shows_no_byte_of_the_password() {
    let mut client = Client::new(Config::new(), 1, Inline::<64>::new());
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    client.transport_opened(NOW, &Login::new("id").with_password("user", PASSWORD));
    let action = client.poll(NOW, &mut &[][..]);
    assert!(matches!(action, Action::Transmit(connect) if connect.ends_with(PASSWORD)));
    assert_eq!(format!("{action:?}"), "Transmit(38 bytes)");
}

#[test]
fn the_password_does_not_stay_in_memory_once_the_server_has_accepted_it() {
    let (mut tx, mut control, mut subscriptions) = ([0; 64], [0; 128], [0; 16]);
    let (mut requests, mut inbound) = ([Request::EMPTY; 2], [InboundId::EMPTY; 2]);
    let memory = Memory::new(&mut tx, &mut requests, &mut control)
        .with_subscriptions(&mut subscriptions)
        .with_inbound(&mut inbound);
    let mut client = connecting(memory);
    assert!(matches!(client.poll(NOW, &mut &[0x20, 2, 0, 0][..]), Action::Event(_)));
    for memory in [&tx[..], &control, &subscriptions] {
        assert!(!memory.windows(4).any(|window| PASSWORD.windows(4).any(|secret| secret == window)));
    }
}
