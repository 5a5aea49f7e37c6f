//! P2P topics.

use mqtt_p2p_aliyun::{P2p, P2pTopic, P2pTopicError, parse_p2p};
use proptest::prelude::*;

fn parts(topic: &str) -> Option<(&str, &str, Option<&str>)> {
    parse_p2p(topic).map(|P2p { parent, target, rest, .. }| (parent, target, rest))
}

#[test]
fn a_p2p_topic_is_parent_p2p_and_client_id() {
    let topic = P2pTopic::new("devices", "GID_test@@@d8_3b_da_4e_00_9c").map(|topic| topic.to_string());
    assert_eq!(topic, Ok("devices/p2p/GID_test@@@d8_3b_da_4e_00_9c".to_owned()));
}

#[test]
fn the_longest_parent_fits_with_the_longest_client_id() {
    let topic = P2pTopic::new(&"p".repeat(64), &"t".repeat(64)).expect("64 characters each are legal");
    assert_eq!(topic.as_str().len(), P2pTopic::CAPACITY);
}

#[test]
fn every_broken_rule_has_its_own_error() {
    use P2pTopicError::*;
    let (parent, target) = ("p".repeat(65), "t".repeat(65));
    for (parent, target, error) in [
        ("", "t", ParentTooShort { length: 0 }),
        ("ab", "t", ParentTooShort { length: 2 }),
        (&parent, "t", ParentTooLong { length: 65 }),
        ("site/room", "t", ParentCharacter('/')),
        ("温度计", "t", ParentCharacter('温')),
        ("site", "", NoTarget),
        ("site", &target, TargetTooLong { length: 65 }),
        ("site", "t/u", TargetCharacter('/')),
        ("site", "+", TargetCharacter('+')),
        ("site", "t#", TargetCharacter('#')),
        ("site", "t\0", TargetCharacter('\0')),
    ] {
        assert_eq!(P2pTopic::new(parent, target), Err(error), "{parent} {target}");
    }
}

#[test]
fn a_custom_client_id_can_be_a_target() {
    let topic = P2pTopic::new("site", "温度 1").map(|topic| topic.to_string());
    assert_eq!(topic, Ok("site/p2p/温度 1".to_owned()));
}

#[test]
fn slashes_at_both_ends_are_ignored() {
    for topic in ["p/p2p/GID_a@@@1", "/p/p2p/GID_a@@@1", "p/p2p/GID_a@@@1/", "/p/p2p/GID_a@@@1/"] {
        assert_eq!(parts(topic), Some(("p", "GID_a@@@1", None)), "{topic}");
    }
}

#[test]
fn levels_below_the_client_id_are_kept() {
    assert_eq!(parts("p/p2p/c/cmd/1"), Some(("p", "c", Some("cmd/1"))));
    assert_eq!(parts("p/p2p/c/cmd/"), Some(("p", "c", Some("cmd"))));
}

#[test]
fn other_topics_are_not_p2p() {
    for topic in [
        "",
        "/",
        "//",
        "p",
        "p/",
        "p/p2p",
        "p/p2p/",
        "p/p2p//",
        "/p2p/c",
        "p/p2px/c",
        "p/P2P/c",
        "a/b/p2p/c",
        "//p2p/c",
    ] {
        assert_eq!(parts(topic), None, "{topic}");
    }
}

#[test]
fn multi_byte_text_is_parsed() {
    assert_eq!(parts("温/p2p/度/计"), Some(("温", "度", Some("计"))));
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(text in "(.{0,40}|[/p2温]{0,12}|/?温?/p2p/.{0,9})") {
        if let Some((parent, target, rest)) = parts(&text) {
            prop_assert!(!parent.contains('/') && !target.contains('/'));
            let rest = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
            let whole = format!("{parent}/p2p/{target}{rest}");
            prop_assert!(text.contains(&whole));
        }
    }

    #[test]
    fn a_built_topic_is_parsed_back(parent in "[0-9A-Za-z_-]{3,64}", target in "[^/+#\\x00]{1,16}") {
        let topic = P2pTopic::new(&parent, &target).expect("it keeps the rules");
        prop_assert_eq!(parts(topic.as_str()), Some((parent.as_str(), target.as_str(), None)));
    }
}
