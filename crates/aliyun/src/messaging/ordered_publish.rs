//! The message that asks the service to keep what a client publishes in order.

/// Where [`ORDER_PAYLOAD`] goes, with QoS 1, right after every CONNACK (ApsaraMQ demos: ordered messages).
///
/// The parent topic must have been created as an ordered one, and who consumes through RocketMQ must consume in
/// order. What the service sends to MQTT clients has no order either way (ApsaraMQ docs: limits).
pub const ORDER_TOPIC: &str = "$SYS/enableOrderMsg";

/// What goes to [`ORDER_TOPIC`].
pub const ORDER_PAYLOAD: &[u8] = br#"{"order":"true"}"#;
