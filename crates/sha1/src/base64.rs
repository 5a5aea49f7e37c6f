//! Base64 (RFC 4648 §4), in which hashes are written.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding: the first `N` characters of it, of which there are four for every three bytes.
///
/// ```
/// assert_eq!(&mqtt_p2p_sha1::base64::<8>(b"fooba"), b"Zm9vYmE=");
/// ```
pub fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [b'='; N];
    let mut bytes = bytes.iter();
    for quartet in text.as_chunks_mut::<4>().0 {
        let given = bytes.len().min(3);
        if given == 0 {
            break;
        }
        let mut byte = || bytes.next().map_or(0, |byte| u32::from(*byte));
        let bits = byte() << 16 | byte() << 8 | byte();
        // A missing byte leaves its characters to the padding.
        for (place, shift) in quartet.iter_mut().zip([18, 12, 6, 0]).take(given.saturating_add(1)) {
            *place = ALPHABET.get((bits >> shift & 63) as usize).copied().unwrap_or_default();
        }
    }
    text
}
