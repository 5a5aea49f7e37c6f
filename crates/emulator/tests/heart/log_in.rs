//! Who is let in.

use mqtt_p2p_aliyun::sign;
use mqtt_p2p_emulator::{Account, CloseReason, Config, Quirks, SignMode, Takeover, WrongCredentials};
use mqtt_p2p_packet::{Connect, Protocol};

use crate::world::{Seen, World, accepted, message, refused, secs, service};

const DEVICE: &str = "GID_demo@@@1";

fn instance() -> Config {
    Config::new("post-cn-demo")
        .quirks(Quirks::service().without_delays())
        .account(Account::access_key("AK", "SK"))
        .account(Account::device(DEVICE, "DC.id", "DC.secret"))
        .account(Account::custom("alice", "open sesame", SignMode::Origin))
        .account(Account::custom("bob", "secret", SignMode::Signed))
}

fn world_after(client_id: &str, user_name: &str, password: &[u8]) -> (World, Vec<Seen>, bool) {
    world_of(instance(), client_id, user_name, password)
}

fn world_of(config: Config, client_id: &str, user_name: &str, password: &[u8]) -> (World, Vec<Seen>, bool) {
    let mut world = World::new(config);
    let mut connect = Connect::new(client_id);
    connect.user_name = Some(user_name);
    connect.password = Some(password);
    let id = world.connect(connect);
    let seen = world.take(id);
    let closed = world.is_closed(id);
    (world, seen, closed)
}

fn is_accepted(client_id: &str, user_name: &str, password: &[u8]) {
    let (_, seen, closed) = world_after(client_id, user_name, password);
    assert_eq!((seen, closed), (vec![accepted()], false));
}

fn is_refused(code: u8, client_id: &str, user_name: &str, password: &[u8]) {
    let (_, seen, closed) = world_after(client_id, user_name, password);
    assert_eq!((seen, closed), (vec![refused(code)], true));
}

#[test]
fn a_signature_is_accepted() {
    is_accepted(DEVICE, "Signature|AK|post-cn-demo", sign(b"SK", DEVICE).as_bytes());
}

#[test]
fn a_wrong_secret_is_refused_with_4() {
    is_refused(4, DEVICE, "Signature|AK|post-cn-demo", sign(b"no", DEVICE).as_bytes());
}

#[test]
fn the_signature_of_another_client_id_is_refused() {
    let password = sign(b"SK", "GID_demo@@@2");
    is_refused(4, DEVICE, "Signature|AK|post-cn-demo", password.as_bytes());
}

#[test]
fn a_wrong_instance_and_an_unknown_key_are_refused_with_4() {
    let password = sign(b"SK", DEVICE);
    is_refused(4, DEVICE, "Signature|AK|post-cn-other", password.as_bytes());
    is_refused(4, DEVICE, "Signature|XX|post-cn-demo", password.as_bytes());
    is_refused(4, DEVICE, "nobody", password.as_bytes());
}

#[test]
fn wrong_credentials_can_be_refused_with_5() {
    let mut config = instance();
    config.quirks.wrong_credentials = WrongCredentials::NotAuthorized;
    let (_, seen, _) = world_of(config, DEVICE, "Signature|AK|post-cn-demo", b"");
    assert_eq!(seen, [refused(5)]);
}

#[test]
fn a_client_id_without_a_group_is_refused_with_2() {
    let password = sign(b"SK", "device1");
    is_refused(2, "device1", "Signature|AK|post-cn-demo", password.as_bytes());
    is_refused(2, "", "Signature|AK|post-cn-demo", password.as_bytes());
    is_refused(2, "", "alice", b"open sesame");
}

#[test]
fn a_device_credential_is_accepted_from_its_device_only() {
    let user_name = "DeviceCredential|DC.id|post-cn-demo";
    is_accepted(DEVICE, user_name, sign(b"DC.secret", DEVICE).as_bytes());
    let other = "GID_demo@@@2";
    is_refused(4, other, user_name, sign(b"DC.secret", other).as_bytes());
}

#[test]
fn custom_authentication_takes_the_secret_and_any_client_id() {
    is_accepted("any id", "alice", b"open sesame");
    is_refused(4, "any id", "alice", b"open barley");
}

#[test]
fn signed_custom_authentication_takes_the_signature() {
    is_accepted("any id", "bob", sign(b"secret", "any id").as_bytes());
    is_refused(4, "any id", "bob", b"secret");
}

#[test]
fn nobody_is_anonymous_unless_that_is_allowed() {
    let mut world = World::new(instance());
    let id = world.connect(Connect::new(DEVICE));
    assert_eq!(world.take(id), [refused(4)]);
    World::service().join("any id", true);
}

#[test]
fn mqtt_3_1_is_spoken_and_mqtt_5_is_refused_with_1() {
    let mut world = World::service();
    let mut connect = Connect::new("a");
    connect.protocol = Protocol::V31;
    let id = world.connect(connect);
    assert_eq!(world.take(id), [accepted()]);

    let id = world.open();
    world.raw(id, b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a");
    assert_eq!((world.take(id), world.is_closed(id)), (vec![refused(1)], true));
}

#[test]
fn the_old_connection_loses_its_client_id_to_the_new_one() {
    let mut world = World::service();
    let old = world.join("a", true);
    let new = world.join("a", true);
    assert_eq!(world.why_closed(old), Some(CloseReason::TakenOver));
    assert!(!world.is_closed(new));
    assert_eq!(world.emulator.connection_of("a"), Some(new));
}

#[test]
fn the_new_connection_can_be_made_to_lose_instead() {
    let mut config = service();
    config.quirks.takeover = Takeover::NewLoses;
    let mut world = World::new(config);
    let old = world.join("a", true);
    let new = world.connect(Connect::new("a"));
    assert_eq!(world.take(new), []);
    assert_eq!(world.why_closed(new), Some(CloseReason::ClientIdInUse));
    assert!(!world.is_closed(old));
}

#[test]
fn who_finds_no_room_for_a_session_is_refused_with_3() {
    let mut config = service();
    config.max_sessions = 1;
    let mut world = World::new(config);
    world.join("a", false);
    let id = world.connect(Connect::new("b"));
    assert_eq!(world.take(id), [refused(3)]);
}

#[test]
fn connack_is_late_and_comes_before_all_else() {
    let mut config = service();
    config.quirks.connack_delay = secs(1);
    let mut world = World::new(config);
    let id = world.connect(Connect::new("a"));
    world.publish(id, "t/p2p/a", "to myself", 0, 0);
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    assert_eq!(world.take(id), [accepted(), message("t/p2p/a", "to myself", 0, 0)]);
}
