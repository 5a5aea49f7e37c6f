//! Compares a client's subscriptions with the service's limits.

use crate::identifiers::{parent_of, same_topic};
use crate::limits::{MAX_SUBSCRIPTIONS, MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT};

/// Counts a client's subscriptions the way the service does.
///
/// Every topic filter counts as one, with or without wildcards: `A/#` and `A/a1/#` are two subscriptions (ApsaraMQ
/// docs: limits, FAQ about sending and receiving messages). The service silently ignores subscriptions beyond its
/// limits, and its SUBACK may still report success, so check before subscribing.
///
/// ```
/// use mqtt_p2p_aliyun::SubscriptionCount;
///
/// let count = SubscriptionCount::of(["devices/+/state", "devices/#", "site/alarms"]);
/// assert_eq!((count.total(), count.remaining()), (3, 27));
/// assert_eq!((count.wildcards("devices"), count.wildcards("site")), (2, 0));
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubscriptionCount<I> {
    filters: I,
}

impl<'a, I: Iterator<Item = &'a str> + Clone> SubscriptionCount<I> {
    /// Counts these topic filters.
    ///
    /// A filter that occurs twice counts once, since the second subscription replaces the first [MQTT-3.8.4-3]. One `/`
    /// at the end of a filter is ignored.
    pub fn of(filters: impl IntoIterator<IntoIter = I>) -> Self {
        Self { filters: filters.into_iter() }
    }

    /// Returns the number of subscriptions.
    pub fn total(&self) -> usize {
        self.distinct().count()
    }

    /// Returns how many more subscriptions the service accepts, out of [30](MAX_SUBSCRIPTIONS).
    pub fn remaining(&self) -> usize {
        MAX_SUBSCRIPTIONS.saturating_sub(self.total())
    }

    /// Returns the number of subscriptions with a wildcard below a parent topic.
    pub fn wildcards(&self, parent: &str) -> usize {
        let below = self.distinct().filter(|filter| parent_of(filter) == parent);
        below.filter(|filter| filter.bytes().any(|byte| matches!(byte, b'+' | b'#'))).count()
    }

    /// Returns how many more subscriptions with a wildcard the service accepts below a parent topic, at most.
    ///
    /// The limit of [100](MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT) is shared by all clients of the instance, and only
    /// this client's subscriptions are counted here.
    pub fn remaining_wildcards(&self, parent: &str) -> usize {
        MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT.saturating_sub(self.wildcards(parent))
    }

    /// Returns the filters without repetitions.
    fn distinct(&self) -> impl Iterator<Item = &'a str> {
        let filters = self.filters.clone();
        self.filters.clone().enumerate().filter_map(move |(at, filter)| {
            let is_first = !filters.clone().take(at).any(|before| same_topic(before, filter));
            is_first.then_some(filter)
        })
    }
}
