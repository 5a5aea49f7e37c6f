//! The standard's limits, and what the build is optimized for.

/// The largest remaining length, in bytes (§2.2.3).
pub const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The largest packet, in bytes: the packet type, four bytes of remaining length, and the largest remaining length.
pub(crate) const MAX_PACKET_SIZE: u32 = 268_435_460;

/// Whether the build prefers small code to few instructions, as firmware does. The behavior is the same without the fast
/// paths. `--cfg mqtt_p2p_as_firmware` makes tests on the host run the firmware's code.
pub(crate) const SIZE_OPTIMIZED: bool = cfg!(any(target_os = "none", mqtt_p2p_as_firmware));
