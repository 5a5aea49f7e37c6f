//! Which topic filters cover which topic names: every example of §4.7, and any pair against a matcher that is
//! too simple to be wrong.

mod common;

use common::is_filter;
use common::packets::{config, levels};
use mqtt_p2p_packet::{TopicError, TopicFilter, TopicName};
use proptest::prelude::*;

#[track_caller]
fn matches(filter: &str, topic: &str) -> bool {
    common::filter(filter).matches(common::topic(topic))
}

#[track_caller]
fn covers(filter: &str, topics: &[&str]) {
    for topic in topics {
        assert!(matches(filter, topic), "{filter} covers {topic}");
    }
}

#[track_caller]
fn covers_none(filter: &str, topics: &[&str]) {
    for topic in topics {
        assert!(!matches(filter, topic), "{filter} does not cover {topic}");
    }
}

#[test]
fn a_last_number_sign_covers_the_parent_and_all_below_it() {
    // §4.7.1.2.
    covers(
        "sport/tennis/player1/#",
        &["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
    );
    covers_none("sport/tennis/player1/#", &["sport/tennis", "sport/tennis/player12"]);
    covers("sport/#", &["sport", "sport/", "sport/tennis"]);
    covers_none("sport/#", &["sports", "Sport", "/sport"]);
    covers("#", &["sport", "/", "/finance", "sport/tennis/player1"]);
}

#[test]
fn a_number_sign_stands_alone_in_the_last_level() {
    // §4.7.1.2, [MQTT-4.7.1-2].
    for filter in ["#", "sport/tennis/#"] {
        assert!(TopicFilter::new(filter).is_ok(), "{filter}");
    }
    for filter in ["sport/tennis#", "sport/tennis/#/ranking", "##", "#/", "+#", "#+"] {
        assert_eq!(TopicFilter::new(filter), Err(TopicError::MisplacedWildcard), "{filter}");
    }
}

#[test]
fn a_plus_sign_covers_one_level() {
    // §4.7.1.3.
    covers("sport/tennis/+", &["sport/tennis/player1", "sport/tennis/player2"]);
    covers_none("sport/tennis/+", &["sport/tennis/player1/ranking", "sport/tennis"]);
    covers("sport/+", &["sport/"]);
    covers_none("sport/+", &["sport"]);
    covers("sport/+/player1", &["sport/tennis/player1", "sport//player1"]);
    covers("+/tennis/#", &["sport/tennis", "sport/tennis/player1", "/tennis/"]);
}

#[test]
fn a_plus_sign_stands_alone_in_its_level() {
    // §4.7.1.3, [MQTT-4.7.1-3].
    for filter in ["+", "+/tennis/#", "sport/+/player1", "+/+", "/+"] {
        assert!(TopicFilter::new(filter).is_ok(), "{filter}");
    }
    for filter in ["sport+", "+sport", "sport/+a/player1", "++"] {
        assert_eq!(TopicFilter::new(filter), Err(TopicError::MisplacedWildcard), "{filter}");
    }
}

#[test]
fn finance_behind_a_slash_has_two_levels() {
    // §4.7.1.3.
    covers("+/+", &["/finance"]);
    covers("/+", &["/finance"]);
    covers_none("+", &["/finance"]);
}

#[test]
fn a_wildcard_in_the_first_level_covers_no_topic_that_begins_with_a_dollar_sign() {
    // §4.7.2, [MQTT-4.7.2-1].
    covers_none("#", &["$SYS", "$SYS/monitor/Clients", "$", "$/"]);
    covers_none("+/monitor/Clients", &["$SYS/monitor/Clients"]);
    covers_none("+", &["$SYS"]);
    covers_none("+/#", &["$SYS/x"]);
    covers("$SYS/#", &["$SYS", "$SYS/", "$SYS/x", "$SYS/monitor/Clients"]);
    covers("$SYS/monitor/+", &["$SYS/monitor/Clients"]);
    covers("a/+", &["a/$SYS"]);
    covers("/#", &["/$SYS"]);
    covers("+/+", &["/$SYS"]);
}

#[test]
fn topics_are_case_sensitive_and_compared_character_by_character() {
    // §4.7.3, [MQTT-4.7.3-4].
    covers("ACCOUNTS", &["ACCOUNTS"]);
    covers_none("ACCOUNTS", &["Accounts"]);
    covers("Accounts payable", &["Accounts payable"]);
    covers_none("/finance", &["finance"]);
    covers_none("finance", &["/finance", "finance/"]);
    // U+00E9 and e with U+0301 look the same; no normalization.
    covers_none("caf\u{e9}", &["cafe\u{301}"]);
}

#[test]
fn a_lone_slash_is_a_topic_of_two_empty_levels() {
    // §4.7.3.
    covers("/", &["/"]);
    covers("+/+", &["/"]);
    covers("/#", &["/", "/finance"]);
    covers_none("/", &["//", "a/"]);
}

#[test]
fn an_empty_level_is_a_level() {
    // §4.7.1.1: a zero-length topic level is valid.
    covers("a//b", &["a//b"]);
    covers_none("a//b", &["a/b", "a/x/b"]);
    covers("a/+/b", &["a//b"]);
    covers_none("a/+", &["a//", "a/b/"]);
}

#[test]
fn a_filter_says_whether_it_has_wildcards() {
    for (filter, has) in [("a/b", false), ("+", true), ("#", true), ("a/+/c", true), ("$SYS/#", true)] {
        assert_eq!(common::filter(filter).has_wildcards(), has, "{filter}");
    }
}

/// §4.7 word for word, level by level.
fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => levels_match(filter, topic),
        ([a, filter @ ..], [b, topic @ ..]) => a == b && levels_match(filter, topic),
        ([], _) | (_, []) => false,
    }
}

fn reference(filter: &str, topic: &str) -> bool {
    let filter: Vec<_> = filter.split('/').collect();
    let topic: Vec<_> = topic.split('/').collect();
    let hidden = topic[0].starts_with('$') && matches!(filter[0], "+" | "#");
    !hidden && levels_match(&filter, &topic)
}

proptest! {
    #![proptest_config(config(
        4096,
        concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/topic_matching.txt"),
    ))]

    #[test]
    fn any_filter_and_topic_match_as_the_reference_matches_them(
        filter in levels("[+]|[a$]?|温", "[+#]|[a$]?|温"),
        topic in levels("[a$]?|温", "[a$]?|温"),
    ) {
        prop_assert_eq!(matches(&filter, &topic), reference(&filter, &topic));
    }

    #[test]
    fn a_topic_with_levels_replaced_by_plus_signs_covers_it(
        topic in levels("[a-c温é]{0,3}", "[a-c温é]{0,3}"),
        replaced: u8,
        cut: prop::sample::Index,
    ) {
        let mut levels: Vec<_> = topic.split('/').collect();
        for (index, level) in levels.iter_mut().enumerate() {
            if replaced >> index & 1 == 1 {
                *level = "+";
            }
        }
        covers_unless_empty(&levels.join("/"), &topic);
        levels.truncate(cut.index(levels.len() + 1));
        levels.push("#");
        covers_unless_empty(&levels.join("/"), &topic);
    }

    #[test]
    fn any_text_is_a_topic_name_or_filter_as_the_standard_says(text in "[a/+#$\\x00温]{0,6}") {
        let plain = !text.is_empty() && !text.contains('\0');
        prop_assert_eq!(TopicName::new(&text).is_ok(), plain && !text.contains(['+', '#']));
        prop_assert_eq!(TopicFilter::new(&text).is_ok(), plain && is_filter(&text));
        if let Ok(filter) = TopicFilter::new(&text) {
            prop_assert_eq!(filter.as_str(), &text);
        }
    }
}

#[track_caller]
fn covers_unless_empty(filter: &str, topic: &str) {
    if let Ok(filter) = TopicFilter::new(filter) {
        assert!(filter.matches(common::topic(topic)), "{filter} covers {topic}");
    }
}
