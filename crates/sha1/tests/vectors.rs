//! SHA-1, HMAC-SHA1 and Base64 as the standards and another implementation have them.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use mqtt_p2p_sha1::{base64, hmac_sha1, sha1};
use proptest::prelude::*;
use sha1::{Digest, Sha1};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hashes_are_those_of_rfc_3174() {
    assert_eq!(hex(&sha1(&[b"abc"])), "a9993e364706816aba3e25717850c26c9cd0d89d");
    let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(hex(&sha1(&[text])), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    assert_eq!(hex(&sha1(&[&[b'a'; 1_000_000]])), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    let text = b"0123456701234567012345670123456701234567012345670123456701234567";
    assert_eq!(hex(&sha1(&[&text[..]; 10])), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

#[test]
fn codes_are_those_of_rfc_2202() {
    for (key, message, code) in [
        (&[0x0b; 20][..], &b"Hi There"[..], "b617318655057264e28bc0b6fb378c8ef146be00"),
        (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (&[0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ),
    ] {
        assert_eq!(hex(&hmac_sha1(key, message)), code);
    }
}

#[test]
fn base64_is_that_of_rfc_4648() {
    assert_eq!(&base64::<0>(b""), b"");
    assert_eq!(&base64::<4>(b"f"), b"Zg==");
    assert_eq!(&base64::<4>(b"fo"), b"Zm8=");
    assert_eq!(&base64::<4>(b"foo"), b"Zm9v");
    assert_eq!(&base64::<8>(b"foob"), b"Zm9vYg==");
    assert_eq!(&base64::<8>(b"fooba"), b"Zm9vYmE=");
    assert_eq!(&base64::<8>(b"foobar"), b"Zm9vYmFy");
}

proptest! {
    #[test]
    fn any_base64_is_what_another_implementation_makes(bytes: [u8; 20]) {
        let text = STANDARD.encode(bytes);
        prop_assert_eq!(&base64::<28>(&bytes)[..], text.as_bytes());
    }

    #[test]
    fn any_hash_is_what_another_implementation_makes(parts: Vec<Vec<u8>>, more in 0_usize..130) {
        let long = vec![7; more];
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).chain([&long[..]]).collect();
        prop_assert_eq!(&sha1(&parts)[..], &Sha1::digest(parts.concat())[..]);
    }

    #[test]
    fn any_code_is_what_another_implementation_makes(key: Vec<u8>, message: Vec<u8>) {
        let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("any key will do");
        mac.update(&message);
        prop_assert_eq!(&hmac_sha1(&key, &message)[..], &mac.finalize().into_bytes()[..]);
    }
}
