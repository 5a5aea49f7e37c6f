//! Any bytes, and bytes that are nearly right, beside another library.

mod common;

use common::check::check;
use common::{asked, frame};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One frame: mostly of a kind that there is.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => select(&[0x82, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8a][..]),
        1 => select(&[0x88, 0x81, 0x01, 0x09, 0xc2][..]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        8 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), 120..130),
        1 => (0_u16..5000, "[a-z\u{e4}]{0,5}").prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat()),
    ];
    (first, payload).prop_map(|(first, payload)| frame(first, &payload))
}

/// Some bytes changed, and the end cut off.
fn damaged(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, vec((any::<Index>(), any::<u8>()), 0..3), proptest::option::weighted(0.2, any::<Index>()))
        .prop_map(|(mut bytes, changes, cut)| {
            for (index, byte) in changes {
                if !bytes.is_empty() {
                    let index = index.index(bytes.len());
                    bytes[index] = byte;
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    vec(any_frame(), 0..8).prop_map(|frames| frames.concat())
}

/// An answer that is nearly right, and frames behind it.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let (_, answer) = asked();
    let line =
        select(&["", "X: y\r\n", "Connection: close\r\n", "Upgrade: websocket\r\n", " \r\n", "X\r\n"][..]);
    (Just(answer), line, frames()).prop_map(|(answer, line, frames)| {
        let mut raw = answer.replacen("\r\n", &format!("\r\n{line}"), 1).into_bytes();
        raw.extend(frames);
        raw
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn frames_are_read_as_another_library_reads_them_however_they_are_cut(raw in damaged(frames()), cut in any::<u8>()) {
        check(&[&[1, cut], &raw[..]].concat());
    }

    #[test]
    fn an_answer_is_taken_as_another_library_takes_it(raw in damaged(answers()), cut in any::<u8>()) {
        check(&[&[0, cut], &raw[..]].concat());
    }

    #[test]
    fn no_bytes_do_harm(raw in vec(any::<u8>(), 0..300)) {
        check(&raw);
    }
}
