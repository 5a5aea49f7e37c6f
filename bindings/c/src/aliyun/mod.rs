//! ApsaraMQ: client ids, P2P topics, log-ins, tokens, the service's limits, what it may have disconnected for.

pub(crate) mod client_id;
pub(crate) mod credentials;
pub(crate) mod deduplicator;
pub(crate) mod diagnosis;
pub(crate) mod limits;
pub(crate) mod p2p;
pub(crate) mod token;
pub(crate) mod token_lifecycle;

/// Texts of the service that other modules write: into a buffer of the caller's.
///
/// # Safety
/// `buffer` may be written to, `len` bytes; `length` is NULL or may be written to.
unsafe fn give_text(text: &str, buffer: *mut u8, len: usize, length: *mut usize) -> crate::status::Outcome {
    // SAFETY: the caller's promise.
    unsafe {
        let place = crate::types::room(buffer, len)?;
        let result = match place.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Ok(text.len())
            }
            None => Err(text.len()),
        };
        crate::types::written(length, result)
    }
}
