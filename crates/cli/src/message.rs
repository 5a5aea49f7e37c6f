//! Messages as text: for people, and as JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mqtt_p2p_tokio::Message;
use serde::Serialize;
use serde_json::Value;

use crate::json;
use crate::output::{DIM, TOPIC, Utc, visible};

/// A message in a line, with time and colour.
pub(crate) fn line(message: &Message, now: Utc) -> String {
    format!(
        "{DIM}{}{DIM:#}  {TOPIC}{}{TOPIC:#}  {DIM}QoS {}{DIM:#}  {}",
        now.time(),
        visible(message.topic()),
        message.qos(),
        payload(message),
    )
}

/// The same without colour and time.
pub(crate) fn plain_line(message: &Message) -> String {
    format!("{}  QoS {}  {}", message.topic(), message.qos(), payload(message))
}

fn payload(message: &Message) -> String {
    match std::str::from_utf8(message.payload()) {
        Ok(text) => visible(text),
        Err(_) => format!("hex {}", hex(message.payload())),
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// A message in JSON. The field names are stable.
#[derive(Serialize)]
struct Record<'a> {
    time: String,
    topic: &'a str,
    qos: u8,
    retain: bool,
    dup: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(flatten)]
    payload: Payload<'a>,
}

/// A payload in JSON: text if it is that.
#[derive(Serialize)]
enum Payload<'a> {
    #[serde(rename = "payload")]
    Text(&'a str),
    #[serde(rename = "payload")]
    Value(Value),
    #[serde(rename = "payload_base64")]
    Bytes(String),
}

impl<'a> Payload<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Bytes(STANDARD.encode(bytes)),
        }
    }
}

/// A message as `--json` shows it.
pub(crate) fn json_line(message: &Message, now: Utc) -> String {
    let p2p = message.p2p();
    json::line(&Record {
        time: now.date_time(),
        topic: message.topic(),
        qos: message.qos() as u8,
        retain: message.retain(),
        dup: message.dup(),
        parent: p2p.map(|p2p| p2p.parent),
        target: p2p.map(|p2p| p2p.target),
        payload: Payload::new(message.payload()),
    })
}

/// What mosquitto_sub shows for %j.
#[derive(Serialize)]
struct MosquittoRecord<'a> {
    tst: String,
    topic: &'a str,
    qos: u8,
    retain: u8,
    payloadlen: usize,
    #[serde(flatten)]
    payload: Payload<'a>,
}

/// A message as mosquitto_sub's %j shows it, or if its payload is itself to be JSON, %J. A payload that is none is
/// text there too.
pub(crate) fn mosquitto_json(message: &Message, now: Utc, payload_is_json: bool) -> String {
    let value = payload_is_json.then(|| serde_json::from_slice(message.payload()).ok()).flatten();
    json::line(&MosquittoRecord {
        tst: now.date_time(),
        topic: message.topic(),
        qos: message.qos() as u8,
        retain: message.retain().into(),
        payloadlen: message.payload().len(),
        payload: value.map_or_else(|| Payload::new(message.payload()), Payload::Value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_two_digits_each() {
        assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
    }
}
