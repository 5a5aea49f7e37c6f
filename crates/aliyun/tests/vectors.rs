//! Known answers of the signature. The service publishes none. These were computed with OpenSSL, Python and
//! Node.js, or come from RFC 2202.

use mqtt_p2p_aliyun::{sign, verify_signature};

const VECTORS: [(&[u8], &str, &str); 8] = [
    (b"XXXXX", "GID_Test@@@0001", "vI009IZJZVGRwBwZvnbwjfuXxVM="),
    (b"XXXXX", "GID_XXXX@@@00001", "wgBKFWmzyGosuT7IH6WkYVe/cZI="),
    (b"secretKey", "GID_XXXX@@@00001", "ZW1SBgaGpkqO3EKaym5VEo+WNE0="),
    (b"SHA1Util", "testHmacSHA1", "LicXOdrzX+EWJKbJriUcGxm63Wg="),
    (b"key", "The quick brown fox jumps over the lazy dog", "3nybhbi3iqa8ino29wqQcBydtNk="),
    // RFC 2202, test cases 2 and 6.
    (b"Jefe", "what do ya want for nothing?", "7/zfauXrL6LSdBbV8YTfnCWafHk="),
    (&[0xAA; 80], "Test Using Larger Than Block-Size Key - Hash Key First", "qkrl4VJy0A6VcFY3zoo7Ve1AIRI="),
    (b"", "", "+9sdGxiqbAgyS31ktx+3Y3BpDh0="),
];

#[test]
fn each_vector_is_signed_as_known() {
    for (secret, message, password) in VECTORS {
        assert_eq!(sign(secret, message).as_str(), password, "{message}");
    }
}

#[test]
fn each_vector_is_verified() {
    for (secret, message, password) in VECTORS {
        assert!(verify_signature(secret, message, password.as_bytes()), "{message}");
    }
}

#[test]
fn no_vector_is_verified_for_another() {
    for (i, (secret, message, _)) in VECTORS.into_iter().enumerate() {
        for (j, (_, _, password)) in VECTORS.into_iter().enumerate() {
            assert_eq!(verify_signature(secret, message, password.as_bytes()), i == j);
        }
    }
}
