//! Topic names and filters.

use mqtt_p2p_packet::{TopicFilter, TopicName};

/// A filter and a topic, with a line break between: both are judged by the rules of §4.7, and matched as §4.7 says,
/// word for word.
pub fn topic_matching(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (filter, topic) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let plain = |bytes: &[u8]| {
        str::from_utf8(bytes)
            .is_ok_and(|text| !text.is_empty() && !text.contains('\0') && text.len() <= 65_535)
    };
    let name = TopicName::from_bytes(topic);
    assert_eq!(name.is_ok(), plain(topic) && !topic.iter().any(|byte| matches!(byte, b'+' | b'#')));
    let wildcards = TopicFilter::from_bytes(filter);
    assert_eq!(wildcards.is_ok(), plain(filter) && wildcards_are_in_place(filter));
    if let (Ok(filter), Ok(name)) = (wildcards, name) {
        assert_eq!(
            (filter.as_bytes(), name.as_bytes()),
            (filter.as_str().as_bytes(), name.as_str().as_bytes())
        );
        assert_eq!(filter.matches(name), reference(filter.as_str(), name.as_str()), "{filter:?} {name:?}");
    }
}

fn wildcards_are_in_place(filter: &[u8]) -> bool {
    let levels: Vec<_> = filter.split(|byte| *byte == b'/').collect();
    levels.iter().enumerate().all(|(at, level)| match *level {
        b"#" => at + 1 == levels.len(),
        b"+" => true,
        text => !text.iter().any(|byte| matches!(byte, b'+' | b'#')),
    })
}

fn reference(filter: &str, topic: &str) -> bool {
    let hidden = topic.starts_with('$') && filter.starts_with(['+', '#']);
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return !hidden,
            ("+", Some(_)) => {}
            (level, Some(other)) if level == other => {}
            _ => return false,
        }
    }
    !hidden && topic.next().is_none()
}
