//! Tokens are renewed in time, never used when expired, and never requested endlessly.

use mqtt_p2p_aliyun::{Advice, InvalidReason, Margins, TokenKind, TokenKinds, TokenLifecycle, TokenNotice};
use proptest::prelude::*;

const RW: TokenKind = TokenKind::RW;
const T0: u64 = 1_700_000_000_000;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn none() -> TokenLifecycle {
    TokenLifecycle::new(RW.into(), Margins::default())
}

/// A lifecycle with a token that expires then.
fn with(expires_at: impl Into<Option<u64>>) -> TokenLifecycle {
    let mut life = none();
    obtain(&mut life, T0, expires_at);
    life
}

/// A connected lifecycle with a token that expires then.
fn online(expires_at: impl Into<Option<u64>>) -> TokenLifecycle {
    let mut life = with(expires_at);
    reconnect(&mut life, T0);
    life
}

fn obtain(life: &mut TokenLifecycle, now: u64, expires_at: impl Into<Option<u64>>) {
    life.obtained(RW, now, expires_at.into()).expect("it has not expired");
}

fn reconnect(life: &mut TokenLifecycle, now: u64) {
    life.lost();
    assert!(life.log_in(now));
    life.logged_in(now);
}

fn renew(life: &mut TokenLifecycle, now: u64, expires_at: impl Into<Option<u64>>) {
    assert_eq!(life.due(now), RW.into());
    obtain(life, now, expires_at);
    assert!(life.upload(RW, now));
    life.uploaded(RW, now);
}

fn expire(at: u64) -> TokenNotice {
    TokenNotice::Expire { kind: RW, expires_at_ms: at }
}

fn invalid(reason: InvalidReason) -> TokenNotice {
    TokenNotice::Invalid { kind: RW, reason }
}

#[test]
fn missing_tokens_are_due_before_the_first_login() {
    let kinds = TokenKinds::from(TokenKind::R).with(TokenKind::W);
    let mut life = TokenLifecycle::new(kinds, Margins::default());
    assert_eq!((life.due(T0), life.due_at(T0), life.log_in(T0)), (kinds, Some(T0), false));
    life.obtained(TokenKind::W, T0, None).unwrap();
    assert_eq!((life.due(T0), life.log_in(T0)), (TokenKind::R.into(), false));
    life.obtained(TokenKind::R, T0, None).unwrap();
    assert_eq!((life.due(T0), life.due_at(T0), life.log_in(T0)), (TokenKinds::EMPTY, None, true));
}

#[test]
fn reconnects_reuse_the_token() {
    let mut life = online(T0 + HOUR);
    for minutes in 0..55 {
        let now = T0 + minutes * MINUTE;
        assert!(life.due(now).is_empty());
        reconnect(&mut life, now);
        assert!(!life.upload(RW, now), "the connection has it");
    }
}

#[test]
fn renewal_is_due_five_minutes_before_expiry_or_at_three_quarters() {
    for (length, due_after) in [(HOUR, 55 * MINUTE), (20 * MINUTE, 15 * MINUTE), (MINUTE, 45 * SECOND)] {
        let mut life = online(T0 + length);
        assert_eq!(life.due_at(T0), Some(T0 + due_after));
        assert!(life.due(T0 + due_after - 1).is_empty());
        renew(&mut life, T0 + due_after, T0 + due_after + length);
        assert_eq!(life.due_at(T0 + due_after), Some(T0 + 2 * due_after));
    }
}

#[test]
fn an_expired_token_is_neither_logged_in_with_nor_uploaded() {
    let end = T0 + HOUR - 5 * SECOND;
    assert!(with(T0 + HOUR).log_in(end - 1) && !with(T0 + HOUR).log_in(end));
    for (now, allowed) in [(end - 1, true), (end, false)] {
        let mut life = online(T0 + 10 * MINUTE);
        obtain(&mut life, T0, T0 + HOUR);
        assert_eq!(life.upload(RW, now), allowed);
    }
}

#[test]
fn a_token_that_is_obtained_expired_is_not_used() {
    let mut life = none();
    let error = life.obtained(RW, T0, Some(T0 + 5 * SECOND)).unwrap_err();
    assert!(error.to_string().contains("clock"), "{error}");
    assert!(!life.log_in(T0) && life.due(T0).is_empty(), "requests back off");
    let mut life = with(T0 + HOUR);
    life.obtained(RW, T0, Some(T0)).unwrap_err();
    assert!(life.log_in(T0), "the previous token stays in use");
}

#[test]
fn lifetimes_are_capped_at_thirty_days() {
    let mut life = online(T0 + 90 * DAY);
    assert_eq!(life.due_at(T0), Some(T0 + 30 * DAY - 5 * MINUTE));
    assert_eq!(life.notice(&expire(T0 + 30 * DAY), T0 + 30 * DAY - 6 * MINUTE), Advice::Renew);
}

#[test]
fn failures_back_off_up_to_one_minute() {
    let mut life = with(T0 + HOUR);
    let mut now = T0 + 55 * MINUTE;
    for pause in [5, 10, 20, 40, 60, 60] {
        assert_eq!(life.due(now), RW.into());
        life.failed(RW, now);
        assert_eq!(life.due_at(now), Some(now + pause * SECOND));
        assert!(life.due(now).is_empty());
        assert!(life.may_log_in(now), "the old token is still usable");
        now += pause * SECOND;
    }
    obtain(&mut life, now, now + HOUR);
    assert_eq!(life.due_at(now), Some(now + 55 * MINUTE));
}

#[test]
fn an_expire_notice_makes_a_new_token_due() {
    for own in [None, Some(T0 + HOUR)] {
        let mut life = online(own);
        assert_eq!(life.notice(&expire(T0 + HOUR), T0 + 40 * MINUTE), Advice::Renew);
        renew(&mut life, T0 + 40 * MINUTE, own.map(|at| at + HOUR));
        assert!(life.due(T0 + 40 * MINUTE).is_empty());
    }
}

#[test]
fn the_notice_sets_an_unknown_expiry() {
    let mut life = online(None);
    assert_eq!(life.due_at(T0), None);
    assert_eq!(life.notice(&expire(T0 + HOUR), T0 + 55 * MINUTE), Advice::Renew);
    life.failed(RW, T0 + 55 * MINUTE);
    life.lost();
    assert!(life.may_log_in(T0 + 59 * MINUTE) && !life.may_log_in(T0 + HOUR));
}

#[test]
fn a_repeated_notice_about_the_previous_token_is_stale() {
    for own in [None, Some(T0 + 2 * HOUR)] {
        let mut life = online(T0 + HOUR);
        let now = T0 + 55 * MINUTE;
        assert_eq!(life.notice(&expire(T0 + HOUR), now), Advice::Renew);
        obtain(&mut life, now, own);
        assert_eq!(life.notice(&expire(T0 + HOUR), now), Advice::Stale, "the new one is not uploaded yet");
        assert!(life.upload(RW, now));
        life.uploaded(RW, now);
        for repeat in 0..5 {
            assert_eq!(life.notice(&expire(T0 + HOUR), now), Advice::Stale);
            reconnect(&mut life, now + repeat);
            assert!(life.due(now + repeat).is_empty());
        }
    }
}

#[test]
fn a_notice_right_after_the_login_causes_no_early_renewal() {
    for own in [None, Some(T0 + MINUTE)] {
        let mut life = online(own);
        assert_eq!(life.notice(&expire(T0 + MINUTE), T0), Advice::Renew);
        assert_eq!(life.due_at(T0), Some(T0 + 45 * SECOND));
    }
}

#[test]
fn a_token_that_is_not_valid_is_replaced_before_the_next_login() {
    let mut life = online(T0 + HOUR);
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0 + MINUTE), Advice::Renew);
    life.lost();
    assert!(!life.log_in(T0 + MINUTE));
    assert_eq!(life.due(T0 + MINUTE), RW.into());
    obtain(&mut life, T0 + MINUTE, T0 + HOUR);
    reconnect(&mut life, T0 + MINUTE);
}

#[test]
fn a_notice_read_after_the_disconnect_counts() {
    let mut life = online(T0 + HOUR);
    life.lost();
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0 + MINUTE), Advice::Renew);
    assert!(!life.log_in(T0 + MINUTE));
}

#[test]
fn a_disconnect_near_expiry_makes_a_token_due_without_a_notice() {
    let mut life = online(T0 + HOUR);
    life.lost();
    assert_eq!(life.due(T0 + 56 * MINUTE), RW.into());
    obtain(&mut life, T0 + 56 * MINUTE, T0 + 2 * HOUR);
    reconnect(&mut life, T0 + 56 * MINUTE);
    for reason in [InvalidReason::Expired, InvalidReason::Expired] {
        let now = T0 + 56 * MINUTE + SECOND;
        assert_eq!(life.notice(&invalid(reason), now), Advice::Stale, "it was about the one before");
    }
    assert!(life.due(T0 + 57 * MINUTE).is_empty());
}

#[test]
fn a_notice_repeated_on_a_second_connection_discards_the_new_token() {
    let mut life = online(T0 + HOUR);
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0), Advice::Renew);
    obtain(&mut life, T0, T0 + HOUR);
    reconnect(&mut life, T0);
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0), Advice::Stale);
    reconnect(&mut life, T0);
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0), Advice::Renew);
    assert_eq!(life.due_at(T0), Some(T0 + 5 * SECOND), "two short lives are followed by a pause");
}

#[test]
fn a_notice_long_after_the_upload_counts_at_once() {
    let mut life = online(T0 + HOUR);
    renew(&mut life, T0 + 56 * MINUTE, T0 + 2 * HOUR);
    assert_eq!(life.notice(&invalid(InvalidReason::Revoked), T0 + 57 * MINUTE), Advice::Renew);
}

#[test]
fn a_renewed_token_for_the_wrong_topics_ends_the_lifecycle() {
    let mut life = online(T0 + HOUR);
    assert_eq!(life.notice(&invalid(InvalidReason::ResourceMismatch), T0), Advice::Renew);
    obtain(&mut life, T0 + 2 * MINUTE, T0 + HOUR);
    reconnect(&mut life, T0 + 2 * MINUTE);
    let now = T0 + 3 * MINUTE;
    assert_eq!(life.notice(&invalid(InvalidReason::ActionMismatch), now), Advice::GiveUp);
    assert_eq!((life.due(now), life.due_at(now), life.may_log_in(now)), (TokenKinds::EMPTY, None, false));
    life.start_over();
    assert_eq!((life.due(now), life.may_log_in(now)), (RW.into(), false));
}

#[test]
fn only_the_first_refusal_asks_for_new_tokens() {
    let mut life = with(T0 + HOUR);
    assert!(life.log_in(T0));
    assert_eq!(life.refused(T0), Advice::Renew);
    assert!(!life.log_in(T0));
    assert_eq!(life.due(T0), RW.into());
    obtain(&mut life, T0, T0 + HOUR);
    assert!(life.log_in(T0));
    assert_eq!(life.refused(T0), Advice::GiveUp);
    assert_eq!((life.due(T0), life.may_log_in(T0 + HOUR)), (TokenKinds::EMPTY, false));
}

#[test]
fn an_accepted_login_resets_the_count_of_refusals() {
    let mut life = with(T0 + HOUR);
    for round in 0..3 {
        let now = T0 + round * HOUR;
        reconnect(&mut life, now);
        assert!(life.log_in(now + MINUTE));
        assert_eq!(life.refused(now + MINUTE), Advice::Renew);
        obtain(&mut life, now + MINUTE, now + 3 * HOUR);
    }
}

#[test]
fn a_token_that_expires_during_the_login_does_not_count_as_refused() {
    let mut life = with(T0 + MINUTE);
    for round in 0..3 {
        let now = T0 + round * MINUTE + 54 * SECOND;
        assert!(life.log_in(now));
        assert_eq!(life.refused(now + 2 * SECOND), Advice::Renew);
        obtain(&mut life, now + 3 * SECOND, T0 + (round + 2) * MINUTE);
    }
}

#[test]
fn a_token_obtained_during_the_login_is_uploaded_after_it() {
    let mut life = with(T0 + HOUR);
    assert!(life.log_in(T0) && !life.upload(RW, T0));
    obtain(&mut life, T0, T0 + 2 * HOUR);
    assert!(!life.upload(RW, T0), "CONNACK is not there yet");
    life.logged_in(T0);
    assert!(life.upload(RW, T0) && !life.upload(RW, T0));
}

#[test]
fn after_a_lost_upload_the_next_login_uses_the_new_token() {
    let mut life = online(T0 + HOUR);
    obtain(&mut life, T0, T0 + 2 * HOUR);
    assert!(life.upload(RW, T0));
    reconnect(&mut life, T0 + MINUTE);
    assert!(!life.upload(RW, T0 + MINUTE));
    assert_eq!(life.due_at(T0 + MINUTE), Some(T0 + 2 * HOUR - 5 * MINUTE));
}

#[test]
fn setting_the_clock_back_revives_no_token_and_ends_the_backoff() {
    let mut life = with(T0 + HOUR);
    assert!(!life.may_log_in(T0 + HOUR));
    assert!(!life.log_in(T0), "it was found to be expired");
    life.failed(RW, T0 + HOUR);
    assert_eq!(life.due(T0), RW.into());
    obtain(&mut life, T0, T0 + HOUR);
    assert!(life.log_in(T0));
    life.logged_in(T0);
    // A day back: only the service knows that the token will expire.
    assert!(life.due(T0 - DAY).is_empty());
    assert_eq!(life.notice(&expire(T0 + HOUR), T0 - DAY), Advice::Renew);
    renew(&mut life, T0 - DAY, T0 - DAY + 2 * HOUR);
}

#[test]
fn notices_about_types_that_are_not_used_are_stale() {
    let mut life = online(T0 + HOUR);
    let notice = TokenNotice::Invalid { kind: TokenKind::R, reason: InvalidReason::Revoked };
    assert_eq!(life.notice(&notice, T0), Advice::Stale);
    assert!(life.due(T0).is_empty());
    assert_eq!(none().notice(&expire(T0), T0), Advice::Stale);
}

#[test]
fn types_have_independent_lifecycles() {
    let kinds = TokenKinds::from(TokenKind::R).with(TokenKind::W);
    let mut life = TokenLifecycle::new(kinds, Margins::default());
    life.obtained(TokenKind::R, T0, Some(T0 + HOUR)).unwrap();
    life.obtained(TokenKind::W, T0, Some(T0 + 2 * HOUR)).unwrap();
    reconnect(&mut life, T0);
    assert_eq!(life.due(T0 + 56 * MINUTE), TokenKind::R.into());
    life.failed(TokenKind::R, T0 + HOUR);
    assert_eq!(life.due(T0 + 2 * HOUR - MINUTE), kinds);
}

/// An event in the life of a client with one token.
#[derive(Clone, Debug)]
enum Step {
    Login { accepted: bool },
    Lost,
    Expire { in_ms: i64 },
    Invalid { code: i32 },
    Upload { acknowledged: bool },
    Fail,
    StartOver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(|accepted| Step::Login { accepted }),
        2 => Just(Step::Lost),
        3 => (-400_000_i64..400_000).prop_map(|in_ms| Step::Expire { in_ms }),
        3 => (-1_i32..9).prop_map(|code| Step::Invalid { code }),
        3 => any::<bool>().prop_map(|acknowledged| Step::Upload { acknowledged }),
        1 => Just(Step::Fail),
        1 => Just(Step::StartOver),
    ]
}

/// Applies the event and returns whether a token was sent.
fn act(life: &mut TokenLifecycle, step: &Step, now: u64) -> bool {
    match *step {
        Step::Login { accepted } => {
            let sent = life.log_in(now);
            match (sent, accepted) {
                (true, true) => life.logged_in(now),
                (true, false) => drop(life.refused(now)),
                (false, _) => {}
            }
            return sent;
        }
        Step::Lost => life.lost(),
        Step::Expire { in_ms } => drop(life.notice(&expire(now.saturating_add_signed(in_ms)), now)),
        Step::Invalid { code } => drop(life.notice(&invalid(InvalidReason::from_code(code)), now)),
        Step::Upload { acknowledged } => {
            let sent = life.upload(RW, now);
            if sent && acknowledged {
                life.uploaded(RW, now);
            }
            return sent;
        }
        Step::Fail => life.failed(RW, now),
        Step::StartOver => life.start_over(),
    }
    false
}

proptest! {
    #[test]
    fn no_token_known_to_be_expired_is_sent_whatever_the_clock_does(
        steps in prop::collection::vec((step(), -200_000_i64..400_000, prop::option::of(0_u64..2_000_000)), 0..200),
    ) {
        let (mut life, mut now) = (none(), T0);
        let (mut end, mut latest) = (None, 0);
        for (step, elapsed, length) in steps {
            now = now.saturating_add_signed(elapsed);
            latest = latest.max(now);
            if !life.due(now).is_empty() {
                let expires_at = length.map(|length| now + length);
                if life.obtained(RW, now, expires_at).is_ok() {
                    (end, latest) = (expires_at, now);
                }
            }
            if act(&mut life, &step, now) {
                prop_assert!(end.is_none_or(|end| latest + 5 * SECOND < end), "{step:?} at {latest}");
            }
        }
    }

    #[test]
    fn tokens_are_never_requested_faster_than_allowed(
        steps in prop::collection::vec(step().prop_filter("the user's will", |step| !matches!(step, Step::StartOver)), 1..20),
        length in prop::option::of(2 * MINUTE..HOUR),
        pace in 1_u64..2000,
    ) {
        let (mut life, mut now, mut asked) = (none(), T0, 0);
        for step in steps.iter().cycle().take(2000) {
            now += pace;
            if !life.due(now).is_empty() {
                asked += 1;
                life.obtained(RW, now, length.map(|length| now + length)).unwrap();
            }
            act(&mut life, step, now);
        }
        let most = 8 + (now - T0) / (10 * SECOND);
        prop_assert!(asked <= most, "{asked} in {} s", (now - T0) / SECOND);
    }

    #[test]
    fn due_and_due_at_agree(
        steps in prop::collection::vec((step(), 0_u64..100_000), 0..60),
    ) {
        let (mut life, mut now) = (none(), T0);
        for (step, elapsed) in steps {
            now += elapsed;
            act(&mut life, &step, now);
            match life.due_at(now) {
                Some(at) => {
                    prop_assert!(at == now || life.due(at - 1).is_empty());
                    prop_assert!(!life.due(at).is_empty());
                    now = at;
                    life.obtained(RW, now, Some(now + HOUR)).unwrap();
                }
                None => prop_assert!(life.due(now + 40 * DAY).is_empty()),
            }
        }
    }
}
