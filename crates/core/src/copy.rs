//! Copies without a panic path: those of the standard library check lengths, and panic.

use crate::constants::SIZE_OPTIMIZED;

/// Copies as many bytes as fit.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Moves the bytes `from..end` to the front, to `to`: one gap at a time, so that no piece overlaps its place.
#[inline(never)]
pub(crate) fn move_down(buffer: &mut [u8], mut from: usize, end: usize, mut to: usize) {
    if SIZE_OPTIMIZED {
        while from < end
            && let Some(byte) = buffer.get(from).copied()
            && let Some(place) = buffer.get_mut(to)
        {
            *place = byte;
            from = from.wrapping_add(1);
            to = to.wrapping_add(1);
        }
        return;
    }
    let gap = from.saturating_sub(to);
    while gap > 0
        && from < end
        && let Some((front, back)) = buffer.split_at_mut_checked(from)
    {
        let len = gap.min(end.saturating_sub(from));
        copy(front.get_mut(to..).unwrap_or_default(), back.get(..len).unwrap_or(back));
        from = from.saturating_add(len);
        to = to.saturating_add(len);
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
