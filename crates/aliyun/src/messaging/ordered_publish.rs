//! The control message that asks the service to keep the order of a client's publications.

/// The topic for [`ORDER_PAYLOAD`], which a client publishes with QoS 1 right after every CONNACK.
///
/// The service then keeps the order of everything that this connection publishes (ApsaraMQ demos: ordered messages).
/// The parent topic must have been created as an ordered topic, and a RocketMQ consumer must consume in order. The
/// order in which the service delivers messages to MQTT clients is never guaranteed (ApsaraMQ docs: limits).
pub const ORDER_TOPIC: &str = "$SYS/enableOrderMsg";

/// The payload for [`ORDER_TOPIC`] that turns on ordered publishing.
pub const ORDER_PAYLOAD: &[u8] = br#"{"order":"true"}"#;
