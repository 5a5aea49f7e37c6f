//! What the service has to know before anything else goes on: the switch for ordered uplink, and new tokens.

use mqtt_p2p_aliyun::{ORDER_PAYLOAD, ORDER_TOPIC, TokenKind, UPLOAD_TOPIC};
use mqtt_p2p_core::{Client as Core, Growing, TopicName};

use crate::journal;
use crate::tokens::Tokens;

/// One message at a time, each held to its acknowledgement.
pub(crate) struct Alone {
    /// Ordered uplink is wanted.
    order: bool,
    order_due: bool,
    under_way: Option<What>,
}

#[derive(Clone, Copy)]
enum What {
    Order,
    Token(TokenKind),
}

impl Alone {
    pub(crate) const fn new(order: bool) -> Self {
        Self { order, order_due: false, under_way: None }
    }

    /// There is a connection, which knows nothing yet; or none, which ends what was under way.
    pub(crate) const fn begin(&mut self, connected: bool) {
        self.order_due = self.order && connected;
        self.under_way = None;
    }

    /// What was under way is acknowledged. Gives the type of the token, if it was one.
    pub(crate) fn acknowledged(&mut self) -> Option<TokenKind> {
        match self.under_way.take() {
            Some(What::Token(kind)) => Some(kind),
            Some(What::Order) | None => None,
        }
    }

    /// Hands over the next message, if there is one and nothing is under way.
    pub(crate) fn go_on(&mut self, core: &mut Core<Growing>, tokens: Option<&Tokens>) {
        if self.under_way.is_some() || !core.is_connected() {
            return;
        }
        let result = if self.order_due {
            self.order_due = false;
            self.under_way = Some(What::Order);
            TopicName::new(ORDER_TOPIC).map(|topic| core.publish_alone(topic, ORDER_PAYLOAD))
        } else if let Some((kind, payload)) = tokens.and_then(Tokens::next_upload) {
            self.under_way = Some(What::Token(kind));
            TopicName::new(UPLOAD_TOPIC).map(|topic| core.publish_alone(topic, &payload))
        } else {
            return;
        };
        if let Ok(Err(error)) = result {
            // The next CONNECT carries a new token in any case.
            self.under_way = None;
            journal::not_sent(&error);
        }
    }
}
