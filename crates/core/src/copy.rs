//! Copies without a panic path: those of the standard library check lengths, and panic.

use crate::constants::SIZE_OPTIMIZED;

/// Copies as many bytes as fit.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Moves the elements `from..end` to the front, to `to`.
#[inline(never)]
pub(crate) fn move_down<T: Copy>(buffer: &mut [T], mut from: usize, end: usize, mut to: usize) {
    if !SIZE_OPTIMIZED {
        let gap = from.saturating_sub(to);
        // The library's check, and the compiler then removes that one.
        if let Some(buffer) = buffer.get_mut(to..end)
            && gap <= buffer.len()
        {
            buffer.copy_within(gap.., 0);
        }
        return;
    }
    while from < end
        && let Some(element) = buffer.get(from).copied()
        && let Some(place) = buffer.get_mut(to)
    {
        *place = element;
        from = from.wrapping_add(1);
        to = to.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::move_down;

    #[test]
    fn every_move_is_that_of_the_standard_library() {
        for from in 0..12 {
            for (to, end) in (0..=from).flat_map(|to| (from..=12).map(move |end| (to, end))) {
                let mut moved = *b"abcdefghijkl";
                let mut expected = moved;
                move_down(&mut moved, from, end, to);
                expected.copy_within(from..end, to);
                assert_eq!(moved, expected, "{from}..{end} to {to}");
            }
        }
    }
}
