//! Likely causes of a disconnect.

use mqtt_p2p_aliyun::{Cause, Diagnosis};
use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
use proptest::prelude::*;

const CLOSED: DisconnectReason = DisconnectReason::Transport(TransportError::ClosedByPeer);
const TAKEOVER: DisconnectReason = DisconnectReason::TakeoverSuspected;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn online() -> Diagnosis {
    let mut diagnosis = Diagnosis::new();
    diagnosis.connected(at(0));
    diagnosis
}

fn not_authorised(parent: &str) -> Cause<'_> {
    Cause::TopicNotAuthorised { parent }
}

#[test]
fn a_close_after_the_first_use_of_a_parent_topic_is_blamed_on_it() {
    for (topic, parent) in [
        ("site/a", "site"),
        ("site", "site"),
        ("/site/p2p/GID_a@@@1", "site"),
        ("site/#", "site"),
        ("温/a", "温"),
    ] {
        for reason in [CLOSED, TAKEOVER, DisconnectReason::Transport(TransportError::Broken)] {
            let mut diagnosis = online();
            diagnosis.used(topic, 1, at(10));
            assert_eq!(diagnosis.explain(&reason, at(5010)), not_authorised(parent), "{topic} {reason}");
        }
    }
}

#[test]
fn an_acknowledged_parent_topic_is_not_blamed() {
    for answer in [|e: &mut Diagnosis| e.confirmed("site/other"), Diagnosis::answered] {
        let mut diagnosis = online();
        diagnosis.used("site/a", 1, at(0));
        answer(&mut diagnosis);
        diagnosis.used("site/b", 1, at(10));
        assert_eq!(diagnosis.explain(&CLOSED, at(20)), Cause::None);
        diagnosis.connected(at(30));
        diagnosis.used("site/c", 1, at(30));
        assert_eq!(diagnosis.explain(&TAKEOVER, at(40)), Cause::Takeover);
    }
}

#[test]
fn a_parent_topic_that_the_connection_outlived_is_not_blamed() {
    let mut diagnosis = online();
    diagnosis.used("site/a", 1, at(0));
    assert_eq!(diagnosis.explain(&CLOSED, at(5001)), Cause::None);
    diagnosis.connected(at(6000));
    diagnosis.used("site/a", 1, at(6000));
    assert_eq!(diagnosis.explain(&CLOSED, at(6001)), Cause::None);
}

#[test]
fn parent_topics_used_in_turn_stay_cleared() {
    let mut diagnosis = online();
    for now in 0..10 {
        for topic in ["site/a", "other/a"] {
            diagnosis.used(topic, 1, at(now));
            if now == 0 {
                diagnosis.confirmed(topic);
            }
        }
    }
    assert_eq!(diagnosis.explain(&CLOSED, at(11)), Cause::None);
}

#[test]
fn the_first_unacknowledged_parent_topic_is_blamed() {
    let mut diagnosis = online();
    for topic in ["good/a", "bad/a", "other/a"] {
        diagnosis.used(topic, 1, at(1));
    }
    diagnosis.confirmed("good/a");
    assert_eq!(diagnosis.explain(&CLOSED, at(2)), not_authorised("bad"));
}

#[test]
fn a_use_repeated_on_every_connection_is_blamed_again() {
    let mut diagnosis = online();
    diagnosis.used("bad/a", 1, at(1));
    for round in 0..5 {
        let now = round * 100_000;
        diagnosis.connected(at(now));
        assert_eq!(diagnosis.explain(&TAKEOVER, at(now + 200)), not_authorised("bad"));
    }
}

#[test]
fn a_blamed_topic_that_is_used_much_later_is_blamed_again() {
    let mut diagnosis = online();
    diagnosis.used("good", 1, at(1));
    diagnosis.confirmed("good");
    diagnosis.used("bad/a", 1, at(1));
    assert_eq!(diagnosis.explain(&CLOSED, at(2)), not_authorised("bad"));
    diagnosis.connected(at(1000));
    assert_eq!(diagnosis.explain(&CLOSED, at(6001)), Cause::None, "that was not for its use");
    diagnosis.connected(at(7000));
    diagnosis.used("good", 1, at(60_000));
    diagnosis.used("bad/a", 1, at(60_000));
    assert_eq!(diagnosis.explain(&CLOSED, at(60_001)), not_authorised("bad"));
    diagnosis.connected(at(70_000));
    diagnosis.used("bad/a", 1, at(70_000));
    diagnosis.confirmed("bad/a");
    assert_eq!(diagnosis.explain(&CLOSED, at(70_001)), Cause::None);
}

#[test]
fn the_probation_of_offline_uses_starts_at_the_connect() {
    let mut diagnosis = Diagnosis::new();
    diagnosis.used("site/a", 1, at(0));
    diagnosis.used("other/a", 1, at(50_000));
    diagnosis.connected(at(100_000));
    assert_eq!(diagnosis.explain(&CLOSED, at(100_100)), not_authorised("site"));
}

#[test]
fn control_topics_are_not_blamed() {
    let mut diagnosis = online();
    diagnosis.used("$SYS/uploadToken", 300, at(0));
    assert_eq!(diagnosis.explain(&CLOSED, at(1)), Cause::None);
}

#[test]
fn an_oversize_packet_is_blamed_before_its_topic() {
    let mut diagnosis = online();
    diagnosis.used("site/a", 65_536, at(0));
    assert_eq!(diagnosis.explain(&CLOSED, at(100)), Cause::Oversize { length: 65_550 });
    let mut diagnosis = online();
    diagnosis.used("site/a", 65_522, at(0));
    assert_eq!(diagnosis.explain(&CLOSED, at(100)), not_authorised("site"));
}

#[test]
fn an_oversize_packet_is_blamed_unless_acknowledged() {
    let mut diagnosis = online();
    diagnosis.used("site/a", 1, at(0));
    diagnosis.answered();
    diagnosis.used("site/a", 70_000, at(1));
    assert!(matches!(diagnosis.clone().explain(&CLOSED, at(100)), Cause::Oversize { .. }));
    diagnosis.answered();
    assert_eq!(diagnosis.explain(&CLOSED, at(100)), Cause::None);
}

#[test]
fn an_overlong_topic_is_blamed_until_one_is_acknowledged() {
    let long = format!("site/{}", "t".repeat(60));
    let mut diagnosis = online();
    diagnosis.used("site/a", 1, at(0));
    diagnosis.confirmed("site/a");
    diagnosis.used(&long, 1, at(1));
    assert_eq!(diagnosis.clone().explain(&CLOSED, at(2)), Cause::TopicTooLong { length: 65 });
    diagnosis.confirmed(&long);
    assert_eq!(diagnosis.explain(&CLOSED, at(2)), Cause::None);
}

#[test]
fn a_close_instead_of_connack_is_reported() {
    let mut diagnosis = Diagnosis::new();
    assert_eq!(diagnosis.explain(&CLOSED, at(0)), Cause::Login);
    diagnosis.connected(at(1));
    assert_eq!(diagnosis.explain(&CLOSED, at(2)), Cause::None);
    assert_eq!(diagnosis.explain(&CLOSED, at(3)), Cause::Login);
}

#[test]
fn self_explanatory_reasons_have_no_further_cause() {
    for reason in [
        DisconnectReason::Requested,
        DisconnectReason::KeepAliveTimeout,
        DisconnectReason::ConnectTimeout,
        DisconnectReason::Transport(TransportError::NameNotFound),
    ] {
        let mut diagnosis = online();
        diagnosis.used("site/a", 70_000, at(0));
        assert_eq!(diagnosis.explain(&reason, at(1)), Cause::None, "{reason}");
    }
}

#[test]
fn every_cause_has_its_own_text_and_advice() {
    let all = [
        Cause::None,
        Cause::Login,
        Cause::Oversize { length: 70_000 },
        Cause::TopicTooLong { length: 70 },
        not_authorised("site"),
        Cause::Takeover,
    ];
    let mut words: Vec<_> = all.iter().flat_map(|s| [s.to_string(), s.advice().to_owned()]).collect();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), 2 * all.len());
}

proptest! {
    #[test]
    fn recently_acknowledged_topics_are_not_blamed_among_any_number(
        uses in prop::collection::vec((0_u32..60, 0_u64..3000, 0_u8..4), 0..200),
    ) {
        let mut diagnosis = online();
        let mut now = 0;
        for (parent, elapsed, what) in uses {
            now += elapsed;
            let topic = format!("p{parent}/a");
            match what {
                0 => diagnosis.connected(at(now)),
                1 => drop(diagnosis.explain(&CLOSED, at(now))),
                _ => diagnosis.used(&topic, 1, at(now)),
            }
            if what == 3 {
                diagnosis.confirmed(&topic);
                let parent = format!("p{parent}");
                let mut copy = diagnosis.clone();
                prop_assert_ne!(copy.explain(&TAKEOVER, at(now)), not_authorised(&parent));
            }
        }
    }
}
