//! Signatures beyond the known answers of `vectors.rs`.

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use mqtt_p2p_aliyun::{Password, sign, verify_signature};
use proptest::prelude::*;
use sha1::{Digest, Sha1};

/// RFC 2104 as it is written: H(K xor opad, H(K xor ipad, text)).
fn oracle(secret: &[u8], client_id: &str) -> String {
    let mut key = if secret.len() > 64 { Sha1::digest(secret).to_vec() } else { secret.to_vec() };
    key.resize(64, 0);
    let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<_>>();
    let inner = Sha1::new().chain_update(padded(0x36)).chain_update(client_id).finalize();
    let code = Sha1::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    Base64Display::new(&code, &STANDARD).to_string()
}

#[test]
fn keys_and_messages_around_the_block_size_match_the_oracle() {
    for key in [0, 1, 19, 20, 55, 56, 63, 64, 65, 119, 120, 128, 200] {
        for message in 0..200 {
            let (key, message) = (vec![0x5A; key], "m".repeat(message));
            assert_eq!(sign(&key, &message).as_str(), oracle(&key, &message));
        }
    }
}

#[test]
fn a_password_has_28_characters_and_ends_in_padding() {
    let password = sign(b"secretKey", "GID_XXXX@@@00001");
    assert_eq!((password.as_bytes().len(), password.as_bytes().last()), (Password::LEN, Some(&b'=')));
}

#[test]
fn a_truncated_or_extended_password_is_not_verified() {
    let password = oracle(b"secretKey", "GID_XXXX@@@00001") + "=";
    for length in (0..=password.len()).filter(|&length| length != Password::LEN) {
        assert!(!verify_signature(b"secretKey", "GID_XXXX@@@00001", &password.as_bytes()[..length]));
    }
}

proptest! {
    #[test]
    fn any_key_and_any_client_id_match_the_oracle(secret: Vec<u8>, client_id: String) {
        let password = oracle(&secret, &client_id);
        prop_assert_eq!(sign(&secret, &client_id).as_str().to_owned(), password.as_str());
        prop_assert!(verify_signature(&secret, &client_id, password.as_bytes()));
    }

    #[test]
    fn one_wrong_bit_is_not_verified(
        secret: Vec<u8>,
        client_id: String,
        at in 0..Password::LEN,
        bit in 0_u8..8,
    ) {
        let mut password = oracle(&secret, &client_id).into_bytes();
        password[at] ^= 1 << bit;
        prop_assert!(!verify_signature(&secret, &client_id, &password));
    }
}
