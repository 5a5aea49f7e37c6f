//! Independent helpers for publishing, subscribing and receiving.

mod deduplicator;
mod ordered_publish;
mod subscription_count;

pub use deduplicator::Deduplicator;
pub use ordered_publish::{ORDER_PAYLOAD, ORDER_TOPIC};
pub use subscription_count::SubscriptionCount;
