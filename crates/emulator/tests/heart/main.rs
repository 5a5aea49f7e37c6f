//! The emulator's heart, with raw packets and a clock of the test's own.

mod connection;
mod faults;
mod faults_on_demand;
mod log_in;
mod offline;
mod p2p;
mod pub_sub;
mod qos;
mod quirks;
mod robustness;
mod standard_session;
mod tokens;
mod world;
