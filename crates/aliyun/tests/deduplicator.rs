//! Repeated messages are recognized.

use mqtt_p2p_aliyun::Deduplicator;
use proptest::prelude::*;

const SEED: [u8; 16] = *b"0123456789abcdef";

#[test]
fn a_key_is_new_once() {
    let mut seen = Deduplicator::<4>::new(SEED);
    assert!(!seen.has_seen(b"a") && seen.is_new(b"a"));
    assert!(seen.has_seen(b"a") && !seen.is_new(b"a") && !seen.is_new(b"a"));
    assert!(seen.is_new(b"") && !seen.is_new(b"") && seen.is_new(b"a\0"));
}

#[test]
fn a_key_beyond_the_limit_replaces_the_oldest() {
    let mut seen = Deduplicator::<3>::new(SEED);
    for key in [b"a", b"b", b"c", b"d"] {
        assert!(seen.is_new(key));
    }
    assert!(!seen.is_new(b"b") && !seen.is_new(b"c") && !seen.is_new(b"d"));
    assert!(seen.is_new(b"a"));
}

#[test]
fn many_repetitions_of_one_message_replace_no_other() {
    let mut seen = Deduplicator::<2>::new(SEED);
    assert!(seen.is_new(b"a"));
    assert_eq!((0..100).filter(|_| seen.is_new(b"b")).count(), 1);
    assert!(!seen.is_new(b"a"));
}

#[test]
fn debug_shows_neither_seed_nor_hashes() {
    let mut seen = Deduplicator::<2>::new(SEED);
    seen.is_new(b"a");
    assert_eq!(format!("{seen:?}"), "Deduplicator { seen: 1, .. }");
}

proptest! {
    #[test]
    fn it_agrees_with_a_list_of_the_last_keys(keys in prop::collection::vec(0_u8..12, 0..200), seed: [u8; 16]) {
        let mut seen = Deduplicator::<5>::new(seed);
        let mut list = Vec::new();
        for key in keys {
            let is_new = !list.iter().rev().take(5).any(|before| *before == key);
            prop_assert_eq!(seen.has_seen(&[key]), !is_new);
            prop_assert_eq!(seen.is_new(&[key]), is_new);
            if is_new {
                list.push(key);
            }
        }
    }
}
