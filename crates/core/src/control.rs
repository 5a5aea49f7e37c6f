//! The control lane: small packets that may overtake what waits in the outbound store.

use crate::constants::SIZE_OPTIMIZED;
use crate::copy::{copy, move_down};

/// CONNECT, acknowledgements, pings, replayed subscriptions, DISCONNECT: `start..end` in
/// [`Memory::control`](crate::Memory::control).
#[derive(Debug)]
pub(crate) struct ControlLane {
    start: usize,
    end: usize,
}

impl ControlLane {
    pub(crate) const fn new() -> Self {
        Self { start: 0, end: 0 }
    }

    pub(crate) const fn clear(&mut self) {
        *self = Self::new();
    }

    /// Whether nothing waits.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The bytes that wait.
    #[inline]
    pub(crate) fn bytes<'m>(&self, control: &'m [u8]) -> &'m [u8] {
        control.get(self.start..self.end).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn transmitted(&mut self, bytes: usize) {
        if bytes < self.end.saturating_sub(self.start) {
            self.start = self.start.wrapping_add(bytes);
        } else {
            self.clear();
        }
    }

    /// Whether there is room for so many bytes, after moving what waits to the front if need be.
    #[inline]
    pub(crate) fn has_room(&mut self, control: &mut [u8], bytes: usize) -> bool {
        control.len().saturating_sub(self.end) >= bytes || self.make_room(control, bytes)
    }

    /// Moves what waits to the front, if that makes room.
    #[cfg_attr(not(target_os = "none"), inline(never))]
    #[cfg_attr(target_os = "none", inline(always))]
    fn make_room(&mut self, control: &mut [u8], bytes: usize) -> bool {
        let waiting = self.end.saturating_sub(self.start);
        if control.len().saturating_sub(waiting) < bytes {
            return false;
        }
        move_down(control, self.start, self.end, 0);
        *self = Self { start: 0, end: waiting };
        true
    }

    /// The free room.
    pub(crate) fn free<'m>(&self, control: &'m mut [u8]) -> &'m mut [u8] {
        control.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes were written to the start of the free room.
    pub(crate) const fn written(&mut self, bytes: usize) {
        self.end = self.end.saturating_add(bytes);
    }

    /// Puts a packet in; `false` if there is no room.
    #[inline(always)]
    pub(crate) fn push<const N: usize>(&mut self, control: &mut [u8], packet: [u8; N]) -> bool {
        if SIZE_OPTIMIZED {
            return self.push_any(control, &packet);
        }
        if !self.has_room(control, N) {
            return false;
        }
        let Some(place) = self.free(control).first_chunk_mut() else {
            return false;
        };
        *place = packet;
        self.written(N);
        true
    }

    /// The same for packets of all lengths, once.
    fn push_any(&mut self, control: &mut [u8], packet: &[u8]) -> bool {
        let has_room = self.has_room(control, packet.len());
        if has_room {
            copy(self.free(control), packet);
            self.written(packet.len());
        }
        has_room
    }
}
