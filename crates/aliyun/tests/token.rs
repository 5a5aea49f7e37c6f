//! Sets of tokens and their password.

use mqtt_p2p_aliyun::{TokenError, TokenKind, TokenSet};
use proptest::{prelude::*, sample::subsequence};

fn password(tokens: &TokenSet<'_>) -> String {
    let mut buffer = vec![0; tokens.password_len()];
    assert_eq!(tokens.write_password(&mut buffer), Ok(buffer.len()));
    String::from_utf8(buffer).expect("tokens are ASCII")
}

#[test]
fn one_token_makes_one_pair() {
    let tokens = TokenSet::new(TokenKind::R, "123").expect("it is the documentation's example");
    assert_eq!(password(&tokens), "R|123");
}

#[test]
fn two_tokens_make_two_pairs() {
    let tokens = TokenSet::new(TokenKind::W, "abcd").and_then(|set| set.with(TokenKind::R, "123"));
    assert_eq!(tokens.map(|set| password(&set)), Ok("R|123|W|abcd".to_owned()));
}

#[test]
fn pairs_are_read_in_any_order() {
    assert_eq!(TokenSet::parse("W|abcd|R|123"), TokenSet::parse("R|123|W|abcd"));
}

#[test]
fn a_token_is_found_by_its_type() {
    let tokens = TokenSet::parse("W|abcd|R|123").expect("it is well-formed");
    assert_eq!(
        [TokenKind::R, TokenKind::W, TokenKind::RW].map(|kind| tokens.get(kind)),
        [Some("123"), Some("abcd"), None]
    );
}

#[test]
fn every_fault_in_a_password_has_its_own_error() {
    use TokenError::*;
    for (text, error) in [
        ("", NoToken),
        ("X|123", UnknownKind),
        ("r|123", UnknownKind),
        ("|", UnknownKind),
        ("R", Empty(TokenKind::R)),
        ("R|", Empty(TokenKind::R)),
        ("R|123|", UnknownKind),
        ("R|123|W", Empty(TokenKind::W)),
        ("R|123|R|123", Duplicate(TokenKind::R)),
        ("RW|1 2", InvalidCharacter(TokenKind::RW)),
        ("RW|12\n", InvalidCharacter(TokenKind::RW)),
        ("RW|1\u{0}2", InvalidCharacter(TokenKind::RW)),
        ("RW|温", InvalidCharacter(TokenKind::RW)),
    ] {
        assert_eq!(TokenSet::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn a_token_with_a_bar_is_refused() {
    assert_eq!(TokenSet::new(TokenKind::W, "a|b"), Err(TokenError::InvalidCharacter(TokenKind::W)));
}

#[test]
fn a_short_buffer_stays_unchanged_and_the_error_has_the_length() {
    let tokens = TokenSet::new(TokenKind::RW, "12345").expect("it is well-formed");
    let mut buffer = [7; 7];
    assert_eq!((tokens.write_password(&mut buffer), buffer), (Err(8), [7; 7]));
}

#[test]
fn a_token_may_be_very_long() {
    let token = "A".repeat(30_000);
    let tokens = TokenSet::new(TokenKind::R, &token).expect("no length is too long for a set");
    assert_eq!(password(&tokens).len(), 30_002);
}

proptest! {
    #[test]
    fn a_password_survives_reading_and_writing_in_any_order(
        pairs in subsequence(vec![TokenKind::R, TokenKind::W, TokenKind::RW], 1..=3).prop_shuffle(),
        token in "[0-9A-Za-z+/]{1,300}={0,2}",
    ) {
        let text = pairs.iter().map(|kind| format!("{kind}|{token}{kind}")).collect::<Vec<_>>().join("|");
        let tokens = TokenSet::parse(&text).expect("it was just built");
        prop_assert_eq!(tokens.iter().count(), pairs.len());
        let written = password(&tokens);
        prop_assert_eq!(TokenSet::parse(&written), Ok(tokens));
        for kind in pairs {
            prop_assert_eq!(tokens.get(kind).map(str::to_owned), Some(format!("{token}{kind}")));
        }
    }

    #[test]
    fn any_text_is_refused_or_well_formed(text in "([RW|a温 ]{0,12}|.{0,40})") {
        if let Ok(tokens) = TokenSet::parse(&text) {
            prop_assert_eq!(tokens.password_len(), text.len());
        }
    }
}
