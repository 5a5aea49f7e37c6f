//! The topics of all worlds, and which filters cover them: settled here by hand, so that no matching code is trusted.

pub(crate) const TOPICS: [&str; 8] = ["t/0", "t/1", "t/2", "t/3", "t/4", "t/5", "t/6", "t/7/x"];

/// Each with the topics that it covers, bit by bit.
pub(crate) const FILTERS: [(&str, u8); 8] = [
    ("t/0", 1),
    ("t/1", 2),
    ("t/+", 0x7f),
    ("#", 0xff),
    ("t/4", 0x10),
    ("t/5/#", 0x20),
    ("t/+/x", 0x80),
    ("none", 0),
];

pub(crate) fn topic(name: &[u8]) -> Option<u8> {
    TOPICS.iter().position(|topic| topic.as_bytes() == name).map(|index| index as u8)
}

pub(crate) fn filter(name: &[u8]) -> Option<usize> {
    FILTERS.iter().position(|(filter, _)| filter.as_bytes() == name)
}
