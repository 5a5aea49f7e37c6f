//! Writes bytes into buffers without the panic path of `copy_from_slice`.

/// Copies `from` to the start of `to` and stops at the end of the shorter one.
pub(crate) fn put<'a>(from: impl IntoIterator<Item = &'a u8>, to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// Returns the total length of the parts in bytes.
pub(crate) fn total_len<'p, P: AsRef<[u8]> + ?Sized + 'p>(parts: impl IntoIterator<Item = &'p P>) -> usize {
    parts.into_iter().fold(0, |sum: usize, part| sum.saturating_add(part.as_ref().len()))
}

/// Writes the concatenated parts to the start of `buffer` and returns their total length in bytes.
///
/// If the buffer is too short, nothing is written and the error is the required length.
pub(crate) fn concat<'p, P: AsRef<[u8]> + ?Sized + 'p>(
    parts: impl IntoIterator<Item = &'p P> + Clone,
    buffer: &mut [u8],
) -> Result<usize, usize> {
    let needed = total_len(parts.clone());
    put(parts.into_iter().flat_map(AsRef::as_ref), buffer.get_mut(..needed).ok_or(needed)?);
    Ok(needed)
}
