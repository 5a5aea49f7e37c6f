//! What the service may have closed a connection for, from what the client did before.

use mqtt_p2p_aliyun::{Evidence, Suspicion};
use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
use proptest::prelude::*;

const CLOSED: DisconnectReason = DisconnectReason::Transport(TransportError::ClosedByPeer);
const TAKEOVER: DisconnectReason = DisconnectReason::TakeoverSuspected;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn online() -> Evidence {
    let mut evidence = Evidence::new();
    evidence.connected(at(0));
    evidence
}

fn not_authorised(parent: &str) -> Suspicion<'_> {
    Suspicion::TopicNotAuthorised { parent }
}

#[test]
fn a_close_after_the_first_use_of_a_parent_topic_is_held_against_it() {
    for (topic, parent) in [
        ("site/a", "site"),
        ("site", "site"),
        ("/site/p2p/GID_a@@@1", "site"),
        ("site/#", "site"),
        ("温/a", "温"),
    ] {
        for reason in [CLOSED, TAKEOVER, DisconnectReason::Transport(TransportError::Broken)] {
            let mut evidence = online();
            evidence.used(topic, 1, at(10));
            assert_eq!(evidence.explain(&reason, at(5010)), not_authorised(parent), "{topic} {reason}");
        }
    }
}

#[test]
fn a_parent_topic_that_was_answered_is_not_suspected() {
    for answer in [|e: &mut Evidence| e.confirmed("site/other"), Evidence::answered] {
        let mut evidence = online();
        evidence.used("site/a", 1, at(0));
        answer(&mut evidence);
        evidence.used("site/b", 1, at(10));
        assert_eq!(evidence.explain(&CLOSED, at(20)), Suspicion::None);
        evidence.connected(at(30));
        evidence.used("site/c", 1, at(30));
        assert_eq!(evidence.explain(&TAKEOVER, at(40)), Suspicion::Takeover);
    }
}

#[test]
fn a_parent_topic_that_the_connection_outlived_is_not_suspected() {
    let mut evidence = online();
    evidence.used("site/a", 1, at(0));
    assert_eq!(evidence.explain(&CLOSED, at(5001)), Suspicion::None);
    evidence.connected(at(6000));
    evidence.used("site/a", 1, at(6000));
    assert_eq!(evidence.explain(&CLOSED, at(6001)), Suspicion::None);
}

#[test]
fn parent_topics_that_are_used_by_turns_stay_good() {
    let mut evidence = online();
    for now in 0..10 {
        for topic in ["site/a", "other/a"] {
            evidence.used(topic, 1, at(now));
            if now == 0 {
                evidence.confirmed(topic);
            }
        }
    }
    assert_eq!(evidence.explain(&CLOSED, at(11)), Suspicion::None);
}

#[test]
fn of_several_the_first_that_is_not_answered_is_suspected() {
    let mut evidence = online();
    for topic in ["good/a", "bad/a", "other/a"] {
        evidence.used(topic, 1, at(1));
    }
    evidence.confirmed("good/a");
    assert_eq!(evidence.explain(&CLOSED, at(2)), not_authorised("bad"));
}

#[test]
fn a_use_that_the_client_repeats_after_each_connect_stays_suspected() {
    let mut evidence = online();
    evidence.used("bad/a", 1, at(1));
    for round in 0..5 {
        let now = round * 100_000;
        evidence.connected(at(now));
        assert_eq!(evidence.explain(&TAKEOVER, at(now + 200)), not_authorised("bad"));
    }
}

#[test]
fn a_suspect_that_is_used_again_much_later_is_suspected_again() {
    let mut evidence = online();
    evidence.used("good", 1, at(1));
    evidence.confirmed("good");
    evidence.used("bad/a", 1, at(1));
    assert_eq!(evidence.explain(&CLOSED, at(2)), not_authorised("bad"));
    evidence.connected(at(1000));
    assert_eq!(evidence.explain(&CLOSED, at(6001)), Suspicion::None, "that was not for its use");
    evidence.connected(at(7000));
    evidence.used("good", 1, at(60_000));
    evidence.used("bad/a", 1, at(60_000));
    assert_eq!(evidence.explain(&CLOSED, at(60_001)), not_authorised("bad"));
    evidence.connected(at(70_000));
    evidence.used("bad/a", 1, at(70_000));
    evidence.confirmed("bad/a");
    assert_eq!(evidence.explain(&CLOSED, at(70_001)), Suspicion::None);
}

#[test]
fn what_was_used_offline_is_on_trial_from_the_connect_on() {
    let mut evidence = Evidence::new();
    evidence.used("site/a", 1, at(0));
    evidence.used("other/a", 1, at(50_000));
    evidence.connected(at(100_000));
    assert_eq!(evidence.explain(&CLOSED, at(100_100)), not_authorised("site"));
}

#[test]
fn control_topics_are_not_suspected() {
    let mut evidence = online();
    evidence.used("$SYS/uploadToken", 300, at(0));
    assert_eq!(evidence.explain(&CLOSED, at(1)), Suspicion::None);
}

#[test]
fn an_oversize_packet_is_suspected_before_its_topic() {
    let mut evidence = online();
    evidence.used("site/a", 65_536, at(0));
    assert_eq!(evidence.explain(&CLOSED, at(100)), Suspicion::Oversize { length: 65_550 });
    let mut evidence = online();
    evidence.used("site/a", 65_522, at(0));
    assert_eq!(evidence.explain(&CLOSED, at(100)), not_authorised("site"));
}

#[test]
fn an_oversize_packet_below_a_good_parent_topic_is_suspected_unless_it_was_answered() {
    let mut evidence = online();
    evidence.used("site/a", 1, at(0));
    evidence.answered();
    evidence.used("site/a", 70_000, at(1));
    assert!(matches!(evidence.clone().explain(&CLOSED, at(100)), Suspicion::Oversize { .. }));
    evidence.answered();
    assert_eq!(evidence.explain(&CLOSED, at(100)), Suspicion::None);
}

#[test]
fn a_topic_that_is_too_long_is_suspected_until_one_was_answered() {
    let long = format!("site/{}", "t".repeat(60));
    let mut evidence = online();
    evidence.used("site/a", 1, at(0));
    evidence.confirmed("site/a");
    evidence.used(&long, 1, at(1));
    assert_eq!(evidence.clone().explain(&CLOSED, at(2)), Suspicion::TopicTooLong { length: 65 });
    evidence.confirmed(&long);
    assert_eq!(evidence.explain(&CLOSED, at(2)), Suspicion::None);
}

#[test]
fn a_close_instead_of_an_answer_to_the_log_in_is_named() {
    let mut evidence = Evidence::new();
    assert_eq!(evidence.explain(&CLOSED, at(0)), Suspicion::LogIn);
    evidence.connected(at(1));
    assert_eq!(evidence.explain(&CLOSED, at(2)), Suspicion::None);
    assert_eq!(evidence.explain(&CLOSED, at(3)), Suspicion::LogIn);
}

#[test]
fn reasons_that_are_plain_are_left_alone() {
    for reason in [
        DisconnectReason::Requested,
        DisconnectReason::KeepAliveTimeout,
        DisconnectReason::ConnectTimeout,
        DisconnectReason::Transport(TransportError::NameNotFound),
    ] {
        let mut evidence = online();
        evidence.used("site/a", 70_000, at(0));
        assert_eq!(evidence.explain(&reason, at(1)), Suspicion::None, "{reason}");
    }
}

#[test]
fn every_suspicion_has_words_and_advice_of_its_own() {
    let all = [
        Suspicion::None,
        Suspicion::LogIn,
        Suspicion::Oversize { length: 70_000 },
        Suspicion::TopicTooLong { length: 70 },
        not_authorised("site"),
        Suspicion::Takeover,
    ];
    let mut words: Vec<_> = all.iter().flat_map(|s| [s.to_string(), s.advice().to_owned()]).collect();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), 2 * all.len());
}

proptest! {
    #[test]
    fn any_number_of_parent_topics_is_borne_and_what_was_answered_lately_is_not_suspected(
        uses in prop::collection::vec((0_u32..60, 0_u64..3000, 0_u8..4), 0..200),
    ) {
        let mut evidence = online();
        let mut now = 0;
        for (parent, elapsed, what) in uses {
            now += elapsed;
            let topic = format!("p{parent}/a");
            match what {
                0 => evidence.connected(at(now)),
                1 => drop(evidence.explain(&CLOSED, at(now))),
                _ => evidence.used(&topic, 1, at(now)),
            }
            if what == 3 {
                evidence.confirmed(&topic);
                let parent = format!("p{parent}");
                let mut copy = evidence.clone();
                prop_assert_ne!(copy.explain(&TAKEOVER, at(now)), not_authorised(&parent));
            }
        }
    }
}
