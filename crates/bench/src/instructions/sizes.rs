//! Sizes of the types that a caller keeps or is given.

use mqtt_p2p_core::{
    Action, Client, Config, Error, Event, Growing, InboundId, Inline, Message, Request, Ticket,
};

/// The table as Markdown.
pub(crate) fn markdown() -> String {
    let mut text = String::from("\n### Sizes on this machine, in bytes\n\n| type | bytes |\n|---|--:|\n");
    for (name, size) in [
        ("Client without its buffers", size_of::<Client<Inline<0, 0, 0, 0, 0>>>()),
        ("Client with growing buffers", size_of::<Client<Growing>>()),
        ("Config, within the client", size_of::<Config>()),
        ("Action", size_of::<Action<'_, '_>>()),
        ("Event", size_of::<Event<'_>>()),
        ("Message", size_of::<Message<'_>>()),
        ("Result of publish", size_of::<Result<Ticket, Error>>()),
        ("Request, one for each request under way", size_of::<Request>()),
        ("InboundId, one for each incoming QoS 2", size_of::<InboundId>()),
    ] {
        text += &format!("| {name} | {size} |\n");
    }
    text
}
