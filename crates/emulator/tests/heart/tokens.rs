//! Tokens: issued, presented, uploaded, expired, revoked, and what the service says about them.

use std::time::Duration;

use mqtt_p2p_aliyun::{TokenKind, limits};
use mqtt_p2p_emulator::{
    Account, CloseReason, Config, ConnectionId, Emulator, Event, InvalidToken, IssueError, Quirks,
    TokenInvalidNotice, TokenUse,
};
use mqtt_p2p_packet::{Connect, PacketType, QoS};

use crate::world::{Message, Seen, World, accepted, message, refused, secs};

const DEVICE: &str = "GID_demo@@@1";
/// Unix time when the tests begin, in seconds.
const START: u64 = 1_700_000_000;
const EXPIRE: &str = "$SYS/tokenExpireNotice";
const INVALID: &str = "$SYS/tokenInvalidNotice";
const UPLOAD: &str = "$SYS/uploadToken";

fn config() -> Config {
    let mut config = Config::new("post-cn-demo")
        .account(Account::access_key("AK", "SK"))
        .quirks(Quirks::service().without_delays());
    config.min_token_lifetime = Duration::ZERO;
    config
}

fn world_with(change: impl FnOnce(&mut Quirks)) -> World {
    let mut config = config();
    change(&mut config.quirks);
    let mut world = World::new(config);
    world.emulator.set_unix_time(Duration::ZERO, secs(START));
    world
}

fn world() -> World {
    world_with(|_| {})
}

/// A token for everything below `t`.
fn issue(world: &mut World, kind: TokenKind, lifetime: Duration) -> String {
    world.emulator.issue_token(world.now, ["t/#"], kind, lifetime).unwrap().text
}

fn try_log_in(world: &mut World, password: &str) -> ConnectionId {
    let mut connect = Connect::new(DEVICE);
    connect.user_name = Some("Token|AK|post-cn-demo");
    connect.password = Some(password.as_bytes());
    connect.keep_alive = u16::MAX;
    world.connect(connect)
}

fn log_in(world: &mut World, kind: TokenKind, token: &str) -> ConnectionId {
    let id = try_log_in(world, &format!("{kind}|{token}"));
    world.inbox_starts_with(id, &accepted());
    id
}

/// Issues a token of 1000 s and logs in with it.
fn with_token(world: &mut World, kind: TokenKind) -> (ConnectionId, String) {
    let token = issue(world, kind, secs(1000));
    (log_in(world, kind, &token), token)
}

fn upload(world: &mut World, id: ConnectionId, kind: &str, token: &str, packet_id: u16) {
    let payload = format!(r#"{{"token":"{token}","type":"{kind}"}}"#);
    world.publish(id, UPLOAD, &payload, 1, packet_id);
}

fn invalid_notice(code: i32, kind: &str) -> Seen {
    message(INVALID, &format!(r#"{{"code":{code},"type":"{kind}"}}"#), 0, 0)
}

#[track_caller]
fn ended(world: &mut World, id: ConnectionId, reason: InvalidToken, kind: &str) {
    assert_eq!(world.take(id), [invalid_notice(reason.code(), kind)]);
    assert_eq!(world.why_closed(id), Some(CloseReason::TokenInvalid(reason)));
}

#[test]
fn a_token_lives_from_60_s_to_30_days_and_names_1_to_100_topics() {
    let mut emulator = Emulator::new(Config::new("i").account(Account::access_key("AK", "SK")), 1);
    emulator.set_unix_time(Duration::ZERO, secs(START));
    let mut issue = |resources: usize, lifetime| {
        emulator.issue_token(Duration::ZERO, vec!["t/#"; resources], TokenKind::RW, lifetime)
    };
    assert_eq!(issue(1, secs(59)), Err(IssueError::TooShort(secs(60))));
    assert_eq!(issue(0, secs(60)), Err(IssueError::Resources(0)));
    assert_eq!(issue(101, secs(60)), Err(IssueError::Resources(101)));
    assert_eq!(issue(100, secs(60)).unwrap().expire_time, (START + 60) * 1000);
    let longest = START + limits::MAX_TOKEN_LIFETIME.as_secs();
    assert_eq!(issue(1, Duration::MAX).unwrap().expire_time, longest * 1000);
    assert_eq!(emulator.counters().tokens_issued, 2);
}

#[test]
fn without_an_access_key_no_token_is_issued() {
    let mut emulator = Emulator::new(Config::default(), 1);
    let issued = emulator.issue_token(Duration::ZERO, ["t"], TokenKind::R, secs(60));
    assert_eq!(issued, Err(IssueError::NoAccessKey));
}

#[test]
fn a_token_never_shows_in_debug() {
    let mut world = world();
    let token = world.emulator.issue_token(world.now, ["t"], TokenKind::R, secs(60)).unwrap();
    log_in(&mut world, TokenKind::R, &token.text);
    assert!(!format!("{token:?} {:?}", world.emulator).contains(&token.text[..40]));
}

#[test]
fn tokens_are_accepted_in_any_order_and_one_bad_one_spoils_the_log_in() {
    let mut world = world();
    let (r, w) = (issue(&mut world, TokenKind::R, secs(1000)), issue(&mut world, TokenKind::W, secs(1000)));
    for (password, answer) in [
        (format!("R|{r}|W|{w}"), accepted()),
        (format!("W|{w}|R|{r}"), accepted()),
        (format!("R|{r}|W|forged="), refused(4)),
        (format!("R|{r}|R|{r}"), refused(4)),
        (format!("R|{w}"), refused(4)),
        (format!("RW|{r}"), refused(4)),
        (String::new(), refused(4)),
    ] {
        let id = try_log_in(&mut world, &password);
        assert_eq!(world.take(id), [answer], "{password}");
    }
}

#[test]
fn bad_tokens_can_be_refused_with_5() {
    let mut world = world_with(|quirks| {
        quirks.wrong_credentials = mqtt_p2p_emulator::WrongCredentials::NotAuthorized;
    });
    let id = try_log_in(&mut world, "RW|abc");
    assert_eq!(world.take(id), [refused(5)]);
}

#[test]
fn what_is_wrong_with_a_token_of_a_log_in_is_told_apart() {
    let mut world = world();
    let token = issue(&mut world, TokenKind::RW, secs(60));
    let mut other = Emulator::new(config(), 8);
    let foreign =
        other.issue_token(Duration::ZERO, ["t/#"], TokenKind::RW, secs(u64::from(u32::MAX))).unwrap();
    let revoked = issue(&mut world, TokenKind::RW, secs(60));
    world.emulator.revoke_token(world.now, &revoked).unwrap();
    let check = |world: &mut World, kind, token: &str| world.emulator.check_token(world.now, kind, token);
    assert_eq!(check(&mut world, TokenKind::RW, &token), Ok(()));
    for (kind, token, reason) in [
        (TokenKind::RW, "LzMT+XLFl5u=", InvalidToken::Unparsable),
        (TokenKind::RW, &foreign.text, InvalidToken::BadSignature),
        (TokenKind::RW, &revoked, InvalidToken::Revoked),
        (TokenKind::R, &token, InvalidToken::ActionMismatch),
    ] {
        assert_eq!(check(&mut world, kind, token), Err(reason));
        let id = try_log_in(&mut world, &format!("{kind}|{token}"));
        assert_eq!(world.take(id), [refused(4)]);
        let rejected = std::iter::from_fn(|| world.emulator.poll_event()).find_map(|event| match event {
            Event::TokenRejected { reason, presented_for: TokenUse::LogIn, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(rejected, Some(reason));
    }
    world.emulator.set_access_key_permitted(world.now, "AK", false);
    assert_eq!(check(&mut world, TokenKind::RW, &token), Err(InvalidToken::AccountNotPermitted));
    world.pass(secs(60));
    for expired in [&token, &revoked] {
        assert_eq!(check(&mut world, TokenKind::RW, expired), Err(InvalidToken::Expired));
    }
    assert_eq!(world.emulator.counters().log_ins_with_revoked_token, 1);
}

#[test]
fn a_log_in_with_an_expired_token_is_refused_and_counted() {
    let mut world = world();
    let token = issue(&mut world, TokenKind::RW, secs(2));
    world.pass(Duration::from_millis(1999));
    log_in(&mut world, TokenKind::RW, &token);
    assert_eq!(world.emulator.counters().log_ins_with_expired_token, 0);
    world.pass(Duration::from_millis(1));
    let id = try_log_in(&mut world, &format!("RW|{token}"));
    assert_eq!(world.take(id), [refused(4)]);
    assert_eq!(world.emulator.counters().log_ins_with_expired_token, 1);
}

#[test]
fn a_token_is_good_with_its_own_access_key_and_instance_only() {
    let mut world = World::new(config().account(Account::access_key("AK2", "SK2")));
    let token = issue(&mut world, TokenKind::RW, secs(60));
    for user_name in ["Token|AK2|post-cn-demo", "Token|AK|post-cn-other"] {
        let mut connect = Connect::new(DEVICE);
        let password = format!("RW|{token}");
        connect.user_name = Some(user_name);
        connect.password = Some(password.as_bytes());
        let id = world.connect(connect);
        assert_eq!(world.take(id), [refused(4)], "{user_name}");
    }
}

#[test]
fn with_the_same_seed_another_emulator_takes_the_token() {
    let mut before = world();
    let token = issue(&mut before, TokenKind::RW, secs(60));
    log_in(&mut world(), TokenKind::RW, &token);
}

#[test]
fn a_token_allows_what_its_type_says_and_p2p_needs_no_permission_to_receive() {
    let mut world = world();
    let (id, _) = with_token(&mut world, TokenKind::W);
    world.publish(id, &format!("t/p2p/{DEVICE}"), "to myself", 0, 0);
    assert_eq!(world.take(id), [message(&format!("t/p2p/{DEVICE}"), "to myself", 0, 0)]);
    world.subscribe(id, "t/a", 0);
    ended(&mut world, id, InvalidToken::ActionMismatch, "W");

    let (id, _) = with_token(&mut world, TokenKind::R);
    world.follow(id, "t/a", 0);
    world.publish(id, "t/a", "x", 0, 0);
    ended(&mut world, id, InvalidToken::ActionMismatch, "R");
}

#[test]
fn a_topic_that_no_token_covers_ends_the_connection() {
    let mut world = world();
    let (id, _) = with_token(&mut world, TokenKind::RW);
    world.publish(id, &format!("u/p2p/{DEVICE}"), "x", 1, 1);
    ended(&mut world, id, InvalidToken::ResourceMismatch, "RW");

    let (id, _) = with_token(&mut world, TokenKind::RW);
    world.subscribe(id, "#", 1);
    ended(&mut world, id, InvalidToken::ResourceMismatch, "RW");
}

#[test]
fn the_end_of_a_token_is_announced_once_and_ends_the_connection() {
    let mut world = world();
    let (id, _) = with_token(&mut world, TokenKind::RW);
    world.pass(secs(699));
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    let notice = format!(r#"{{"expireTime":{},"type":"RW"}}"#, (START + 1000) * 1000);
    assert_eq!(world.take(id), [message(EXPIRE, &notice, 0, 0)]);
    world.pass(secs(299));
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    ended(&mut world, id, InvalidToken::Expired, "RW");
}

#[test]
fn a_token_near_its_end_is_announced_at_once_or_when_the_lead_is_shorter() {
    let mut world = world();
    let token = issue(&mut world, TokenKind::R, secs(60));
    let id = try_log_in(&mut world, &format!("R|{token}"));
    assert!(
        matches!(&world.take(id)[..], [Seen::ConnAck { .. }, Seen::Message(Message { topic, .. })] if topic == EXPIRE)
    );

    let mut world = world_with(|quirks| quirks.token_expire_notice = Some(secs(1)));
    let token = issue(&mut world, TokenKind::R, secs(60));
    let id = log_in(&mut world, TokenKind::R, &token);
    world.pass(secs(58));
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    assert_eq!(world.take(id).len(), 1);
}

#[test]
fn notices_can_come_at_qos_1_and_are_pushed_again() {
    let mut world = world_with(|quirks| quirks.notice_qos = QoS::AtLeastOnce);
    let (id, token) = with_token(&mut world, TokenKind::RW);
    world.pass(secs(703));
    let seen = world.take(id);
    assert!(
        matches!(
            &seen[..],
            [Seen::Message(Message { qos: 1, id: 1, .. }), Seen::Message(Message { id: 1, dup: false, .. })]
        ),
        "{seen:?}"
    );
    world.emulator.revoke_token(world.now, &token).unwrap();
    world.pass(Duration::ZERO);
    assert!(matches!(&world.take(id)[..], [Seen::Message(Message { qos: 1, id: 2, .. })]));
}

#[test]
fn notices_can_stay_away() {
    let mut world = world_with(|quirks| {
        quirks.token_expire_notice = None;
        quirks.token_invalid_notice = TokenInvalidNotice::Never;
    });
    let (id, _) = with_token(&mut world, TokenKind::RW);
    world.pass(secs(1000));
    assert_eq!(world.take(id), []);
    assert_eq!(world.why_closed(id), Some(CloseReason::TokenInvalid(InvalidToken::Expired)));
    assert_eq!(world.emulator.counters().token_notices, 0);
}

#[test]
fn the_notice_can_come_after_the_disconnect() {
    let mut world = world_with(|quirks| {
        quirks.token_invalid_notice = TokenInvalidNotice::AfterReconnect;
    });
    let (id, token) = with_token(&mut world, TokenKind::RW);
    world.emulator.revoke_token(world.now, &token).unwrap();
    world.pass(Duration::ZERO);
    assert_eq!((world.take(id), world.is_closed(id)), (vec![], true));

    let token = issue(&mut world, TokenKind::RW, secs(1000));
    let id = try_log_in(&mut world, &format!("RW|{token}"));
    assert_eq!(world.take(id), [accepted(), invalid_notice(3, "RW")]);
    world.lose(id);
    log_in(&mut world, TokenKind::RW, &token);
}

#[test]
fn revoking_ends_the_connections_with_that_token_only() {
    let mut world = world();
    let (id, token) = with_token(&mut world, TokenKind::RW);
    let unused = issue(&mut world, TokenKind::RW, secs(60));
    world.emulator.revoke_token(world.now, &unused).unwrap();
    assert_eq!(world.emulator.revoke_token(world.now, "abc"), Err(InvalidToken::Unparsable));
    world.pass(secs(1));
    assert!(!world.is_closed(id));
    world.emulator.revoke_token(world.now, &token).unwrap();
    world.pass(Duration::ZERO);
    ended(&mut world, id, InvalidToken::Revoked, "RW");
}

#[test]
fn an_access_key_that_is_not_permitted_ends_its_tokens() {
    let mut world = world();
    let (id, token) = with_token(&mut world, TokenKind::RW);
    world.emulator.set_access_key_permitted(world.now, "AK", false);
    world.pass(Duration::ZERO);
    ended(&mut world, id, InvalidToken::AccountNotPermitted, "RW");
    assert_eq!(
        world.emulator.issue_token(world.now, ["t"], TokenKind::R, secs(60)),
        Err(IssueError::NoAccessKey)
    );
    world.emulator.set_access_key_permitted(world.now, "AK", true);
    log_in(&mut world, TokenKind::RW, &token);
}

#[test]
fn an_uploaded_token_replaces_the_one_of_its_type() {
    let mut world = world();
    let (id, old) = with_token(&mut world, TokenKind::RW);
    let new = issue(&mut world, TokenKind::RW, secs(2000));
    upload(&mut world, id, "RW", &new, 7);
    assert_eq!(world.take(id), [Seen::PubAck(7)]);
    assert_eq!(world.emulator.counters().uploads, 1);

    world.emulator.revoke_token(world.now, &old).unwrap();
    world.pass(secs(1000));
    world.publish(id, "t/a", "x", 1, 8);
    assert_eq!(world.take(id), [Seen::PubAck(8)]);
    world.emulator.revoke_token(world.now, &new).unwrap();
    world.pass(Duration::ZERO);
    ended(&mut world, id, InvalidToken::Revoked, "RW");
}

#[test]
fn a_token_of_another_type_stays_beside_the_uploaded_one() {
    let mut world = world();
    let (id, _) = with_token(&mut world, TokenKind::R);
    let w = issue(&mut world, TokenKind::W, secs(2000));
    upload(&mut world, id, "W", &w, 7);
    world.take(id);
    world.follow(id, "t/a", 0);
    world.publish(id, "t/a", "x", 0, 0);
    assert_eq!(world.take(id), [message("t/a", "x", 0, 0)]);
}

#[test]
fn a_bad_upload_is_told_and_ends_the_connection() {
    let mut world = world();
    let expired = issue(&mut world, TokenKind::RW, secs(1));
    let w = issue(&mut world, TokenKind::W, secs(1000));
    world.pass(secs(1));
    for (payload, reason) in [
        ("{".to_owned(), InvalidToken::Unparsable),
        (r#"{"token":1,"type":"RW"}"#.into(), InvalidToken::Unparsable),
        (r#"{"token":"abc","type":"RW"}"#.into(), InvalidToken::Unparsable),
        (format!(r#"{{"token":"{expired}","type":"RW"}}"#), InvalidToken::Expired),
        (format!(r#"{{"token":"{w}","type":"RW"}}"#), InvalidToken::ActionMismatch),
    ] {
        let (id, _) = with_token(&mut world, TokenKind::RW);
        world.publish(id, UPLOAD, &payload, 1, 1);
        ended(&mut world, id, reason, "RW");
    }
    assert_eq!((world.emulator.counters().uploads, world.emulator.counters().uploads_refused), (0, 5));
}

/// A client whose token ends at 1000 s uploads the next one at 999 s, and PUBACK takes 5 s.
fn late_upload() -> (World, ConnectionId) {
    let mut world = world_with(|quirks| {
        quirks.upload_ack_delay = secs(5);
        quirks.token_expire_notice = None;
    });
    let (id, _) = with_token(&mut world, TokenKind::RW);
    world.pass(secs(999));
    let new = issue(&mut world, TokenKind::RW, secs(1000));
    upload(&mut world, id, "RW", &new, 7);
    (world, id)
}

#[test]
fn who_waits_for_the_puback_of_an_upload_lives_on_under_the_new_token() {
    let (mut world, id) = late_upload();
    world.pass(secs(4));
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    world.publish(id, "t/a", "x", 1, 8);
    assert_eq!(world.take(id), [Seen::PubAck(7), Seen::PubAck(8)]);
    assert_eq!(world.emulator.counters().before_upload_ack, 0);
}

#[test]
fn who_does_not_wait_is_recorded_and_judged_by_the_old_token() {
    let (mut world, id) = late_upload();
    world.publish(id, "t/a", "x", 1, 8);
    world.subscribe(id, "t/a", 0);
    assert_eq!(world.take(id), [Seen::PubAck(8), Seen::SubAck(99, vec![0])]);
    let early: Vec<_> = std::iter::from_fn(|| world.emulator.poll_event())
        .filter_map(|event| match event {
            Event::BeforeUploadAck { packet, .. } => Some(packet),
            _ => None,
        })
        .collect();
    assert_eq!(early, [PacketType::Publish, PacketType::Subscribe]);

    world.pass(secs(2));
    world.publish(id, "t/a", "x", 1, 9);
    ended(&mut world, id, InvalidToken::Expired, "RW");
    assert_eq!(world.emulator.counters().before_upload_ack, 3);
}

#[test]
fn the_emulators_clock_can_be_set() {
    let mut world = world();
    let (id, token) = with_token(&mut world, TokenKind::RW);
    world.emulator.set_unix_time(world.now, secs(START + 2000));
    world.pass(Duration::ZERO);
    assert_eq!(world.why_closed(id), Some(CloseReason::TokenInvalid(InvalidToken::Expired)));
    world.emulator.set_unix_time(world.now, secs(START));
    log_in(&mut world, TokenKind::RW, &token);
}

#[test]
fn of_very_many_uploads_the_first_does_not_wait_for_its_time() {
    let mut world = world_with(|quirks| quirks.upload_ack_delay = secs(5));
    let (id, token) = with_token(&mut world, TokenKind::RW);
    for packet_id in 1..=17 {
        upload(&mut world, id, "RW", &token, packet_id);
    }
    assert_eq!(world.take(id), [Seen::PubAck(1)]);
    world.pass(secs(5));
    assert_eq!(world.take(id).len(), 16);
}

#[test]
fn a_token_for_100_topics_fits_into_password_and_upload() {
    let mut world = world();
    let topics = (0..100).map(|number| format!("parent/{number:02}/{}", "x".repeat(50)));
    let token = world.emulator.issue_token(world.now, topics, TokenKind::RW, secs(1000)).unwrap().text;
    let id = try_log_in(&mut world, &format!("RW|{token}"));
    assert_eq!(world.take(id), [accepted()]);
    upload(&mut world, id, "RW", &token, 7);
    assert_eq!(world.take(id), [Seen::PubAck(7)]);
}

#[test]
fn who_logged_in_otherwise_may_upload_and_is_not_limited() {
    let mut config = config().anonymous();
    config.quirks = config.quirks.without_delays();
    let mut world = World::new(config);
    let id = world.join("a", true);
    upload(&mut world, id, "RW", "anything", 7);
    world.publish(id, "u/x", "", 1, 8);
    assert_eq!(world.take(id), [Seen::PubAck(7), Seen::PubAck(8)]);
}

#[test]
fn each_of_two_tokens_is_announced_once() {
    let mut world = world();
    let r = issue(&mut world, TokenKind::R, secs(1000));
    let w = issue(&mut world, TokenKind::W, secs(1100));
    let id = try_log_in(&mut world, &format!("R|{r}|W|{w}"));
    world.pass(secs(850));
    let notice = |kind, expires| {
        let payload = format!(r#"{{"expireTime":{},"type":"{kind}"}}"#, (START + expires) * 1000);
        message(EXPIRE, &payload, 0, 0)
    };
    assert_eq!(world.take(id), [accepted(), notice("R", 1000), notice("W", 1100)]);
}
