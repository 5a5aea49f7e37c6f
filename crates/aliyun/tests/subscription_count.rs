//! Subscriptions are counted as the service counts them.

use mqtt_p2p_aliyun::SubscriptionCount;

#[test]
fn without_subscriptions_everything_remains() {
    let count = SubscriptionCount::of([]);
    assert_eq!((count.total(), count.remaining()), (0, 30));
    assert_eq!((count.wildcards("A"), count.remaining_wildcards("A")), (0, 100));
}

#[test]
fn every_filter_counts_once_with_or_without_wildcards() {
    let count = SubscriptionCount::of(["A/#", "A/a1/#", "A/a1/b", "B/+/c"]);
    assert_eq!((count.total(), count.remaining()), (4, 26));
    assert_eq!((count.wildcards("A"), count.wildcards("B"), count.wildcards("C")), (2, 1, 0));
    assert_eq!(count.remaining_wildcards("A"), 98);
}

#[test]
fn a_repeated_filter_counts_once() {
    let count = SubscriptionCount::of(["A/#", "A/b", "A/#", "A/b/", "A/+"]);
    assert_eq!((count.total(), count.wildcards("A")), (3, 2));
}

#[test]
fn the_parent_topic_is_the_first_level() {
    let count = SubscriptionCount::of(["AB/#", "AB/+", "/A/+", "A", "#"]);
    assert_eq!((count.wildcards("A"), count.wildcards("AB"), count.wildcards("#")), (1, 2, 1));
}

#[test]
fn beyond_the_limits_nothing_remains() {
    let filters: Vec<_> = (0..101).map(|n| format!("A/{n}/#")).collect();
    for (used, remaining, wildcards) in [(29, 1, 71), (30, 0, 70), (31, 0, 69), (100, 0, 0), (101, 0, 0)] {
        let count = SubscriptionCount::of(filters[..used].iter().map(String::as_str));
        assert_eq!((count.remaining(), count.remaining_wildcards("A")), (remaining, wildcards));
    }
}
