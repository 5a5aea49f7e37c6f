//! Bytes into buffers, without the panic paths of `copy_from_slice`.

/// Copies to the start of `to`, as far as both go.
pub(crate) fn put<'a>(from: impl IntoIterator<Item = &'a u8>, to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// How many bytes the parts have together.
pub(crate) fn total_len<'p, P: AsRef<[u8]> + ?Sized + 'p>(parts: impl IntoIterator<Item = &'p P>) -> usize {
    parts.into_iter().fold(0, |sum: usize, part| sum.saturating_add(part.as_ref().len()))
}

/// Writes the parts one behind the other to the start of `buffer` and returns their length; the length as the
/// error, and nothing written, when the buffer is shorter.
pub(crate) fn concat<'p, P: AsRef<[u8]> + ?Sized + 'p>(
    parts: impl IntoIterator<Item = &'p P> + Clone,
    buffer: &mut [u8],
) -> Result<usize, usize> {
    let needed = total_len(parts.clone());
    put(parts.into_iter().flat_map(AsRef::as_ref), buffer.get_mut(..needed).ok_or(needed)?);
    Ok(needed)
}
