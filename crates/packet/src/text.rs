//! Validation of UTF-8 strings (§1.5.3), one machine word at a time.
//!
//! One pass checks for everything that a topic name must not contain. ASCII takes about a dozen instructions per eight
//! bytes. Other text is checked one character at a time, as is all text in firmware, where code size matters more.

use crate::constants::SIZE_OPTIMIZED;

const WORD: usize = size_of::<usize>();
/// 0x01 in every byte.
const ONES: usize = usize::MAX / 255;
const LOW_BITS: usize = 0x7f * ONES;
const HIGH_BITS: usize = 0x80 * ONES;
/// Every ASCII character but NUL has one of these bits.
const NOT_NUL: usize = LOW_BITS;
/// NUL (0x00), `#` (0x23) and `+` (0x2b) have none of these bits. A few valid characters, such as the space, have none
/// either, so text with them is checked one character at a time.
const NOT_NUL_OR_WILDCARD: usize = 0x54 * ONES;

/// The reason why bytes are not a valid string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    NotUtf8OrNul,
    Wildcard,
}

/// Returns whether `bytes` are a valid MQTT string: UTF-8 ([MQTT-1.5.3-1]) without U+0000 ([MQTT-1.5.3-2]).
///
/// ```
/// use mqtt_p2p_packet::is_text;
///
/// assert!(is_text("温度".as_bytes()));
/// assert!(!is_text(b"a\0b") && !is_text(b"\xff"));
/// ```
pub fn is_text(bytes: &[u8]) -> bool {
    check::<false>(bytes).is_ok()
}

/// Checks that `bytes` are UTF-8 without U+0000 and, if `NO_WILDCARDS`, without `+` and `#`.
#[cfg_attr(not(target_os = "none"), inline(never))]
pub(crate) fn check<const NO_WILDCARDS: bool>(bytes: &[u8]) -> Result<(), TextError> {
    check_for(bytes, NO_WILDCARDS)
}

// Inlined for speed, except in firmware, which shares one copy.
#[cfg_attr(not(target_os = "none"), inline(always))]
fn check_for(bytes: &[u8], no_wildcards: bool) -> Result<(), TextError> {
    if SIZE_OPTIMIZED {
        return check_by_character(bytes, no_wildcards);
    }
    let bits = if no_wildcards { NOT_NUL_OR_WILDCARD } else { NOT_NUL };
    // The top bit of every byte stays set as long as all bytes are ASCII and have one of `bits`.
    let mut plain = HIGH_BITS;
    let mut check_word = |word: &[u8; WORD]| {
        let word = usize::from_le_bytes(*word);
        plain &= (word & bits).wrapping_add(LOW_BITS) & !word;
    };
    let (words, tail) = bytes.as_chunks::<WORD>();
    words.iter().for_each(&mut check_word);
    if !tail.is_empty() {
        // The last word overlaps the one before, which is cheaper than checking byte by byte.
        match bytes.last_chunk() {
            Some(word) => check_word(word),
            None => return check_by_character(bytes, no_wildcards),
        }
    }
    if plain == HIGH_BITS { Ok(()) } else { check_by_character(bytes, no_wildcards) }
}

/// Checks one character at a time. The ranges are those of Unicode's table 3-7, which exclude overlong forms, surrogates and
/// code points above U+10FFFF.
#[inline(never)]
pub(crate) const fn check_by_character(mut bytes: &[u8], no_wildcards: bool) -> Result<(), TextError> {
    while let [first, rest @ ..] = bytes {
        let (continuation_bytes, low, high) = match *first {
            0 => return Err(TextError::NotUtf8OrNul),
            b'+' | b'#' if no_wildcards => return Err(TextError::Wildcard),
            0x01..=0x7f => {
                bytes = rest;
                continue;
            }
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            _ => return Err(TextError::NotUtf8OrNul),
        };
        let Some((mut tail, rest)) = rest.split_at_checked(continuation_bytes) else {
            return Err(TextError::NotUtf8OrNul);
        };
        let (mut low, mut high) = (low, high);
        while let [byte, following @ ..] = tail {
            if *byte < low || high < *byte {
                return Err(TextError::NotUtf8OrNul);
            }
            (low, high) = (0x80, 0xbf);
            tail = following;
        }
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::{string::String, vec::Vec};

    fn oracle(bytes: &[u8]) -> Result<(), TextError> {
        let Ok(text) = core::str::from_utf8(bytes) else {
            return Err(TextError::NotUtf8OrNul);
        };
        match text.chars().find(|c| matches!(c, '\0' | '+' | '#')) {
            Some('\0') => Err(TextError::NotUtf8OrNul),
            Some(_) => Err(TextError::Wildcard),
            None => Ok(()),
        }
    }

    #[test]
    fn every_character_of_unicode_is_accepted_but_nul_and_wildcards() {
        let mut buffer = [0; 4];
        for c in '\0'..=char::MAX {
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            assert_eq!(check::<true>(bytes), oracle(bytes), "U+{:04X}", c as u32);
            assert_eq!(check::<false>(bytes).is_ok(), c != '\0', "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn every_three_bytes_are_judged_as_the_standard_library_judges_them() {
        for n in 0..=0xff_ffff_u32 {
            let [_, bytes @ ..] = n.to_be_bytes();
            assert_eq!(
                check::<false>(&bytes).is_ok(),
                core::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0)
            );
        }
    }

    #[test]
    fn a_forbidden_byte_is_found_at_every_place_of_a_long_text() {
        for len in 1..40 {
            for at in 0..len {
                for (byte, error) in [
                    (0, TextError::NotUtf8OrNul),
                    (b'#', TextError::Wildcard),
                    (b'+', TextError::Wildcard),
                    (0xff, TextError::NotUtf8OrNul),
                ] {
                    let mut text = [b'a'; 40];
                    text[at] = byte;
                    assert_eq!(check::<true>(&text[..len]), Err(error));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_as_the_standard_library_judges_them(bytes: Vec<u8>) {
            prop_assert_eq!(check::<true>(&bytes).is_ok(), oracle(&bytes).is_ok());
        }

        #[test]
        fn any_text_is_judged_as_a_search_for_its_forbidden_characters_judges_it(text: String) {
            prop_assert_eq!(check::<true>(text.as_bytes()), oracle(text.as_bytes()));
        }
    }
}
