//! Text is UTF-8 without U+0000 (§1.5.3), and topic names have no wildcards (§4.7.1), wherever in a machine word they are.

use mqtt_p2p_packet::{TopicError, TopicName, is_text};

/// Characters with few bits, with many, with the lowest and without.
const FILLERS: [u8; 6] = [0x01, b' ', b'a', b'b', b'T', 0x7f];

#[test]
fn text_of_nothing_but_a_forbidden_byte_is_refused_at_every_length() {
    for byte in [0x00, 0x80, 0xc1, 0xf8, 0xff] {
        for len in 1..40 {
            assert!(!is_text(&vec![byte; len]), "{len} times {byte:#04x}");
        }
    }
}

#[test]
fn a_forbidden_byte_is_found_among_any_characters() {
    for filler in FILLERS {
        for at in 0..17 {
            for byte in [0x00, 0x80, 0xff] {
                let mut text = [filler; 17];
                text[at] = byte;
                assert!(!is_text(&text), "{byte:#04x} at {at} among {filler:#04x}");
            }
        }
    }
}

#[test]
fn a_wildcard_is_found_among_any_characters() {
    for filler in FILLERS {
        for at in 0..17 {
            for wildcard in [b'+', b'#'] {
                let mut name = [filler; 17];
                name[at] = wildcard;
                let name = std::str::from_utf8(&name).unwrap();
                assert_eq!(TopicName::new(name), Err(TopicError::WildcardInName));
            }
        }
    }
}

#[test]
fn characters_at_the_bounds_of_every_length_are_text() {
    for c in "\u{1}\u{7f}\u{80}\u{7ff}\u{800}\u{fff}\u{1000}\u{cfff}\u{d000}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{3ffff}\
              \u{40000}\u{fffff}\u{100000}\u{10ffff}"
        .chars()
    {
        for len in 1..12 {
            assert!(is_text(c.to_string().repeat(len).as_bytes()), "U+{:04X}", c as u32);
        }
    }
}

#[test]
fn what_is_no_character_is_no_text() {
    // Overlong, a surrogate, above U+10FFFF, cut off, a byte that goes on with nothing.
    for bytes in [
        &b"\xc0\x80"[..],
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xe6\xb8",
        b"\xf0\x9f\x98",
        b"\xe6\x41\x80",
        b"\xf0\x90\x41\x80",
        b"\xe6\x80\xc0",
        b"\x80",
    ] {
        assert!(!is_text(bytes), "{bytes:02x?}");
        assert!(!is_text(&[b"topic/level/", bytes, b"/and/more/of/it"].concat()), "{bytes:02x?}");
    }
}
