//! Simulation, storms and model checking of the client: see `README.md` beside this crate's manifest.

mod agenda;
mod down;
mod driver;
mod explore;
mod faults;
mod inject;
mod link;
mod party;
mod payload;
mod picture;
mod plan;
mod program;
mod room;
mod server;
mod shrink;
mod soak;
mod store;
mod storm;
mod tally;
mod topics;
mod up;
mod violation;
mod wire;
mod world;

pub use explore::{Bounds, Explored, Step, explore};
pub use faults::{Fault, Faults};
pub use picture::draw;
pub use plan::{Plan, ServerKind};
pub use shrink::shrink;
pub use soak::{Length, Report, soak};
pub use storm::{Course, Storm, Strategy, run_storm};
pub use tally::Tally;
pub use violation::Violation;
pub use world::run;
