//! The message that replaces a token.

use mqtt_p2p_aliyun::{
    ORDER_PAYLOAD, ORDER_TOPIC, TokenError, TokenKind, UPLOAD_TOPIC, UploadError, upload_len, write_upload,
};
use proptest::prelude::*;

#[test]
fn the_control_messages_are_those_of_the_documentation() {
    assert_eq!(UPLOAD_TOPIC, "$SYS/uploadToken");
    assert_eq!((ORDER_TOPIC, ORDER_PAYLOAD), ("$SYS/enableOrderMsg", &br#"{"order":"true"}"#[..]));
}

#[test]
fn an_upload_holds_the_token_and_its_type() {
    let mut buffer = [0; 40];
    assert_eq!(write_upload(TokenKind::W, "a+/b==", &mut buffer), Ok(29));
    assert_eq!(&buffer[..29], br#"{"token":"a+/b==","type":"W"}"#);
}

#[test]
fn a_buffer_that_is_too_small_stays_unchanged() {
    let mut buffer = [7; 28];
    assert_eq!(
        write_upload(TokenKind::W, "a+/b==", &mut buffer),
        Err(UploadError::BufferTooSmall { needed: 29 })
    );
    assert_eq!(buffer, [7; 28]);
}

#[test]
fn a_text_that_cannot_be_a_token_is_refused() {
    use TokenError::*;
    let kind = TokenKind::RW;
    assert_eq!(write_upload(kind, "", &mut [0; 99]), Err(UploadError::Token(Empty(kind))));
    for token in ["a\"b", "a\\b", "a|b", "a b", "a\n", "温"] {
        let refused = write_upload(kind, token, &mut [0; 99]);
        assert_eq!(refused, Err(UploadError::Token(InvalidCharacter(kind))), "{token:?}");
    }
}

proptest! {
    #[test]
    fn upload_len_is_the_length_of_any_upload(token in "[0-9A-Za-z+/]{1,3000}={0,2}") {
        let mut buffer = vec![0; upload_len(TokenKind::RW, &token)];
        prop_assert_eq!(write_upload(TokenKind::RW, &token, &mut buffer), Ok(buffer.len()));
        prop_assert_eq!(String::from_utf8(buffer).unwrap(), format!(r#"{{"token":"{token}","type":"RW"}}"#));
    }

    #[test]
    fn no_error_shows_the_token(token in "SECRET[0-9A-Za-z]{4,60}") {
        let small = write_upload(TokenKind::R, &token, &mut []).unwrap_err();
        let wrong = write_upload(TokenKind::R, &format!("{token}\""), &mut []).unwrap_err();
        let shown = format!("{small} {small:?} {wrong} {wrong:?}");
        prop_assert!(!shown.contains(&token), "{}", shown);
    }
}
