//! What happened, as Python sees it: frozen classes with `__match_args__`, equality and a short repr.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A value as Python would write it.
pub(crate) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for bool {
    fn shown(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for f64 {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        format!("'{}'", self.escape_debug())
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "None".to_owned(), Shown::shown)
    }
}

impl Shown for Vec<u8> {
    fn shown(&self) -> String {
        format!("b'{}'", self.escape_ascii())
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        format!("[{}]", self.iter().map(Shown::shown).collect::<Vec<_>>().join(", "))
    }
}

/// A class of events. Its doc comments are in `_core.pyi`, where Python's users look.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[pyclass(frozen, eq, get_all, module = "mqtt_p2p")]
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: $type),* }

        #[pymethods]
        impl $name {
            /// For tests of programs that use them.
            #[new]
            fn new($($field: $type),*) -> Self {
                Self { $($field),* }
            }

            #[classattr]
            #[pyo3(name = "__match_args__")]
            fn match_args(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                let names: &[&str] = &[$(stringify!($field)),*];
                PyTuple::new(py, names)
            }

            fn __repr__(&self) -> String {
                let fields: &[String] = &[$(format!("{}={}", stringify!($field), self.$field.shown())),*];
                format!("{}({})", stringify!($name), fields.join(", "))
            }
        }
    };
}

event! {
    /// Dial, and answer with `connection_made` or `connection_lost`.
    OpenTransport {
        /// Counts the attempts since the last stable connection, from 1.
        attempt: u32,
    }
}

event! {
    /// Close the transport, or give up dialling.
    CloseTransport {
        /// What is to go out before; empty: nothing but what was written already.
        last_words: Vec<u8>,
    }
}

event! {
    /// The server accepted the log-in.
    Connected {
        /// Whether it continues a session.
        session_present: bool,
        /// Whether there was a connection before.
        again: bool,
    }
}

event! {
    /// The server refused the log-in.
    Refused {
        /// CONNACK's return code, 1 to 5.
        code: u32,
        /// In words.
        reason: String,
        /// What to do about it.
        advice: String,
        /// Seconds until the next attempt; `None`: not before `connect`.
        retry_in: Option<f64>,
    }
}

event! {
    /// The connection ended, or an attempt failed.
    Disconnected {
        /// A word for programs, such as `keep-alive-timeout`.
        kind: String,
        /// In words.
        reason: String,
        /// What the operating system, TLS or the server said.
        detail: Option<String>,
        /// What to do about it.
        advice: String,
        /// What the service may have done it for, if there is a hint.
        likely_cause: Option<String>,
        /// Seconds until the next attempt; `None`: not before `connect`.
        retry_in: Option<f64>,
    }
}

event! {
    /// A publication is through.
    Published {
        /// What `publish` gave.
        ticket: u32,
    }
}

event! {
    /// The server refused a publication. Only MQTT 5 servers can.
    Rejected {
        /// What `publish` gave.
        ticket: u32,
        /// The MQTT 5 reason code.
        code: u32,
        /// In words.
        reason: String,
    }
}

event! {
    /// A SUBSCRIBE was answered.
    Subscribed {
        /// What `subscribe` gave.
        ticket: u32,
        /// For each filter the QoS, or 128: refused.
        granted: Vec<u32>,
    }
}

event! {
    /// An UNSUBSCRIBE was answered.
    Unsubscribed {
        /// What `unsubscribe` gave.
        ticket: u32,
    }
}

event! {
    /// A request was given up.
    Dropped {
        /// What the request gave.
        ticket: u32,
        /// Why it was given up, in words.
        reason: String,
    }
}

event! {
    /// After a reconnect the server no longer granted a subscription.
    SubscriptionLost {
        /// Its topic filter.
        filter: String,
    }
}

event! {
    /// Tokens are to be got, and handed over with `token_obtained` or `tokens_failed`.
    TokenNeeded {
        /// Of these types.
        kinds: Vec<String>,
        /// What the service had against the last one.
        invalid: Option<String>,
    }
}

event! {
    /// The service says that a token is about to expire.
    TokenExpires {
        /// Its type.
        kind: String,
        /// When, in seconds since 1970.
        at: f64,
    }
}

event! {
    /// The service says that a token is not valid.
    TokenInvalid {
        /// Its type.
        kind: String,
        /// Why.
        reason: String,
        /// What to do about it.
        advice: String,
    }
}

event! {
    /// The service has taken a new token.
    TokenRenewed {
        /// Its type.
        kind: String,
    }
}

event! {
    /// There is no new token, or one that can't be used.
    TokenFailed {
        /// What is wrong.
        detail: String,
    }
}

/// All of them, before they are Python's.
macro_rules! any {
    ($($name:ident),* $(,)?) => {
        pub(crate) enum Event { $($name($name)),* }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        })*

        impl Event {
            pub(crate) fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                match self {
                    $(Self::$name(event) => Bound::new(py, event.clone()).map(Bound::into_any)),*
                }
            }
        }
    };
}

any! {
    OpenTransport, CloseTransport, Connected, Refused, Disconnected, Published, Rejected, Subscribed, Unsubscribed,
    Dropped, SubscriptionLost, TokenNeeded, TokenExpires, TokenInvalid, TokenRenewed, TokenFailed,
}
