//! Searches in byte strings.

#![forbid(unsafe_code)]

/// Whether a text contains a piece.
pub(crate) fn contains(text: &[u8], piece: &[u8]) -> bool {
    find(text, piece).is_some()
}

/// The parts before and after the first `mark`.
pub(crate) fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = text.split_at_checked(find(text, mark)?)?;
    Some((before, rest.get(mark.len()..)?))
}

/// The lines of a text that are not empty.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The position of the first occurrence of a piece, which must not be empty.
fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    (0..text.len()).find(|start| text.get(*start..).is_some_and(|rest| rest.starts_with(piece)))
}
