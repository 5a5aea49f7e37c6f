//! The client of `mqtt-p2p-core`, and ApsaraMQ's rules of `mqtt-p2p-aliyun`, for C and C++. The documentation for those who
//! use it is the header `mqttp2p.h`, which is made of this source, and `bindings/c/README.md`.
//!
//! There is no protocol here: pointers and numbers become slices and enums by a check, a call goes down, and its answer
//! becomes a number.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(non_camel_case_types, reason = "the names are C's")]

mod action;
mod aliyun;
mod client;
mod config;
mod connection;
mod handle;
mod info;
mod memory;
#[cfg(all(feature = "panic-handler", not(feature = "std")))]
mod panic_handler;
mod reason;
mod requests;
mod session;
mod status;
mod topic;
mod types;
mod websocket;

pub use action::*;
pub use aliyun::{
    client_id::*, credentials::*, deduplicator::*, diagnosis::*, limits::*, p2p::*, token::*,
    token_lifecycle::*,
};
pub use client::*;
pub use config::*;
pub use connection::*;
pub use info::*;
pub use reason::*;
pub use requests::*;
pub use session::*;
pub use status::*;
pub use topic::*;
pub use types::mqttp2p_bytes_t;
pub use websocket::*;
