//! The interface as a C program uses it: objects and buffers in one allocation, raw pointers that are kept from call to
//! call, input that is overwritten, arguments that are freed as soon as a call has returned.
//!
//! Under Miri (`tests/soak miri`) these tests show that no call breaks the rules for pointers, by which the compiler reads
//! `unsafe` code: valgrind and the sanitizers, which `api.c` runs under, don't know them. Without Miri they show that each
//! call does what the header says.

mod driver;

mod aliyun;
mod connection;
mod memory;
mod messages;
mod session;
mod texts;
mod websocket;

/// So that what is added to the interface is looked at as well.
#[test]
#[cfg_attr(miri, ignore = "no pointers, and minutes of looking through texts")]
fn every_exported_function_is_called_here() {
    let here = [
        include_str!("driver.rs"),
        include_str!("aliyun.rs"),
        include_str!("connection.rs"),
        include_str!("memory.rs"),
        include_str!("messages.rs"),
        include_str!("session.rs"),
        include_str!("texts.rs"),
        include_str!("websocket.rs"),
    ];
    let exported = include_str!("../../symbols.txt").lines().filter(|line| !line.starts_with('#'));
    let missing: Vec<_> =
        exported.filter(|name| !here.iter().any(|text| text.contains(&format!("{name}(")))).collect();
    assert_eq!(missing, [""; 0]);
}
