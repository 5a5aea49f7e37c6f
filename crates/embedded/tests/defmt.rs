//! What firmware's log shows of the public types, and what it never shows.

use std::sync::{Mutex, PoisonError};

use defmt::Format;
use mqtt_p2p_aliyun::{ConnectCredentials, Credentials, TokenKind, TokenSet, UserName, sign};
use mqtt_p2p_core::{Action, Client, Config, Event, Inline, Instant, Login, Message, TopicName};
use mqtt_p2p_packet::{Connect, PacketType};
use mqtt_p2p_websocket::Request;

const ID: &str = "GID_Test@@@0001";
const SECRET: &str = "planted-secret";

/// What is logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[defmt::global_logger]
struct Logger;

// SAFETY: `shown` is the only one that logs, one call at a time.
unsafe impl defmt::Logger for Logger {
    fn acquire() {}
    unsafe fn flush() {}
    unsafe fn release() {}
    unsafe fn write(bytes: &[u8]) {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}

defmt::timestamp!("{=u8}", 0);

/// The bytes that go to the host. The fixed texts are not among them, the values are as they stand.
fn shown(value: &dyn Fn()) -> Vec<u8> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
    value();
    LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn of<T: Format>(value: &T) -> Vec<u8> {
    shown(&|| defmt::println!("{}", value))
}

fn holds(shown: &[u8], text: &[u8]) -> bool {
    shown.windows(text.len()).any(|window| window == text)
}

/// Neither the text nor its bytes as numbers.
fn hides(shown: &[u8]) -> bool {
    let numbers = format!("{:?}", SECRET.as_bytes());
    !holds(shown, SECRET.as_bytes()) && !holds(shown, numbers.trim_matches(['[', ']']).as_bytes())
}

#[test]
fn a_log_in_shows_who_but_neither_password_nor_user_name() {
    let login = of(&Login::new(ID).with_password("user", SECRET.as_bytes()));
    assert!(holds(&login, ID.as_bytes()) && hides(&login));

    let mut connect = Connect::new(ID);
    (connect.user_name, connect.password) = (Some("user"), Some(SECRET.as_bytes()));
    let shown = of(&connect);
    assert!(holds(&shown, ID.as_bytes()) && hides(&shown));
}

#[test]
fn credentials_show_the_keys_id_and_no_secret() {
    let tokens = TokenSet::new(TokenKind::R, SECRET).expect("the planted text can be a token");
    for credentials in [
        Credentials::Signature { access_key_id: "the-id", access_key_secret: SECRET, instance_id: "inst" },
        Credentials::DeviceCredential {
            device_access_key_id: "DC.the-id",
            device_access_key_secret: SECRET,
            instance_id: "inst",
        },
        Credentials::Token { access_key_id: "the-id", instance_id: "inst", tokens },
        Credentials::CustomSigned { user_name: "the-id", secret: SECRET },
        Credentials::CustomOrigin { user_name: "the-id", secret: SECRET },
        Credentials::Precomputed { user_name: UserName::Other("the-id"), password: SECRET.as_bytes() },
    ] {
        let bytes = of(&credentials);
        assert!(holds(&bytes, b"the-id") && hides(&bytes), "{credentials:?}");
    }
    assert!(hides(&of(&tokens)));
}

#[test]
fn a_password_that_was_made_is_not_shown() {
    let origin = Credentials::CustomOrigin { user_name: "alice", secret: SECRET };
    let login: ConnectCredentials = origin.for_client(ID).expect("the credentials are complete");
    assert!(hides(&of(&login)));

    let password = sign(SECRET.as_bytes(), ID);
    assert!(!holds(&of(&password), password.as_bytes()));
}

#[test]
fn neither_a_client_nor_what_it_transmits_shows_the_password() {
    let now = Instant::from_millis(0);
    let mut client = Client::new(Config::new(), 1, Inline::<64>::new());
    client.connect(now);
    let _ = client.poll(now, &mut &[][..]);
    client.transport_opened(now, &Login::new(ID).with_password("user", SECRET.as_bytes()));
    let action = client.poll(now, &mut &[][..]);
    let Action::Transmit(connect) = action else { panic!("CONNECT goes out") };
    assert!(holds(connect, SECRET.as_bytes()));
    assert!(hides(&of(&action)));
    let framed = mqtt_p2p_packet::frame(connect, u32::MAX).expect("it is a packet");
    assert!(hides(&of(&framed)));
    assert!(hides(&of(&client)));
}

#[test]
fn a_request_for_websocket_shows_the_host_and_not_what_may_be_a_token() {
    let path = format!("/mqtt?token={SECRET}");
    let headers = [("Authorization", SECRET)];
    let bytes = of(&Request::new("the-host", &path).with_headers(&headers));
    assert!(holds(&bytes, b"the-host") && hides(&bytes));
}

#[test]
fn a_message_shows_its_topic_and_its_payload() {
    let topic = TopicName::new("devices/1").expect("a topic");
    let message = Message::new(topic, b"the-payload");
    let bytes = of(&Event::Message(message));
    assert!(holds(&bytes, b"devices/1") && holds(&bytes, b"the-payload"));
}

#[test]
fn values_show_different_things() {
    assert_ne!(of(&PacketType::Connect), of(&PacketType::ConnAck));
    assert_ne!(of(&Action::Wait(None)), of(&Action::CloseTransport));
    assert_ne!(of(&Instant::from_millis(1)), of(&Instant::from_millis(2)));
}

/// So that none is forgotten: a public type derives it, or `format.rs` has it.
#[test]
fn every_public_type_has_a_format() {
    for crate_name in ["packet", "core", "aliyun", "websocket"] {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src");
        let by_hand = std::fs::read_to_string(source.join("format.rs")).expect("format.rs is there");
        let by_hand = by_hand.split_whitespace().collect::<Vec<_>>().join(" ");
        let by_hand: Vec<&str> =
            by_hand.split("Format for ").filter_map(|text| text.split(name_ends).next()).collect();
        let mut types = 0;
        for file in files(source) {
            let file = std::fs::read_to_string(file).expect("it is text");
            let mut attributes = String::new();
            for line in file.lines() {
                if let Some(name) =
                    line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))
                {
                    let name = name.split(name_ends).next().unwrap_or_default();
                    let derived = attributes.contains("derive(defmt::Format)");
                    assert!(derived != by_hand.contains(&name), "{crate_name}: {name}");
                    types += 1;
                }
                if line.starts_with("#[") {
                    attributes += line;
                } else if !line.starts_with([' ', ')']) {
                    attributes.clear();
                }
            }
        }
        assert!(types > 5, "{crate_name} has types");
    }
}

/// The files in a folder and in those below it.
fn files(folder: std::path::PathBuf) -> Vec<std::path::PathBuf> {
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("a file").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

fn name_ends(c: char) -> bool {
    !c.is_alphanumeric()
}
