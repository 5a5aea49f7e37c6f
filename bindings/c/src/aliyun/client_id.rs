//! Client ids: `<GroupID>@@@<DeviceID>`.

use mqtt_p2p_aliyun::ClientId;

use super::give_text;
use crate::handle::guarded;
use crate::status::{DONE, MQTTP2P_E_CLIENT_ID, Status, mqttp2p_status_t};
use crate::types::{give, mqttp2p_bytes_t};

/// The longest client id, in bytes (ApsaraMQ docs: limits).
pub const MQTTP2P_ALIYUN_CLIENT_ID_MAX: usize = 64;
const _: () = assert!(MQTTP2P_ALIYUN_CLIENT_ID_MAX == mqtt_p2p_aliyun::limits::MAX_CLIENT_ID);

/// Writes the client id `<group>@@@<device>` to `buffer`, for which `MQTTP2P_ALIYUN_CLIENT_ID_MAX` bytes are always
/// enough, without a NUL; `length` is told its length. The group id was created in the console and begins with `GID_` or
/// `GID-`; both ids consist of `0-9A-Za-z_-` (ApsaraMQ docs: terms, limits, manage groups). Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_CLIENT_ID; MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL; MQTTP2P_E_NULL.
///
/// # Safety
/// `group` and `device` may be read; `buffer` may be written to, `buffer_len` bytes; `length` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_client_id(
    group: mqttp2p_bytes_t,
    device: mqttp2p_bytes_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let id = ClientId::new(group.text()?, device.text()?).map_err(|_| Status(MQTTP2P_E_CLIENT_ID))?;
        give_text(id.as_str(), buffer, buffer_len, length)
    })
}

/// Whether a text is a client id of ApsaraMQ; then `group` and `device`, unless NULL, are told where its two parts lie in
/// it. With custom authentication these rules are waived, and any text of 1 to 64 bytes serves. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_CLIENT_ID; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `client_id` may be read; `group` and `device` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_parse_client_id(
    client_id: mqttp2p_bytes_t,
    group: *mut mqttp2p_bytes_t,
    device: *mut mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let bytes = client_id.get()?;
        let id = ClientId::parse(client_id.text()?).map_err(|_| Status(MQTTP2P_E_CLIENT_ID))?;
        // The parts are told as parts of the caller's text, which is the same.
        let group_len = id.group().unwrap_or_default().len();
        let device_at = bytes.len() - id.device().unwrap_or_default().len();
        give(group, mqttp2p_bytes_t::of(bytes.get(..group_len).unwrap_or_default()));
        give(device, mqttp2p_bytes_t::of(bytes.get(device_at..).unwrap_or_default()));
        DONE
    })
}
