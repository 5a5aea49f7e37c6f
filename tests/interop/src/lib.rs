//! What the tests of the tokio client against real peers share: Debian's mosquitto, a link that can be cut, and
//! waiting that always ends.

mod certificates;
mod client;
mod faults;
mod ledger;
mod mosquitto;
mod proxy;

pub use certificates::{Authority, Fault};
pub use client::{connect, next, nothing_more, number, options, within};
pub use faults::{FaultProxy, Faults};
pub use ledger::Ledger;
pub use mosquitto::{Mosquitto, Secure, Settings, tool};
pub use proxy::Proxy;
