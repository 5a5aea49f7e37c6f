//! The service's rules for topics.

use mqtt_p2p_aliyun::{TopicWarning, limits::MAX_TOPIC_LEN, same_topic, topic_warning};
use proptest::prelude::*;

#[test]
fn one_slash_at_the_end_is_ignored() {
    assert!(same_topic("t/a", "t/a/") && same_topic("t/a/", "t/a") && same_topic("温/", "温"));
}

#[test]
fn any_other_difference_matters() {
    assert!(!same_topic("t/a", "t/b") && !same_topic("t/a//", "t/a") && !same_topic("/t/a", "t/a"));
}

#[test]
fn documented_topics_raise_no_warning() {
    for topic in [
        "site",
        "site/room-1/temp_2",
        "site/room/",
        "site/+/temp",
        "site/#",
        "site/p2p/GID_a@@@1",
        "site/p2p/GID_a@@@1/cmd",
        "$SYS/uploadToken",
    ] {
        assert_eq!(topic_warning(topic), None, "{topic}");
    }
}

#[test]
fn more_than_64_characters_raise_a_warning() {
    let topic = "t".repeat(MAX_TOPIC_LEN);
    assert_eq!(topic_warning(&topic), None);
    assert_eq!(topic_warning(&(topic + "t")), Some(TopicWarning::TooLong { length: 65 }));
}

#[test]
fn a_long_p2p_topic_raises_a_warning_too() {
    let topic = format!("site/p2p/{}", "t".repeat(64));
    assert_eq!(topic_warning(&topic), Some(TopicWarning::TooLong { length: 73 }));
}

#[test]
fn undocumented_characters_raise_a_warning() {
    for (topic, c) in [
        ("si te", ' '),
        ("site/温度", '温'),
        ("site/a+", '+'),
        ("+/a", '+'),
        ("$share/g/site", '$'),
        ("si@te/p2p/GID_a@@@1", '@'),
        ("site/p2p/GID_a@@@1/c@d", '@'),
        ("site/GID_a@@@1", '@'),
    ] {
        assert_eq!(topic_warning(topic), Some(TopicWarning::Character(c)), "{topic}");
    }
}

proptest! {
    #[test]
    fn any_text_is_checked_without_a_panic(topic: String) {
        topic_warning(&topic);
        let longer = format!("{topic}/");
        prop_assert_eq!(same_topic(&topic, &longer), !topic.ends_with('/'));
    }
}
