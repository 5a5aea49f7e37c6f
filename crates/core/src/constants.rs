//! Constants that every layer of the core needs.

/// Whether the code is to be small rather than fast: on in firmware. The behaviour is the same.
///
/// `--cfg mqtt_p2p_as_firmware` turns it on for the tests of a host.
pub(crate) const SIZE_OPTIMIZED: bool = cfg!(any(target_os = "none", mqtt_p2p_as_firmware));
