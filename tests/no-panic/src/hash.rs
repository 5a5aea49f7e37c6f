//! `mqtt-p2p-sha1`: the hash, the code and their text.

use mqtt_p2p_sha1::{base64, hmac_sha1, sha1};

use crate::{any, bytes, take};

pub fn all() {
    take(sha1(any(&[bytes()])));
    take(base64::<28>(bytes()));
    take(hmac_sha1(bytes(), bytes()));
}
