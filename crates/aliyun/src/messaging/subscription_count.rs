//! How much of the service's limits on subscriptions a client uses.

use crate::identifiers::{parent_of, same_topic};
use crate::limits::{MAX_SUBSCRIPTIONS, MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT};

/// Counts a client's subscriptions as the service does: each topic filter is one, with or without wildcards, and
/// `A/#` and `A/a1/#` are two (ApsaraMQ docs: limits, FAQ about sending and receiving messages).
///
/// Beyond its limits, the service ignores a subscription, and its SUBACK may look as if it did not. So it is worth to
/// look before.
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
    /// The count of these topic filters. One that comes twice replaces itself and counts once [MQTT-3.8.4-3]; one `/`
    /// at the end makes no difference.
    pub fn of(filters: impl IntoIterator<IntoIter = I>) -> Self {
        Self { filters: filters.into_iter() }
    }

    /// How many subscriptions there are.
    pub fn total(&self) -> usize {
        self.different().count()
    }

    /// How many more of [30](MAX_SUBSCRIPTIONS) the service takes.
    pub fn remaining(&self) -> usize {
        MAX_SUBSCRIPTIONS.saturating_sub(self.total())
    }

    /// How many subscriptions below a parent topic have a wildcard.
    pub fn wildcards(&self, parent: &str) -> usize {
        let below = self.different().filter(|filter| parent_of(filter) == parent);
        below.filter(|filter| filter.bytes().any(|byte| matches!(byte, b'+' | b'#'))).count()
    }

    /// How many more of [100](MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT) with a wildcard the service takes below a parent
    /// topic, at most: those of other clients count too, and of them nothing is known here.
    pub fn remaining_wildcards(&self, parent: &str) -> usize {
        MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT.saturating_sub(self.wildcards(parent))
    }

    fn different(&self) -> impl Iterator<Item = &'a str> {
        let filters = self.filters.clone();
        self.filters.clone().enumerate().filter_map(move |(at, filter)| {
            let is_first = !filters.clone().take(at).any(|before| same_topic(before, filter));
            is_first.then_some(filter)
        })
    }
}
